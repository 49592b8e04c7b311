import { NodeAdminServer } from '../admin/node-server.ts';
import type { LogFormat } from '../config/boot.ts';
import type { NodeBoot } from '../imp/config/boot.ts';
import { loadNodeFile, type NodeLoadResult } from '../imp/config/load.ts';
import type { NodeStatus } from '../imp/operations.ts';
import type { RunNode, RunningNode } from '../imp/running-node.ts';
import type { Severity } from '../protocol/notes.ts';
import { counted } from './check.ts';
import { type ServeWorld, serve } from './serve.ts';
import { version } from './version.ts';

export interface ImpRunCommand {
  readonly config: string;
  /** In place of what the boot file says, also after a reload. */
  readonly logFormat: LogFormat | undefined;
  readonly logLevel: Severity | undefined;
}

/** What `fedway imp run` needs of the world. */
export interface ImpRunWorld extends ServeWorld {
  readonly runNode: RunNode;
  readonly loadNode?: (path: string) => NodeLoadResult;
}

/** `fedway imp run`: until the node has ended. The answer is the exit status. */
export function runImp(command: ImpRunCommand, world: ImpRunWorld): Promise<number> {
  const { runNode, loadNode = loadNodeFile } = world;
  let admin: Promise<NodeAdminServer | undefined> | undefined;
  return serve<NodeBoot, RunningNode>(
    {
      config: command.config,
      read: () => withCommandLine(loadNode(command.config), command),
      inAWord: ({ operations }) => Promise.resolve(nodeInAWord(operations.status(), operations.notifications().length)),
      run: (boot, started) =>
        runNode(boot, {
          version: version(),
          started: (node) => {
            admin = openAdmin(boot, node);
            // Whoever waits for READY=1 may use the socket next.
            void admin.finally(() => started(node));
          },
        }),
      finish: async () => (await admin)?.close(),
    },
    world,
  );
}

/** The admin socket. A node serves its clients also without: then its log says why. */
function openAdmin(
  boot: NodeBoot,
  { operations, shell, note: notes }: RunningNode,
): Promise<NodeAdminServer | undefined> {
  const { adminSocket: path, name } = boot;
  const unavailable = (detail: string): undefined => {
    notes({ note: 'admin-unavailable', path, detail }, {});
    return undefined;
  };
  return NodeAdminServer.open(path, { operations, shell, facts: { version: version(), name }, notes }).then(
    (opened) => {
      if ('refused' in opened) return unavailable(opened.refused);
      notes({ note: 'listening', what: 'administration', address: path }, {});
      return opened.server;
    },
    (error: unknown) => unavailable(error instanceof Error ? error.message : String(error)),
  );
}

/** How a node is, in a few words. */
function nodeInAWord({ sessions, router, federation }: NodeStatus, notifications: number): string {
  const asked = notifications === 0 ? '' : `; ${counted(notifications, 'notification')} (fedway imp status)`;
  const known = router.components.filter(({ inTable }) => inTable);
  const connected = known.filter((each) => each.connected).length;
  const edges =
    federation === 'on' ? 'XMPP federation node status is On' : `${connected} of ${known.length} Edges connected`;
  return `Serving ${counted(sessions, 'session') || 'no sessions'}; ${edges}${asked}`;
}

function withCommandLine(result: NodeLoadResult, { logFormat, logLevel }: ImpRunCommand): NodeLoadResult {
  if (result.outcome !== 'loaded') return result;
  const { log } = result.config;
  const config: NodeBoot = {
    ...result.config,
    log: Object.freeze({ ...log, format: logFormat ?? log.format, level: logLevel ?? log.level }),
  };
  return { ...result, config: Object.freeze(config) };
}
