import type { RunBox } from '../../src/box/box.ts';
import { type RunCommand, run } from '../../src/cli/run.ts';
import type { BootConfig } from '../../src/config/boot.ts';
import { KeptBox, KeptSignals, KeptTerminal, load } from './stand-ins.ts';

const COMMAND: RunCommand = { config: '/etc/fedway/fedway.yaml', logFormat: undefined, logLevel: undefined };

/** One `fedway run`. The boot file is `text`, the box says when it runs and when it has ended. */
export class Trial {
  readonly terminal = new KeptTerminal();
  readonly signals = new KeptSignals();
  readonly box = new KeptBox();
  readonly told: string[] = [];
  watchdog: number | undefined;
  readonly boots: BootConfig[] = [];
  text: string | undefined;
  env = { SECRET: 'a'.repeat(32) };
  start: () => void = () => {
    throw new Error('not run yet');
  };
  end: (status: number) => void = () => undefined;
  readonly #reads: string[] = [];

  constructor(text: string | undefined) {
    this.text = text;
  }

  get reads(): number {
    return this.#reads.length;
  }

  run(command: Partial<RunCommand> = {}, runBox?: RunBox): Promise<number> {
    return run(
      { ...COMMAND, ...command },
      {
        terminal: this.terminal,
        signals: this.signals,
        service: {
          notify: (...assignments) => this.told.push(assignments.join(' ').replace(/_USEC=\d+/, '_USEC=n')),
          watchdog: this.watchdog,
        },
        load: (path) => {
          this.#reads.push(path);
          return load(this.text, this.env);
        },
        runBox:
          runBox ??
          ((boot, options) => {
            this.boots.push(boot);
            this.start = () => options.started(this.box);
            const { promise, resolve } = Promise.withResolvers<number>();
            this.end = resolve;
            return promise;
          }),
      },
    );
  }
}

/** Lets every promise that can be settled be settled. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
