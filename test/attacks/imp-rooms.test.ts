import { describe, expect, it } from 'vitest';
import type { Wire } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { iq, times, watch } from './imp-flood.ts';
import { type ImpGround, impUnderAttack } from './imp-ground.ts';
import { DOMAIN, ROOMS } from './imp-words.ts';

const ground = impUnderAttack({ network: 163, users: ['owner', 'maker', 'stormer'] });

const JOIN = "<x xmlns='http://jabber.org/protocol/muc'/>";
const OWNER = 'http://jabber.org/protocol/muc#owner';
const ADMIN = 'http://jabber.org/protocol/muc#admin';
/** Occupants of a room that nobody has configured. */
const SEATS = 200;

function joins(room: string, n: number): string {
  return times(
    n,
    (each) => `<presence from='s${each}@storm.lab/x' to='${room}@${ROOMS}/nick-${each}'>${JOIN}</presence>`,
  );
}

function form(inside: string): string {
  return `<query xmlns='${OWNER}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>${inside}</x></query>`;
}

function field(name: string, value: string): string {
  return `<field var='${name}'><value>${value}</value></field>`;
}

function list(from: number, n: number): string {
  return `<query xmlns='${ADMIN}'>${times(n, (each) => `<item affiliation='outcast' jid='u${from + each}@storm.lab'/>`)}</query>`;
}

/** A room that exists until its owner goes. */
async function roomOf(here: ImpGround, name: string): Promise<Wire> {
  const wire = await here.login('owner', { resource: name, from: here.from(2) });
  wire.send(`<presence to='${name}@${ROOMS}/owner'>${JOIN}</presence>`);
  await wire.expect("<status code='201'/>");
  await iq(wire, 'set', `<query xmlns='${OWNER}'><x xmlns='jabber:x:data' type='submit'/></query>`, `${name}@${ROOMS}`);
  return wire;
}

describe('strangers abroad', () => {
  it('six hundred enter a room at once, change their nicknames, talk and leave: no more than fit, others are served', async () => {
    const here = ground();
    const mark = here.log.mark();
    const before = here.memory();
    const owner = await roomOf(here, 'storm');
    owner.recording = false;
    const entered = watch(here.outside, /<status code='110'\/>/g);
    await here.during(async () => {
      here.abroad.send(joins('storm', 600));
      await until(
        () => entered.count() >= SEATS - 1,
        'they are in',
        30_000,
        () => `${entered.count()}`,
      );
      here.abroad.send(
        times(3_000, (n) => `<presence from='s${n % 600}@storm.lab/x' to='storm@${ROOMS}/other-${n}'/>`) +
          times(
            1_000,
            (n) =>
              `<message from='s${n % 600}@storm.lab/x' to='storm@${ROOMS}' type='groupchat'><body>${n}${'x'.repeat(500)}</body></message>`,
          ) +
          times(600, (n) => `<presence type='unavailable' from='s${n}@storm.lab/x' to='storm@${ROOMS}/nick-${n}'/>`) +
          `<iq type='get' from='s0@storm.lab/x' to='storm@${ROOMS}' id='over'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
      );
      const over = watch(here.outside, /id='over'/g);
      await until(() => over.count() === 1, 'all of it is done', 40_000);
      over.stop();
    });
    entered.stop();
    owner.destroy();
    expect(here.log.since(mark).filter(({ code }) => code === 'router-full')).toEqual([]);
    expect(await here.growth(before, 250)).toBeLessThan(250);
  }, 90_000);

  it('one of them floods a room with messages, nicknames, IQs to an occupant and requests for the history: told, and only he is refused', async () => {
    const here = ground();
    const mark = here.log.mark();
    const owner = await roomOf(here, 'flood');
    const other = here.abroad;
    other.send(joins('flood', 2));
    await owner.expect(/nick-1/);
    owner.recording = false;
    const refused = watch(here.outside, /<error/g);
    await here.during(async () => {
      other.send(
        times(
          1_000,
          (n) =>
            `<message from='s0@storm.lab/x' to='flood@${ROOMS}' type='groupchat' id='m${n}'><body>${n}</body></message>`,
        ) +
          times(1_000, (n) => `<presence from='s0@storm.lab/x' to='flood@${ROOMS}/n${n}'/>`) +
          times(1_000, () => `<presence from='s0@storm.lab/x' to='flood@${ROOMS}/nick-0'>${JOIN}</presence>`) +
          times(
            2_000,
            (n) =>
              `<iq type='get' from='s0@storm.lab/x' to='flood@${ROOMS}/owner' id='i${n}'><ping xmlns='urn:xmpp:ping'/></iq>`,
          ),
      );
      await here.told('room-flood', mark);
      await until(
        () => refused.count() > 2_500,
        'he is refused',
        20_000,
        () => `${refused.count()}`,
      );
    });
    refused.stop();
    expect(owner.ended).toBe(false);
    owner.destroy();
  }, 60_000);

  it('may make no rooms, and say nothing in rooms that they are not in', async () => {
    const here = ground();
    const mark = here.log.mark();
    const owner = await roomOf(here, 'quiet');
    const errors = watch(here.outside, /<(?:presence|message|iq)[^>]* type='error'/g);
    owner.text = '';
    here.abroad.send(
      times(200, (n) => `<presence from='s@storm.lab/x' to='new-${n}@${ROOMS}/nick'>${JOIN}</presence>`) +
        times(
          200,
          () => `<message from='s@storm.lab/x' to='quiet@${ROOMS}' type='groupchat'><body>let me in</body></message>`,
        ) +
        times(
          200,
          (n) =>
            `<message from='s@storm.lab/x' to='quiet@${ROOMS}'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='v${n}@${DOMAIN}'/></x></message>`,
        ) +
        times(
          200,
          () =>
            `<iq type='set' id='1' from='s@storm.lab/x' to='quiet@${ROOMS}'><query xmlns='${ADMIN}'><item affiliation='owner' jid='s@storm.lab'/></query></iq>`,
        ),
    );
    await until(
      () => errors.count() >= 800,
      'all are refused',
      15_000,
      () => `${errors.count()}`,
    );
    errors.stop();
    await here.told('room-refused', mark);
    expect(owner.text).not.toContain('let me in');
    owner.destroy();
  }, 30_000);
});

describe('users of the node', () => {
  it('one makes rooms without end: a hundred, then no more', async () => {
    const here = ground();
    const wire = await here.login('maker', { from: here.from(3) });
    const made = watch([wire], /<status code='201'\/>/g);
    wire.send(times(300, (n) => `<presence to='made-${n}@${ROOMS}/m'>${JOIN}</presence>`));
    await wire.expect(
      new RegExp(`from='made-299@${ROOMS}/m'[^>]*type='error'|type='error'[^>]*from='made-299@${ROOMS}/m'`),
      20_000,
    );
    expect(made.count()).toBe(100);
    made.stop();
    wire.destroy();
  }, 40_000);

  it('forms, lists and invitations as bombs: refused, the room goes on', async () => {
    const here = ground();
    const room = `bombs@${ROOMS}`;
    const wire = await roomOf(here, 'bombs');
    await here.during(async () => {
      for (const bomb of [
        form(times(5_000, (n) => field(`f${n}`, 'x'))),
        form(field('muc#roomconfig_roomname', 'n'.repeat(200_000))),
        form(field('muc#roomconfig_roomdesc', 'd'.repeat(200_000))),
        form(field('muc#roomconfig_roomsecret', 's'.repeat(200_000))),
        form(field('muc#roomconfig_maxusers', '9'.repeat(300))),
        form(field('muc#roomconfig_maxusers', '-1')),
        form(`<field var='muc#roomconfig_roomowners'>${times(4_000, (n) => `<value>o${n}@storm.lab</value>`)}</field>`),
      ]) {
        const answer = await iq(wire, 'set', bomb, room);
        expect([bomb.slice(150, 260), answer.includes("type='error'") || answer.length < 2_000]).toEqual([
          bomb.slice(150, 260),
          true,
        ]);
      }
      expect(await iq(wire, 'set', list(0, 1_000), room)).toContain("type='error'");
      let granted = 0;
      for (let n = 0; n < 12; n++)
        if ((await iq(wire, 'set', list(n * 200, 200), room)).includes("type='result'")) granted += 1;
      expect(granted).toBeLessThanOrEqual(10);
      wire.send(
        times(
          1_000,
          (n) =>
            `<message to='${room}'><x xmlns='http://jabber.org/protocol/muc#user'><invite to='healthy@${DOMAIN}'><reason>${n}</reason></invite></x></message>`,
        ),
      );
      wire.send(
        `<message to='${room}'><x xmlns='http://jabber.org/protocol/muc#user'>${times(2_000, (n) => `<invite to='v${n}@good.lab'/>`)}</x></message>`,
      );
      wire.send(`<message to='${room}' type='groupchat'><subject>${'s'.repeat(100_000)}</subject></message>`);
      expect(await iq(wire, 'get', "<query xmlns='http://jabber.org/protocol/disco#info'/>", room)).toContain(
        "type='result'",
      );
    });
    wire.destroy();
  }, 60_000);
});
