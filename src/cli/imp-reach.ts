import { AdminFailure, type Unreachable } from '../admin/connection.ts';
import type { NodeClient } from '../admin/node-client.ts';
import type { NodeLoadResult } from '../imp/config/load.ts';
import { printJson } from './output.ts';
import { EXIT, type Terminal } from './terminal.ts';

/** Where the node is that a command is for. */
export interface NodePlace {
  /** The boot file. */
  readonly config: string;
  /** The admin socket, in place of the one that the boot file names. */
  readonly socket: string | undefined;
  readonly json: boolean;
}

/** A running node, as commands use it. */
export type RunningNodeClient = Pick<
  NodeClient,
  'hello' | 'status' | 'notifications' | 'line' | 'interrupt' | 'complete' | 'users' | 'administrators' | 'close'
>;

/** What commands that speak with a node need of the world. */
export interface NodeReachWorld {
  readonly terminal: Terminal;
  readonly load: (path: string) => NodeLoadResult;
  readonly connect: (path: string) => Promise<RunningNodeClient | Unreachable>;
}

/** Does something with a running node. The answer is the exit status; that nobody is there, or does not answer, is told. */
export async function withNode(
  place: NodePlace,
  world: NodeReachWorld,
  use: (node: RunningNodeClient) => Promise<number>,
): Promise<number> {
  const path = socketOf(place, world);
  if (typeof path !== 'string') return failNode(path.why, place, world.terminal);
  const node = await world.connect(path);
  if ('unreachable' in node) return failNode(node.sentence, place, world.terminal);
  try {
    return await use(node);
  } catch (error) {
    if (error instanceof AdminFailure) return failNode(error.message, place, world.terminal);
    throw error;
  } finally {
    node.close();
  }
}

function socketOf({ socket, config }: NodePlace, { load }: NodeReachWorld): string | { readonly why: string } {
  if (socket !== undefined) return socket;
  const result = load(config);
  if (result.outcome === 'loaded') return result.config.adminSocket;
  if (result.outcome === 'unreadable') {
    return { why: `${result.reason}. ${result.cure} Or name the admin socket with --socket.` };
  }
  return {
    why: `the boot file ${config} has errors, so it does not say where the node is. See fedway imp check --config ${config}, or name the admin socket with --socket.`,
  };
}

/** Tells why a command could not run. */
export function failNode(sentence: string, { json }: Pick<NodePlace, 'json'>, terminal: Terminal): number {
  terminal.err(`fedway: ${sentence}`);
  if (json) printJson(terminal, { error: sentence });
  return EXIT.failed;
}
