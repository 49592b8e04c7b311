import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Clusterdb } from '../../src/clusterdb/store.ts';
import { opened, valuesIn } from '../support/clusterdb.ts';

const WRITER = join(import.meta.dirname, 'programs', 'clusterdb-writer.ts');
const KILLS = 200;
/** Kills that do not wait until the writer has begun: some meet a database that is being made or recovered. */
const EARLY_KILLS = 40;

let place = '';
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'fedway-kill-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

/** A writer, and the lines that it has written. */
class Writer {
  readonly lines: string[] = [];
  readonly #process;
  readonly #closed: Promise<unknown>;
  #first: () => void = () => undefined;
  /** Settled by the first line, or by the end. */
  readonly begun = new Promise<void>((resolve) => {
    this.#first = resolve;
  });

  constructor(folder: string, times = 'Infinity') {
    this.#process = spawn(process.execPath, [WRITER, folder, times], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#closed = once(this.#process, 'close').finally(() => this.#first());
    let rest = '';
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.lines.push(...lines);
      this.#first();
    });
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#closed;
    if (this.#process.signalCode !== 'SIGKILL') throw new Error(`the writer ended by itself: ${this.lines.join(' ')}`);
  }

  async end(): Promise<void> {
    await this.#closed;
    if (this.#process.exitCode !== 0) throw new Error(`the writer failed: ${this.lines.join(' ')}`);
  }

  /** Of the last change that was acknowledged. */
  get acknowledged(): number {
    return Number(this.lines.findLast((line) => line !== 'conflict') ?? 0);
  }

  get conflicts(): number {
    return this.lines.filter((line) => line === 'conflict').length;
  }
}

/** Every change is whole, and there is none missing among them: the values tell which one was the last. */
function expectWhole(db: Clusterdb): void {
  const { revision } = db.snapshot();
  expect(db.changesSince(db.origin, 0)?.map((change) => change.revision)).toEqual(
    Array.from({ length: revision }, (_, index) => index + 1),
  );
  if (revision === 0) return;
  expect(valuesIn(db.snapshot())).toMatchObject({ 'count.a': revision, 'count.b': revision, 'secret.a': revision });
  const lists = new Map<string, unknown>();
  for (const { steps } of db.changesSince(db.origin, 0) ?? []) {
    for (const step of steps) {
      if ('remove' in step) lists.delete(step.remove);
      else if ('put' in step && step.put.startsWith('list.')) lists.set(step.put, step.value);
    }
  }
  const present = Object.entries(valuesIn(db.snapshot())).filter(([key]) => key.startsWith('list.'));
  expect(new Map(present)).toEqual(lists);
}

/** Kills writers of one folder, one after the other, each time at another moment. */
async function killOften(lane: number, kills: number, early: boolean): Promise<number> {
  let changes = 0;
  for (let kill = 0; kill < kills; kill++) {
    // A young database each time: the reading of the whole history would be all that takes time otherwise.
    const folder = join(place, `${lane}-${Math.floor(kill / (early ? 4 : 10))}`);
    const writer = new Writer(folder);
    if (!early) await writer.begun;
    await pause(early ? randomInt(30, 200) : randomInt(0, 30));
    await writer.kill();
    const db = opened({ folder });
    try {
      const { revision } = db.snapshot();
      expect(revision).toBeGreaterThanOrEqual(writer.acknowledged);
      // The one after it may be there without its acknowledgment, but no further one.
      expect(revision).toBeLessThanOrEqual(writer.acknowledged > 0 ? writer.acknowledged + 1 : Infinity);
      expectWhole(db);
      changes += writer.lines.length;
    } finally {
      db.close();
    }
  }
  return changes;
}

test(`${KILLS} times kill -9 in the middle of writes: what was acknowledged is there, nothing is there by half, no revision is missing`, async () => {
  const late = (KILLS - EARLY_KILLS) / 2;
  const [first, second] = await Promise.all([
    killOften(1, late, false),
    (async () => {
      await killOften(3, EARLY_KILLS, true);
      return killOften(2, late, false);
    })(),
  ]);
  expect(first).toBeGreaterThan(late);
  expect(second).toBeGreaterThan(late);
}, 120_000);

test('two processes that count up the same key: every conflict is told, no count is lost', async () => {
  const folder = join(place, 'shared');
  const writers = [new Writer(folder, '300'), new Writer(folder, '300')];
  await Promise.all(writers.map((writer) => writer.end()));
  const db = opened({ folder });
  try {
    expect(db.snapshot().revision).toBe(600);
    expectWhole(db);
    const revisions = writers.flatMap(({ lines }) => lines.filter((line) => line !== 'conflict').map(Number));
    expect(writers.map(({ conflicts }) => conflicts).reduce((a, b) => a + b)).toBeGreaterThan(0);
    expect(revisions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
  } finally {
    db.close();
  }
}, 60_000);

test('kill -9 of one of two processes that write the same file: the other goes on, and nothing is lost', async () => {
  const folder = join(place, 'shared');
  const other = new Writer(folder, '400');
  await other.begun;
  let acknowledged = 0;
  for (let kill = 0; kill < 5; kill++) {
    const victim = new Writer(folder);
    await victim.begun;
    await victim.kill();
    acknowledged = Math.max(acknowledged, victim.acknowledged);
  }
  await other.end();
  const db = opened({ folder });
  try {
    expect(db.snapshot().revision).toBeGreaterThanOrEqual(Math.max(acknowledged, other.acknowledged));
    expectWhole(db);
  } finally {
    db.close();
  }
}, 60_000);
