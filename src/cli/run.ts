import { AdminServer } from '../admin/server.ts';
import type { RunBox, RunningBox } from '../box/box.ts';
import type { BootConfig, LogFormat } from '../config/boot.ts';
import { type LoadResult, loadBootFile } from '../config/load.ts';
import { printProblem } from '../config/problem.ts';
import type { Severity } from '../protocol/notes.ts';
import { counted } from './check.ts';
import { Lifetime, type Signals } from './lifetime.ts';
import type { ServiceManager } from './systemd.ts';
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
  readonly service: ServiceManager | undefined;
  readonly runBox: RunBox;
  readonly load?: (path: string) => LoadResult;
}

/** `fedway run`: until the box has ended. The answer is the exit status. */
export async function run(command: RunCommand, world: RunWorld): Promise<number> {
  const { terminal, signals, service, runBox, load = loadBootFile } = world;
  const read = (): LoadResult => withCommandLine(load(command.config), command);
  const result = read();
  if (result.outcome !== 'loaded') return refuse(result, command.config, terminal);
  for (const warning of result.warnings) terminal.err(printProblem(warning));

  const boot = result.config;
  const lifetime = new Lifetime({ path: boot.path, read, terminal, signals, service });
  let admin: Promise<AdminServer | undefined> | undefined;
  try {
    return await runBox(boot, {
      version: version(),
      started: (box) => {
        admin = openAdmin(boot, box);
        // Whoever waits for READY=1 may use the socket next.
        if (admin === undefined) lifetime.started(box);
        else void admin.finally(() => lifetime.started(box));
      },
      reload: read,
    });
  } catch (error) {
    terminal.err(
      `fedway: ended by a fault of its own: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return EXIT.failed;
  } finally {
    await (await admin)?.close();
    lifetime.over();
  }
}

/** The admin socket, when the boot file names one. A box federates also without: then its log says why. */
function openAdmin(
  { adminSocket: path, name, role }: BootConfig,
  { operations, note: notes }: RunningBox,
): Promise<AdminServer | undefined> | undefined {
  if (path === undefined) return undefined;
  const context = { operations, facts: { version: version(), name, role }, notes };
  const unavailable = (detail: string): undefined => {
    notes({ note: 'admin-unavailable', path, detail }, {});
    return undefined;
  };
  return AdminServer.open(path, context).then(
    (opened) => {
      if ('refused' in opened) return unavailable(opened.refused);
      notes({ note: 'listening', what: 'administration', address: path }, {});
      return opened.server;
    },
    (error: unknown) => unavailable(error instanceof Error ? error.message : String(error)),
  );
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
