import { AdminConnection, type Answerer, type Unreachable } from './connection.ts';
import { isObject } from './fields.ts';
import {
  type LineAnswer,
  LONGEST_NODE_ANSWER,
  LONGEST_NODE_REQUEST,
  type NodeAnswers,
  type NodeDeed,
  type NodeHello,
  type NodeRequestTo,
} from './node-wire.ts';
import { WIRE } from './wire.ts';

const NODE: Answerer<NodeHello> = {
  name: 'the node',
  subject: 'The node',
  unit: 'fedway-imp',
  longestRequest: LONGEST_NODE_REQUEST,
  longestAnswer: LONGEST_NODE_ANSWER,
  isHello: isNodeHello,
  otherwise: 'is not an IM&P node',
};

/** A running IM&P node at the other end of its admin socket. Its methods reject with `AdminFailure` when the node refuses the request or goes away. */
export class NodeClient {
  /** Who answers. */
  readonly hello: NodeHello;
  readonly #connection: AdminConnection;
  readonly #author: string;

  private constructor(connection: AdminConnection, hello: NodeHello, author: string) {
    this.#connection = connection;
    this.hello = hello;
    this.#author = author;
  }

  /** Connects and learns who answers. `author`: on whose behalf things are changed, as `root@imp-1`; it is information, not proof. */
  static async connect(path: string, author: string): Promise<NodeClient | Unreachable> {
    const opened = await AdminConnection.open(path, NODE);
    return 'unreachable' in opened ? opened : new NodeClient(opened.connection, opened.hello, author);
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
    return this.#connection.inTurn(async () => {
      this.#connection.send('line', { author: this.#author, line });
      for (;;) {
        // Believed, as every answer is.
        const answer = (await this.#connection.next()) as LineAnswer;
        print(answer.text);
        if (answer.more !== true) return answer.failed !== true;
      }
    });
  }

  /** Ends the line that runs now, if it can be ended. */
  interrupt(): void {
    this.#connection.send('interrupt', {});
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
    this.#connection.close();
  }

  async #ask<D extends NodeDeed>(deed: D, rest: Omit<NodeRequestTo<D>, 'do'>): Promise<NodeAnswers[D]> {
    // Believed: it comes from a fedway that speaks the same version of the protocol.
    return (await this.#connection.ask(deed, rest)) as NodeAnswers[D];
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
