import { setTimeout as pause } from 'node:timers/promises';
import type { TestClient } from '../test/lab/client.ts';
import { type Story, say, styled } from './lab-story.ts';

/** What a show runs on: it is stopped whatever happens. */
interface Stage {
  /** Ends every process; the folder stays when somebody wants to look at it. */
  stop(keepFolder: boolean): Promise<void>;
}

/** A federation that is booted, tells its story, and stays until somebody interrupts it. */
export interface Show<S extends Stage> {
  readonly title: string;
  /** For the report of a failure: `The lab`. */
  readonly name: string;
  readonly story: Story;
  /** Sets up the stage; `made` is called as soon as there is something to stop. */
  prepare(made: (stage: S) => void): Promise<S>;
  /** Tells the story. What it returns goes on until `signal`; `undefined`: that is all. */
  play(stage: S): Promise<((signal: AbortSignal) => Promise<void>) | undefined>;
  /** Files to read when something went wrong. */
  logs(stage: S): readonly string[];
}

/** As shells report the end by SIGINT. */
const INTERRUPTED = 130;

/** Runs a show until it is over or interrupted. The exit status: 0 when the whole story was told. */
export async function run<S extends Stage>(show: Show<S>): Promise<number> {
  const { title, name, story } = show;
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());
  let stage: S | undefined;
  let failed = false;
  let complete = false;
  try {
    say(styled('bold', title));
    say();
    const work = async (): Promise<void> => {
      const rest = await show.play(await show.prepare((made) => (stage = made)));
      complete = true;
      await rest?.(interrupted.signal);
    };
    await Promise.race([work(), onceAborted(interrupted.signal)]);
  } catch (error) {
    failed = true;
    story.stop();
    reportFailure(name, story, stage === undefined ? [] : show.logs(stage), error);
  } finally {
    story.stop();
    await stage?.stop(failed);
    const ended = `${interrupted.signal.aborted ? '\n' : ''}Everything is stopped, the folder is removed.`;
    say(failed ? 'Everything is stopped.' : ended);
  }
  if (failed) return 1;
  return complete ? 0 : INTERRUPTED;
}

/** Whoever writes to one of the clients from a client of their own gets an answer. */
export function answerMessages(clients: readonly TestClient[], saying: string): void {
  for (const client of clients) {
    for (const { name, attributes, children } of client.unread.splice(0)) {
      const body = children.find((child) => child.name === 'body')?.text;
      const { from = '', type } = attributes;
      // An answer to a room would come back from the room.
      if (name !== 'message' || type === 'error' || type === 'groupchat') continue;
      if (body === undefined || clients.some(({ jid }) => jid === from)) continue;
      say(`    ${nameOf(client)} reads a message from ${from}: “${body}”`);
      client.message(from, `${nameOf(client)} ${saying}: ${body}`);
    }
  }
}

/** The localpart of a client's account. */
export function nameOf({ account }: TestClient): string {
  return account.slice(0, account.indexOf('@'));
}

/** A command that somebody may type. */
export function sayCommand(text: string): void {
  say(`       ${styled('cyan', text)}`);
}

function reportFailure(name: string, { step }: Story, logs: readonly string[], error: unknown): void {
  say();
  say(styled('red', step === undefined ? `${name} failed.` : `Step ${step.number} failed: ${step.title}`));
  if (step !== undefined) say(`  expected:  ${step.expectation}`);
  const message = error instanceof Error ? error.message : String(error);
  const withoutTrace = message.replaceAll(/\n\s+at .*/g, '');
  say(`  happened:  ${withoutTrace.replaceAll('\n', '\n             ')}`);
  if (logs.length > 0) say(`  logs:      ${logs.join('\n             ')}`);
}

async function onceAborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await pause(100);
}
