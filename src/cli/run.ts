import { AdminServer } from '../admin/server.ts';
import type { RunBox, RunningBox } from '../box/box.ts';
import type { BootConfig, LogFormat } from '../config/boot.ts';
import { type LoadResult, loadBootFile } from '../config/load.ts';
import type { Severity } from '../protocol/notes.ts';
import { inAWord } from './health.ts';
import { type ServeWorld, serve } from './serve.ts';
import { version } from './version.ts';

export interface RunCommand {
  readonly config: string;
  /** In place of what the boot file says, also after a reload. */
  readonly logFormat: LogFormat | undefined;
  readonly logLevel: Severity | undefined;
}

/** What `run` needs of the world. */
export interface RunWorld extends ServeWorld {
  readonly runBox: RunBox;
  readonly load?: (path: string) => LoadResult;
}

/** `fedway run`: until the box has ended. The answer is the exit status. */
export function run(command: RunCommand, world: RunWorld): Promise<number> {
  const { runBox, load = loadBootFile } = world;
  const read = (): LoadResult => withCommandLine(load(command.config), command);
  let admin: Promise<AdminServer | undefined> | undefined;
  return serve<BootConfig, RunningBox>(
    {
      config: command.config,
      read,
      inAWord: async ({ operations }) => inAWord(await operations.status('here'), Date.now()),
      run: (boot, started) =>
        runBox(boot, {
          version: version(),
          started: (box) => {
            admin = openAdmin(boot, box);
            // Whoever waits for READY=1 may use the socket next.
            if (admin === undefined) started(box);
            else void admin.finally(() => started(box));
          },
          reload: read,
        }),
      finish: async () => (await admin)?.close(),
    },
    world,
  );
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

function withCommandLine(result: LoadResult, { logFormat, logLevel }: RunCommand): LoadResult {
  if (result.outcome !== 'loaded') return result;
  const { log } = result.config;
  const config: BootConfig = {
    ...result.config,
    log: Object.freeze({ ...log, format: logFormat ?? log.format, level: logLevel ?? log.level }),
  };
  return { ...result, config: Object.freeze(config) };
}
