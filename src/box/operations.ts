import type { ChangeOutcome, ChangeRequest } from '../clusterdb/types.ts';
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

/** One Link, as one of its ends sees it. */
export interface LinkStatus {
  /** The box at the other end. */
  readonly name: string;
  readonly role: 'edge' | 'core';
  readonly state: 'up' | 'down' | 'never connected' | 'revoked';
  /** Unix milliseconds of the last change of state. */
  readonly since: number;
  /** Why it is down; `undefined` when it is up. */
  readonly because: string | undefined;
  readonly peer: string | undefined;
  readonly tls: string | undefined;
  /** Unix milliseconds: when the certificate of the Core ends, and when a new one is due. */
  readonly certificateUntil: number | undefined;
  readonly homes: readonly string[];
  /** Stanzas that wait for the Link, or for the other end to confirm them. */
  readonly queued: { readonly stanzas: number; readonly bytes: number };
  readonly resumed: number;
  readonly stanzasIn: number;
  readonly stanzasOut: number;
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
export interface PairStatus {
  readonly side: 'foreign' | 'home';
  readonly sender: string;
  readonly target: string;
  readonly state: 'idle' | 'queue' | 'send' | 'bounce';
  readonly queued: number;
}

/** A stream as `fedway streams` shows it. */
export interface StreamStatus {
  /** The name of the box it runs on. */
  readonly box: string;
  readonly connection: string;
  readonly direction: 'in' | 'out';
  readonly side: 'foreign' | 'home';
  readonly local: string | undefined;
  readonly remote: string | undefined;
  /** Address and port; `undefined` where it is nothing for the box that asks, as inner addresses are for an Edge. */
  readonly peer: string | undefined;
  readonly state: 'pending' | 'connected' | 'closed';
  /** Unix milliseconds. */
  readonly since: number;
  readonly lastStanza: number;
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384`; `undefined`: plaintext. */
  readonly tls: string | undefined;
  /** What the peer's certificate proves, or why it proves nothing, in a sentence. */
  readonly certificate: string | undefined;
  readonly authorized: readonly { readonly sender: string; readonly target: string; readonly by: string }[];
  readonly stanzasIn: number;
  readonly stanzasOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}
