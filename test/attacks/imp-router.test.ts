import { describe, expect, it } from 'vitest';
import type { Wire } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { times, watch } from './imp-flood.ts';
import { GOOD_CP, impUnderAttack } from './imp-ground.ts';
import { DOMAIN, ROOMS } from './imp-words.ts';

const ground = impUnderAttack({
  network: 166,
  users: ['alice', 'loud'],
  config: { router: { queue_stanzas: 20, queue_bytes: '1MiB' } },
});

function header(to: string, ns = 'jabber:component:accept'): string {
  return `<stream:stream xmlns='${ns}' xmlns:stream='http://etherx.jabber.org/streams' to='${to}'>`;
}

describe('who is no component', () => {
  it('unknown names, wrong secrets, other people’s handshakes and a second one of the same name: refused and told, the first one stays', async () => {
    const here = ground();
    const mark = here.log.mark();
    for (const [name, said] of [
      ['cm-2_s2scp-1.unknown', ''],
      [DOMAIN, ''],
      ['', ''],
      ['x'.repeat(3_000), ''],
      ["' or 1=1", ''],
      [GOOD_CP.toUpperCase(), '<handshake>0</handshake>'],
      ['cm-2_s2scp-1.free', '<handshake/>'],
      ['cm-2_s2scp-1.free', `<handshake>${'0'.repeat(40)}</handshake>`],
      ['cm-2_s2scp-1.free', `<handshake>${'f'.repeat(9_000)}</handshake>`],
      [
        'cm-2_s2scp-1.free',
        `<message from='x@evil.lab' to='alice@${DOMAIN}'><body>before the handshake</body></message>`,
      ],
      [
        'cm-2_s2scp-1.free',
        `<db:result xmlns:db='jabber:server:dialback' from='evil.lab' to='${DOMAIN}'>key</db:result>`,
      ],
    ] as const) {
      if (name === 'cm-2_s2scp-1.free')
        await here.sql(`insert into xmpps2snodes (pkid, cp_id) values (newid(), '${name}')`, 'update');
      const wire = await here.connect('router', here.from(10));
      wire.send(header(name) + said);
      expect([name.slice(0, 40), said.slice(0, 40), await wire.end()]).toEqual([
        name.slice(0, 40),
        said.slice(0, 40),
        expect.stringContaining('<stream:error>') as string,
      ]);
    }
    await here.sql("delete from xmpps2snodes where cp_id = 'cm-2_s2scp-1.free'", 'update');
    here.secret('a-guessed-secret-of-the-router');
    for (let n = 0; n < 30; n++) {
      const wire = await here
        .component('cm-2_s2scp-1.second-coluc-com', `a-guessed-secret-of-the-router${n}`, here.from(11))
        .catch((error: unknown) => error);
      expect(wire).toBeDefined();
      if (wire instanceof Error) continue;
    }
    expect(here.log.since(mark).length).toBeGreaterThan(10);
    await here.served();
  }, 40_000);

  it('connections without end, silent ones and bombs: closed in time, the Core is served', async () => {
    const here = ground();
    await here.during(async () => {
      const wires = (
        await Promise.allSettled(Array.from({ length: 300 }, (_, n) => here.connect('router', here.from(12 + (n % 5)))))
      ).flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      for (const [n, wire] of wires.entries())
        wire.send(
          ['', '<stream', header(GOOD_CP), '<a>'.repeat(100), `<?xml version='1.0'?><!DOCTYPE a>`][n % 5] ?? '',
        );
      await until(
        () => wires.every(({ ended }) => ended),
        'they are closed',
        15_000,
        () => `${wires.filter(({ ended }) => !ended).length} are open`,
      );
    });
    expect([here.core.ended, here.abroad.ended]).toEqual([false, false]);
  }, 40_000);
});

describe('a component that lies', () => {
  it('in the name of the node’s own users, rooms and server: dropped and told; what is malformed ends nothing', async () => {
    const here = ground();
    const mark = here.log.mark();
    const alice = await here.login('alice', { from: here.from(2) });
    alice.send('<presence/>');
    await alice.expect('<presence');
    const other = here.abroad;
    for (const from of [
      `healthy@${DOMAIN}`,
      `healthy@${DOMAIN}/r`,
      DOMAIN,
      `room@${ROOMS}/nick`,
      ROOMS,
      `HEALTHY@${DOMAIN.toUpperCase()}`,
      `x@${DOMAIN}.`,
      'x@',
      '@x',
      'a@b@c',
      '',
      'x@evil..lab',
      `x@evil.lab/${'r'.repeat(2_000)}`,
      '\u202E@evil.lab',
    ])
      other.send(`<message from='${from}' to='alice@${DOMAIN}' type='chat'><body>forged</body></message>`);
    for (const to of [
      '',
      '@',
      'a@b@c',
      `x@${DOMAIN}/${'r'.repeat(2_000)}`,
      `${'l'.repeat(2_000)}@${DOMAIN}`,
      'somebody@elsewhere.lab',
      `<>@${DOMAIN}`.replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    ])
      other.send(`<message from='x@evil.lab' to='${to}' type='chat' id='bad'><body>to nobody</body></message>`);
    other.send(
      `<iq type='set' id='1' from='x@evil.lab' to='alice@${DOMAIN}'><query xmlns='jabber:iq:roster'><item jid='x@evil.lab' subscription='both'/></query></iq>`,
    );
    other.send(
      `<iq type='result' id='1' from='x@evil.lab' to='alice@${DOMAIN}'/><iq type='get' id='' from='x@evil.lab' to='alice@${DOMAIN}'/>`,
    );
    other.send(
      `<message from='x@evil.lab' to='alice@${DOMAIN}' type='chat'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='alice@${DOMAIN}' to='b@c'><body>I said so</body></message></forwarded></sent><stanza-id xmlns='urn:xmpp:sid:0' by='alice@${DOMAIN}' id='forged-id'/><body>the last</body></message>`,
    );
    await alice.expect(/the last/);
    expect(alice.text).not.toMatch(/forged|to nobody|jabber:iq:roster/);
    expect(other.ended).toBe(false);
    await here.served();
    const refused = here.log.since(mark).filter(({ code }) => code === 'foreign-refused' || code === 'dropped');
    expect(refused.length).toBeGreaterThan(0);
    alice.destroy();
  }, 30_000);

  it('a component that does not read: what is for it goes back when too much waits; others and memory do not suffer', async () => {
    const here = ground();
    const other = here.abroad;
    other.socket.pause();
    const before = here.memory();
    const mark = here.log.mark();
    const loud = await Promise.all(
      Array.from({ length: 10 }, (_, n) => here.login('loud', { resource: `l${n}`, from: here.from(30 + n) })),
    );
    const returned = watch(loud, /type='error'/g);
    await here.during(async () => {
      // Pairs of domains use one component or the other, in turn.
      for (const [n, wire] of loud.entries())
        wire.send(
          times(
            18,
            (each) =>
              `<message to='f@slow${n}.lab' type='headline' id='s${each}'><body>${'s'.repeat(100_000)}</body></message>`,
          ),
        );
      await here.told('foreign-bounced', mark);
      await until(() => returned.count() > 0, 'some come back');
    });
    returned.stop();
    other.socket.resume();
    for (const wire of loud) wire.destroy();
    expect(await here.growth(before, 150)).toBeLessThan(150);
  }, 90_000);

  it('the stanzas of one component as fast as it can, to users who are there, away, and nobody: the other one is served', async () => {
    const here = ground();
    const before = here.memory();
    const answers = watch(here.outside, /<(?:message|iq)[^>]* type='error'/g);
    await here.during(async () => {
      const wire: Wire = here.abroad;
      const kinds = [
        (n: number) =>
          `<message from='u${n}@fast.lab/x' to='nobody@${DOMAIN}' type='chat' id='${n}'><body>x</body></message>`,
        (n: number) =>
          `<iq type='get' from='u${n}@fast.lab/x' to='${DOMAIN}' id='i${n}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`,
        (n: number) => `<presence from='u${n}@fast.lab/x' to='alice@${DOMAIN}' type='probe'/>`,
        (n: number) =>
          `<iq type='get' from='u${n}@fast.lab/x' to='alice@${DOMAIN}' id='v${n}'><vCard xmlns='vcard-temp'/></iq>`,
        (n: number) =>
          `<iq type='set' from='u${n}@fast.lab/x' to='alice@${DOMAIN}' id='m${n}'><query xmlns='urn:xmpp:mam:2'/></iq>`,
      ];
      wire.send(times(10_000, (n) => kinds[n % kinds.length]?.(n) ?? ''));
      await until(
        () => answers.count() >= 4_000,
        'they are answered',
        30_000,
        () => `${answers.count()}`,
      );
    });
    answers.stop();
    expect(await here.growth(before, 150)).toBeLessThan(150);
  }, 60_000);
});
