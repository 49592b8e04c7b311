import type { RunningBox } from '../../src/box/box.ts';
import type { Signal, Signals } from '../../src/cli/lifetime.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import type { BootConfig } from '../../src/config/boot.ts';
import { type LoadResult, loadBootFile } from '../../src/config/load.ts';
import type { Note } from '../../src/protocol/notes.ts';
import { standIn } from '../config/stand-in.ts';
import { edge, KeptOperations } from './stand-in-operations.ts';

/** A terminal that keeps what is written. */
export class KeptTerminal implements Terminal {
  readonly results: string[] = [];
  readonly messages: string[] = [];

  out(line: string): void {
    this.results.push(line);
  }

  err(line: string): void {
    this.messages.push(line);
  }
}

/** The signals of a process that is not there. */
export class KeptSignals implements Signals {
  readonly exits: number[] = [];
  readonly #listeners = new Map<Signal, () => void>();

  on(signal: Signal, listener: () => void): () => void {
    this.#listeners.set(signal, listener);
    return () => this.#listeners.delete(signal);
  }

  exit(status: number): void {
    this.exits.push(status);
  }

  /** As `kill -<signal>` does; without a listener it ends the process. */
  send(signal: Signal): void {
    const listener = this.#listeners.get(signal);
    if (listener === undefined) throw new Error(`ended by ${signal}`);
    listener();
  }

  get attached(): number {
    return this.#listeners.size;
  }
}

/** A box that does nothing but keep what was asked of it. */
export class KeptBox implements RunningBox {
  readonly asked: string[] = [];
  readonly notes: Note[] = [];
  readonly operations = new KeptOperations();
  /** What the next steps come to. */
  readonly steps: {
    reload: (next: BootConfig) => Promise<readonly string[]>;
    drain: () => Promise<void>;
    stop: () => Promise<void>;
  } = { reload: async () => [], drain: async () => undefined, stop: async () => undefined };

  constructor() {
    this.operations.now = edge({ role: 'single', links: [] });
  }

  readonly note = (note: Note): void => {
    this.notes.push(note);
  };

  reload(next: BootConfig): Promise<readonly string[]> {
    this.asked.push(`reload ${next.homes.map(({ domains }) => domains.join()).join()}`);
    return this.steps.reload(next);
  }

  drain(): Promise<void> {
    this.asked.push('drain');
    return this.steps.drain();
  }

  stop(): Promise<void> {
    this.asked.push('stop');
    return this.steps.stop();
  }
}

/** A boot file for one home. */
export function bootFile(domain: string, more = ''): string {
  return `role: single
s2s:
  listen: ["192.0.2.2:5269"]
  dialback_secret: { env: SECRET }
homes:
  - domains: [${domain}]
    certificate: a.pem
    key: a.key
    server: { s2s: { address: 10.0.0.10:5269 } }
inside: { listen: ["10.0.0.2:5269"] }
${more}`;
}

/** Loads a text as if it were /etc/fedway/fedway.yaml; `undefined`: there is no such file. */
export function load(text: string | undefined, env = { SECRET: 'a'.repeat(32) }): LoadResult {
  const files = { 'a.pem': '', 'a.key': '', ...(text === undefined ? {} : { 'fedway.yaml': text }) };
  return loadBootFile('/etc/fedway/fedway.yaml', { surroundings: standIn('/etc/fedway', files, env) });
}
