import type { AttributeTable } from './attributes.ts';
import { APOSTROPHE, CLASS, COLON, EQUALS, IN_NAME, IN_VALUE, NAME_START, QUOTATION_MARK } from './bytes.ts';

/**
 * Shortcuts for what nearly every tag is made of: ASCII names, no white space that is not needed, values without references.
 * They answer only where the tokenizer's slow way would answer the same; everything else, a fault too, is left to it.
 */

/** The end of the ASCII name without colon at `at`, -1 when there is none; at `stop` it may go on. */
export function ordinaryName(bytes: Uint8Array, at: number, stop: number): number {
  if (at >= stop || ((CLASS[bytes[at] as number] as number) & NAME_START) === 0) return -1;
  let end = at + 1;
  while (end < stop && ((CLASS[bytes[end] as number] as number) & IN_NAME) !== 0) end++;
  return end;
}

/** Adds the attribute `name='value'` at `at` to the table and returns its end, or -1 when it is not ordinary or not complete. */
export function ordinaryAttribute(
  bytes: Uint8Array,
  base: number,
  at: number,
  stop: number,
  nameLimit: number,
  table: AttributeTable,
): number {
  let colon = -1;
  let end = ordinaryName(bytes, at, stop);
  if (end >= 0 && end < stop && bytes[end] === COLON) {
    colon = end - base;
    end = ordinaryName(bytes, end + 1, stop);
  }
  if (end < 0 || end + 1 >= stop || bytes[end] !== EQUALS || end - at > nameLimit) return -1;
  const quote = bytes[end + 1] as number;
  if (quote !== APOSTROPHE && quote !== QUOTATION_MARK) return -1;
  const value = end + 2;
  let valueEnd = value;
  while (valueEnd < stop && ((CLASS[bytes[valueEnd] as number] as number) & IN_VALUE) !== 0) valueEnd++;
  if (valueEnd >= stop || bytes[valueEnd] !== quote) return -1;
  table.add(bytes, base, at - base, colon, end - base, value - base, valueEnd - base, 0);
  return valueEnd + 1;
}
