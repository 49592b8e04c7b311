import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stanzaIn } from '../../../test/support/xml-events.ts';
import type { NetworkStage, StreamEnd } from '../end.ts';
import { sentenceOf } from '../sentence.ts';
import { writeElement } from '../xml/write.ts';
import { bounceOf, errorFor, unanswerable } from './bounce.ts';
import { STANZA_ERROR_CONDITIONS } from './stanza-error.ts';
import { STREAM_ERROR_CONDITIONS, type StreamErrorCondition } from './stream-error.ts';

const network = (stage: NetworkStage): StreamEnd => ({ by: 'network', stage, detail: '10.0.0.1 refused' });
const them = (condition: StreamErrorCondition): StreamEnd => ({ by: 'them', condition, text: 'whatever' });
const refused = (
  condition: 'resource-constraint' | 'item-not-found' | 'forbidden' | 'not-authorized' | 'policy-violation' | undefined,
): StreamEnd => ({
  by: 'dialback',
  failure: { answer: 'error', condition },
});

test.each<[string, StreamEnd, string, string]>([
  ['R-32', network('idna'), 'remote-server-not-found', 'cancel'],
  ['R-32', network('no-service'), 'remote-server-not-found', 'cancel'],
  ['R-34', network('dns'), 'remote-server-timeout', 'wait'],
  ['R-34', network('tcp'), 'remote-server-timeout', 'wait'],
  ['R-34', network('tls'), 'remote-server-timeout', 'wait'],
  ['R-34', { by: 'close' }, 'remote-server-timeout', 'wait'],
  ['R-34', { by: 'disconnect' }, 'remote-server-timeout', 'wait'],
  ['R-34', { by: 'timeout', waitingFor: 'x' }, 'remote-server-timeout', 'wait'],
  ['R-34', { by: 'dialback', failure: { answer: 'none' } }, 'remote-server-timeout', 'wait'],
  ['R-34', them('reset'), 'remote-server-timeout', 'wait'],
  ['R-34', them('system-shutdown'), 'remote-server-timeout', 'wait'],
  ['R-35', them('unsupported-version'), 'remote-server-timeout', 'cancel'],
  ['R-35', { by: 'us', condition: 'unsupported-feature' }, 'remote-server-timeout', 'cancel'],
  ['R-35', { by: 'us', condition: 'not-well-formed' }, 'remote-server-timeout', 'cancel'],
  ['R-35', them('not-authorized'), 'remote-server-timeout', 'cancel'],
  ['R-36', { by: 'policy', because: 'TLS' }, 'remote-server-timeout', 'cancel'],
  ['R-36', { by: 'authentication', because: 'no certificate' }, 'remote-server-timeout', 'cancel'],
  ['R-37', { by: 'dialback', failure: { answer: 'invalid' } }, 'internal-server-error', 'cancel'],
  ['R-38', refused('resource-constraint'), 'remote-server-timeout', 'wait'],
  ['R-38', refused(undefined), 'remote-server-timeout', 'wait'],
  ['R-38', refused('item-not-found'), 'remote-server-timeout', 'cancel'],
  ['R-38', refused('forbidden'), 'remote-server-timeout', 'cancel'],
  ['R-38', refused('not-authorized'), 'remote-server-timeout', 'cancel'],
  ['R-38', refused('policy-violation'), 'remote-server-timeout', 'cancel'],
  ['R-39', them('host-unknown'), 'remote-server-not-found', 'cancel'],
  ['R-39', them('host-gone'), 'remote-server-not-found', 'cancel'],
])('%s: %o is told as %s, %s', (_id, end, condition, type) => {
  expect(errorFor(end)).toEqual({ condition, type, text: sentenceOf(end) });
});

test('E-10, R-30: no error names an address, a detail or a text of the peer', () => {
  for (const end of [network('tcp'), ...STREAM_ERROR_CONDITIONS.map(them)])
    expect(errorFor(end).text).not.toMatch(/10\.0|whatever/);
});

test.each([
  ["<message type='error' from='a@b' to='c@d'/>", /error is never answered/],
  ["<presence type='error' from='a@b' to='c@d'/>", /error is never answered/],
  ["<iq type='error' id='1' from='a@b' to='c@d'/>", /error is never answered/],
  ["<iq type='result' id='1' from='a@b' to='c@d'/>", /result is never answered/],
  ["<message to='c@d'/>", /nobody/],
  ["<message from='c@d'/>", /nobody/],
])('R-14, R-23: %s gets no error back', (xml, because) => {
  expect(unanswerable(stanzaIn(xml))).toMatch(because);
});

test.each([
  "<message type='result' from='a@b' to='c@d'/>",
  "<iq type='get' id='1' from='a@b' to='c@d'/>",
  "<presence from='a@b' to='c@d'/>",
  "<message from='a@b' to='c@d'/>",
])('R-24: %s does', (xml) => {
  expect(unanswerable(stanzaIn(xml))).toBeUndefined();
});

test('R-25, R-26, R-27, S-39: the error: addresses swapped, kind and id kept, no payload, who gave up', () => {
  const stanza = stanzaIn(
    "<iq type='set' id='&lt;1>' from='eva@coluc.com/desk' to='jan@vngtp.lab'><query xmlns='urn:x'>secret</query></iq>",
  );
  const error = { condition: 'remote-server-timeout', type: 'wait', text: 'It did not answer.' } as const;
  expect(writeElement(bounceOf(stanza, error, 'coluc.com'), 'jabber:server')).toBe(
    "<iq type='error' from='jan@vngtp.lab' to='eva@coluc.com/desk' id='&lt;1&gt;'><error type='wait' by='coluc.com'>" +
      "<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
      "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>It did not answer.</text></error></iq>",
  );
});

test('R-25: what was absent stays absent', () => {
  const bounce = bounceOf(
    stanzaIn("<presence from='a@b' to='c@d'/>"),
    { condition: 'gone', type: 'cancel', text: undefined },
    undefined,
  );
  expect(writeElement(bounce, 'jabber:server')).toBe(
    "<presence type='error' from='c@d' to='a@b'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
  );
  expect(
    bounceOf(
      { kind: 'iq', from: undefined, to: undefined, id: undefined },
      { condition: 'gone', type: 'cancel', text: undefined },
      undefined,
    ).attributes,
  ).toHaveLength(1);
});

test('R-23: a bounce is itself unanswerable, whatever it answers', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('message', 'presence', 'iq'),
      fc.constantFrom(...STANZA_ERROR_CONDITIONS),
      fc.string({ unit: 'grapheme' }),
      (kind, condition, id) => {
        const bounce = bounceOf(
          { kind, from: 'a@b', to: 'c@d', id },
          { condition, type: 'cancel', text: undefined },
          undefined,
        );
        expect(unanswerable(stanzaIn(writeElement(bounce, 'jabber:server')))).toBeDefined();
      },
    ),
  );
});
