import { describe, expect, test } from 'vitest';
import { asking, connecting, greeting, securing } from './peers.ts';
import { DIALBACK, header, result, streamError, verify } from './xml.ts';

const VALID = "<db:result from='vngtp.lab' to='coluc.com' type='valid'/>";

describe('asserting our domain', () => {
  test('D-18: with the key for the id of the current header', () => {
    const { raw, server } = connecting();
    expect(raw.say(greeting('05E295A2B', DIALBACK))).toBe(
      result('coluc.com', 'vngtp.lab', server.keyFor('vngtp.lab', '05E295A2B')),
    );
  });

  test('D-01: the vector of XEP-0185 for our pair', () => {
    const { raw } = connecting({ secret: 's3cr3tf0rd14lb4ck' });
    expect(raw.say(greeting('05E295A2B', DIALBACK))).toContain(
      'b0a0778c31c88ce57cc5998050df7ea6bc10cb345503eba777301355bd3756e4',
    );
  });

  test('D-17: a peer that says nothing of dialback is asked all the same, once', () => {
    const { raw, side } = connecting();
    expect(raw.say(greeting('x'))).toContain('<db:result');
    expect(side.waitingFor).toEqual(['dialback 1']);
  });

  test('D-22, D-28: valid opens the stream, whether or not anybody has asked us about the key', () => {
    const { raw, side } = asking();
    raw.say(VALID);
    expect(side.authorized).toEqual([{ pair: { sender: 'coluc.com', target: 'vngtp.lab' }, by: 'dialback' }]);
    expect([side.waitingFor, side.ended]).toEqual([[], undefined]);
  });

  test('D-14: an id, a key and unknown attributes in the answer are tolerated', () => {
    const { raw, side } = asking();
    raw.say("<db:result x='y' id='z' from='VNGTP.LAB' to='coluc.com' type='valid'>d780f198</db:result>");
    expect(side.authorized).toHaveLength(1);
  });

  test.each([
    ['the pair turned round', "<db:result from='coluc.com' to='vngtp.lab' type='valid'/>"],
    ['another sender', "<db:result from='other.lab' to='coluc.com' type='valid'/>"],
    ['another target', "<db:result from='vngtp.lab' to='conference.coluc.com' type='valid'/>"],
    ['db:verify', "<db:verify from='vngtp.lab' to='coluc.com' id='id' type='valid'/>"],
    ['a request', "<db:result from='vngtp.lab' to='coluc.com'>key</db:result>"],
    ['no addresses', "<db:result type='valid'/>"],
  ])('D-20, V-01: %s changes nothing', (_what, xml) => {
    const { raw, side } = asking();
    expect(raw.say(xml)).toBe('');
    expect([side.authorized, side.ended]).toEqual([[], undefined]);
    raw.say(VALID);
    expect(side.authorized).toHaveLength(1);
  });

  test('D-20, V-01: valid before we have asked', () => {
    const { raw, side } = connecting();
    raw.say(header({ id: 'x' }) + VALID);
    expect(side.authorized).toEqual([]);
    raw.say('<stream:features/>');
    expect(side.authorized).toEqual([]);
    expect(side.ended).toBeUndefined();
  });

  test('D-21: a second answer is ignored', () => {
    const { raw, side } = asking();
    raw.say(VALID + "<db:result from='vngtp.lab' to='coluc.com' type='invalid'/>");
    expect([side.authorized.length, side.ended]).toEqual([1, undefined]);
    const refused = asking();
    refused.raw.say(`<db:result from='vngtp.lab' to='coluc.com' type='invalid'/>${VALID}`);
    expect(refused.side.authorized).toEqual([]);
  });

  test('D-23: invalid ends the stream', () => {
    const { raw, side } = asking();
    expect(raw.say("<db:result from='vngtp.lab' to='coluc.com' type='invalid'/>")).toBe('</stream:stream>');
    expect(side.ended).toEqual({ by: 'dialback', failure: { answer: 'invalid' } });
    expect(side.refused).toHaveLength(1);
  });

  test.each([
    ['item-not-found', "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"],
    ['undefined-condition', "<error type='cancel'><news xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"],
    ['undefined-condition', ''],
  ])('D-13, D-15, D-24: an error is told with its condition, %s', (condition, error) => {
    for (const type of ['error', 'whatever']) {
      const { raw, side } = asking({ tls: 'none' });
      raw.say(`<db:result from='vngtp.lab' to='coluc.com' type='${type}'>${error}</db:result>`);
      expect(side.ended).toEqual({ by: 'dialback', failure: { answer: 'error', condition } });
    }
  });

  test.each([
    ['optional', true],
    ['none', undefined],
  ] as const)('D-26: an error over plain text says so, where TLS (%s) could help', (tls, plaintext) => {
    const { raw, side } = asking({ tls });
    raw.say("<db:result from='vngtp.lab' to='coluc.com' type='error'/>");
    expect(side.ended).toMatchObject({ by: 'dialback', failure: { answer: 'error' } });
    expect((side.ended as { plaintext?: true }).plaintext).toBe(plaintext);
  });

  test('D-26: behind TLS it does not', () => {
    const { raw, side } = securing({ authentication: 'dialback' });
    raw.say(greeting('x', DIALBACK));
    raw.say("<db:result from='vngtp.lab' to='coluc.com' type='error'/>");
    expect(side.ended).toEqual({ by: 'dialback', failure: { answer: 'error', condition: 'undefined-condition' } });
  });

  test.each([
    ['closes', '</stream:stream>', { by: 'close' }],
    [
      'sends an error',
      "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
      { by: 'them', condition: 'reset' },
    ],
  ])('D-27: a peer that %s while we wait', (_what, xml, end) => {
    const { raw, side } = asking();
    raw.say(xml);
    expect(side.refused).toEqual([{ pair: { sender: 'coluc.com', target: 'vngtp.lab' }, because: end }]);
  });

  test('D-27: a peer that hangs up', () => {
    const { raw, side } = asking();
    raw.close();
    expect(side.ended).toEqual({ by: 'disconnect' });
    expect(side.refused).toHaveLength(1);
  });

  test('D-46: 30 seconds without an answer', () => {
    const { world, side, raw } = asking();
    world.clock.advance(29_999);
    expect(side.ended).toBeUndefined();
    world.clock.advance(1);
    expect(side.ended).toEqual({ by: 'dialback', failure: { answer: 'none' } });
    expect(raw.hear()).toBe('</stream:stream>');
  });

  test('D-29: a peer that verifies first, over a connection of its own, is answered while we wait', () => {
    const { raw, server, side, world } = asking();
    const key = server.keyFor('vngtp.lab', 'id');
    const { raw: asker } = server.connectedByRaw();
    asker.say(header({ from: 'vngtp.lab', to: 'coluc.com' }));
    expect(asker.say(verify('vngtp.lab', 'coluc.com', 'id', key))).toContain("type='valid'");
    expect(side.ended).toBeUndefined();
    raw.say(VALID);
    expect(side.authorized).toHaveLength(1);
    expect(world.opened).toHaveLength(1);
  });

  test('a verdict for a stream that asked for none is ignored', () => {
    const { side } = asking();
    const claim = { sender: 'coluc.com', target: 'vngtp.lab', streamId: 'id', key: 'k' } as never;
    side.handle({ type: 'verdict', claim, verdict: { verdict: 'valid' } });
    side.handle({ type: 'policy-changed' });
    expect([side.authorized, side.ended]).toEqual([[], undefined]);
  });

  test('X-18: unknown elements end a stream that is not open, and are ignored ten times on one that is', () => {
    const greet = "<greeting xmlns='urn:example:greeting'/>";
    expect(streamError(asking().raw.say(greet))).toBe('unsupported-stanza-type');
    const { raw } = asking();
    raw.say(VALID);
    for (let n = 0; n < 10; n++) expect(raw.say(greet)).toBe('');
    expect(streamError(raw.say(greet))).toBe('unsupported-stanza-type');
  });

  test('S-49: features a second time, before the stream is open', () => {
    expect(streamError(asking().raw.say('<stream:features/>'))).toBe('unsupported-stanza-type');
  });
});

test.each([
  ['not-well-formed', 'xml-not-well-formed'],
  ['not-authorized', 'invalid-id'],
  ['undefined-condition', 'wibble'],
])('E-06, E-07: a received %s may be called %s', (condition, name) => {
  const { raw, side } = asking();
  raw.say(
    `<stream:error><${name} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>why</text></stream:error>`,
  );
  expect(side.ended).toEqual({ by: 'them', condition, text: 'why' });
});

test.each([
  "<stream:error><wibble xmlns='urn:x'/></stream:error>",
  '<stream:error/>',
  '<stream:error>text</stream:error>',
])('E-06: %s is undefined-condition', (xml) => {
  const { raw, side } = asking();
  raw.say(xml);
  expect(side.ended).toEqual({ by: 'them', condition: 'undefined-condition' });
});
