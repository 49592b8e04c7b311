import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseElement } from '../xml/parse.ts';
import { isTransient, readStreamError, STREAM_ERROR_CONDITIONS, writeStreamError } from './stream-error.ts';

const NS = 'urn:ietf:params:xml:ns:xmpp-streams';

function read(xml: string) {
  return readStreamError(parseElement(xml));
}

test('E-45: exactly the twenty-five conditions of RFC 6120', () => {
  expect(STREAM_ERROR_CONDITIONS).toHaveLength(25);
});

test.each(STREAM_ERROR_CONDITIONS)(
  'E-01, E-03, S-39: %s is written with one condition and one text, then the closing tag, and read again',
  (condition) => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const xml = writeStreamError({ condition, text });
        expect(xml.endsWith('</stream:error></stream:stream>')).toBe(true);
        const parsed = read(
          xml
            .replace('</stream:stream>', '')
            .replace('<stream:error', "<stream:error xmlns:stream='http://etherx.jabber.org/streams'"),
        );
        expect(parsed.condition).toBe(condition);
        expect(parsed.text).toBe(text.replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\u{fffd}'));
      }),
      { numRuns: 20 },
    );
  },
);

test('without a text there is none', () => {
  expect(writeStreamError({ condition: 'reset', text: undefined })).toBe(
    `<stream:error><reset xmlns='${NS}'/></stream:error></stream:stream>`,
  );
});

test.each([
  ["<e><wibble xmlns='urn:x'/></e>", 'undefined-condition'],
  ['<e/>', 'undefined-condition'],
  [`<e><wibble xmlns='${NS}'/></e>`, 'undefined-condition'],
  [`<e><text xmlns='${NS}'>x</text><conflict xmlns='${NS}'/></e>`, 'conflict'],
  [`<e><xml-not-well-formed xmlns='${NS}'/></e>`, 'not-well-formed'],
  [`<e><invalid-id xmlns='${NS}'/></e>`, 'not-authorized'],
])('E-06, E-07: %s is %s', (xml, condition) => {
  expect(read(xml).condition).toBe(condition);
});

test('the first of two texts counts', () => {
  expect(read(`<e><text xmlns='${NS}'>a</text><text xmlns='${NS}'>b</text></e>`).text).toBe('a');
});

test('E-09: what trying again can cure', () => {
  expect(STREAM_ERROR_CONDITIONS.filter(isTransient)).toEqual([
    'conflict',
    'connection-timeout',
    'internal-server-error',
    'remote-connection-failed',
    'reset',
    'resource-constraint',
    'system-shutdown',
  ]);
});
