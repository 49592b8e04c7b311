import type { XmlElement } from '../../protocol/xml/types.ts';
import { childOf, element, textOf } from '../../protocol/xml/write.ts';

/** XEP-0059 §6. */
export const RESULT_SETS = 'http://jabber.org/protocol/rsm';

/** UTF-16 units of an id that somebody asks from. */
const LONGEST_ID = 1_024;

/** Which page of a whole is asked for (XEP-0059 §2). */
export interface PageRequest {
  /** Items at most; 0 asks for the count alone (§2.6). `undefined`: as many as the server gives. */
  readonly max: number | undefined;
  readonly from:
    | { readonly at: 'start' }
    /** The last page (§2.5). */
    | { readonly at: 'end' }
    /** What follows this item (§2.2), what precedes it (§2.3). */
    | { readonly at: 'after' | 'before'; readonly id: string }
    /** What begins with the item of this number, counted from 0 (§2.4). */
    | { readonly at: 'index'; readonly index: number };
}

/** The first page, as large as the server likes. */
export const FIRST_PAGE: PageRequest = { max: undefined, from: { at: 'start' } };

/** A page that is returned. */
export interface PageBounds {
  /** The ids of its first and last item, in the order of the whole; `undefined` for an empty page. */
  readonly first: string | undefined;
  readonly last: string | undefined;
  /** The number of its first item in the whole, counted from 0. */
  readonly index: number | undefined;
  /** Items of the whole. */
  readonly count: number | undefined;
}

/** A page with its items. */
export interface Page<T> extends PageBounds {
  readonly items: readonly T[];
  /** Nothing is left in the direction of the paging. */
  readonly complete: boolean;
}

/** The page that an element asks for by a `<set/>` inside it; without one it is the first page. Never throws. */
export function pageRequestIn(parent: XmlElement): PageRequest | 'malformed' {
  const set = childOf(parent, 'set', RESULT_SETS);
  if (set === undefined) return FIRST_PAGE;
  const max = numberIn(set, 'max');
  const index = numberIn(set, 'index');
  const before = childOf(set, 'before', RESULT_SETS);
  const after = childOf(set, 'after', RESULT_SETS);
  const origins = [childOf(set, 'index', RESULT_SETS), before, after].filter((origin) => origin !== undefined);
  if (max === 'malformed' || index === 'malformed' || origins.length > 1) return 'malformed';
  if (index !== undefined) return { max, from: { at: 'index', index } };
  if (before !== undefined) {
    const id = textOf(before);
    if (id.length > LONGEST_ID) return 'malformed';
    return { max, from: id === '' ? { at: 'end' } : { at: 'before', id } };
  }
  if (after !== undefined) {
    const id = textOf(after);
    if (id.length > LONGEST_ID) return 'malformed';
    // COMPAT(Gajim): an empty <after/> asks for the beginning, though XEP-0059 gives it no meaning.
    return { max, from: id === '' ? { at: 'start' } : { at: 'after', id } };
  }
  return { max, from: { at: 'start' } };
}

/** The `<set/>` of an answer (XEP-0059 §2.1). */
export function writeResultSet({ first, last, index, count }: PageBounds): XmlElement {
  return element(
    'set',
    RESULT_SETS,
    {},
    first === undefined ? undefined : element('first', RESULT_SETS, { index: index?.toString() }, first),
    last === undefined ? undefined : element('last', RESULT_SETS, {}, last),
    count === undefined ? undefined : element('count', RESULT_SETS, {}, count.toString()),
  );
}

/**
 * The page of a list that is at hand. `most`: items of a page, whatever was asked for.
 *
 * @returns `unknown` when the item to begin from is not in the list (XEP-0059 §2.2: item-not-found)
 */
export function pageOf<T>(
  whole: readonly T[],
  idOf: (item: T) => string,
  { max, from }: PageRequest,
  most: number,
): Page<T> | 'unknown' {
  const size = Math.min(max ?? most, most);
  const bounds = boundsOf(whole, idOf, from, size);
  if (bounds === 'unknown') return 'unknown';
  const { start, end } = bounds;
  const items = whole.slice(start, end);
  const [first] = items;
  const last = items.at(-1);
  const backward = from.at === 'end' || from.at === 'before';
  return {
    items,
    first: first === undefined ? undefined : idOf(first),
    last: last === undefined ? undefined : idOf(last),
    index: first === undefined ? undefined : start,
    count: whole.length,
    complete: backward ? start === 0 : end >= whole.length,
  };
}

function boundsOf<T>(
  whole: readonly T[],
  idOf: (item: T) => string,
  from: PageRequest['from'],
  size: number,
): { readonly start: number; readonly end: number } | 'unknown' {
  switch (from.at) {
    case 'start':
      return { start: 0, end: size };
    case 'end':
      return { start: Math.max(0, whole.length - size), end: whole.length };
    case 'index': {
      const start = Math.min(from.index, whole.length);
      return { start, end: start + size };
    }
    case 'after':
    case 'before': {
      const place = whole.findIndex((item) => idOf(item) === from.id);
      if (place === -1) return 'unknown';
      return from.at === 'after'
        ? { start: place + 1, end: place + 1 + size }
        : { start: Math.max(0, place - size), end: place };
    }
  }
}

/** A non-negative integer that a child holds. */
function numberIn(set: XmlElement, name: string): number | 'malformed' | undefined {
  const child = childOf(set, name, RESULT_SETS);
  if (child === undefined) return undefined;
  const text = textOf(child).trim();
  return /^\d{1,9}$/.test(text) ? Number(text) : 'malformed';
}
