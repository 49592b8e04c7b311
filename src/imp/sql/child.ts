/**
 * The process that runs administrators' statements: started by `SqlRunner`, which ends it when a statement takes too long. It holds no secret but what
 * is in the database file, and ends with its parent.
 */
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { runStatement, type SqlAnswer, type SqlKind } from './guard.ts';

/** What the parent asks. */
export interface SqlOrder {
  readonly path: string;
  readonly sql: string;
  readonly kind: SqlKind;
}

/** What it is told: first that the process is ready, then one answer for each order. */
export type SqlReport = 'ready' | { readonly answer: SqlAnswer } | { readonly bug: string };

/** How long a process may outlive its parent, in milliseconds. */
const LOOK_MS = 1_000;

// The parent gets these signals as well, and ends this process when it is done with it.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit(0));
preferredVictim();
stepBack();
outliveNobody();
// The channel is the only thing that sends messages here, and the parent the only one at its other end.
process.on('message', (order: SqlOrder) => report(done(order)));
report('ready');

function done({ path, sql, kind }: SqlOrder): SqlReport {
  try {
    return { answer: runStatement(path, sql, kind) };
  } catch (error) {
    return { bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function report(words: SqlReport): void {
  process.send?.(words);
}

/**
 * A parent that was killed cannot end this process, and in the middle of a statement this thread hears nothing of it. So another one looks: who has lost
 * his parent has another.
 */
function outliveNobody(): void {
  const code = `const { workerData: parent } = require('node:worker_threads');
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, ${LOOK_MS});`;
  new Worker(code, { eval: true, workerData: process.ppid, resourceLimits: { maxOldGenerationSizeMb: 8 } }).unref();
}

/** Messages come before statements. */
function stepBack(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // The unit for systemd forbids it: then both have the same share.
  }
}

/** When memory runs out, the kernel ends this process and not the node. */
function preferredVictim(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not every system has it, and it is a second line of defense.
  }
}
