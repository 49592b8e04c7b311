import { connect, type Socket } from 'node:net';
import { isObject, parsed } from './fields.ts';
import { linesOf, type Unreadable } from './lines.ts';
import { WIRE } from './wire.ts';

/** Why there is nobody to ask. `sentence` says it, with the cure. */
export interface Unreachable {
  readonly unreachable: 'not running' | 'not permitted' | 'not understood';
  readonly sentence: string;
}

/** What was asked was not done, or there was no answer. The message is a sentence. */
export class AdminFailure extends Error {}

/** Who should answer at an admin socket. */
export interface Answerer<H> {
  /** Within a sentence: `fedway`, `the node`. */
  readonly name: string;
  /** At the beginning of one. */
  readonly subject: string;
  /** The service that is started when nobody answers. */
  readonly unit: string;
  /** Bytes of one request. */
  readonly longestRequest: number;
  /** Bytes of one answer. */
  readonly longestAnswer: number;
  /** Whether this is how it introduces itself. */
  isHello(value: unknown): value is H;
  /** What whoever introduces itself in another way does not do: `does not speak as fedway does`. */
  readonly otherwise: string;
}

/** How long one answer may take: boxes are asked over Links that may be down, and the keys of a password and statements of SQL take seconds. */
const PATIENCE_MS = 60_000;

/** The asking end of an admin socket: one JSON object per line and direction. It rejects with `AdminFailure` when the other end refuses or goes away. */
export class AdminConnection {
  readonly #socket: Socket;
  readonly #answers: AsyncGenerator<string | Unreadable, void, undefined>;
  readonly #answerer: Pick<Answerer<unknown>, 'name' | 'longestRequest'>;
  /** Questions stand in line: answers come in the order of the requests. */
  #turn: Promise<unknown> = Promise.resolve();

  /** Connects and learns who answers. */
  static async open<H>(
    path: string,
    answerer: Answerer<H>,
  ): Promise<{ readonly connection: AdminConnection; readonly hello: H } | Unreachable> {
    const socket = await openSocket(path, answerer.unit);
    if ('unreachable' in socket) return socket;
    const connection = new AdminConnection(socket, answerer);
    try {
      const hello = await connection.ask('hello', {});
      if (!answerer.isHello(hello)) throw new AdminFailure(`Whoever listens on ${path} ${answerer.otherwise}.`);
      return { connection, hello };
    } catch (error) {
      connection.close();
      if (error instanceof AdminFailure) return { unreachable: 'not understood', sentence: error.message };
      throw error;
    }
  }

  private constructor(socket: Socket, answerer: Answerer<unknown>) {
    this.#socket = socket;
    this.#answers = linesOf(socket, answerer.longestAnswer);
    this.#answerer = answerer;
    const { subject } = answerer;
    socket.on('timeout', () => {
      socket.destroy(new AdminFailure(`${subject} has not answered for ${PATIENCE_MS / 1000} seconds. See its log.`));
    });
  }

  /** Asks, and resolves with the `ok` of the answer. */
  ask(deed: string, rest: object): Promise<unknown> {
    return this.inTurn(async () => {
      this.send(deed, rest);
      return this.next();
    });
  }

  /** Does `work` when everything that was asked before has been answered. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const asked = this.#turn.then(work);
    // Who comes next does not care how this one went.
    this.#turn = asked.catch(() => undefined);
    return asked;
  }

  /** Sends a request, whose answer `next` has; only in turn, or to say something about what is being done. */
  send(deed: string, rest: object): void {
    const request = `${JSON.stringify({ wire: WIRE, do: deed, ...rest })}\n`;
    const { longestRequest } = this.#answerer;
    if (Buffer.byteLength(request) > longestRequest) {
      throw new AdminFailure(
        `This is more than fedway takes at once (${longestRequest / 1024 ** 2} MiB). Do it in several parts.`,
      );
    }
    this.#socket.setTimeout(PATIENCE_MS);
    this.#socket.write(request);
  }

  /** The `ok` of the next answer. What comes after it may take as long as it likes. */
  async next(): Promise<unknown> {
    try {
      const { value } = await this.#answers.next();
      return answerIn(value);
    } catch (error) {
      if (error instanceof AdminFailure) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new AdminFailure(`The connection to ${this.#answerer.name} broke: ${why}.`);
    } finally {
      this.#socket.setTimeout(0);
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The `ok` of an answer. Throws `AdminFailure` when there is none. */
function answerIn(line: string | Unreadable | void): unknown {
  if (line === undefined) throw new AdminFailure('fedway closed the connection without an answer. See its log.');
  if (typeof line !== 'string') throw new AdminFailure(`The answer of fedway cannot be read: ${line.unreadable}.`);
  const answer = parsed(line);
  if (isObject(answer)) {
    if (typeof answer['error'] === 'string') throw new AdminFailure(answer['error']);
    if (Object.hasOwn(answer, 'ok')) return answer['ok'];
  }
  throw new AdminFailure('The answer is not one that fedway gives.');
}

/** Connects with an admin socket; or says in a sentence why not. @param unit the service that should answer there */
function openSocket(path: string, unit: string): Promise<Socket | Unreachable> {
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
