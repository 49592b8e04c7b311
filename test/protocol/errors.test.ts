import { describe, expect, test } from 'vitest';
import { STREAM_ERROR_CONDITIONS, type StreamErrorCondition } from '../../src/protocol/stream/stream-error.ts';
import { RawSide } from './pair.ts';
import {
  connected,
  connecting,
  dialedBack,
  greeted,
  greeting,
  HEADER,
  opened,
  requestAndVouch,
  securing,
} from './peers.ts';
import { World } from './world.ts';
import { EXTERNAL, header, message, streamError } from './xml.ts';

const TO_STRANGER = header({ from: 'vngtp.lab', to: 'nosuch.example' });

describe('every condition that we send, and what brings it about', () => {
  test.each<[id: string, StreamErrorCondition, on: () => { raw: RawSide }, bytes: string | Uint8Array]>([
    [
      'E-20',
      'bad-format',
      connected,
      "<stream:foo xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>",
    ],
    [
      'E-21',
      'bad-namespace-prefix',
      dialedBack,
      "<p:message xmlns:p='jabber:server' from='a@vngtp.lab' to='b@coluc.com'/>",
    ],
    ['E-25', 'host-unknown', connected, TO_STRANGER],
    ['E-25', 'host-unknown', dialedBack, message('a@vngtp.lab', 'b@nosuch.example')],
    ['E-26', 'improper-addressing', dialedBack, "<message from='a@vngtp.lab'/>"],
    ['E-28', 'invalid-from', dialedBack, message('a@evil.lab', 'b@coluc.com')],
    ['E-28', 'invalid-from', connected, header({ from: 'coluc.com', to: 'coluc.com' })],
    ['E-29', 'invalid-namespace', dialedBack, "<message xmlns='jabber:client' from='a@vngtp.lab' to='b@coluc.com'/>"],
    ['E-31', 'not-authorized', greeted, message('a@vngtp.lab', 'b@coluc.com')],
    ['E-32', 'not-well-formed', dialedBack, '<message></presence>'],
    ['E-33', 'policy-violation', dialedBack, `<message>${'x'.repeat(300_000)}`],
    ['E-37', 'restricted-xml', dialedBack, '<!DOCTYPE x>'],
    ['E-41', 'unsupported-encoding', dialedBack, Uint8Array.of(0x3c, 0x61, 0x3e, 0xc0, 0x80)],
    ['E-43', 'unsupported-stanza-type', greeted, "<greeting xmlns='urn:example:greeting'/>"],
    ['E-44', 'unsupported-version', connected, header({ from: 'vngtp.lab', to: 'coluc.com', version: 'x' })],
  ])('%s: %s', (_id, condition, on, bytes) => {
    const { raw } = on();
    const heard = raw.say(bytes);
    expect(streamError(heard)).toBe(condition);
    expect(heard).toMatch(/<\/stream:error><\/stream:stream>$/);
    expect(raw.isClosed).toBe(true);
  });

  test('E-23: connection-timeout', () => {
    const { raw, world } = greeted();
    world.clock.advance(60_000);
    expect(streamError(raw.hear())).toBe('connection-timeout');
  });

  test('E-24, E-35, E-39: host-gone, reset and system-shutdown, when something of ours has changed', () => {
    const gone = dialedBack();
    gone.server.plan = { ...gone.server.plan, domains: [] };
    gone.side.handle({ type: 'policy-changed' });
    const changed = dialedBack();
    changed.server.plan = { ...changed.server.plan, tls: 'required' };
    changed.side.handle({ type: 'policy-changed' });
    const ending = dialedBack();
    ending.side.handle({ type: 'close', why: 'shutdown' });
    expect([gone, changed, ending].map(({ raw }) => streamError(raw.hear()))).toEqual([
      'host-gone',
      'reset',
      'system-shutdown',
    ]);
  });

  test('E-42: unsupported-feature, as initiating server only', () => {
    const { raw } = connecting();
    expect(streamError(raw.say(greeting('x', "<magic xmlns='urn:example:magic'><required/></magic>")))).toBe(
      'unsupported-feature',
    );
  });
});

test.each(STREAM_ERROR_CONDITIONS)(
  'E-05, E-06: %s from the peer ends every kind of stream with our closing tag and nothing else',
  (condition) => {
    const xml = `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`;
    for (const { raw, side } of [greeted(), dialedBack(), opened()]) {
      expect(raw.say(xml)).toBe('</stream:stream>');
      expect(side.ended).toEqual({ by: 'them', condition });
    }
  },
);

test('E-04, E-08: an error concerns the connection it is sent on, and no other', () => {
  const world = new World();
  const server = world.server({ domains: ['coluc.com'] });
  const broken = server.connectedByRaw();
  const other = server.connectedByRaw();
  for (const { raw } of [broken, other]) raw.say(HEADER);
  expect(streamError(broken.raw.say('<a></b>'))).toBe('not-well-formed');
  expect([other.raw.hear(), other.side.ended]).toEqual(['', undefined]);
});

test('D-50: authorization by dialback dies with its connection', () => {
  const receiving = dialedBack();
  receiving.raw.close();
  const { raw } = receiving.server.connectedByRaw();
  raw.say(HEADER);
  expect(streamError(raw.say(message('a@vngtp.lab', 'b@coluc.com')))).toBe('not-authorized');
});

test('S-07, R-42, X-17: what a header declares for payload reaches the stanza', () => {
  const receiving = greeted({}, { more: " xmlns:x='jabber:x:data'" });
  requestAndVouch(receiving, 'vngtp.lab', 'coluc.com');
  receiving.raw.say("<message from='a@vngtp.lab' to='b@coluc.com'><x:x type='form'/></message>");
  expect(receiving.world.delivered).toEqual([
    "coluc.com: <message from='a@vngtp.lab' to='b@coluc.com' xmlns:x='jabber:x:data'><x:x type='form'/></message>",
  ]);
});

test('R-50: what is addressed to a domain of ours is for the server behind us to answer', () => {
  const { raw, world } = dialedBack();
  expect(raw.say("<iq type='get' id='1' from='a@vngtp.lab' to='coluc.com'><ping xmlns='urn:xmpp:ping'/></iq>")).toBe(
    '',
  );
  expect(world.delivered).toHaveLength(1);
});

test('C-56, T-06: while an answer is due nothing is written, however long it takes', () => {
  const { raw, world } = securing();
  raw.say(greeting('x', EXTERNAL));
  world.clock.advance(59_000);
  expect(raw.hear()).toBe('');
});
