import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { AdminClient } from '../../src/admin/client.ts';
import type { BoxChangeOutcome, BoxStatus, ConfigOperations } from '../../src/box/operations.ts';
import { BoxLog } from './box-log.ts';
import { until } from './until.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const run = promisify(execFile);
const START_MS = 20_000;

/** A value of a live key; `null` removes the key. */
export type Setting = null | boolean | string | readonly string[];
type Steps = Parameters<ConfigOperations['change']>[0]['steps'];

/** How a command ended. */
export interface CommandResult {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** A fedway of a deployment: its folder, its boot file, and the process that runs it now. */
export class DeployedBox {
  readonly name: string;
  readonly folder: string;
  readonly configFile: string;
  readonly dataFolder: string;
  /** Logs of the processes before this one. */
  readonly formerLogs: BoxLog[] = [];
  /** What the processes wrote to standard error. */
  complaints = '';
  private readonly preload: string | undefined;
  private running: { readonly process: ChildProcess; readonly log: BoxLog } | undefined;

  /** Writes the boot file. `preload`: a module that every process of this box loads first. */
  constructor(folder: string, name: string, boot: Readonly<Record<string, unknown>>, preload?: string) {
    this.name = name;
    this.folder = join(folder, name);
    this.configFile = join(this.folder, 'fedway.yaml');
    this.dataFolder = join(this.folder, 'data');
    this.preload = preload;
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(this.configFile, stringify({ name, data: 'data', ...boot }));
  }

  /** Of the process that runs now, or ran last. */
  get log(): BoxLog {
    if (this.running === undefined) throw new Error(`${this.name} was never started`);
    return this.running.log;
  }

  /** Every line that any of its processes ever wrote. */
  get everyLine(): readonly string[] {
    return [...this.formerLogs.flatMap(({ lines }) => lines), ...(this.running?.log.lines ?? [])];
  }

  get pid(): number {
    return this.running?.process.pid ?? 0;
  }

  get isAlive(): boolean {
    const child = this.running?.process;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Starts the process, and waits until it answers. */
  async start(): Promise<void> {
    if (this.isAlive) throw new Error(`${this.name} runs already`);
    if (this.running !== undefined) this.formerLogs.push(this.running.log);
    const preload = this.preload === undefined ? [] : ['--import', this.preload];
    const child = spawn(process.execPath, [...preload, MAIN, 'run', '--config', this.configFile], {
      cwd: this.folder,
      env: { ...process.env, FEDWAY_TEST_FOLDER: this.folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // A test run that is broken off leaves nothing behind.
    const killed = (): void => void child.kill('SIGKILL');
    process.once('exit', killed);
    child.once('exit', () => process.off('exit', killed));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.complaints += text;
    });
    const log = new BoxLog(child.stdout);
    this.running = { process: child, log };
    await until(
      () => !this.isAlive || this.reaches(),
      `${this.name} answers`,
      START_MS,
      () => `${this.complaints}\n${log.tail()}`,
    );
    if (!this.isAlive)
      throw new Error(`${this.name} did not start: ${this.complaints}\n${log.lines.slice(-10).join('\n')}`);
  }

  /** `kill -9`. Returns when the process is gone. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  signal(signal: NodeJS.Signals): void {
    this.running?.process.kill(signal);
  }

  /** Asks it something as an administrator, on a connection to its admin socket. */
  async ask<T>(question: (desk: AdminClient) => Promise<T>): Promise<T> {
    const desk = await AdminClient.connect(join(this.dataFolder, 'admin.sock'), `test@${this.name}`);
    if ('unreachable' in desk) throw new Error(`${this.name}: ${desk.sentence}`);
    try {
      return await question(desk);
    } finally {
      desk.close();
    }
  }

  async status(): Promise<BoxStatus> {
    return this.ask((desk) => desk.status('here'));
  }

  /** Changes settings through the admin socket; throws when any box refuses. */
  async set(settings: Readonly<Record<string, Setting>>): Promise<void> {
    const steps = Object.entries(settings).map(([key, value]) =>
      value === null ? { remove: key } : { put: key, value },
    );
    for (const outcome of await this.change(steps)) {
      if (outcome.outcome !== 'changed' && outcome.outcome !== 'unchanged')
        throw new Error(`${this.name}: ${outcome.problems.join(' ')}`);
    }
  }

  async change(
    steps: Steps,
    more: { readonly expect?: Readonly<Record<string, number>>; readonly edge?: string } = {},
  ): Promise<readonly BoxChangeOutcome[]> {
    const { edge, ...expect } = more;
    return this.ask((desk) =>
      configOf(desk).change({ steps, author: `test@${this.name}`, reason: 'a test', ...expect }, edge),
    );
  }

  /** The values that this box shows, by key. Of several boxes with the same key, the last. */
  async values(): Promise<ReadonlyMap<string, unknown>> {
    const entries = await this.ask((desk) => configOf(desk).list());
    return new Map(entries.map(({ key, value }) => [key, value]));
  }

  /** The changes it knows, as it tells them. */
  history(): ReturnType<ConfigOperations['log']> {
    return this.ask((desk) => configOf(desk).log(100_000));
  }

  /** Runs a command of the command line against this box; throws with what it said when it fails. The answer is its standard output. */
  async command(...args: readonly string[]): Promise<string> {
    const { status, out, err } = await this.tryCommand(...args);
    if (status !== 0) throw new Error(`fedway ${args.join(' ')} (${this.name}) failed with ${status}:\n${out}${err}`);
    return out;
  }

  async tryCommand(...args: readonly string[]): Promise<CommandResult> {
    try {
      const { stdout, stderr } = await run(process.execPath, [MAIN, ...args, '--config', this.configFile]);
      return { status: 0, out: stdout, err: stderr };
    } catch (error) {
      const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
      if (typeof code !== 'number') throw error;
      return { status: code, out: stdout, err: stderr };
    }
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.running?.process;
    if (child === undefined || !this.isAlive) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  private async reaches(): Promise<boolean> {
    try {
      await this.status();
      return true;
    } catch {
      // Not yet.
      return false;
    }
  }
}

function configOf({ config }: AdminClient): ConfigOperations {
  if (config === undefined) throw new Error('the box has no live configuration');
  return config;
}
