import { describe, expect, it } from 'vitest';
import type { Wire } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { times } from './imp-flood.ts';
import { type ImpGround, impUnderAttack } from './imp-ground.ts';
import { base64, bind, DOMAIN, passwordOf, plain, SASL, SM, STREAM } from './imp-words.ts';

const ground = impUnderAttack({
  network: 164,
  users: ['mallory', 'alice', 'hoarder', 'web'],
  config: { clients: { limits: { connections: 300, connections_per_address: 40 } } },
});

function scram(initial: string): string {
  return `<auth ${SASL} mechanism='SCRAM-SHA-256'>${initial}</auth>`;
}

async function atFeatures(here: ImpGround, from = here.from(3)): Promise<Wire> {
  const wire = await here.secured('tls', from);
  wire.send(STREAM);
  await wire.expect('</stream:features>');
  return wire;
}

describe('before anybody has proved who it is', () => {
  it('PLAIN, SCRAM and stanzas without TLS: not taken, and the password is nowhere', async () => {
    const here = ground();
    for (const said of [
      plain('alice'),
      `<auth ${SASL} mechanism='SCRAM-SHA-1'>${base64('n,,n=alice,r=abc')}</auth>`,
      '<presence/>',
      bind('x'),
      `<resume ${SM} h='0' previd='x'/>`,
    ]) {
      const wire = await here.connect('tcp', here.from(3));
      wire.send(STREAM);
      await wire.expect('<required/>');
      wire.send(said);
      const answer = await wire.expect(/<\/failure>|<\/stream:error>|<success|<challenge/);
      expect([said, answer]).toEqual([said, expect.not.stringMatching(/<success|<challenge/) as string]);
      wire.destroy();
    }
  });

  it('plaintext behind STARTTLS is not taken for what came through TLS', async () => {
    const here = ground();
    const mark = here.log.mark();
    for (const injected of ['<presence/>', STREAM + plain('alice'), '\u0000', ' ']) {
      const wire = await here.connect('tcp', here.from(3));
      wire.send(STREAM);
      await wire.expect('<required/>');
      wire.send(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${injected}`);
      const answer = await wire.end();
      expect([injected, answer.includes('<success') || answer.includes('<mechanisms')]).toEqual([injected, false]);
    }
    await here.told('client-gone', mark);
  });

  it('garbage in SASL: every piece is a failure or a stream error, never a challenge to nobody', async () => {
    const here = ground();
    for (const bad of [
      scram('!!!!'),
      scram(base64('n,,')),
      scram(base64('n,,n=,r=')),
      scram(base64('n,,m=ext,n=alice,r=abc')),
      scram(base64('y,,n=alice,r=abc')),
      scram(base64('p=tls-unique,,n=alice,r=abc')),
      scram(base64('n,a=admin,n=alice,r=abc')),
      scram(base64('n,,n=al=ice,r=abc')),
      scram(Buffer.from([0xff, 0xfe]).toString('base64')),
      `<auth ${SASL} mechanism='PLAIN'>${base64('\0alice')}</auth>`,
      `<auth ${SASL} mechanism='PLAIN'>${base64(`admin\0alice\0${passwordOf('alice')}`)}</auth>`,
      `<auth ${SASL} mechanism='PLAIN'>${base64('\0\0\0\0')}</auth>`,
      `<auth ${SASL} mechanism='EXTERNAL'>=</auth>`,
      `<auth ${SASL} mechanism='${'X'.repeat(5_000)}'/>`,
      `<auth ${SASL}/>`,
      `<response ${SASL}>${base64('c=biws,r=abc,p=abc')}</response>`,
      `<abort ${SASL}/>`,
    ]) {
      const wire = await atFeatures(here, here.from(4 + (bad.length % 200)));
      wire.send(bad);
      const answer = await wire
        .expect(/<\/failure>|<stream:error>|<challenge[^>]*>/, 9_000)
        .catch(async () => wire.end());
      expect([bad.slice(0, 120), answer]).toEqual([
        bad.slice(0, 120),
        expect.not.stringMatching(/<success|<challenge/) as string,
      ]);
      wire.destroy();
    }
  }, 60_000);

  it('a SCRAM exchange with the nonce of another one, without ours, or again after success', async () => {
    const here = ground();
    for (const final of [
      'c=biws,r=mine,p=AAAA',
      'c=biws,r=,p=AAAA',
      'c=eSws,r=NONCE,p=AAAA',
      'c=biws,r=NONCE,p=',
      'c=biws,r=NONCE,x=1,p=AAAA',
      `c=biws,r=NONCE,p=${'A'.repeat(4_000)}`,
    ]) {
      const wire = await atFeatures(here, here.from(5));
      wire.send(`<auth ${SASL} mechanism='SCRAM-SHA-1'>${base64('n,,n=nobody,r=mine')}</auth>`);
      const challenge = /<challenge[^>]*>([^<]*)</.exec(await wire.expect('</challenge>'))?.[1] ?? '';
      const nonce = /r=([^,]*)/.exec(Buffer.from(challenge, 'base64').toString())?.[1] ?? '';
      expect(nonce.startsWith('mine') && nonce.length > 20).toBe(true);
      wire.send(`<response ${SASL}>${base64(final.replace('NONCE', nonce))}</response>`);
      expect(await wire.expect(/<\/failure>|<\/stream:error>/, 9_000)).not.toContain('<success');
      wire.destroy();
    }
  }, 60_000);

  it('passwords guessed over many connections and from many addresses: braked and told; the owner logs in where he was, SCRAM challenges tell nothing', async () => {
    const here = ground();
    const mark = here.log.mark();
    (await here.login('alice', { from: here.from(60) })).destroy();
    here.secret('guess-of-mine-1', 'guess-of-mine-99');
    await here.during(async () => {
      const guesses = Array.from({ length: 60 }, async (_, n) => {
        const wire = await atFeatures(here, here.from(100 + (n % 30)));
        wire.send(plain('alice', `guess-of-mine-${n}`));
        await wire.expect(/<\/failure>|<\/stream:error>/, 15_000).catch(() => undefined);
        wire.destroy();
      });
      await Promise.all(guesses);
    });
    await here.told('client-braked', mark);
    await here.told('client-not-authenticated', mark);
    (await here.login('alice', { from: here.from(60) })).destroy();
    const stranger = await atFeatures(here, here.from(61));
    stranger.send(plain('alice'));
    expect(await stranger.expect(/<\/failure>|<success|<\/stream:error>/, 15_000)).not.toContain('<success');
    stranger.destroy();
  }, 60_000);

  it('connections without end, silent, slow or with half a header: bounded by address, closed in time, others get in', async () => {
    const here = ground();
    const mark = here.log.mark();
    await here.during(async () => {
      const wires = (
        await Promise.allSettled(
          Array.from({ length: 400 }, (_, n) => here.connect(n % 2 === 0 ? 'tcp' : 'tls', here.from(100 + (n % 4)))),
        )
      ).flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      for (const [n, wire] of wires.entries())
        if (n % 3 > 0) wire.send(n % 3 === 1 ? '<stream:stream xmlns=' : '\u0016\u0003\u0001');
      const drips = setInterval(() => {
        for (const wire of wires) wire.send(' ');
      }, 100);
      await here.told('client-refused', mark);
      (await here.login('alice', { from: here.from(60) })).destroy();
      await until(
        () => wires.every(({ ended }) => ended),
        'all are closed',
        15_000,
        () => `${wires.filter(({ ended }) => !ended).length} are open`,
      );
      clearInterval(drips);
    });
    expect(here.log.since(mark).some(({ code }) => code === 'client-bound')).toBe(true);
  }, 40_000);

  it('headers and elements that are floods, bombs, or no XML end the stream at once', async () => {
    const here = ground();
    for (const bad of [
      STREAM + STREAM,
      STREAM + '<a>'.repeat(100),
      STREAM + `<a ${times(200, (n) => `a${n}='x' `)}/>`,
      STREAM + `<a b='${'x'.repeat(20_000)}'/>`,
      `<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]>${STREAM}`,
      STREAM.replace('version', `${times(100, (n) => `xmlns:n${n}='urn:${n}' `)}version`),
      STREAM.replace(DOMAIN, 'x'.repeat(9_000)),
      STREAM.replace(DOMAIN, '../../etc/passwd'),
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      `${STREAM}\u0000`,
      `${STREAM}<auth ${SASL} mechanism='PLAIN'>&a;&#0;</auth>`,
      `${STREAM}<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>`,
      STREAM + times(100, () => "<x xmlns='urn:x'/>"),
    ]) {
      const wire = await here.secured('tls', here.from(62));
      wire.send(bad);
      expect([bad.slice(0, 100), await wire.end()]).toEqual([
        bad.slice(0, 100),
        expect.stringContaining('<stream:error>') as string,
      ]);
    }
  }, 30_000);
});

describe('a client with a session', () => {
  it('stanzas that are too large, too deep or too wide end its stream and no other', async () => {
    const here = ground();
    const before = here.memory();
    await here.during(async () => {
      for (const bomb of [
        `<message to='f@good.lab'><body>${'x'.repeat(400_000)}</body></message>`,
        `<message to='f@good.lab'>${'<a>'.repeat(5_000)}`,
        `<message to='f@good.lab'>${'<a/>'.repeat(60_000)}</message>`,
        `<message to='f@good.lab' ${times(500, (n) => `a${n}='x' `)}/>`,
        `<message to='f@good.lab'><${'a'.repeat(5_000)}/></message>`,
        `<message to='f@good.lab'>${times(300, (n) => `<p${n}:a xmlns:p${n}='urn:${n}'>`)}`,
        `<message to='f@good.lab'><body>&lol;</body></message>`,
        `<message to='f@good.lab'><body><![CDATA[${'x'.repeat(300_000)}]]></body></message>`,
        '<foo/>'.repeat(50),
      ]) {
        const wire = await here.login('mallory', { from: here.from(63) });
        wire.send(bomb);
        expect([bomb.slice(0, 60), await wire.end(10_000)]).toEqual([
          bomb.slice(0, 60),
          expect.stringContaining('<stream:error>') as string,
        ]);
      }
    });
    expect(await here.growth(before, 150)).toBeLessThan(150);
  }, 60_000);

  it('a stanza that never ends, byte by byte, holds up nobody', async () => {
    const here = ground();
    const wire = await here.login('mallory', { from: here.from(63) });
    await here.during(async () => {
      wire.send("<message to='f@good.lab'><body>");
      for (let n = 0; n < 200; n++) {
        wire.send('x');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    expect(wire.ended).toBe(false);
    wire.destroy();
  });

  it('resources without end: ten, then no more; a bad one is refused', async () => {
    const here = ground();
    const wires = await Promise.all(
      Array.from({ length: 10 }, (_, n) => here.login('mallory', { resource: `r${n}`, from: here.from(64) })),
    );
    const one = await here.authenticated('mallory', here.from(64));
    for (const resource of ['more', 'x'.repeat(2_000), '\u202Eevil', '&#x7f;']) {
      one.send(bind(resource));
      expect([resource, await one.expect(/<\/iq>|<\/stream:error>/)]).toEqual([
        resource,
        expect.stringMatching(/type='error'|stream:error/) as string,
      ]);
      if (one.ended) break;
    }
    for (const wire of [...wires, one]) wire.destroy();
  });

  it('stream management: wrong counts, sessions of others, guesses, resumed twice', async () => {
    const here = ground();
    const mine = await here.login('alice', { from: here.from(60) });
    mine.send(`<enable ${SM} resume='true'/>`);
    const id = / id='([^']+)'/.exec(await mine.expect(/<enabled[^>]*>/))?.[1] ?? '';
    expect(id.length).toBeGreaterThan(16);
    for (const [previd, h] of [
      [id, '0'],
      ['guess', '0'],
      [`${id}x`, '0'],
      ['', '0'],
      ['x'.repeat(5_000), '0'],
    ] as const) {
      const thief = await here.authenticated('mallory', here.from(63));
      thief.send(`<resume ${SM} h='${h}' previd='${previd}'/>`);
      expect(await thief.expect(/<\/?failed[^>]*>|<resumed[^>]*>|<\/stream:error>/)).not.toContain('<resumed');
      thief.destroy();
    }
    mine.send(`<a ${SM} h='4294967295'/>`);
    expect(await mine.end()).toContain('<stream:error>');
    for (const h of ['-1', '99999999999999999999', 'NaN', '1e3', '']) {
      const wire = await here.login('alice', { from: here.from(60) });
      wire.send(`<enable ${SM} resume='true' max='99999999999999'/>`);
      await wire.expect('<enabled');
      wire.send(`<a ${SM} h='${h}'/>`);
      expect([h, await wire.end()]).toEqual([h, expect.stringContaining('<stream:error>') as string]);
    }
    const flood = await here.login('alice', { from: here.from(60) });
    flood.socket.pause();
    flood.send(`<enable ${SM} resume='true'/>${`<r ${SM}/>`.repeat(100_000)}`);
    await here.served();
    flood.destroy();
  }, 40_000);

  it('sessions left asleep by the dozen: no more than ten of a user are kept, and none of them costs the others theirs', async () => {
    const here = ground();
    const before = here.memory();
    await here.during(async () => {
      for (let n = 0; n < 30; n++) {
        const wire = await here.login('hoarder', { resource: `h${n}`, from: here.from(65) });
        wire.send(`<enable ${SM} resume='true' max='600'/><presence/>`);
        await wire.expect('<enabled');
        wire.reset();
      }
      const sender = await here.login('mallory', { from: here.from(63) });
      sender.send(
        times(
          300,
          (n) => `<message to='hoarder@${DOMAIN}' type='chat' id='h${n}'><body>${'h'.repeat(20_000)}</body></message>`,
        ),
      );
      await here.served();
      sender.destroy();
    });
    const users = await here.administrate((node) => node.users.list());
    expect(users.find(({ user }) => user === 'hoarder')?.sessions).toBeLessThanOrEqual(10);
    expect(await here.growth(before, 200)).toBeLessThan(200);
  }, 60_000);
});

it('TLS garbage on every port that begins with TLS ends that connection', async () => {
  const here = ground();
  const ports = ['tls', 'web', 'axl'] as const;
  const attempts = ports.flatMap((port) =>
    [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(20_000, 0x16),
      Buffer.from([0x16, 3, 1, 0xff, 0xff, 1, 0, 0, 0]),
      Buffer.from([0x80, 0x2e, 1, 0, 2]),
    ].map(async (bytes) => {
      const wire = await here.connect(port, here.from(67));
      wire.send(bytes);
      expect(await wire.end(12_000)).not.toMatch(/fedway|node|xmpp/i);
    }),
  );
  await Promise.all(attempts);
}, 60_000);
