import type {
  BoxOperations,
  ConfigOperations,
  LinkOperations,
  PublisherOperations,
  StatusReach,
} from '../box/operations.ts';
import { AdminConnection, type Answerer, type Unreachable } from './connection.ts';
import { isObject } from './fields.ts';
import {
  type AdminDeed,
  type Answers,
  type Hello,
  LONGEST_ANSWER,
  LONGEST_REQUEST,
  type RequestTo,
  WIRE,
} from './wire.ts';

const BOX: Answerer<Hello> = {
  name: 'fedway',
  subject: 'fedway',
  unit: 'fedway',
  longestRequest: LONGEST_REQUEST,
  longestAnswer: LONGEST_ANSWER,
  isHello,
  otherwise: 'does not speak as fedway does',
};

/**
 * A running box at the other end of its admin socket. Its methods reject with `AdminFailure` when the box refuses the request as such or goes away;
 * what the box decides comes as a value.
 */
export class AdminClient implements BoxOperations {
  /** Who answers. */
  readonly hello: Hello;
  readonly #connection: AdminConnection;
  readonly #author: string;

  private constructor(connection: AdminConnection, hello: Hello, author: string) {
    this.#connection = connection;
    this.hello = hello;
    this.#author = author;
  }

  /** Connects and learns who answers. `author`: on whose behalf things are changed, as `root@edge-1`; it is information, not proof. */
  static async connect(path: string, author: string): Promise<AdminClient | Unreachable> {
    const opened = await AdminConnection.open(path, BOX);
    return 'unreachable' in opened ? opened : new AdminClient(opened.connection, opened.hello, author);
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
    this.#connection.close();
  }

  async #ask<D extends AdminDeed>(deed: D, rest: Omit<RequestTo<D>, 'do'>): Promise<Answers[D]> {
    // Believed: it comes from a fedway that speaks the same version of the protocol.
    return (await this.#connection.ask(deed, rest)) as Answers[D];
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
