import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Domain } from '../protocol/jid/domain.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { Stanza } from '../protocol/xml/types.ts';
import { SharedSource } from './shared-source.ts';

const STANZA = {} as Stanza;

function pair(target: string): StreamPair {
  return { sender: 'coluc.com' as Domain, target: target as Domain };
}

/** A source over ways out that are full until the test makes room; the pairs that were refused. */
function source(): { shared: SharedSource; full: Map<string, () => void>; refused: string[] } {
  const full = new Map<string, () => void>();
  const refused: string[] = [];
  const shared = new SharedSource({
    deliver: (_stanza, { target }) =>
      target.startsWith('stuck') ? new Promise((resolve) => full.set(target, resolve)) : undefined,
    refuse: (_stanza, { target }) => refused.push(target),
    now: () => Date.now(),
  });
  return { shared, full, refused };
}

/** Whether a promise is settled, after everything that is due has run. */
async function isSettled(promise: Promise<void> | undefined): Promise<boolean> {
  let settled = promise === undefined;
  void promise?.then(() => {
    settled = true;
    return undefined;
  });
  await vi.advanceTimersByTimeAsync(0);
  return settled;
}

describe('SharedSource', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('K-20: a partner that has room is never waited for', () => {
    expect(source().shared.deliver(STANZA, pair('fine.lab'))).toBeUndefined();
  });

  it('K-20: the source waits for a partner that is full, and goes on when it has room', async () => {
    const { shared, full, refused } = source();
    const waiting = shared.deliver(STANZA, pair('stuck.lab'));
    expect(await isSettled(waiting)).toBe(false);
    full.get('stuck.lab')?.();
    expect(await isSettled(waiting)).toBe(true);
    expect(refused).toEqual([]);
  });

  it('a partner that takes nothing is waited for a second; then its stanzas are refused, and no others', async () => {
    const { shared, full, refused } = source();
    const waiting = shared.deliver(STANZA, pair('stuck.lab'));
    await vi.advanceTimersByTimeAsync(999);
    expect(await isSettled(waiting)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await isSettled(waiting)).toBe(true);
    expect(shared.deliver(STANZA, pair('stuck.lab'))).toBeUndefined();
    expect(shared.deliver(STANZA, pair('fine.lab'))).toBeUndefined();
    expect(refused).toEqual(['stuck.lab']);
    full.get('stuck.lab')?.();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(shared.deliver(STANZA, pair('stuck.lab'))).toBeInstanceOf(Promise);
    expect(refused).toEqual(['stuck.lab']);
  });

  it('a partner that takes nothing, then a little, then nothing costs a tenth of the time', async () => {
    const { shared, full } = source();
    const started = Date.now();
    let waited = 0;
    while (Date.now() - started < 20_000) {
      const before = Date.now();
      const waiting = shared.deliver(STANZA, pair('stuck.lab'));
      while (!(await isSettled(waiting))) await vi.advanceTimersByTimeAsync(1);
      waited += Date.now() - before;
      full.get('stuck.lab')?.();
      await vi.advanceTimersByTimeAsync(20);
    }
    expect(waited).toBeLessThan(4_000);
  });

  it('a partner that is full for the first time is waited for although others have used up the patience', async () => {
    const { shared, full, refused } = source();
    void shared.deliver(STANZA, pair('stuck.lab'));
    await vi.advanceTimersByTimeAsync(1_000);
    const waiting = shared.deliver(STANZA, pair('stuck-but-slow.lab'));
    await vi.advanceTimersByTimeAsync(199);
    expect(await isSettled(waiting)).toBe(false);
    full.get('stuck-but-slow.lab')?.();
    expect(await isSettled(waiting)).toBe(true);
    expect(refused).toEqual([]);
  });

  it('stanzas that come while the source is already waiting wait for the same thing', () => {
    const { shared } = source();
    const first = shared.deliver(STANZA, pair('stuck.lab'));
    expect(shared.deliver(STANZA, pair('stuck.lab'))).toBe(first);
  });
});
