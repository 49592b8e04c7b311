import type { AxlProblem } from '../axl/failures.ts';
import type { PublisherRow, PublisherState } from '../axl/publisher-status.ts';
import type { RouterView } from '../axl/router-view.ts';
import type { ChangeOutcome, ChangeRequest } from '../clusterdb/types.ts';
import type { PairFacts } from '../federation/outlet-table.ts';
import type { LinkFacts } from '../link/types.ts';
import type { StreamFacts } from '../net/s2s/stream-facts.ts';
import type { ConfigChange, Json } from '../protocol/link/messages.ts';

/** How far a question goes: to this box alone, which is quick, or over its Links to the others as well. */
export type StatusReach = 'here' | 'everywhere';

/** What an administrator can ask of a running box. Everything in it is plain data: it travels over the admin socket and over the Link. */
export interface BoxOperations {
  /** This box, and with `everywhere` (the default) what the boxes at the other ends of its Links say of themselves. */
  status(reach?: StatusReach): Promise<BoxStatus>;
  /** Streams of this box, and of the others as far as they can be reached. */
  streams(): Promise<readonly StreamStatus[]>;
  /** Ends a stream with a stream error; the answer says what happened, or why nothing did. */
  closeStream(connection: string, reason: string): Promise<{ readonly closed: boolean; readonly detail: string }>;
  /** `undefined`: the box has no clusterdb, its boot file says everything. */
  readonly config: ConfigOperations | undefined;
  /** `undefined`: a single box has no Links. */
  readonly link: LinkOperations | undefined;
  /** `undefined`: the box tells no IM&P servers; an Edge does not, nor does a single box without live settings. */
  readonly publishers: PublisherOperations | undefined;
}

/** The live configuration as this box sees it. */
export interface ConfigOperations {
  /** Every key that is set, of every origin; secrets as `(secret)`. */
  list(): Promise<readonly ConfigEntry[]>;
  /** Changes keys, wherever their owner is. Several Edges are changed one after the other; the answers are in that order. */
  change(request: ChangeRequest, edge: string | undefined): Promise<readonly BoxChangeOutcome[]>;
  log(limit: number): Promise<readonly (ConfigChange & { readonly box: string })[]>;
}

/** One key of one box. */
export interface ConfigEntry {
  /** The name of the box that owns it. */
  readonly box: string;
  readonly key: string;
  /** As it is stored; `(secret)` for a secret. */
  readonly value: Json;
  readonly revision: number;
}

/** What became of a change at one box. `unreachable`: the owner is not connected, nothing was changed there. */
export type BoxChangeOutcome = { readonly box: string } & (
  | ChangeOutcome
  | { readonly outcome: 'unreachable'; readonly problems: readonly string[] }
);

/** Pairing. An Edge invites and revokes, a Core joins and leaves. */
export interface LinkOperations {
  list(): Promise<readonly LinkStatus[]>;
  /** Edge only. The token holds for `validForMs`; `domains` bounds what the Core may announce, none: all homes of the Edge. */
  invite(options: {
    readonly name: string;
    readonly domains: readonly string[];
    readonly validForMs: number;
    /** `host:port` that the Core dials. `undefined`: `link.address` of the boot file. */
    readonly address: string | undefined;
  }): Promise<{ readonly token: string } | { readonly refused: string }>;
  /** Core only. */
  join(token: string): Promise<{ readonly edge: string } | { readonly refused: string }>;
  /** Ends a pairing for good: on the Edge the Core's certificate counts no more, on the Core the Edge is forgotten. */
  revoke(name: string): Promise<{ readonly revoked: string } | { readonly refused: string }>;
}

/** The IM&P servers that are told of the Edges. */
export interface PublisherOperations {
  list(): Promise<readonly PublisherFacts[]>;
  /** Asks the server of this name, or all of them, anew; the answer comes when they have answered, or failed to. */
  refresh(
    name: string | undefined,
  ): Promise<{ readonly refreshed: readonly PublisherFacts[] } | { readonly refused: string }>;
}

/** One publisher. Times are Unix milliseconds. */
export interface PublisherFacts {
  readonly name: string;
  /** `host:port`. */
  readonly address: string | undefined;
  readonly user: string | undefined;
  readonly state: PublisherState | 'incomplete';
  /** Keys that it cannot do without and that are not set: `password`. */
  readonly missing: readonly string[];
  /** Of the AXL schema, once it is known. */
  readonly version: string | undefined;
  readonly lastSuccess: number | undefined;
  readonly lastAttempt: number | undefined;
  readonly nextAttempt: number | undefined;
  readonly failure: AxlProblem | undefined;
  readonly rows: readonly PublisherRow[];
  /** Only of an IM&P node of fedway. */
  readonly router: RouterView | undefined;
}

/** Something that somebody has to end, from when it was found until it is over. All but `detail` may be shown anywhere. */
export interface Alarm {
  /** Stable; see src/diagnostics/alarms.ts. */
  readonly id: number;
  readonly title: string;
  /** A publisher, a home, an Edge. */
  readonly about: string;
  /** What is wrong: a clause that begins with a capital letter. */
  readonly what: string;
  /** What is known besides, which may name addresses of the inside. */
  readonly detail: string | undefined;
  readonly cause: string;
  readonly cure: string;
  /** Unix milliseconds. */
  readonly since: number;
}

/** One Link, as one of its ends sees it. */
export interface LinkStatus extends LinkFacts {
  /** The box at the other end. */
  readonly name: string;
  readonly role: 'edge' | 'core';
  readonly homes: readonly string[];
  /** Of the configuration that the other end owns: what it has, and what is held here; equal: no lag. */
  readonly replication: { readonly theirs: number; readonly held: number } | undefined;
}

/** A box as `fedway status` shows it. */
export interface BoxStatus {
  readonly name: string;
  readonly role: 'single' | 'edge' | 'core';
  readonly version: string;
  /** Unix milliseconds. */
  readonly since: number;
  /** What is raised now. */
  readonly alarms: readonly Alarm[];
  /** The IM&P servers that this box tells of the Edges; none of another box, whose addresses they are. */
  readonly publishers: readonly PublisherFacts[];
  /** Whether federation is switched on, and what is in the way if it is not working, in a sentence. */
  readonly federation: { readonly on: boolean; readonly detail: string };
  readonly homes: readonly { readonly domain: string; readonly federation: boolean; readonly via: string }[];
  readonly links: readonly LinkStatus[];
  /** Ways out of this box that exist now: streams, or attempts to have one. */
  readonly pairs: readonly PairStatus[];
  readonly counters: {
    readonly inward: number;
    readonly outward: number;
    readonly bounced: number;
    readonly dropped: number;
  };
  readonly streams: number;
  /** The boxes at the other ends, where they answered. */
  readonly others: readonly BoxStatus[];
}

/** The way out for one pair of domains. */
export interface PairStatus extends PairFacts {
  readonly side: 'foreign' | 'home';
}

/** A stream as `fedway streams` shows it. Its `peer` is `undefined` where it is nothing for the box that asks, as inner addresses are for an Edge. */
export interface StreamStatus extends StreamFacts {
  /** The name of the box it runs on. */
  readonly box: string;
}
