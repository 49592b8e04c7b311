import { chmodSync, lstatSync, mkdirSync, statSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';

/** `sockaddr_un` holds 108 bytes, the last of them zero. */
const LONGEST_PATH = 107;
/** How long a living socket may take to accept: the kernel does it, whatever its owner is busy with. */
const LIFE_SIGN_MS = 1000;

/**
 * Makes a server listen on a unix socket that only its owner and root can use. The folder is made where it is missing; a socket that a killed
 * process has left is replaced, one that somebody listens on is not. The answer is what is in the way, as a sentence with the cure;
 * `undefined`: the server listens.
 */
export async function listenOn(server: Server, path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const refused = prepareFolder(folder) ?? pathProblem(path);
  if (refused !== undefined) return refused;
  const first = await tryListen(server, path);
  if (first?.code !== 'EADDRINUSE') return first === undefined ? undefined : words(path, first);
  const held = await clearStale(path);
  if (held !== undefined) return held;
  const second = await tryListen(server, path);
  return second === undefined ? undefined : words(path, second);
}

function pathProblem(path: string): string | undefined {
  const length = Buffer.byteLength(path);
  return length > LONGEST_PATH
    ? `its path has ${length} bytes, and a unix socket takes ${LONGEST_PATH}. Choose a shorter one with admin_socket.`
    : undefined;
}

/** Who can write in the folder could put a socket of his own in place of ours, and be told secrets. */
function prepareFolder(folder: string): string | undefined {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if ((statSync(folder).mode & 0o022) === 0) return undefined;
    return `others can write in its folder ${folder}. Take that from them: chmod go-w ${folder}`;
  } catch (error) {
    return words(folder, asErrno(error));
  }
}

/** Binding happens within the call of `listen`, so that the socket never exists with other rights than these. */
function tryListen(server: Server, path: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => resolve(error);
    server.once('error', failed);
    const former = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off('error', failed);
        chmodSync(path, 0o600);
        resolve(undefined);
      });
    } finally {
      process.umask(former);
    }
  });
}

/** Removes a socket that nobody listens on. What stands in the way, as a sentence. Two that start at once are told apart by their other listeners. */
async function clearStale(path: string): Promise<string | undefined> {
  try {
    if (!lstatSync(path).isSocket()) return `${path} is there and is no socket. Move it away, or choose another path.`;
    if (await isAlive(path)) {
      return `another process listens on ${path}. If that is another fedway, give each its own admin_socket.`;
    }
    unlinkSync(path);
    return undefined;
  } catch (error) {
    const failed = asErrno(error);
    // Somebody else cleared it away.
    return failed.code === 'ENOENT' ? undefined : words(path, failed);
  }
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const told = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.setTimeout(LIFE_SIGN_MS, () => told(true));
    socket.once('connect', () => told(true));
    // Only this says that nobody listens; whatever else is wrong, the socket is not ours to remove.
    socket.once('error', (error: NodeJS.ErrnoException) => told(error.code !== 'ECONNREFUSED'));
  });
}

function words(path: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
      return `this process may not write ${path}. Give its folder to the user that fedway runs as (systemd: RuntimeDirectory=fedway), or choose another path with admin_socket.`;
    case 'ENOTDIR':
      return `${path} leads through a file that is no folder. Choose another path with admin_socket.`;
    default:
      return `${error.message}. Choose another path with admin_socket.`;
  }
}

function asErrno(error: unknown): NodeJS.ErrnoException {
  return error instanceof Error ? error : new Error(String(error));
}
