import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { assertFree } from '../lab/addresses.ts';
import { listening, PROGRAM, split } from '../lab/fedway.ts';
import { LogFile } from '../lab/log-file.ts';
import { type LabProcess, launch } from '../lab/processes.ts';

export interface ProgramPlan {
  /** How people call it, e.g. `Edge of coluc.com`. */
  readonly title: string;
  /** Everything of it lies there. */
  readonly folder: string;
  readonly configuration: object;
  /** The words before `--config` that run it. */
  readonly run: readonly string[];
  /** `address:port` where it listens when it is up. */
  readonly endpoints: readonly string[];
}

/** One fedway process of a site, with its boot file and its log. */
export class SiteProgram {
  readonly title: string;
  readonly folder: string;
  readonly configFile: string;
  readonly log: LogFile;
  readonly #plan: ProgramPlan;
  #configuration: object;
  #process: LabProcess | undefined;

  constructor(plan: ProgramPlan) {
    this.#plan = plan;
    this.#configuration = plan.configuration;
    this.title = plan.title;
    this.folder = plan.folder;
    mkdirSync(plan.folder, { recursive: true });
    this.configFile = path.join(plan.folder, 'fedway.yaml');
    this.log = new LogFile(path.join(plan.folder, 'fedway.log'), () => this.assertRunning());
    writeFileSync(this.configFile, stringify(this.#configuration));
  }

  async start(): Promise<void> {
    const { endpoints, run, title, folder } = this.#plan;
    for (const endpoint of endpoints) await assertFree(...split(endpoint));
    const before = this.log.mark();
    this.#process = launch({
      name: title,
      command: PROGRAM,
      args: [...run, '--config', this.configFile],
      cwd: folder,
      outputFile: this.log.path,
    });
    for (const endpoint of endpoints) await this.log.waitFor(listening(endpoint), before, 30_000);
    await this.#untilAdministrable();
  }

  /** Has other words in some parts of its boot file, and reads it while it runs. */
  async reload(changes: object): Promise<void> {
    this.#configuration = { ...this.#configuration, ...changes };
    writeFileSync(this.configFile, stringify(this.#configuration));
    const before = this.log.mark();
    this.#process?.signal('SIGHUP');
    await this.log.waitFor(/ is in force; our domains/, before);
  }

  /** Starts a `fedway` command that goes on until it is sent a signal; what it prints is in the file. */
  launchCommand(words: readonly string[], outputFile: string): LabProcess {
    return launch({
      name: `fedway ${words.join(' ')}`,
      command: PROGRAM,
      args: words,
      cwd: this.folder,
      outputFile,
    });
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  get isRunning(): boolean {
    return this.#process?.isRunning() ?? false;
  }

  assertRunning(): void {
    this.#process?.assertRunning();
  }

  async stop(): Promise<void> {
    await this.#process?.stop(8_000);
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** Runs a `fedway` command on this program's boot file and gives back what it printed; throws with its complaints when it fails. */
  command(words: readonly string[], input?: string): string {
    const result = this.tryCommand(words, input);
    if (result.status !== 0) throw new Error(`fedway ${words.join(' ')}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  }

  /** The same, whatever comes of it. */
  tryCommand(
    words: readonly string[],
    input?: string,
  ): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    return spawnSync(PROGRAM, [...words, '--config', this.configFile], { encoding: 'utf8', input: input ?? '' });
  }

  /** Resolves when its commands are taken: a program that listens nowhere has no other sign of being up. */
  async #untilAdministrable(): Promise<void> {
    const at = path.join(this.folder, 'data', this.#plan.run[0] === 'imp' ? 'imp.sock' : 'admin.sock');
    const deadline = performance.now() + 30_000;
    for (;;) {
      this.assertRunning();
      const socket = net.connect(at);
      try {
        await once(socket, 'connect');
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await pause(50);
      } finally {
        socket.destroy();
      }
    }
  }
}
