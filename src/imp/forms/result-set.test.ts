import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseElement } from '../../protocol/xml/parse.ts';
import { element, writeElement } from '../../protocol/xml/write.ts';
import { type Page, type PageRequest, pageOf, pageRequestIn, writeResultSet } from './result-set.ts';

function asked(inside: string): PageRequest | 'malformed' {
  return pageRequestIn(
    parseElement(`<q xmlns='urn:q'><set xmlns='http://jabber.org/protocol/rsm'>${inside}</set></q>`),
  );
}

test('each way to ask for a page is read', () => {
  expect(pageRequestIn(element('q', 'urn:q'))).toEqual({ max: undefined, from: { at: 'start' } });
  expect(asked('<max>10</max>')).toEqual({ max: 10, from: { at: 'start' } });
  expect(asked('<max>10</max><before/>')).toEqual({ max: 10, from: { at: 'end' } });
  expect(asked('<max>0</max>')).toEqual({ max: 0, from: { at: 'start' } });
  expect(asked('<before>x</before>')).toEqual({ max: undefined, from: { at: 'before', id: 'x' } });
  expect(asked('<after>x</after>')).toEqual({ max: undefined, from: { at: 'after', id: 'x' } });
  expect(asked('<after/>')).toEqual({ max: undefined, from: { at: 'start' } });
  expect(asked('<index>371</index><max>10</max>')).toEqual({ max: 10, from: { at: 'index', index: 371 } });
});

test.each([
  '<max>-1</max>',
  '<max>ten</max>',
  '<max/>',
  '<max>99999999999999999999</max>',
  '<index>1.5</index>',
  '<before/><after>x</after>',
  '<index>1</index><before/>',
  `<after>${'x'.repeat(2_000)}</after>`,
  `<before>${'x'.repeat(2_000)}</before>`,
])('%s is malformed', (inside) => {
  expect(asked(inside)).toBe('malformed');
});

test('the answer has first with its index, last and count', () => {
  expect(writeElement(writeResultSet({ first: 'a', last: 'c', index: 4, count: 9 }))).toBe(
    "<set xmlns='http://jabber.org/protocol/rsm'><first index='4'>a</first><last>c</last><count>9</count></set>",
  );
  expect(writeElement(writeResultSet({ first: undefined, last: undefined, index: undefined, count: 0 }))).toBe(
    "<set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set>",
  );
});

const self = (id: string) => id;

test('a page that begins from an item nobody has is unknown', () => {
  expect(pageOf(['a'], self, { max: 1, from: { at: 'after', id: 'b' } }, 10)).toBe('unknown');
  expect(pageOf(['a'], self, { max: 1, from: { at: 'before', id: 'b' } }, 10)).toBe('unknown');
});

test('an empty request counts, and a page beyond the end is empty', () => {
  expect(pageOf(['a', 'b'], self, { max: 0, from: { at: 'start' } }, 10)).toMatchObject({ items: [], count: 2 });
  expect(pageOf(['a', 'b'], self, { max: 5, from: { at: 'index', index: 7 } }, 10)).toMatchObject({
    items: [],
    first: undefined,
    complete: true,
  });
});

/** All items, page by page, and the numbers that the pages' first items were given. */
function walk(whole: readonly string[], max: number, most: number, direction: 'forward' | 'backward') {
  const pages: (readonly string[])[] = [];
  const indices: number[] = [];
  let from: PageRequest['from'] = { at: direction === 'forward' ? 'start' : 'end' };
  for (;;) {
    const page: Page<string> | 'unknown' = pageOf(whole, self, { max, from }, most);
    if (page === 'unknown') throw new Error('a page of ours is unknown');
    if (direction === 'forward') pages.push(page.items);
    else pages.unshift(page.items);
    if (page.index !== undefined) indices.push(page.index);
    const next = direction === 'forward' ? page.last : page.first;
    if (page.complete || next === undefined) return { items: pages.flat(), indices };
    from = { at: direction === 'forward' ? 'after' : 'before', id: next };
  }
}

test('pages put together are the whole, in both directions and for every size', () => {
  const size = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(fc.nat(30), size, size, (count, max, most) => {
      const whole = Array.from({ length: count }, (_, number) => `i${number}`);
      const forward = walk(whole, max, most, 'forward');
      expect(forward.items).toEqual(whole);
      expect(forward.indices).toEqual(
        whole.map((_, index) => index).filter((index) => index % Math.min(max, most) === 0),
      );
      expect(walk(whole, max, most, 'backward').items).toEqual(whole);
    }),
  );
});
