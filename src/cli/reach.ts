import { AdminFailure, type Unreachable } from '../admin/connection.ts';
import type { Hello } from '../admin/wire.ts';
import type {
  BoxOperations,
  BoxStatus,
  ConfigOperations,
  LinkOperations,
  PublisherOperations,
} from '../box/operations.ts';
import type { Snapshot } from '../clusterdb/types.ts';
import type { BootConfig } from '../config/boot.ts';
import type { LoadResult } from '../config/load.ts';
import { printJson } from './output.ts';
import { EXIT, type Terminal } from './terminal.ts';

/** Where the box is that a command is for. */
export interface Place {
  /** The boot file. */
  readonly config: string;
  /** The admin socket, in place of the one that the boot file names. */
  readonly socket: string | undefined;
  readonly json: boolean;
}

/** A running box at the other end of its admin socket. */
export interface RunningClient extends BoxOperations {
  readonly hello: Hello;
  close(): void;
}

/** The data folder of a box that does not run. */
export interface DataDesk {
  readonly config: ConfigOperations;
  /** `undefined`: a single box has no Links. */
  readonly link: LinkOperations | undefined;
  /** What the box owns, secrets opened. */
  snapshot(): Snapshot;
  close(): void;
}

/** What commands need of the world besides their arguments. */
export interface ReachWorld {
  readonly terminal: Terminal;
  readonly load: (path: string) => LoadResult;
  readonly connect: (path: string) => Promise<RunningClient | Unreachable>;
  /** `alone`: refused while a box runs on the folder. */
  readonly openData: (boot: BootConfig, how: 'alone' | 'shared') => Promise<DataDesk | { readonly refused: string }>;
}

/** The box that a command speaks with, running or not. */
export interface Desk {
  readonly name: string;
  readonly role: BoxStatus['role'];
  /** The data folder that is worked on; `undefined`: the box runs. */
  readonly folder: string | undefined;
  readonly config: ConfigOperations | undefined;
  readonly link: LinkOperations | undefined;
}

/** Nobody to ask. `running`: whether a box may be running all the same. */
export interface NobodyThere {
  readonly nobody: string;
  readonly stopped: BootConfig | undefined;
}

/** Connects with the running box of a place, or says in a sentence why not. */
export async function reach(place: Place, world: ReachWorld): Promise<RunningClient | NobodyThere> {
  if (place.socket !== undefined) return connected(place.socket, undefined, world);
  const result = world.load(place.config);
  if (result.outcome === 'unreadable') {
    return { nobody: `${result.reason}. ${result.cure} Or name the admin socket with --socket.`, stopped: undefined };
  }
  if (result.outcome === 'refused') {
    return {
      nobody: `the boot file ${place.config} has errors, so it does not say where the box is. See fedway check config --config ${place.config}, or name the admin socket with --socket.`,
      stopped: undefined,
    };
  }
  const { adminSocket } = result.config;
  if (adminSocket === undefined) {
    return {
      nobody: `the boot file ${place.config} names no admin socket. Give the box one with the key admin_socket, or a data folder with data, and restart it.`,
      stopped: undefined,
    };
  }
  return connected(adminSocket, result.config, world);
}

async function connected(
  path: string,
  boot: BootConfig | undefined,
  world: ReachWorld,
): Promise<RunningClient | NobodyThere> {
  const found = await world.connect(path);
  if (!('unreachable' in found)) return found;
  return { nobody: found.sentence, stopped: found.unreachable === 'not running' ? boot : undefined };
}

/** Does something with a running box. The answer is the exit status; that nobody is there, or does not answer, is told. */
export async function withRunning(
  place: Place,
  world: ReachWorld,
  use: (box: RunningClient) => Promise<number>,
): Promise<number> {
  const box = await reach(place, world);
  if ('nobody' in box) return fail(box.nobody, place, world.terminal);
  return guarded(place, world.terminal, box, () => use(box));
}

/** Does something with the configuration or the pairings of a box, running or not. Of a box that does not run, its data folder is used. */
export async function withDesk(place: Place, world: ReachWorld, use: (desk: Desk) => Promise<number>): Promise<number> {
  const { terminal } = world;
  const box = await reach(place, world);
  if (!('nobody' in box)) {
    const { name, role } = box.hello;
    const desk: Desk = { name, role, folder: undefined, config: box.config, link: box.link };
    return guarded(place, terminal, box, () => use(desk));
  }
  const { stopped: boot } = box;
  if (boot?.data === undefined) return fail(box.nobody, place, terminal);
  const folder = boot.data;
  const data = await world.openData(boot, 'alone');
  if ('refused' in data) return fail(data.refused, place, terminal);
  terminal.err(`fedway: ${boot.name} is not running; this works on its data folder ${folder}.`);
  const { name, role } = boot;
  return guarded(place, terminal, data, () => use({ name, role, folder, config: data.config, link: data.link }));
}

/** The configuration of a desk; or the exit status, when it has none and that was told. */
export function configOf(desk: Desk, place: Place, terminal: Terminal): ConfigOperations | number {
  return (
    desk.config ??
    fail(
      `${desk.name} has no live configuration: its boot file says everything. Name a data folder there with the key data and restart, or change the boot file and reload.`,
      place,
      terminal,
    )
  );
}

/** The same for Links. */
export function linkOf(desk: Desk, place: Place, terminal: Terminal): LinkOperations | number {
  return (
    desk.link ??
    fail(
      `${desk.name} is a single box and has no Links. Links are between a box with role: edge and one with role: core.`,
      place,
      terminal,
    )
  );
}

/** The same for IM&P publishers, of a box that runs. */
export function publishersOf(box: RunningClient, place: Place, terminal: Terminal): PublisherOperations | number {
  const { name, role } = box.hello;
  const why =
    role === 'edge'
      ? 'is an Edge, and the IM&P servers are told of it by its Core: ask there'
      : 'has no data folder, or is of a release before there was such a thing';
  return box.publishers ?? fail(`${name} tells no IM&P servers: it ${why}.`, place, terminal);
}

/** Tells why a command could not run. */
export function fail(sentence: string, { json }: Pick<Place, 'json'>, terminal: Terminal): number {
  terminal.err(`fedway: ${sentence}`);
  if (json) printJson(terminal, { error: sentence });
  return EXIT.failed;
}

/** Tells why nothing was changed. */
export function refuse(problems: readonly string[], { json }: Pick<Place, 'json'>, terminal: Terminal): number {
  for (const problem of problems) terminal.err(`fedway: ${problem}`);
  if (json) printJson(terminal, { refused: problems });
  return EXIT.problems;
}

async function guarded(
  place: Place,
  terminal: Terminal,
  open: { close(): void },
  use: () => Promise<number>,
): Promise<number> {
  try {
    return await use();
  } catch (error) {
    if (error instanceof AdminFailure) return fail(error.message, place, terminal);
    throw error;
  } finally {
    open.close();
  }
}
