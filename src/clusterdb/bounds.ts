import type { ConfigStep, Json } from '../protocol/link/messages.ts';

/**
 * What one database may hold at most: keys, and UTF-16 units of keys and values as JSON. Many times what anybody configures, and little enough
 * for the memory of every box that has a copy. The same for the owner and for replicas: what the one may have, the other takes.
 */
export const MOST = { keys: 100_000, size: 32 * 1024 * 1024 } as const;

/** UTF-16 units that a key takes with its value. A secret that another box holds has none. */
export function sizeOf(key: string, value: Json | undefined): number {
  return key.length + (value === undefined ? 0 : JSON.stringify(value).length);
}

/** The same of many. */
export function sizeOfAll(entries: Iterable<{ readonly key: string; readonly value: Json | undefined }>): number {
  let size = 0;
  for (const { key, value } of entries) size += sizeOf(key, value);
  return size;
}

/** How much a step adds at most. */
export function sizeOfStep(step: ConfigStep): number {
  if ('put' in step) return sizeOf(step.put, step.value);
  return 'hide' in step ? step.hide.length : 0;
}

/** Sentences that are told of one change; whoever made a thousand slips begins with these. */
const TOLD = 20;

/** The first few of many problems, and how many there are more. */
export function theFirst(problems: readonly string[]): readonly string[] {
  if (problems.length <= TOLD) return problems;
  return [...problems.slice(0, TOLD), `And ${(problems.length - TOLD).toLocaleString('en-US')} more.`];
}
