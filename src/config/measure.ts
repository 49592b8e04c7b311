import { quote } from './problem.ts';

/** What became of a text that should be a value: the value, or why it is none and what to write instead. */
export type Parsed<T> = { readonly value: T } | { readonly reason: string; readonly cure: string };

const UNITS_OF_TIME = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Node's timers hold no more: 2^31 - 1 ms, rounded down to days. */
export const LONGEST_DURATION = 24 * UNITS_OF_TIME.d;

/** `"500ms"`, `"30s"`, `"10m"`, `"1h"`, `"1d"` in milliseconds; 0 needs no unit. */
export function parseDuration(written: string | number | boolean): Parsed<number> {
  if (written === 0 || written === '0') return { value: 0 };
  const [, digits, unit] = /^(\d{1,9}) ?(ms|s|m|h|d)$/.exec(String(written)) ?? [];
  if (digits === undefined || unit === undefined) {
    const number = /^\d{1,9}$/.exec(String(written))?.[0];
    if (number !== undefined) {
      return {
        reason: `${quote(written)} has no unit`,
        cure: `Write "${number}s" for seconds, "${number}m" for minutes.`,
      };
    }
    return {
      reason: `${quote(written)} is not a duration`,
      cure: 'Write a whole number and ms, s, m, h or d, such as "30s" or "10m".',
    };
  }
  const value = Number(digits) * UNITS_OF_TIME[unit as keyof typeof UNITS_OF_TIME];
  if (value > LONGEST_DURATION) return { reason: `${quote(written)} is too long`, cure: 'The longest is "24d".' };
  return { value };
}

const UNITS_OF_SIZE = { '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** `262144` or `"256KiB"`, `"1MiB"`, `"1GiB"` in bytes. */
export function parseSize(written: string | number | boolean): Parsed<number> {
  const [, digits, unit] = /^(\d{1,12}) ?([A-Za-z]*)$/.exec(String(written)) ?? [];
  if (digits !== undefined && unit !== undefined) {
    const factor = Object.entries(UNITS_OF_SIZE).find(([name]) => name === unit)?.[1];
    const value = Number(digits) * (factor ?? 1);
    if (factor !== undefined && Number.isSafeInteger(value)) return { value };
    const meant = Object.keys(UNITS_OF_SIZE).find((name) => name !== '' && name[0] === unit[0]?.toUpperCase());
    if (factor === undefined && meant !== undefined) {
      return {
        reason: `${quote(written)} has an unknown unit`,
        cure: `Write "${digits}${meant}"; units are KiB, MiB and GiB.`,
      };
    }
  }
  return {
    reason: `${quote(written)} is not a size`,
    cure: 'Write bytes, or a whole number and KiB, MiB or GiB, such as "256KiB".',
  };
}
