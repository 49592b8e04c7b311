import type { Socket } from 'node:net';
import { AdminFailure, answerIn, openSocket, type Unreachable } from './client.ts';
import { isObject } from './fields.ts';
import { linesOf, type Unreadable } from './lines.ts';
import {
  type LineAnswer,
  LONGEST_NODE_ANSWER,
  type NodeAnswers,
  type NodeDeed,
  type NodeHello,
  type NodeRequestTo,
} from './node-wire.ts';
import { WIRE } from './wire.ts';

/** How long one answer may take. Deriving the keys of a password, and statements of SQL, take seconds. */
const PATIENCE_MS = 60_000;

/** A running IM&P node at the other end of its admin socket. Its methods reject with `AdminFailure` when the node refuses the request or goes away. */
export class NodeClient {
  readonly #socket: Socket;
  readonly #answers: AsyncGenerator<string | Unreadable, void, undefined>;
  readonly #author: string;
  /** Questions stand in line: answers come in the order of the requests. */
  #turn: Promise<unknown> = Promise.resolve();
  #hello: NodeHello | undefined;

  private constructor(socket: Socket, author: string) {
    this.#socket = socket;
    this.#answers = linesOf(socket, LONGEST_NODE_ANSWER);
    this.#author = author;
    socket.on('timeout', () => {
      socket.destroy(new AdminFailure(`The node has not answered for ${PATIENCE_MS / 1000} seconds. See its log.`));
    });
  }

  /** Connects and learns who answers. `author`: on whose behalf things are changed, as `root@imp-1`; it is information, not proof. */
  static async connect(path: string, author: string): Promise<NodeClient | Unreachable> {
    const socket = await openSocket(path, 'fedway-imp');
    if ('unreachable' in socket) return socket;
    const client = new NodeClient(socket, author);
    try {
      const hello = await client.#ask('hello', {});
      if (!isNodeHello(hello)) throw new AdminFailure(`Whoever listens on ${path} is not an IM&P node.`);
      client.#hello = hello;
      return client;
    } catch (error) {
      client.close();
      if (error instanceof AdminFailure) return { unreachable: 'not understood', sentence: error.message };
      throw error;
    }
  }

  /** Who answers. */
  get hello(): NodeHello {
    if (this.#hello === undefined) throw new Error('asked before the node has introduced itself');
    return this.#hello;
  }

  status(): Promise<NodeAnswers['status']> {
    return this.#ask('status', {});
  }

  notifications(): Promise<NodeAnswers['notifications']> {
    return this.#ask('notifications', {});
  }

  complete(line: string): Promise<NodeAnswers['complete']> {
    return this.#ask('complete', { line });
  }

  /** Runs a line of the shell. `print` gets what it prints, piece by piece. The answer: whether it did what was asked. */
  line(line: string, print: (text: string) => void): Promise<boolean> {
    return this.#inTurn(async () => {
      this.#send('line', { author: this.#author, line });
      for (;;) {
        const answer = await this.#next<LineAnswer>();
        print(answer.text);
        if (answer.more !== true) return answer.failed !== true;
        // It goes on for as long as it likes.
        this.#socket.setTimeout(0);
      }
    });
  }

  /** Ends the line that runs now, if it can be ended. */
  interrupt(): void {
    this.#send('interrupt', {});
  }

  readonly users = {
    list: () => this.#ask('user-list', {}),
    add: (user: string, password: string) => this.#ask('user-add', { author: this.#author, user, password }),
    setPassword: (user: string, password: string) =>
      this.#ask('user-password', { author: this.#author, user, password }),
    setActive: (user: string, active: boolean) =>
      this.#ask('user-active', { author: this.#author, user, active: active ? 'yes' : 'no' }),
    remove: (user: string) => this.#ask('user-remove', { author: this.#author, user }),
  } as const;

  readonly administrators = {
    list: () => this.#ask('admin-list', {}),
    add: (name: string, password: string, role: 'axl' | 'none') =>
      this.#ask('admin-add', { author: this.#author, name, password, role }),
    setPassword: (name: string, password: string) =>
      this.#ask('admin-password', { author: this.#author, name, password }),
    setRole: (name: string, role: 'axl' | 'none') => this.#ask('admin-role', { author: this.#author, name, role }),
    remove: (name: string) => this.#ask('admin-remove', { author: this.#author, name }),
  } as const;

  close(): void {
    this.#socket.destroy();
  }

  #ask<D extends NodeDeed>(deed: D, rest: Omit<NodeRequestTo<D>, 'do'>): Promise<NodeAnswers[D]> {
    return this.#inTurn(() => {
      this.#send(deed, rest);
      return this.#next<NodeAnswers[D]>();
    });
  }

  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const asked = this.#turn.then(ask);
    // Who comes next does not care how this one went.
    this.#turn = asked.catch(() => undefined);
    return asked;
  }

  #send<D extends NodeDeed>(deed: D, rest: Omit<NodeRequestTo<D>, 'do'>): void {
    this.#socket.setTimeout(PATIENCE_MS);
    this.#socket.write(`${JSON.stringify({ wire: WIRE, do: deed, ...rest })}\n`);
  }

  async #next<T>(): Promise<T> {
    try {
      const { value } = await this.#answers.next();
      // Believed: it comes from a fedway that speaks the same version of the protocol.
      return answerIn(value) as T;
    } catch (error) {
      if (error instanceof AdminFailure) throw error;
      throw new AdminFailure(
        `The connection to the node broke: ${error instanceof Error ? error.message : String(error)}.`,
      );
    } finally {
      this.#socket.setTimeout(0);
    }
  }
}

function isNodeHello(value: unknown): value is NodeHello {
  return (
    isObject(value) &&
    value['wire'] === WIRE &&
    value['node'] === true &&
    [value['version'], value['name']].every((each) => typeof each === 'string')
  );
}
