import { describe, expect, test } from 'vitest';
import {
  asking,
  connected,
  connecting,
  dialedBack,
  greeted,
  greeting,
  HEADER,
  opened,
  secured,
  securing,
  VNGTP,
} from './peers.ts';
import { acceptingComponent, connectingComponent, World } from './world.ts';
import { auth, features, header, headerAttribute, message, result, STARTTLS, streamError, verify } from './xml.ts';

describe('restarts and completion', () => {
  test.each([
    [
      'after TLS',
      () => {
        const all = greeted();
        all.raw.say(STARTTLS);
        all.raw.startTls(VNGTP);
        all.raw.hear();
        return all;
      },
      'bad-format',
    ],
    [
      'after EXTERNAL',
      () => {
        const all = secured({}, VNGTP);
        all.raw.say(auth('vngtp.lab'));
        return all;
      },
      'not-authorized',
    ],
  ] as const)('S-41: an element %s, where a header is due, is not processed', (_when, begin, condition) => {
    const { raw, world } = begin();
    expect(streamError(raw.say(message('a@vngtp.lab', 'b@coluc.com')))).toBe(condition);
    expect(world.delivered).toEqual([]);
  });

  test.each([
    ['a receiving stream', () => greeted()],
    ['an initiating stream', () => asking()],
    ['an open stream', () => dialedBack()],
  ])('S-44: a second header on %s is one too many', (_which, begin) => {
    const again = begin();
    expect(streamError(again.raw.say(HEADER))).toBe('not-well-formed');
    const { raw } = begin();
    expect(streamError(raw.say(HEADER.replace("<?xml version='1.0'?>", '')))).toBe('bad-format');
  });

  test.each([
    ['from', { from: 'evil.lab' }, 'invalid-from'],
    ['to', { to: 'other.example' }, 'improper-addressing'],
    ['to', { to: undefined }, 'improper-addressing'],
  ])('S-45, V-08: after EXTERNAL %s cannot change', (_what, parts, condition) => {
    const { raw, side } = secured({ domains: ['coluc.com', 'other.example'] }, VNGTP);
    raw.say(auth('vngtp.lab'));
    expect(streamError(raw.say(header({ from: 'vngtp.lab', to: 'coluc.com', ...parts })))).toBe(condition);
    expect(side.authorized).toEqual([]);
  });

  test('S-45: after EXTERNAL `from` may be left out', () => {
    const { raw, side } = secured({}, VNGTP);
    raw.say(auth('vngtp.lab'));
    raw.say(header({ to: 'coluc.com' }));
    expect(side.authorized).toHaveLength(1);
  });

  test.each([
    ['right after the features', () => greeted()],
    ['on a stream that authenticated nobody', () => secured({}, VNGTP)],
  ])('S-46: a stanza %s', (_when, begin) => {
    for (const stanza of [message('a@vngtp.lab', 'b@coluc.com'), '<iq/>', "<presence from='@' to='x y'/>"]) {
      const { raw, world } = begin();
      expect(streamError(raw.say(stanza))).toBe('not-authorized');
      expect(world.delivered).toEqual([]);
    }
  });

  test('S-43: what stands behind the closing tag is not processed', () => {
    const { raw, world } = dialedBack();
    expect(raw.say(`</stream:stream>${message('a@vngtp.lab', 'b@coluc.com')}`)).toBe('</stream:stream>');
    expect(world.delivered).toEqual([]);
    expect(raw.isClosed).toBe(true);
  });

  test('S-42, D-37: after our closing tag nothing is written, whatever the peer asks', () => {
    const { raw, side, world } = dialedBack();
    raw.say(result('two.vngtp.lab', 'coluc.com', 'k'));
    side.handle({ type: 'close', why: 'replaced' });
    expect(raw.hear()).toBe('</stream:stream>');
    raw.say(result('three.vngtp.lab', 'coluc.com', 'k') + verify('vngtp.lab', 'coluc.com', '1', 'k') + STARTTLS);
    for (const claim of side.claims) side.handle({ type: 'verdict', claim, verdict: { verdict: 'valid' } });
    raw.say(message('a@vngtp.lab', 'b@coluc.com'));
    expect(world.delivered).toHaveLength(1);
    expect(raw.hear()).toBe('');
    expect(side.waitingFor).toEqual(['close']);
    expect(side.authorized).toHaveLength(1);
  });

  test('S-42: an error after our closing tag only ends TCP', () => {
    const { raw, side } = dialedBack();
    side.handle({ type: 'close', why: 'replaced' });
    raw.hear();
    expect(raw.say('<a></b>')).toBe('');
    expect(side.ended).toMatchObject({ by: 'us', condition: 'not-well-formed' });
    expect(raw.isClosed).toBe(true);
  });

  test('S-51: a stanza on a stream that we opened is not routed', () => {
    const { raw, world } = opened();
    expect(streamError(raw.say(message('a@vngtp.lab', 'b@coluc.com')))).toBe('not-authorized');
    expect(world.delivered).toEqual([]);
  });

  test('S-55: the interleaved streams of a hundred peers do not know of each other', () => {
    const world = new World();
    const server = world.server({ domains: ['coluc.com'] });
    const peers = Array.from({ length: 100 }, (_, n) => ({ name: `p${n}.lab`, ...server.connectedByRaw() }));
    for (const { raw, name } of peers) {
      world.point(name, 'raw');
      raw.say(header({ from: name, to: 'coluc.com' }));
    }
    for (const { raw, name } of peers) raw.say(result(name, 'coluc.com', name));
    for (const { side } of peers.filter((_, n) => n % 2 === 0))
      for (const claim of side.claims) side.handle({ type: 'verdict', claim, verdict: { verdict: 'valid' } });
    for (const [n, { raw, name, side }] of peers.entries()) {
      raw.say(message(`a@${name}`, 'b@coluc.com'));
      expect(side.claims.map(({ key }) => key)).toEqual([name]);
      expect(streamError(raw.received)).toBe(n % 2 === 0 ? undefined : 'not-authorized');
    }
    expect(world.delivered).toHaveLength(50);
    expect(new Set(peers.map(({ raw }) => headerAttribute(raw.received, 'id'))).size).toBe(100);
  });

  test('S-47: an open stream gets no further features, and those of a peer do nothing', () => {
    const { raw, side } = opened();
    expect(raw.say(features(STARTTLS))).toBe('');
    expect(side.ended).toBeUndefined();
  });
});

describe('time', () => {
  test('S-52: without a header the connection is cut without a word; behind TLS too', () => {
    const { world, raw, side } = connected();
    raw.say('<stream:stream');
    world.clock.advance(20_000);
    expect(side.ended).toMatchObject({ by: 'timeout' });
    expect([raw.received, raw.isClosed]).toEqual(['', true]);
    const behind = greeted();
    behind.raw.say(STARTTLS);
    behind.raw.startTls();
    behind.raw.hear();
    behind.world.clock.advance(20_000);
    expect(behind.raw.hear()).toBe('');
    expect(behind.raw.isClosed).toBe(true);
  });

  test('S-52: the header that is due after EXTERNAL has its time-out, with an error', () => {
    const { world, raw } = secured({}, VNGTP);
    raw.say(auth('vngtp.lab'));
    world.clock.advance(20_000);
    expect(streamError(raw.hear())).toBe('connection-timeout');
  });

  test('S-54: a TLS handshake where XML is due is not parsed', () => {
    const { raw, side } = connected();
    expect(raw.say(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00))).toBe('');
    expect(raw.isClosed).toBe(true);
    expect(side.ended).toMatchObject({ by: 'network', stage: 'tls' });
    expect(JSON.stringify(side.ended)).toContain('tls_listen');
  });

  test('S-58: a stream on which nobody is authorized ends', () => {
    const { world, raw, side } = greeted();
    world.clock.advance(59_999);
    expect(side.ended).toBeUndefined();
    world.clock.advance(1);
    expect(streamError(raw.hear())).toBe('connection-timeout');
  });

  test('S-58: a verification that is still in time keeps it', () => {
    const { world, raw, side } = greeted();
    world.clock.advance(50_000);
    raw.say(result('vngtp.lab', 'coluc.com', 'k'));
    world.clock.advance(20_000);
    expect(side.ended).toBeUndefined();
    world.clock.advance(90_000);
    expect(streamError(raw.hear())).toBe('connection-timeout');
  });

  test.each([
    ['header', () => connecting(), /stream header/],
    [
      'features',
      () => {
        const all = connecting();
        all.raw.say(header({ id: 'x' }));
        return all;
      },
      /features/,
    ],
    [
      'STARTTLS',
      () => {
        const all = connecting();
        all.raw.say(greeting('x', STARTTLS));
        return all;
      },
      /STARTTLS/,
    ],
    [
      'EXTERNAL',
      () => {
        const all = securing();
        all.raw.say(
          greeting(
            'x',
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>",
          ),
        );
        return all;
      },
      /EXTERNAL/,
    ],
  ] as const)('S-58: as initiating server we give up when the %s does not come', (_what, begin, waitingFor) => {
    const { world, raw, side } = begin();
    world.clock.advance(60_000);
    expect(side.ended?.by).toBe('timeout');
    expect(JSON.stringify(side.ended)).toMatch(waitingFor);
    expect(streamError(raw.received)).toBe('connection-timeout');
    expect(side.refused).toHaveLength(1);
  });

  test('a stream that is wanted no more ends in every phase', () => {
    const upgrading = connecting();
    upgrading.raw.say(greeting('x', STARTTLS));
    upgrading.raw.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    for (const { side, world } of [connected(), connecting(), greeted(), asking(), upgrading, opened(), dialedBack()]) {
      side.handle({ type: 'close', why: 'unused' });
      side.handle({ type: 'close', why: 'unused' });
      world.clock.advance(5_000);
      expect(side.ended).toEqual({ by: 'close' });
    }
  });

  test('S-57: shutting down in every phase', () => {
    const world = new World();
    const component = world.rawTo(acceptingComponent(world, { name: 'vngtp.lab' }));
    const connectedComponent = world.rawTo(connectingComponent(world, { name: 'vngtp.lab', homes: ['coluc.com'] }));
    for (const { side } of [
      connected(),
      connecting(),
      greeted(),
      asking(),
      opened(),
      dialedBack(),
      component,
      connectedComponent,
    ]) {
      side.handle({ type: 'close', why: 'shutdown' });
      expect(side.ended).toMatchObject({ by: 'us', condition: 'system-shutdown' });
      expect(streamError(side.written)).toBe('system-shutdown');
      side.handle({ type: 'close', why: 'shutdown' });
    }
  });
});

test('T-40: a stream tells its owner who is on both ends, as far as the peer has said', () => {
  const world = new World();
  const server = world.server({ domains: ['coluc.com'] });
  const stream = server.accepting();
  const { raw } = world.rawTo(stream);
  expect(stream.addresses()).toEqual({ local: undefined, remote: undefined });
  raw.say(header({ from: 'vngtp.lab', to: 'coluc.com' }));
  expect(stream.addresses()).toEqual({ local: 'coluc.com', remote: 'vngtp.lab' });
});

test('S-57: a stream that is to go down before it is connected says so with a header', () => {
  const world = new World();
  const wire = world.wire('never connected');
  const component = world.side(connectingComponent(world, { name: 'vngtp.lab', homes: ['coluc.com'] }), wire, 'C');
  component.handle({ type: 'close', why: 'shutdown' });
  expect(component.written).toMatch(/^<\?xml version='1.0'\?><stream:stream .*<system-shutdown /);
  component.handle({ type: 'close', why: 'shutdown' });
  component.bytes(new Uint8Array(1));
  expect(component.written.match(/<stream:error>/g)).toHaveLength(1);
});
