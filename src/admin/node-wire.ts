import type { AdministratorRole, NodeStatus, Notification, Outcome, UserFacts } from '../imp/operations.ts';

/** One line from a command to an IM&P node: one JSON object, with the key `wire` beside these. */
export type NodeRequest =
  | { readonly do: 'hello' }
  | { readonly do: 'status' }
  | { readonly do: 'notifications' }
  /** A line of the shell. */
  | { readonly do: 'line'; readonly author: string; readonly line: string }
  /** Ends the line that is running. It has no answer of its own: that of the line comes earlier. */
  | { readonly do: 'interrupt' }
  | { readonly do: 'complete'; readonly line: string }
  | { readonly do: 'user-list' }
  | { readonly do: 'user-add'; readonly author: string; readonly user: string; readonly password: string }
  | { readonly do: 'user-password'; readonly author: string; readonly user: string; readonly password: string }
  | { readonly do: 'user-active'; readonly author: string; readonly user: string; readonly active: 'yes' | 'no' }
  | { readonly do: 'user-remove'; readonly author: string; readonly user: string }
  | { readonly do: 'admin-list' }
  | {
      readonly do: 'admin-add';
      readonly author: string;
      readonly name: string;
      readonly password: string;
      readonly role: AdministratorRole;
    }
  | { readonly do: 'admin-password'; readonly author: string; readonly name: string; readonly password: string }
  | { readonly do: 'admin-role'; readonly author: string; readonly name: string; readonly role: AdministratorRole }
  | { readonly do: 'admin-remove'; readonly author: string; readonly name: string };

export type NodeDeed = NodeRequest['do'];
export type NodeRequestTo<D extends NodeDeed> = Extract<NodeRequest, { readonly do: D }>;

/** Who answers on a socket. */
export interface NodeHello {
  readonly wire: number;
  readonly node: true;
  /** fedway's version. */
  readonly version: string;
  readonly name: string;
}

/** What the shell printed. `more`: the line goes on, and another answer follows; `failed`: it did not do what was asked. */
export interface LineAnswer {
  readonly text: string;
  readonly more?: true;
  readonly failed?: true;
}

/** What each request is answered with, as `ok`. */
export interface NodeAnswers {
  readonly hello: NodeHello;
  readonly status: NodeStatus;
  readonly notifications: readonly Notification[];
  readonly line: LineAnswer;
  readonly interrupt: undefined;
  readonly complete: readonly string[];
  readonly 'user-list': readonly UserFacts[];
  readonly 'user-add': Outcome;
  readonly 'user-password': Outcome;
  readonly 'user-active': Outcome;
  readonly 'user-remove': Outcome;
  readonly 'admin-list': readonly { readonly name: string; readonly role: AdministratorRole }[];
  readonly 'admin-add': Outcome;
  readonly 'admin-password': Outcome;
  readonly 'admin-role': Outcome;
  readonly 'admin-remove': Outcome;
}

/** Bytes of one request, and of one answer. */
export const LONGEST_NODE_REQUEST = 256 * 1024;
export const LONGEST_NODE_ANSWER = 16 * 1024 ** 2;
