import type {
  BoxChangeOutcome,
  BoxStatus,
  ConfigEntry,
  ConfigOperations,
  LinkOperations,
  LinkStatus,
  PublisherFacts,
  PublisherOperations,
  StatusReach,
  StreamStatus,
} from '../box/operations.ts';
import type { ChangeRequest } from '../clusterdb/types.ts';

/**
 * The version of what is said on the admin socket. It is raised with every change that the other side would misread, so that a command
 * never guesses what a fedway of another version means.
 */
export const WIRE = 1;

/** Bytes of one request. An import of some ten thousand keys fits. */
export const LONGEST_REQUEST = 4 * 1024 ** 2;
/** Bytes of one answer. The streams of a box at its limits fit. */
export const LONGEST_ANSWER = 64 * 1024 ** 2;

type InviteOptions = Parameters<LinkOperations['invite']>[0];

/** One line from a command to the box: one JSON object, with the key `wire` beside these. */
export type AdminRequest =
  | { readonly do: 'hello' }
  | { readonly do: 'status'; readonly reach: StatusReach }
  | { readonly do: 'streams' }
  | { readonly do: 'close-stream'; readonly author: string; readonly connection: string; readonly reason: string }
  | { readonly do: 'config-list' }
  | ({ readonly do: 'config-change'; readonly edge?: string } & ChangeRequest)
  | { readonly do: 'config-log'; readonly limit: number }
  | { readonly do: 'link-list' }
  | {
      readonly do: 'link-invite';
      readonly author: string;
      readonly name: string;
      readonly domains: readonly string[];
      readonly validForMs: number;
      readonly address?: string;
    }
  | { readonly do: 'link-join'; readonly author: string; readonly token: string }
  | { readonly do: 'link-revoke'; readonly author: string; readonly name: string }
  | { readonly do: 'publisher-list' }
  | { readonly do: 'publisher-refresh'; readonly author: string; readonly name?: string };

export type AdminDeed = AdminRequest['do'];
export type RequestTo<D extends AdminDeed> = Extract<AdminRequest, { readonly do: D }>;

/** Who answers on a socket. */
export interface Hello {
  readonly wire: number;
  /** fedway's version. */
  readonly version: string;
  readonly name: string;
  readonly role: BoxStatus['role'];
  /** Whether the box has live settings, and Links. */
  readonly config: boolean;
  readonly link: boolean;
  /** Whether it tells IM&P servers of the Edges; a fedway of before there was such a thing does not say. */
  readonly publishers?: boolean;
}

/** What each request is answered with, as `ok`. */
export interface Answers {
  readonly hello: Hello;
  readonly status: BoxStatus;
  readonly streams: readonly StreamStatus[];
  readonly 'close-stream': { readonly closed: boolean; readonly detail: string };
  readonly 'config-list': readonly ConfigEntry[];
  readonly 'config-change': readonly BoxChangeOutcome[];
  readonly 'config-log': Awaited<ReturnType<ConfigOperations['log']>>;
  readonly 'link-list': readonly LinkStatus[];
  readonly 'link-invite': Awaited<ReturnType<LinkOperations['invite']>>;
  readonly 'link-join': Awaited<ReturnType<LinkOperations['join']>>;
  readonly 'link-revoke': Awaited<ReturnType<LinkOperations['revoke']>>;
  readonly 'publisher-list': readonly PublisherFacts[];
  readonly 'publisher-refresh': Awaited<ReturnType<PublisherOperations['refresh']>>;
}

/** One line from the box: what was asked for, or a sentence why not. */
export type AdminAnswer = { readonly ok: Answers[AdminDeed] } | { readonly error: string };

/** What `invite` is asked with, as a request has it. */
export function inviteOptions({ name, domains, validForMs, address }: RequestTo<'link-invite'>): InviteOptions {
  return { name, domains, validForMs, address };
}
