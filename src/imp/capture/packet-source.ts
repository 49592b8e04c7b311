import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { RecordReader } from './pcap.ts';

/** What packets are wanted. */
export interface PacketFilter {
  readonly port: number | undefined;
  /** An IP address, checked. */
  readonly host: string | undefined;
}

/** Takes the header of the pcap file, then record after record. */
export type RecordTaker = (part: Buffer) => void;

export interface PacketSource {
  /** What is captured, for the administrator. */
  readonly what: string;
  stop(): void;
  /** Settles when the program has ended; the last words, if it was not asked to. */
  readonly ended: Promise<string | undefined>;
}

/** How long the program may take until it captures, in milliseconds. */
const START_MS = 3_000;
/** UTF-16 units of what it says. */
const LONGEST_WORDS = 500;

/** Captures packets of an interface with dumpcap or tcpdump. `refused`: neither is there, or it may not; as a clause. */
export async function openPackets(
  device: string,
  snap: number,
  filter: PacketFilter,
  take: RecordTaker,
): Promise<PacketSource | { readonly refused: string }> {
  const program = findProgram();
  if (program === undefined) return { refused: 'neither dumpcap nor tcpdump is installed' };
  const expression = expressionOf(filter);
  const args =
    program.name === 'dumpcap'
      ? ['-q', '-P', '-i', device, '-s', String(snap), '-w', '-', ...(expression === '' ? [] : ['-f', expression])]
      : ['-n', '-U', '-i', device, '-s', String(snap), '-w', '-', ...(expression === '' ? [] : [expression])];
  const child = spawn(program.path, args, { stdio: ['ignore', 'pipe', 'pipe'], env: {}, cwd: '/' });
  return running(child, `packets of ${device} (${program.name})`, take);
}

function running(
  child: ChildProcessByStdio<null, Readable, Readable>,
  what: string,
  take: RecordTaker,
): Promise<PacketSource | { readonly refused: string }> {
  const reader = new RecordReader();
  let words = '';
  let asked = false;
  const end = Promise.withResolvers<string | undefined>();
  const start = Promise.withResolvers<PacketSource | { readonly refused: string }>();
  const stop = (): void => {
    asked = true;
    child.kill('SIGTERM');
  };
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-LONGEST_WORDS);
  });
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = reader.read(chunk);
    if (parts === undefined) {
      words = 'it does not write a pcap file';
      child.kill('SIGKILL');
      return;
    }
    for (const part of parts) take(part);
    if (!reader.started) return;
    clearTimeout(timer);
    start.resolve({ what, stop, ended: end.promise });
  });
  const over = (): void => {
    clearTimeout(timer);
    const because = words.trim().split('\n').at(-1) ?? '';
    start.resolve({ refused: because === '' ? 'the capturing program ended at once' : because });
    end.resolve(asked ? undefined : because);
  };
  child.once('error', (error) => {
    words = error.message;
    over();
  });
  child.once('close', over);
  return start.promise;
}

function findProgram(): { readonly name: 'dumpcap' | 'tcpdump'; readonly path: string } | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin', '/sbin'];
  for (const name of ['dumpcap', 'tcpdump'] as const) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (folder.startsWith('/') && isExecutable(path)) return { name, path };
    }
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not for us: the next one
  }
}

/** In the language of pcap-filter(7); both values are checked, so that nothing else can get into it. */
function expressionOf({ port, host }: PacketFilter): string {
  return [port === undefined ? [] : `tcp port ${port}`, host === undefined ? [] : `host ${host}`].flat().join(' and ');
}

/**
 * The interface that the node's listeners are on. `eth0` is what the command of the reference system always says, and need not exist here.
 *
 * @param addresses of the listeners
 */
export function interfaceOf(addresses: readonly string[]): string {
  const interfaces = Object.entries(networkInterfaces());
  for (const address of addresses) {
    const found = interfaces.find(([, its]) => its?.some((each) => each.address === address));
    if (found !== undefined) return found[0];
    if (/^127\.|^::1$/.test(address)) return 'lo';
  }
  // Listeners on every address.
  return 'any';
}
