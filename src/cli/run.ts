import type { BootConfig, LogFormat } from '../config/boot.ts';
import { type LoadResult, loadBootFile } from '../config/load.ts';
import { printProblem } from '../config/problem.ts';
import type { Severity } from '../protocol/notes.ts';
import type { RunSingle } from '../single/box.ts';
import { counted } from './check.ts';
import { Lifetime, type Signals } from './lifetime.ts';
import type { Notify } from './systemd.ts';
import { EXIT, type Terminal } from './terminal.ts';
import { version } from './version.ts';

export interface RunCommand {
  readonly config: string;
  /** In place of what the boot file says, also after a reload. */
  readonly logFormat: LogFormat | undefined;
  readonly logLevel: Severity | undefined;
}

/** What `run` needs of the world. */
export interface RunWorld {
  readonly terminal: Terminal;
  readonly signals: Signals;
  readonly notify: Notify;
  readonly runSingle: RunSingle;
  readonly load?: (path: string) => LoadResult;
}

/** `fedway run`: until the box has ended. The answer is the exit status. */
export async function run(command: RunCommand, world: RunWorld): Promise<number> {
  const { terminal, signals, notify, runSingle, load = loadBootFile } = world;
  const read = (): LoadResult => withCommandLine(load(command.config), command);
  const result = read();
  if (result.outcome !== 'loaded') return refuse(result, command.config, terminal);
  for (const warning of result.warnings) terminal.err(printProblem(warning));

  const lifetime = new Lifetime({ path: result.config.path, read, terminal, signals, notify });
  try {
    return await runSingle(result.config, {
      version: version(),
      started: (box) => lifetime.started(box),
      reload: read,
    });
  } catch (error) {
    terminal.err(
      `fedway: ended by a fault of its own: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return EXIT.failed;
  } finally {
    lifetime.over();
  }
}

function refuse(result: Exclude<LoadResult, { outcome: 'loaded' }>, path: string, terminal: Terminal): number {
  if (result.outcome === 'unreadable') {
    terminal.err(`fedway: not started: ${result.reason}. ${result.cure}`);
    return EXIT.failed;
  }
  for (const problem of result.problems) terminal.err(printProblem(problem));
  const errors = result.problems.filter(({ severity }) => severity === 'error').length;
  terminal.err(`fedway: not started: ${counted(errors, 'error')} in ${path}, see above.`);
  return EXIT.problems;
}

function withCommandLine(result: LoadResult, { logFormat, logLevel }: RunCommand): LoadResult {
  if (result.outcome !== 'loaded') return result;
  const { log } = result.config;
  const config: BootConfig = {
    ...result.config,
    log: Object.freeze({ ...log, format: logFormat ?? log.format, level: logLevel ?? log.level }),
  };
  return { ...result, config: Object.freeze(config) };
}
