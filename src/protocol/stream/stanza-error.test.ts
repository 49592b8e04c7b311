import { expect, test } from 'vitest';
import { parseElement } from '../xml/parse.ts';
import { readStanzaError, STANZA_ERROR_CONDITIONS, usualType, writeStanzaError } from './stanza-error.ts';

test.each(STANZA_ERROR_CONDITIONS)('%s is written with a type, and read again', (condition) => {
  const parsed = parseElement(writeStanzaError(condition));
  expect(parsed.attributes).toEqual([{ name: 'type', namespace: '', value: usualType(condition) }]);
  expect(readStanzaError(parsed)).toBe(condition);
});

test.each([
  ['bad-request', 'modify'],
  ['not-authorized', 'auth'],
  ['resource-constraint', 'wait'],
  ['item-not-found', 'cancel'],
] as const)('%s is usually of type %s', (condition, type) => {
  expect(usualType(condition)).toBe(type);
});

test.each([
  '<error/>',
  "<error><gone xmlns='urn:x'/></error>",
  "<error>gone<news xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
])('R-31: %s is undefined-condition to us', (xml) => {
  expect(readStanzaError(parseElement(xml))).toBe('undefined-condition');
});
