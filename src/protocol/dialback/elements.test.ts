import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Domain, parseDomain } from '../jid/domain.ts';
import type { Verdict } from '../stream/actions.ts';
import { STANZA_ERROR_CONDITIONS } from '../stream/stanza-error.ts';
import { parseElement } from '../xml/parse.ts';
import type { XmlElement } from '../xml/types.ts';
import { element, STREAM_PREFIXES } from '../xml/write.ts';
import {
  dialbackName,
  readDialback,
  writeComplaint,
  writeResult,
  writeResultAnswer,
  writeVerify,
  writeVerifyAnswer,
} from './elements.ts';

const NS = 'jabber:server:dialback';
const PAIR = { sender: 'vngtp.lab' as Domain, target: 'coluc.com' as Domain };

function read(xml: string) {
  return readDialback(parseElement(xml, { defaultNamespace: 'jabber:server', prefixes: STREAM_PREFIXES }));
}

const name = fc.constantFrom('result', 'verify', 'message');
const attribute = fc.record({
  name: fc.oneof(fc.constantFrom('from', 'to', 'id', 'type', 'key'), fc.string({ minLength: 1, maxLength: 4 })),
  namespace: fc.constantFrom('', 'urn:x', 'http://www.w3.org/XML/1998/namespace'),
  value: fc.oneof(fc.constantFrom('coluc.com', 'vngtp.lab', 'valid', 'error', ''), fc.string({ unit: 'binary' })),
});
const node: fc.Arbitrary<XmlElement | string> = fc.letrec<{ node: XmlElement | string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.record({
      name: fc.constantFrom('error', 'gone', 'text'),
      namespace: fc.constantFrom('jabber:server', 'urn:ietf:params:xml:ns:xmpp-stanzas'),
      attributes: fc.constant([]),
      children: fc.array(tie('node'), { maxLength: 3 }),
    }),
  ),
})).node;

test('no element whatever makes reading throw, and what is read is checked', () => {
  fc.assert(
    fc.property(
      name,
      fc.array(attribute, { maxLength: 6 }),
      fc.array(node, { maxLength: 4 }),
      (local, attributes, children) => {
        const result = readDialback({ name: local, namespace: NS, attributes, children });
        for (const address of [result.from, result.to])
          expect(address === undefined || parseDomain(address) === address).toBe(true);
        const key = result.is === 'request' ? result.key : 'k';
        const id = result.is === 'malformed' ? '' : result.id;
        expect([key.trim() === '', key.length > 4096, /\s/.test(id)]).toEqual([false, false, false]);
        const complaint = result.is === 'malformed' ? writeComplaint('verify', result) : 'none is needed';
        expect(complaint === undefined).toBe(
          result.is === 'malformed' && (result.from === undefined || result.to === undefined),
        );
      },
    ),
  );
});

describe('what is written is read', () => {
  const id = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    .filter((text) => !/[\s\p{Cc}\uFFFE\uFFFF]/u.test(text));
  const key = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 80 })
    .filter((text) => text.trim() !== '' && !/[\p{Cc}\uFFFE\uFFFF]/u.test(text));
  const verdict: fc.Arbitrary<Verdict> = fc.oneof(
    fc.constantFrom<Verdict>({ verdict: 'valid' }, { verdict: 'invalid' }),
    fc.constantFrom(...STANZA_ERROR_CONDITIONS).map((condition): Verdict => ({ verdict: 'error', condition })),
  );

  test('D-04: requests, the key verbatim', () => {
    fc.assert(
      fc.property(id, key, (streamId, secret) => {
        expect(read(writeResult(PAIR, secret))).toEqual({
          is: 'request',
          from: 'vngtp.lab',
          to: 'coluc.com',
          id: '',
          key: secret,
        });
        expect(read(writeVerify({ ...PAIR, streamId, key: secret }))).toEqual({
          is: 'request',
          from: 'coluc.com',
          to: 'vngtp.lab',
          id: streamId,
          key: secret,
        });
      }),
    );
  });

  test('D-15, D-54: answers, turned round, the id as it was', () => {
    fc.assert(
      fc.property(id, verdict, (streamId, said) => {
        expect(read(writeResultAnswer(PAIR, said))).toEqual({
          is: 'answer',
          from: 'coluc.com',
          to: 'vngtp.lab',
          id: '',
          verdict: said,
        });
        expect(read(writeVerifyAnswer({ from: PAIR.target, to: PAIR.sender, id: streamId }, said))).toEqual({
          is: 'answer',
          from: 'vngtp.lab',
          to: 'coluc.com',
          id: streamId,
          verdict: said,
        });
      }),
    );
  });
});

test('D-10: dialback is known by its namespace', () => {
  expect(dialbackName(element('result', NS))).toBe('result');
  expect(dialbackName(element('verify', NS))).toBe('verify');
  expect(dialbackName(element('other', NS))).toBeUndefined();
  expect(dialbackName(element('result', 'jabber:server'))).toBeUndefined();
});

test.each([
  ["<db:result to='coluc.com'>k</db:result>", "'from'"],
  ["<db:result from='' to='coluc.com'>k</db:result>", "'from'"],
  ["<db:result from='vngtp.lab' to='a@coluc.com'>k</db:result>", "'to'"],
  ["<db:verify from='vngtp.lab' to='coluc.com'>k</db:verify>", "'id'"],
  ["<db:verify from='vngtp.lab' to='coluc.com' id='a&#9;b'>k</db:verify>", "'id'"],
  ["<db:result from='vngtp.lab' to='coluc.com'><k/></db:result>", 'key'],
])('D-11: %s is malformed: %s', (xml, what) => {
  const result = read(xml);
  expect(result).toMatchObject({ is: 'malformed', asked: true, condition: 'bad-request' });
  expect(result.is === 'malformed' && result.what).toContain(what);
});

test('D-04: a key over the limit is against policy, one at the limit is not', () => {
  expect(read(`<db:result from='a.lab' to='b.lab'>${'k'.repeat(4097)}</db:result>`)).toMatchObject({
    is: 'malformed',
    condition: 'policy-violation',
  });
  expect(read(`<db:result from='a.lab' to='b.lab'>${'k'.repeat(4096)}</db:result>`).is).toBe('request');
});

test('D-48: a malformed answer is no question', () => {
  expect(read("<db:result to='coluc.com' type='valid'/>")).toMatchObject({ is: 'malformed', asked: false });
});
