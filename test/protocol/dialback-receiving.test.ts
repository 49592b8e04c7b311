import { describe, expect, test } from 'vitest';
import {
  connected,
  dialedBack,
  greeted,
  greeting,
  HEADER,
  KEY,
  requestAndVouch,
  secured,
  UNTRUSTED,
  VNGTP,
  verifyAnswer,
  verifying,
} from './peers.ts';
import { DIALBACK, dialbackError, header, message, result, streamError } from './xml.ts';

const VALID = "<db:result from='coluc.com' to='vngtp.lab' type='valid'/>";
function error(condition: string): string {
  return `<error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
}

describe('asking the authoritative server', () => {
  test('D-32, D-04: with the id of our header and the key verbatim', () => {
    const { authoritative, id } = verifying();
    expect(authoritative.received).toContain(
      `<db:verify from='coluc.com' to='vngtp.lab' id='${id}'>${KEY}</db:verify>`,
    );
  });

  test.each([' padded ', 'UPPER lower', 'k'.repeat(4096), '&lt;&amp;&gt;', 'ключ'])(
    'D-04: the key %j is opaque',
    (key) => {
      const { raw, side } = greeted();
      raw.say(result('vngtp.lab', 'coluc.com', key));
      expect(side.claims[0]?.key).toBe(key.replace('&lt;&amp;&gt;', '<&>'));
    },
  );

  test('D-04: a key of more than 4 KiB is against our policy', () => {
    const { raw, side } = greeted();
    expect(dialbackError(raw.say(result('vngtp.lab', 'coluc.com', 'k'.repeat(4097))))).toBe('policy-violation');
    expect(side.claims).toEqual([]);
  });

  test('D-33: it is found by DNS for the sender, over a connection of its own', () => {
    const { world, side } = verifying();
    expect(world.opened.map(({ wire }) => wire.name)).toEqual(['coluc.com -> vngtp.lab, to verify']);
    expect(side.written).not.toContain('db:verify');
  });

  test('D-34, D-35: the connection ends once it has answered', () => {
    const { authoritative, id } = verifying();
    expect(authoritative.say(verifyAnswer(id, 'valid'))).toBe('</stream:stream>');
    authoritative.say('</stream:stream>');
    expect(authoritative.isClosed).toBe(true);
  });

  test('D-35: where TLS is required the question is never asked in plaintext', () => {
    const { raw, world } = secured({ tls: 'required' }, UNTRUSTED);
    raw.say(result('vngtp.lab', 'coluc.com', KEY));
    const authoritative = world.opened[0]?.raw;
    expect(authoritative?.say(greeting('x', DIALBACK))).toContain('<starttls');
    expect(authoritative?.received).not.toContain('db:verify');
  });

  test('D-14: an answer that repeats the key, or says more, is understood', () => {
    const { authoritative, raw, id } = verifying();
    authoritative.say(
      `<db:verify extra='1' from='vngtp.lab' to='coluc.com' id='${id}' type='valid'>${KEY}</db:verify>`,
    );
    expect(raw.hear()).toBe(VALID);
  });

  test('D-10: dialback elements are known by their namespace', () => {
    for (const xml of [
      `<x:result xmlns:x='jabber:server:dialback' from='vngtp.lab' to='coluc.com'>k</x:result>`,
      `<result xmlns='jabber:server:dialback' from='vngtp.lab' to='coluc.com'>k</result>`,
    ]) {
      const { raw, side } = greeted();
      raw.say(xml);
      expect(side.claims).toHaveLength(1);
    }
  });

  test('D-12: a header without the namespace is as good', () => {
    const { raw, side } = connected();
    raw.say(HEADER.replace(" xmlns:db='jabber:server:dialback'", ''));
    raw.say("<result xmlns='jabber:server:dialback' from='vngtp.lab' to='coluc.com'>k</result>");
    expect(side.claims).toHaveLength(1);
  });

  test('D-16: the feature with errors is there wherever dialback is possible', () => {
    expect(greeted().raw.received).toContain(DIALBACK);
    expect(secured({}, VNGTP).heard).toContain(DIALBACK);
    expect(secured({ authentication: 'external' }, VNGTP).heard).not.toContain('dialback xmlns=');
  });
});

describe('what the answer does', () => {
  test('D-37: valid authorizes the pair on this stream', () => {
    const { authoritative, raw, side, world, id } = verifying();
    authoritative.say(verifyAnswer(id, 'valid'));
    expect(raw.hear()).toBe(VALID);
    expect(side.authorized).toEqual([{ pair: { sender: 'vngtp.lab', target: 'coluc.com' }, by: 'dialback' }]);
    raw.say(message('a@vngtp.lab', 'b@coluc.com'));
    expect(world.delivered).toHaveLength(1);
  });

  test.each([
    ['another id', (id: string) => verifyAnswer(`${id}x`, 'valid')],
    [
      'the addresses turned round',
      (id: string) =>
        verifyAnswer(id, 'valid').replace("from='vngtp.lab' to='coluc.com'", "from='coluc.com' to='vngtp.lab'"),
    ],
    ['another domain', (id: string) => verifyAnswer(id, 'valid').replace('vngtp.lab', 'victim.lab')],
    ['db:result instead', () => "<db:result from='vngtp.lab' to='coluc.com' type='valid'/>"],
    ['a question', (id: string) => `<db:verify from='vngtp.lab' to='coluc.com' id='${id}'>k</db:verify>`],
  ])('D-36, V-01: %s does not count', (_what, say) => {
    const { authoritative, raw, side, id } = verifying();
    authoritative.say(say(id));
    expect([side.authorized, raw.hear()]).toEqual([[], '']);
    authoritative.say(verifyAnswer(id, 'valid'));
    expect(raw.hear()).toBe(VALID);
  });

  test('D-36: on the stream of the initiating server it does not count', () => {
    const { raw, side, id } = verifying();
    expect(raw.say(verifyAnswer(id, 'valid'))).toBe('');
    expect(side.authorized).toEqual([]);
  });

  test('D-36: a second answer, and one after the time-out, change nothing', () => {
    const { authoritative, raw, side, id } = verifying();
    authoritative.say(verifyAnswer(id, 'invalid') + verifyAnswer(id, 'valid'));
    expect(side.authorized).toEqual([]);
    expect(side.ended).toMatchObject({ by: 'dialback' });
    const late = verifying();
    late.world.clock.advance(30_000);
    late.authoritative.say(verifyAnswer(late.id, 'valid'));
    expect(late.side.authorized).toEqual([]);
    expect(dialbackError(late.raw.received)).toBe('remote-server-timeout');
    expect(raw.isClosed).toBe(true);
  });

  test('D-37: if the stream is gone nothing happens', () => {
    const { authoritative, raw, side, id } = verifying();
    raw.close();
    authoritative.say(verifyAnswer(id, 'valid'));
    expect(side.authorized).toEqual([]);
  });

  test('D-38: invalid, and nobody else uses the stream: it ends', () => {
    const { authoritative, raw, id } = verifying();
    authoritative.say(verifyAnswer(id, 'invalid'));
    expect(raw.hear()).toBe("<db:result from='coluc.com' to='vngtp.lab' type='invalid'/></stream:stream>");
  });

  test('D-39: invalid beside a valid pair is forbidden, and the stream stays', () => {
    const { raw, side, world } = dialedBack();
    world.point('evil.lab', 'raw');
    raw.say(result('evil.lab', 'coluc.com', 'k'));
    const claim = side.claims[1];
    if (claim !== undefined) side.handle({ type: 'verdict', claim, verdict: { verdict: 'invalid' } });
    expect(dialbackError(raw.hear())).toBe('forbidden');
    raw.say(message('a@vngtp.lab', 'b@coluc.com'));
    expect(world.delivered).toHaveLength(1);
    expect(streamError(raw.say(message('a@evil.lab', 'b@coluc.com')))).toBe('invalid-from');
  });

  test.each([
    ['there is no such domain', 'remote-server-not-found', { by: 'network', stage: 'no-service', detail: 'NXDOMAIN' }],
    ['it is no name for DNS', 'remote-server-not-found', { by: 'network', stage: 'idna', detail: 'not a name' }],
    ['DNS does not answer', 'remote-server-timeout', { by: 'network', stage: 'dns', detail: 'SERVFAIL' }],
    ['nobody accepts the connection', 'remote-connection-failed', { by: 'network', stage: 'tcp', detail: 'refused' }],
  ] as const)('D-44, D-45: %s: %s, at once, and the stream stays', (_situation, condition, end) => {
    const { raw, world, side } = greeted();
    world.point('vngtp.lab', end);
    expect(dialbackError(raw.say(result('vngtp.lab', 'coluc.com', KEY)))).toBe(condition);
    expect([side.ended, side.waitingFor]).toEqual([undefined, ['negotiation']]);
  });

  test.each([
    ['it says item-not-found', 'remote-server-not-found', verifyAnswer('ID', 'error', error('item-not-found'))],
    ['it says something else', 'remote-server-not-found', verifyAnswer('ID', 'error', error('internal-server-error'))],
    ['it says error and no more', 'remote-server-not-found', verifyAnswer('ID', 'error')],
    ['it says something that does not exist', 'remote-server-not-found', verifyAnswer('ID', 'perhaps')],
    [
      'it does not know itself',
      'remote-server-not-found',
      "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
    ],
    [
      'it is gone',
      'remote-server-not-found',
      "<stream:error><host-gone xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
    ],
    [
      'it has an error of another kind',
      'remote-server-timeout',
      "<stream:error><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
    ],
    ['it closes', 'remote-server-timeout', '</stream:stream>'],
    ['it is no XMPP server', 'remote-server-timeout', 'HTTP/1.1 400 Bad Request'],
    ['it hangs up', 'remote-server-timeout', ''],
  ])('D-44, D-45: %s: %s, at once, and the stream stays', (_situation, condition, what) => {
    const { raw, authoritative, side, id } = verifying();
    if (what === '') authoritative.close();
    else authoritative.say(what.replace('ID', id));
    expect(dialbackError(raw.hear())).toBe(condition);
    expect(side.ended).toBeUndefined();
  });

  test('D-44: TLS with the authoritative server fails', () => {
    const { raw, world } = secured({ tls: 'required' }, UNTRUSTED);
    raw.say(result('vngtp.lab', 'coluc.com', KEY));
    const authoritative = world.opened[0]?.raw;
    authoritative?.say(greeting('x'));
    authoritative?.say("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
    expect(dialbackError(raw.hear())).toBe('remote-connection-failed');
  });

  test('D-44, D-46: silence for 30 seconds', () => {
    const { raw, world, side } = verifying();
    world.clock.advance(29_999);
    expect(raw.hear()).toBe('');
    world.clock.advance(1);
    expect(dialbackError(raw.hear())).toBe('remote-server-timeout');
    expect(side.refused).toEqual([
      {
        pair: { sender: 'vngtp.lab', target: 'coluc.com' },
        because: { by: 'dialback', failure: { answer: 'error', condition: 'remote-server-timeout' } },
      },
    ]);
  });
});

describe('requests that are refused cause no traffic', () => {
  test.each([
    ['D-31', result('vngtp.lab', 'nosuch.example', 'k'), 'item-not-found', {}],
    ['D-44', result('coluc.com', 'coluc.com', 'k'), 'not-acceptable', {}],
    [
      'S-19',
      result('evil.lab', 'coluc.com', 'k'),
      'policy-violation',
      { ruling: (remote: string | undefined) => (remote === 'evil.lab' ? { admitted: false } : {}) },
    ],
    ['D-11', "<db:result from='vngtp.lab' to='coluc.com'/>", 'bad-request', {}],
    ['D-11', "<db:result from='vngtp.lab' to='coluc.com'>  </db:result>", 'bad-request', {}],
    ['D-11', "<db:result from='vngtp.lab' to='coluc.com' id='a b'>k</db:result>", 'bad-request', {}],
  ])('%s: %s is answered with %s', (_id, xml, condition, plan) => {
    const { raw, side } = greeted(plan);
    expect(dialbackError(raw.say(xml))).toBe(condition);
    expect([side.claims, side.ended]).toEqual([[], undefined]);
  });

  test.each([
    '<db:result>k</db:result>',
    "<db:result from='vngtp.lab'>k</db:result>",
    "<db:result from='a@b' to='coluc.com'>k</db:result>",
  ])('D-11: %s is answered by silence, and three of them end the stream', (xml) => {
    const { raw } = greeted();
    expect(raw.say(xml)).toBe('');
    expect(raw.say(xml)).toBe('');
    expect(streamError(raw.say(xml))).toBe('improper-addressing');
  });

  test.each(['valid', 'invalid', 'error', 'whatever', ''])(
    'D-48, V-01: a db:result of type %j on a stream where we asked nothing is ignored',
    (type) => {
      const { raw, side, world } = greeted();
      for (const from of ['vngtp.lab', 'no domain'])
        expect(raw.say(`<db:result from='${from}' to='coluc.com' type='${type}'>k</db:result>`)).toBe('');
      expect([side.claims, side.authorized]).toEqual([[], []]);
      expect(streamError(raw.say(message('a@vngtp.lab', 'b@coluc.com')))).toBe('not-authorized');
      expect(world.delivered).toEqual([]);
    },
  );

  test('D-70, V-22: where dialback is switched off', () => {
    const { raw, side } = secured({ authentication: 'external' }, VNGTP);
    expect(dialbackError(raw.say(result('other.lab', 'coluc.com', 'k')))).toBe('not-authorized');
    expect(side.claims).toEqual([]);
  });

  test('D-47, D-52, D-53: a peer that repeats itself does not make us dial without end', () => {
    const { raw, side } = greeted();
    let heard = '';
    for (let n = 0; n < 30; n++) heard += raw.say(result('vngtp.lab', 'coluc.com', `k${n}`));
    expect(side.claims).toHaveLength(16);
    expect(dialbackError(heard)).toBe('resource-constraint');
    expect(streamError(heard)).toBe('policy-violation');
  });

  test('D-52: sixteen verifications at a time; then resource-constraint, and more end the stream', () => {
    const { raw, side, world } = greeted();
    for (let n = 0; n < 16; n++) {
      world.point(`s${n}.lab`, 'raw');
      expect(raw.say(result(`s${n}.lab`, 'coluc.com', 'k'))).toBe('');
    }
    expect(dialbackError(raw.say(result('one-too-many.lab', 'coluc.com', 'k')))).toBe('resource-constraint');
    raw.say(result('two-too-many.lab', 'coluc.com', 'k'));
    expect(streamError(raw.say(result('three-too-many.lab', 'coluc.com', 'k')))).toBe('policy-violation');
    expect(side.claims).toHaveLength(16);
  });

  test('D-52: 256 pairs on one stream', () => {
    const receiving = greeted();
    for (let n = 0; n < 256; n++) {
      receiving.world.point(`s${n}.lab`, 'raw');
      expect(requestAndVouch(receiving, `s${n}.lab`, 'coluc.com')).toContain("type='valid'");
    }
    expect(dialbackError(receiving.raw.say(result('one-too-many.lab', 'coluc.com', 'k')))).toBe('resource-constraint');
    expect(requestAndVouch(receiving, 's7.lab', 'coluc.com')).toContain("type='valid'");
  });
});

test('a header that is refused answers nothing that came before', () => {
  const { raw } = connected();
  expect(
    raw.say(header({ from: 'vngtp.lab', to: 'nosuch.example' }) + result('vngtp.lab', 'coluc.com', 'k')),
  ).not.toContain('db:result');
});
