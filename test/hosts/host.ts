import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Place } from '../lab/place.ts';
import { dieWithUs, type LabProcess, type LaunchOptions, launch, runToEnd } from '../lab/processes.ts';

const PORTER = fileURLToPath(new URL('programs/porter.ts', import.meta.url));

/** What a host is made from. */
export interface HostPlan {
  readonly name: string;
  /** For the files of this host; made when it is not there. */
  readonly folder: string;
  /** The address whose port 53 its /etc/resolv.conf names. `undefined`: none, every look-up fails. */
  readonly resolver: string | undefined;
  /** Lines of its /etc/hosts: name to address. */
  readonly hosts?: Readonly<Record<string, string>>;
}

/**
 * A host: network and mount namespaces of their own, without a name. A process holds them that dies with us, so the kernel takes the host
 * away, its interfaces and firewall included, however we end.
 */
export interface Host extends Place {
  readonly name: string;
  readonly folder: string;
  /** The process that holds the namespaces. */
  readonly pid: number;
  /** Runs a short command there to its end; throws with what it said when it fails. */
  run(command: string, args: readonly string[], input?: string): string;
  /** Starts a program there. */
  launch(options: Omit<LaunchOptions, 'prefix'>): LabProcess;
  /** Ends every program that was started there, and the host. */
  stop(): Promise<void>;
}

/** Makes a host. It has no interface but `lo`; `buildNetwork` connects it. */
export async function createHost(plan: HostPlan): Promise<Host> {
  const { name, folder, resolver, hosts = {} } = plan;
  mkdirSync(folder, { recursive: true });
  const resolvConf = path.join(folder, 'resolv.conf');
  const hostsFile = path.join(folder, 'hosts');
  const socket = path.join(folder, 'porter');
  writeFileSync(resolvConf, resolver === undefined ? '' : `nameserver ${resolver}\noptions timeout:2 attempts:2\n`);
  const lines = Object.entries({ localhost: '127.0.0.1', ...hosts }).map(([host, address]) => `${address} ${host}\n`);
  writeFileSync(hostsFile, lines.join(''));
  // resolv.conf is often a symbolic link: the mount has to go over what it points to.
  const script = `
    mount --bind "$1" "$(readlink -f /etc/resolv.conf)" && mount --bind "$2" /etc/hosts &&
    ip link set lo up && shift 2 && exec "$@"`;
  const porter = [...dieWithUs(), process.execPath, PORTER, socket];
  const holder = spawn('unshare', ['--net', '--mount', 'sh', '-c', script, 'sh', resolvConf, hostsFile, ...porter], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = holder;
  if (pid === undefined) throw new Error(`the host ${name} cannot be made: unshare cannot be run`);
  const said: Buffer[] = [];
  holder.stderr.on('data', (bytes: Buffer) => said.push(bytes));
  const gone = once(holder, 'exit');
  const ready = once(holder.stdout, 'data').then(() => 'ready' as const);
  if ((await Promise.race([ready, gone])) !== 'ready')
    throw new Error(`the host ${name} cannot be made: ${Buffer.concat(said).toString().trim()}`);

  const prefix = ['nsenter', `--net=/proc/${pid}/ns/net`, `--mount=/proc/${pid}/ns/mnt`, '--'];
  const [enter = '', ...into] = prefix;
  const processes: LabProcess[] = [];
  return {
    name,
    folder,
    pid,
    prefix,
    connect: async (port, address) => connectThrough(socket, port, address),
    run: (command, args, input) => runToEnd(enter, [...into, command, ...args], input === undefined ? {} : { input }),
    launch(options) {
      const started = launch({ ...options, prefix });
      processes.push(started);
      return started;
    },
    async stop() {
      await Promise.all(processes.map(async (one) => one.stop()));
      // Whoever else was started there, by a server of the lab for example.
      for (const other of processesIn(pid)) kill(other);
      await gone;
    },
  };
}

/** Every process in the network namespace of this one, itself included. */
function processesIn(pid: number): readonly number[] {
  const ours = namespaceOf(String(pid));
  if (ours === undefined || ours === namespaceOf('self')) return [];
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.filter((other) => namespaceOf(other) === ours).map(Number);
}

/** The network namespace of a process; `undefined`: the process is gone. */
export function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

/** A connection that the host's porter makes. Throws with the reason when there is none. */
async function connectThrough(porter: string, port: number, address: string): Promise<net.Socket> {
  const socket = net.connect(porter);
  await once(socket, 'connect');
  socket.write(`${port} ${address}\n`);
  const answer = await firstLine(socket);
  if (answer === '+') return socket;
  socket.destroy();
  throw new Error(`${address}:${port}: ${answer?.slice(1) ?? 'the porter is gone'}`);
}

/** Byte by byte, so that what follows stays in the socket, which has not begun to flow. `undefined`: it ended before. */
async function firstLine(socket: net.Socket): Promise<string | undefined> {
  let line = '';
  while (!socket.readableEnded && !socket.destroyed) {
    const byte = socket.read(1) as Buffer | null;
    if (byte === null) await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
    else if (byte[0] === 10) return line;
    else line += byte.toString('latin1');
  }
  return undefined;
}
