import { describe, expect, it } from 'vitest';
import { bytesOf, HEADER } from '../../../test/support/xml-events.ts';
import { Input } from './input.ts';
import { AUTHENTICATED_LIMITS, NO_LIMITS } from './limits.ts';
import { XmlReader } from './reader.ts';
import { FAULT, MORE } from './tag.ts';
import { Tokenizer } from './tokens.ts';

const LENGTH = 36_000;

/** Elements that invite a scanner to begin again. */
const ENDLESS: readonly (readonly [string, string])[] = [
  ['text', `<a>${'x'.repeat(LENGTH)}`],
  ['text beyond ASCII', `<a>${'é€😀'.repeat(LENGTH / 9)}`],
  ['text of brackets', `<a>${']]'.repeat(LENGTH / 2)}`],
  ['references', `<a>${'&#65;'.repeat(LENGTH / 5)}`],
  ['one reference', `<a>&#${'0'.repeat(LENGTH)}`],
  ['the name of a reference', `<a>&${'a'.repeat(LENGTH)}`],
  ['a CDATA section', `<a><![CDATA[${']]x'.repeat(LENGTH / 3)}`],
  ['empty elements', `<a>${'<a/>'.repeat(LENGTH / 4)}`],
  ['a name', `<${'a'.repeat(LENGTH)}`],
  ['an attribute name', `<a ${'b'.repeat(LENGTH)}`],
  ['an attribute value', `<a b='${'x'.repeat(LENGTH)}`],
  ['an attribute value of references', `<a b='${'&lt;'.repeat(LENGTH / 4)}`],
  ['attributes', `<a${Array.from({ length: LENGTH / 12 }, (_, i) => ` b${10_000 + i}='x'`).join('')}`],
  ['white space in a tag', `<a${' '.repeat(LENGTH)}`],
  ['white space before a value', `<a b=${' '.repeat(LENGTH)}`],
  ['white space in an end tag', `<a></a${' '.repeat(LENGTH)}`],
];

/** How many bytes the tokenizer has to look at when an element comes in pieces of this size. */
function bytesLookedAt(xml: string, size: number): number {
  const input = new Input();
  const tokens = new Tokenizer(input, NO_LIMITS);
  const bytes = bytesOf(xml);
  let looked = 0;
  let begun = false;
  for (let start = 0; start < bytes.length; start += size) {
    input.push(bytes.slice(start, start + size));
    if (!begun) tokens.begin();
    begun = true;
    tokens.inElement = true;
    for (let token = START_OVER; token !== MORE; ) {
      const from = input.at;
      token = tokens.next(input.end);
      if (token === FAULT) throw new Error(tokens.fault.detail);
      // It begins where it stopped, and looks at nothing behind the end; a shortcut may look at every byte once more.
      looked += (token === MORE ? input.end : input.at) - from;
    }
    // What is looked at again next time is the beginning of a character, or of "<![CDATA[".
    if (input.end - input.at > 8) throw new Error(`${input.end - input.at} bytes are looked at again`);
  }
  return looked;
}

const START_OVER = -1;

describe('X-31: reading costs the same per byte whatever the bytes are and however they come', () => {
  it.each(ENDLESS)('%s: every byte is looked at a few times at most, also when they come one at a time', (_, xml) => {
    const { length } = bytesOf(xml);
    expect(bytesLookedAt(xml, 1)).toBeLessThan(4 * length);
    expect(bytesLookedAt(xml, 1000)).toBeLessThan(1.1 * length + 1000);
  });

  it.each([1, 7, 1000])('an element in pieces of %i bytes is copied a few times at most', (size) => {
    const input = new Input();
    for (let at = 0; at < LENGTH; at += size) input.push(new Uint8Array(size));
    // Doubling: each byte once when it comes, and on average once more per move.
    expect(input.copied).toBeLessThan(4 * LENGTH);
    expect(input.bytes.length).toBeLessThan(4 * LENGTH);
  });

  it('bytes that are dealt with are let go', () => {
    const input = new Input();
    for (let i = 0; i < 1000; i++) {
      input.push(new Uint8Array(100));
      input.at = input.end - 10;
      input.consume();
    }
    expect(input.bytes.length).toBeLessThan(3000);
  });
});

/** Milliseconds to read, the best of three. */
function cost(xml: string): number {
  const bytes = bytesOf(`${HEADER}<a>${xml}</a>`);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const reader = new XmlReader({ limits: { ...AUTHENTICATED_LIMITS, elements: 1e6 } });
    const start = performance.now();
    reader.push(bytes);
    reader.next();
    expect(reader.next()?.type).toBe('element');
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

describe('X-31, X-30: what one element makes expensive for those inside it is bounded', () => {
  it.each([
    [
      'a long namespace inherited by many',
      `<p:b xmlns:p='${'u'.repeat(100_000)}' xmlns='${'v'.repeat(50_000)}'>${"<c p:x='' x=''/>".repeat(5000)}</p:b>`,
    ],
    [
      'long namespaces under many prefixes, the same local names',
      `<b ${Array.from({ length: 40 }, (_, i) => `xmlns:p${i}='${'u'.repeat(3000)}${i}'`).join(' ')}>${`<c ${Array.from({ length: 40 }, (_, i) => `p${i}:x=''`).join(' ')}/>`.repeat(300)}</b>`,
    ],
    [
      'attribute names that differ in one place',
      `<b ${Array.from({ length: 60 }, (_, i) => `${'n'.repeat(500)}${String.fromCharCode(65 + (i % 26))}${i % 3}${'n'.repeat(20)}=''`).join(' ')}/>`.repeat(
        5,
      ),
    ],
    [
      'many prefixes in scope',
      `${Array.from({ length: 100 }, (_, i) => `<b xmlns:p${1000 + i}='u'>`).join('')}${'<p1000:c/>'.repeat(10_000)}${'</b>'.repeat(100)}`,
    ],
  ])('%s costs no more than a hundred times plain text', (_, xml) => {
    expect(cost(xml)).toBeLessThan(20 + 100 * cost('x'.repeat(xml.length)));
  });
});
