import { connect, type Socket } from 'node:net';
import type {
  BoxOperations,
  ConfigOperations,
  LinkOperations,
  PublisherOperations,
  StatusReach,
} from '../box/operations.ts';
import { isObject } from './fields.ts';
import { linesOf, type Unreadable } from './lines.ts';
import {
  type AdminDeed,
  type Answers,
  type Hello,
  LONGEST_ANSWER,
  LONGEST_REQUEST,
  type RequestTo,
  WIRE,
} from './wire.ts';

/** Why there is nobody to ask. `sentence` says it, with the cure. */
export interface Unreachable {
  readonly unreachable: 'not running' | 'not permitted' | 'not understood';
  readonly sentence: string;
}

/** The box did not do what was asked, or did not answer. The message is a sentence. */
export class AdminFailure extends Error {}

/** How long one answer may take: the slowest asks boxes over Links that may be down. */
const PATIENCE_MS = 60_000;

/**
 * A running box at the other end of its admin socket. Its methods reject with `AdminFailure` when the box refuses the request as such or goes away;
 * what the box decides comes as a value.
 */
export class AdminClient implements BoxOperations {
  readonly #socket: Socket;
  readonly #answers: AsyncGenerator<string | Unreadable, void, undefined>;
  readonly #author: string;
  /** Questions stand in line: answers come in the order of the requests. */
  #turn: Promise<unknown> = Promise.resolve();
  #hello: Hello | undefined;

  private constructor(socket: Socket, author: string) {
    this.#socket = socket;
    this.#answers = linesOf(socket, LONGEST_ANSWER);
    this.#author = author;
    socket.on('timeout', () => {
      socket.destroy(new AdminFailure(`fedway has not answered for ${PATIENCE_MS / 1000} seconds. See its log.`));
    });
  }

  /** Connects and learns who answers. `author`: on whose behalf things are changed, as `root@edge-1`; it is information, not proof. */
  static async connect(path: string, author: string): Promise<AdminClient | Unreachable> {
    const socket = await openSocket(path);
    if ('unreachable' in socket) return socket;
    const client = new AdminClient(socket, author);
    try {
      const hello = await client.#ask('hello', {});
      if (!isHello(hello)) throw new AdminFailure(`Whoever listens on ${path} does not speak as fedway does.`);
      client.#hello = hello;
      return client;
    } catch (error) {
      client.close();
      if (error instanceof AdminFailure) return { unreachable: 'not understood', sentence: error.message };
      throw error;
    }
  }

  /** Who answers. */
  get hello(): Hello {
    if (this.#hello === undefined) throw new Error('asked before the box has introduced itself');
    return this.#hello;
  }

  get config(): ConfigOperations | undefined {
    if (!this.hello.config) return undefined;
    return {
      list: () => this.#ask('config-list', {}),
      change: (request, edge) => this.#ask('config-change', { ...request, ...(edge === undefined ? {} : { edge }) }),
      log: (limit) => this.#ask('config-log', { limit }),
    };
  }

  get link(): LinkOperations | undefined {
    if (!this.hello.link) return undefined;
    const author = this.#author;
    return {
      list: () => this.#ask('link-list', {}),
      invite: ({ address, ...rest }) =>
        this.#ask('link-invite', { author, ...rest, ...(address === undefined ? {} : { address }) }),
      join: (token) => this.#ask('link-join', { author, token }),
      revoke: (name) => this.#ask('link-revoke', { author, name }),
    };
  }

  get publishers(): PublisherOperations | undefined {
    if (this.hello.publishers !== true) return undefined;
    const author = this.#author;
    return {
      list: () => this.#ask('publisher-list', {}),
      refresh: (name) => this.#ask('publisher-refresh', { author, ...(name === undefined ? {} : { name }) }),
    };
  }

  status(reach: StatusReach = 'everywhere'): Promise<Answers['status']> {
    return this.#ask('status', { reach });
  }

  streams(): Promise<Answers['streams']> {
    return this.#ask('streams', {});
  }

  closeStream(connection: string, reason: string): Promise<Answers['close-stream']> {
    return this.#ask('close-stream', { author: this.#author, connection, reason });
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask<D extends AdminDeed>(deed: D, rest: Omit<RequestTo<D>, 'do'>): Promise<Answers[D]> {
    const asked = this.#turn.then(() => this.#askNow(deed, rest));
    // Who comes next does not care how this one went.
    this.#turn = asked.catch(() => undefined);
    return asked;
  }

  async #askNow<D extends AdminDeed>(deed: D, rest: Omit<RequestTo<D>, 'do'>): Promise<Answers[D]> {
    const request = `${JSON.stringify({ wire: WIRE, do: deed, ...rest })}\n`;
    if (Buffer.byteLength(request) > LONGEST_REQUEST) {
      throw new AdminFailure(
        `This is more than fedway takes at once (${LONGEST_REQUEST / 1024 ** 2} MiB). Do it in several parts.`,
      );
    }
    this.#socket.setTimeout(PATIENCE_MS);
    this.#socket.write(request);
    try {
      const { value } = await this.#answers.next();
      // Believed: it comes from a fedway that speaks the same version of the protocol.
      return answerIn(value) as Answers[D];
    } catch (error) {
      if (error instanceof AdminFailure) throw error;
      throw new AdminFailure(
        `The connection to fedway broke: ${error instanceof Error ? error.message : String(error)}.`,
      );
    } finally {
      this.#socket.setTimeout(0);
    }
  }
}

/** The `ok` of an answer. Throws `AdminFailure` when there is none. */
export function answerIn(line: string | Unreadable | void): unknown {
  if (line === undefined) throw new AdminFailure('fedway closed the connection without an answer. See its log.');
  if (typeof line !== 'string') throw new AdminFailure(`The answer of fedway cannot be read: ${line.unreadable}.`);
  const answer: unknown = parsed(line);
  if (isObject(answer)) {
    if (typeof answer['error'] === 'string') throw new AdminFailure(answer['error']);
    if (Object.hasOwn(answer, 'ok')) return answer['ok'];
  }
  throw new AdminFailure('The answer is not one that fedway gives.');
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isHello(value: unknown): value is Hello {
  if (!isObject(value)) return false;
  const { wire, version, name, role, config, link } = value;
  return (
    wire === WIRE &&
    [version, name, role].every((each) => typeof each === 'string') &&
    [config, link].every((each) => typeof each === 'boolean')
  );
}

/** Connects with an admin socket; or says in a sentence why not. @param unit the service that should answer there */
export function openSocket(path: string, unit = 'fedway'): Promise<Socket | Unreachable> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const failed = (error: NodeJS.ErrnoException): void => resolve(whyNot(path, unit, error));
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      // From here on the reading side tells what is wrong.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

function whyNot(path: string, unit: string, { code, message }: NodeJS.ErrnoException): Unreachable {
  switch (code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return {
        unreachable: 'not running',
        sentence: `No fedway answers at ${path}: it is not running, or it runs with another boot file. Start it (systemctl start ${unit}), or name its boot file with --config or its admin socket with --socket.`,
      };
    case 'EACCES':
    case 'EPERM':
      return {
        unreachable: 'not permitted',
        sentence: `You may not use the admin socket ${path}. Run the command as root or as the user that fedway runs as, such as: sudo fedway ...`,
      };
    case 'ENOTSOCK':
    case 'EINVAL':
    case 'ENAMETOOLONG':
    default:
      return {
        unreachable: 'not understood',
        sentence: `The admin socket ${path} cannot be used: ${message}. Name another one with --socket.`,
      };
  }
}
