import type { FileResult } from '../config/load-file.ts';
import { printProblem } from '../config/problem.ts';
import { counted } from './check.ts';
import { Lifetime, type RunningService, type Signals } from './lifetime.ts';
import type { ServiceManager } from './systemd.ts';
import { EXIT, type Terminal } from './terminal.ts';

/** What a service needs of the world. */
export interface ServeWorld {
  readonly terminal: Terminal;
  readonly signals: Signals;
  readonly service: ServiceManager | undefined;
}

/** A service with a boot file that says `C`, which runs as `S`. */
export interface Service<C, S extends RunningService<C>> {
  /** The boot file, as it was named. */
  readonly config: string;
  /** Reads the boot file, for the first time or anew. */
  read(): FileResult<C>;
  /** How it is, in a line. */
  inAWord(running: S): Promise<string>;
  /** Runs until it has ended; the answer is the exit status. `started` is called once, when it runs. */
  run(config: C, started: (running: S) => void): Promise<number>;
  /** Called when it has ended, whatever ended it. */
  finish?(): Promise<void>;
}

/** Runs a service until it has ended. The answer is the exit status. */
export async function serve<C extends { readonly path: string }, S extends RunningService<C>>(
  service: Service<C, S>,
  world: ServeWorld,
): Promise<number> {
  const { terminal } = world;
  const result = service.read();
  if (result.outcome !== 'loaded') return refuse(result, service.config, terminal);
  for (const warning of result.warnings) terminal.err(printProblem(warning));
  const lifetime = new Lifetime<C, S>({
    path: result.config.path,
    read: () => service.read(),
    inAWord: (running) => service.inAWord(running),
    terminal,
    signals: world.signals,
    service: world.service,
  });
  try {
    return await service.run(result.config, (running) => lifetime.started(running));
  } catch (error) {
    terminal.err(
      `fedway: ended by a fault of its own: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return EXIT.failed;
  } finally {
    await service.finish?.();
    lifetime.over();
  }
}

function refuse(result: Exclude<FileResult<unknown>, { outcome: 'loaded' }>, path: string, terminal: Terminal): number {
  if (result.outcome === 'unreadable') {
    terminal.err(`fedway: not started: ${result.reason}. ${result.cure}`);
    return EXIT.failed;
  }
  for (const problem of result.problems) terminal.err(printProblem(problem));
  const errors = result.problems.filter(({ severity }) => severity === 'error').length;
  terminal.err(`fedway: not started: ${counted(errors, 'error')} in ${path}, see above.`);
  return EXIT.problems;
}
