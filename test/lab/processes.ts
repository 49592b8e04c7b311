import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** How a process ended. */
interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program of the lab, running in a process group of its own. */
export interface LabProcess {
  readonly name: string;
  readonly pid: number;
  /** Its standard output and error. */
  readonly outputFile: string;
  readonly exited: Promise<ProcessExit>;
  isRunning(): boolean;
  /** Throws, with the last lines of its output, when it is not running any more. */
  assertRunning(): void;
  /** SIGTERM to the group, SIGKILL after `graceMs`. Returns when it is gone; may be called again. */
  stop(graceMs?: number): Promise<void>;
  /** SIGKILL to the group, as a crash. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

export interface LaunchOptions {
  /** How people call it, e.g. `Prosody (coluc.com)`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly outputFile: string;
  /** Added to our environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the command is preceded by, to be run elsewhere ({@link Place.prefix}). */
  readonly prefix?: readonly string[];
  /** A file to put over /etc/resolv.conf, for this process alone (a mount namespace of its own). */
  readonly resolvConf?: string;
}

/** Everything that runs now: killed when our own process exits, however that comes. */
const running = new Set<ChildProcess>();
let guarded = false;

/** Starts a program. It dies with us: by our exit hook, and should we be killed, by the kernel (setpriv --pdeathsig) where that exists. */
export function launch(options: LaunchOptions): LabProcess {
  guardExit();
  const [command, ...args] = wrapped(options);
  if (command === undefined) throw new Error('nothing to run');
  const output = openSync(options.outputFile, 'a');
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => {
      running.delete(child);
      signalGroup(child, 'SIGKILL');
      resolve({ code, signal });
    });
    child.once('error', () => {
      running.delete(child);
      resolve({ code: 127, signal: null });
    });
  });
  running.add(child);
  let exit: ProcessExit | undefined;
  void exited.then((how) => (exit = how));
  return {
    name: options.name,
    pid: child.pid ?? -1,
    outputFile: options.outputFile,
    exited,
    isRunning: () => exit === undefined,
    assertRunning() {
      if (exit === undefined) return;
      const how = exit.signal === null ? `exit status ${exit.code}` : exit.signal;
      throw new Error(`${options.name} ended (${how}). The end of ${options.outputFile}:\n${tail(options.outputFile)}`);
    },
    async stop(graceMs = 4000) {
      if (exit === undefined) signalGroup(child, 'SIGTERM');
      const killer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
      await exited;
      clearTimeout(killer);
    },
    async kill() {
      if (exit === undefined) signalGroup(child, 'SIGKILL');
      await exited;
    },
    signal(signal) {
      if (exit === undefined) child.kill(signal);
    },
  };
}

/** Runs a short command to its end; throws with what it said when it fails. */
export function runToEnd(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string } = {},
): string {
  const result = spawnSync(command, args, { ...options, encoding: 'utf8' });
  if (result.error !== undefined) throw new Error(`${command} could not be run: ${result.error.message}`);
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed (${result.status}):\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** The last lines of a file, for error messages. */
export function tail(file: string, lines = 15): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no such file)';
  }
}

/** Whether a mount namespace can be had, and how: as root directly, else inside a user namespace. */
export function privateMounts(): readonly string[] | undefined {
  const ways = process.getuid?.() === 0 ? [['-m']] : [['-r', '-m']];
  return ways.find((flags) => spawnSync('unshare', [...flags, 'true']).status === 0);
}

function wrapped(options: LaunchOptions): string[] {
  const { prefix = [] } = options;
  const plain = [...dieWithUs(), options.command, ...options.args];
  if (options.resolvConf === undefined) return [...prefix, ...plain];
  const flags = privateMounts();
  if (flags === undefined) {
    throw new Error(
      `${options.name} needs a resolver of its own, which takes a private mount namespace: run as root, ` +
        'or allow user namespaces (sudo sysctl kernel.unprivileged_userns_clone=1; sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0)',
    );
  }
  // resolv.conf is often a symbolic link: the mount has to go over what it points to.
  const script = 'mount --bind "$1" "$(readlink -f /etc/resolv.conf)" && shift && exec "$@"';
  return [...prefix, 'unshare', ...flags, 'sh', '-c', script, 'sh', options.resolvConf, ...plain];
}

let deathSignal: readonly string[] | undefined;

/** What a command is preceded by so that the kernel kills it when our process ends; empty where there is no such thing. */
export function dieWithUs(): readonly string[] {
  deathSignal ??=
    spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL'] : [];
  return deathSignal;
}

function guardExit(): void {
  if (guarded) return;
  guarded = true;
  process.on('exit', () => {
    for (const child of running) signalGroup(child, 'SIGKILL');
  });
}

/** The group's id is the leader's pid, because it was started detached. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: nobody is left in the group, which is what we want.
  }
}
