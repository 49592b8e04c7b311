import { describe, expect, it } from 'vitest';
import type { Wire } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { answersTo, iq, times, watch } from './imp-flood.ts';
import { impUnderAttack } from './imp-ground.ts';
import { DOMAIN } from './imp-words.ts';

const ground = impUnderAttack({
  network: 162,
  users: ['greedy', 'popular', 'asleep', 'victim', 'hoarder', 'keeper', 'lister', 'carbon', 'liar'],
});

const ROSTER = "<query xmlns='jabber:iq:roster'/>";
const ARCHIVE =
  "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>250</max></set></query>";

function stored(name: string, text: string): string {
  return `<query xmlns='jabber:iq:private'><a xmlns='urn:x:${name}'>${text}</a></query>`;
}

describe('much asked for with little', () => {
  it('what is stored, the roster and the archive, again and again: whoever reads gets it at a pace, whoever does not costs nothing', async () => {
    const here = ground();
    const setUp = await here.login('greedy', { from: here.from(2) });
    for (let n = 0; n < 4; n++)
      expect(await iq(setUp, 'set', stored(`${n}`, 'x'.repeat(200_000)))).toContain("type='result'");
    setUp.send(
      times(
        250,
        (n) => `<message to='healthy@${DOMAIN}' type='normal'><body>${n}${'y'.repeat(4_000)}</body></message>`,
      ),
    );
    setUp.send(
      times(
        500,
        (n) =>
          `<iq type='set' id='r${n}'><query xmlns='jabber:iq:roster'><item jid='friend-${n}@good.lab' name='${'n'.repeat(900)}'/></query></iq>`,
      ),
    );
    await setUp.expect(/id='r499'/, 10_000);
    const before = here.memory();
    const asked = times(1_000, (n) => {
      const payload = [stored(`${n % 4}`, ''), ROSTER, ARCHIVE][n % 3] ?? '';
      return `<iq type='${n % 3 === 2 ? 'set' : 'get'}' id='g${n}'>${payload}</iq>`;
    });
    const deaf = await Promise.all(
      [3, 4, 5].map((last) => here.login('greedy', { resource: `deaf${last}`, from: here.from(last) })),
    );
    await here.during(async () => {
      for (const wire of deaf) {
        wire.socket.pause();
        wire.send(asked);
      }
      const answers = watch([setUp], /<iq[^>]* id='g\d+'/g);
      setUp.send(asked.slice(0, asked.indexOf("<iq type='get' id='g60'")));
      await until(
        () => answers.count() === 60,
        'it is answered',
        15_000,
        () => `${answers.count()} answers`,
      );
      answers.stop();
      expect(await here.growth(before, 150)).toBeLessThan(150);
    });
    for (const wire of [setUp, ...deaf]) wire.destroy();
  }, 60_000);

  it('IQs without end that are answered with errors, unread', async () => {
    const here = ground();
    const wire = await here.login('greedy', { from: here.from(2) });
    const before = here.memory();
    wire.socket.pause();
    await here.during(async () => {
      for (const bad of [
        "<iq type='set' id='1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
        "<iq type='get'/>",
        "<iq type='get' id='1'><x xmlns='urn:x'/></iq>",
        `<iq type='get' id='1' to='nobody@${DOMAIN}'><x xmlns='urn:x'/></iq>`,
      ]) {
        wire.send(bad.repeat(20_000));
      }
      await new Promise((resolve) => setTimeout(resolve, 4_000));
    });
    expect(await here.growth(before, 100)).toBeLessThan(100);
    wire.destroy();
  }, 40_000);
});

describe('presence', () => {
  it('of a client with eight hundred subscribers, again and again, from ten clients: nothing of others is returned or late', async () => {
    const here = ground();
    const core = here.abroad;
    const mark = here.log.mark();
    const wire = await here.login('popular', { from: here.from(2) });
    await iq(wire, 'get', ROSTER);
    wire.send(times(800, (n) => `<presence type='subscribed' to='fan-${n}@fans.lab'/>`));
    await iq(wire, 'get', "<query xmlns='jabber:iq:version'/>", DOMAIN);
    wire.recording = false;
    core.send(times(800, (n) => `<presence type='subscribe' from='fan-${n}@fans.lab' to='popular@${DOMAIN}'/>`));
    const told = watch(here.outside, /<presence[^>]* type='subscribed'/g);
    await until(
      () => told.count() === 800,
      'they are subscribed',
      15_000,
      () => `${told.count()}`,
    );
    told.stop();
    const storms = await Promise.all(
      Array.from({ length: 9 }, (_, n) => here.login('popular', { resource: `s${n}`, from: here.from(20 + n) })),
    );
    for (const each of storms) each.recording = false;
    await here.during(async () => {
      for (const each of storms) each.send(times(1_000, (n) => `<presence><status>${n}</status></presence>`));
      await new Promise((resolve) => setTimeout(resolve, 4_000));
    });
    expect(here.log.since(mark).filter(({ code }) => code === 'router-full')).toEqual([]);
    for (const each of [wire, ...storms]) each.destroy();
  }, 60_000);

  it('storms to a user who is not there, and to users who do not exist: no answer, and nothing is kept', async () => {
    const here = ground();
    const core = here.abroad;
    const mark = here.log.mark();
    const answers = watch(here.outside, /<presence[^>]* (?:from|to)='[^']*storm/g);
    const kinds = [
      '',
      " type='unavailable'",
      " type='subscribed'",
      " type='unsubscribed'",
      " type='error'",
      " type='nonsense'",
    ];
    core.send(
      times(
        6_000,
        (n) =>
          `<presence from='u${n}@storm.lab/x' to='${['asleep', 'nobody'][n % 2]}@${DOMAIN}'${kinds[n % 6]}><status>${n}</status></presence>`,
      ),
    );
    await here.served();
    expect(answers.count()).toBe(0);
    answers.stop();
    const asleep = await here.login('asleep', { from: here.from(2) });
    expect(await iq(asleep, 'get', ROSTER)).toMatch(/<query xmlns='jabber:iq:roster'\/>/);
    expect(here.log.since(mark).filter(({ level }) => level === 'error')).toEqual([]);
    asleep.destroy();
  });
});

function roster(inside: string): string {
  return `<query xmlns='jabber:iq:roster'>${inside}</query>`;
}

function publish(node: string, id: string): string {
  return `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${node}'><item id='${id}'><a xmlns='urn:a'>${'i'.repeat(500)}</a></item></publish></pubsub>`;
}

function block(n: number): string {
  return `<block xmlns='urn:xmpp:blocking'>${times(100, (each) => `<item jid='b${n}-${each}@storm.lab'/>`)}</block>`;
}

async function fillRoster(wire: Wire): Promise<void> {
  expect(await answersTo(wire, 2_010, 'set', (n) => roster(`<item jid='c${n}@good.lab'/>`))).toEqual({
    result: 2_000,
    error: 10,
  });
  for (const bad of [
    `<item jid='x@good.lab'>${times(60, (n) => `<group>${n}</group>`)}</item>`,
    `<item jid='x@good.lab'><group>${'g'.repeat(2_000)}</group></item>`,
    `<item jid='x@good.lab' name='${'n'.repeat(2_000)}'/>`,
    times(2, (n) => `<item jid='x${n}@good.lab'/>`),
    `<item jid='${'l'.repeat(1_100)}@good.lab'/>`,
    "<item jid='x@good.lab/resource'/>",
    '<item/>',
  ])
    expect(await iq(wire, 'set', roster(bad))).toContain("type='error'");
}

async function fillStores(wire: Wire): Promise<void> {
  expect((await answersTo(wire, 150, 'set', (n) => stored(`h${n}`, 'p'))).result).toBe(100);
  expect((await answersTo(wire, 400, 'set', (n) => publish(`n${n}`, '1'))).error).toBeGreaterThan(100);
  expect((await answersTo(wire, 400, 'set', (n) => publish('n1', `i${n}`))).result).toBeGreaterThan(0);
}

async function fillLists(wire: Wire): Promise<void> {
  const photo = `<PHOTO><TYPE>image/png</TYPE><BINVAL>${'A'.repeat(250_000)}</BINVAL></PHOTO>`;
  for (const large of [`<NOTE>${'v'.repeat(50_000)}</NOTE>`, photo])
    expect(await iq(wire, 'set', `<vCard xmlns='vcard-temp'>${large}</vCard>`)).toContain("type='error'");
  expect(await answersTo(wire, 12, 'set', block)).toEqual({ result: 10, error: 2 });
  const form = `<field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='ids'>${times(5_000, (n) => `<value>${n}</value>`)}</field>`;
  const query = `<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>${form}</x></query>`;
  expect(await iq(wire, 'set', query)).toContain("type='error'");
}

describe('what may be kept for a user is bounded', () => {
  it('subscription requests, from strangers abroad and from a user of the node: no more than 200, told once', async () => {
    const here = ground();
    const core = here.abroad;
    const mark = here.log.mark();
    await here.during(async () => {
      core.send(
        times(
          3_000,
          (n) =>
            `<presence type='subscribe' from='s${n}@storm${n % 50}.lab' to='victim@${DOMAIN}'><status>${'x'.repeat(500)}</status></presence>`,
        ),
      );
      await here.told('roster-full', mark, ({ message }) => message.includes('victim'));
    });
    await here.served();
    expect(
      here.log.since(mark).filter(({ code, message }) => code === 'roster-full' && message.includes('victim')),
    ).toHaveLength(1);
    const victim = await here.login('victim', { from: here.from(2) });
    const requests = watch([victim], /<presence[^>]* type='subscribe'/g);
    victim.send('<presence/>');
    victim.send("<iq type='get' id='last'><ping xmlns='urn:xmpp:ping'/></iq>");
    await victim.expect(/id='last'/);
    expect(requests.count()).toBe(200);
    requests.stop();
    victim.destroy();
  });

  it('messages for a user who is not there: 500, the others go back to who sent them', async () => {
    const here = ground();
    const core = here.abroad;
    const returned = watch(here.outside, /<message[^>]* type='error'/g);
    await here.during(async () => {
      core.send(
        times(
          1_500,
          (n) =>
            `<message from='s${n}@storm.lab' to='asleep@${DOMAIN}' type='chat' id='o${n}'><body>${'z'.repeat(1_000)}</body></message>`,
        ),
      );
      await until(
        () => returned.count() === 1_000,
        'they are returned',
        15_000,
        () => `${returned.count()}`,
      );
    });
    returned.stop();
    const asleep = await here.login('asleep', { from: here.from(2) });
    const kept = watch([asleep], /<message[^>]* id='o\d+'/g);
    asleep.send("<presence/><iq type='get' id='last'><ping xmlns='urn:xmpp:ping'/></iq>");
    await asleep.expect(/id='last'/);
    expect(kept.count()).toBe(500);
    kept.stop();
    asleep.destroy();
  }, 30_000);

  it('roster, groups, private elements, personal nodes, vCard, block list', async () => {
    const here = ground();
    const [rosters, stores, lists] = await Promise.all([
      here.login('hoarder', { from: here.from(2) }),
      here.login('keeper', { from: here.from(3) }),
      here.login('lister', { from: here.from(4) }),
    ]);
    const before = here.memory();
    await here.during(() => Promise.all([fillRoster(rosters), fillStores(stores), fillLists(lists)]));
    expect(await here.growth(before, 150)).toBeLessThan(150);
    for (const wire of [rosters, stores, lists]) wire.destroy();
  }, 90_000);

  it('directed presence to thousands, and each of them told once at the end', async () => {
    const here = ground();
    const wire = await here.login('hoarder', { from: here.from(2) });
    const ends = watch(here.outside, /<presence[^>]* type='unavailable'/g);
    wire.send(times(1_500, (n) => `<presence to='d${n}@directed.lab'/>`));
    await iq(wire, 'get', "<ping xmlns='urn:xmpp:ping'/>");
    expect(wire.text.split('resource-constraint').length).toBeGreaterThanOrEqual(1);
    wire.destroy();
    await until(
      () => ends.count() >= 1_000,
      'they are told',
      15_000,
      () => `${ends.count()}`,
    );
    await here.served();
    expect(ends.count()).toBe(1_000);
    ends.stop();
  }, 30_000);
});

describe('messages', () => {
  it('to oneself with ten clients and carbons, unread: a session that does not read ends, the node stays small', async () => {
    const here = ground();
    const before = here.memory();
    const wires = await Promise.all(
      Array.from({ length: 10 }, (_, n) => here.login('carbon', { resource: `c${n}`, from: here.from(30 + n) })),
    );
    for (const wire of wires) wire.send("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq><presence/>");
    await here.during(async () => {
      for (const wire of wires) {
        wire.socket.pause();
        wire.send(
          times(
            200,
            (n) => `<message to='carbon@${DOMAIN}' type='chat' id='c${n}'><body>${'c'.repeat(8_000)}</body></message>`,
          ),
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 5_000));
    });
    expect(await here.growth(before, 200)).toBeLessThan(200);
    for (const wire of wires) wire.destroy();
  }, 60_000);

  it("with somebody else's address, or with one of a room: the stream ends, nothing leaves", async () => {
    const here = ground();
    const mark = here.log.mark();
    const seen = watch(here.outside, /forged/g);
    for (const from of [
      'healthy@coluc.com',
      'healthy@coluc.com/r',
      'coluc.com',
      'room@chat.coluc.com/nick',
      'x@good.lab',
      'liar@coluc.com/other',
      '',
      '@',
      'liar@coluc.com/r/../x\u202E',
    ] as const) {
      const wire = await here.login('liar', { from: here.from(2) });
      wire.send(`<message from='${from}' to='f@good.lab' type='chat'><body>forged</body></message>`);
      expect([from, await wire.end()]).toEqual([from, expect.stringContaining('<invalid-from')]);
    }
    await here.served();
    expect(seen.count()).toBe(0);
    seen.stop();
    expect(
      here.log.since(mark).some(({ code, message }) => code === 'client-gone' && message.includes('invalid-from')),
    ).toBe(true);
  });
});
