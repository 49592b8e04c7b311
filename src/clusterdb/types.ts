import type { ConfigChange, ConfigStep, Json } from '../protocol/link/messages.ts';

/** Which box of a deployment owns a key: only there is it changed. A single box owns all. */
export type KeyOwner = 'edge' | 'core';

/** What is known of one key. */
export interface KeyKind {
  readonly owner: KeyOwner;
  /** Encrypted at rest, never shown, and never sent to a box other than its owner. */
  readonly secret: boolean;
  /** Shown and kept in the history on its own box, and never sent to another one, which learns only that it is set. */
  readonly stays?: true;
  /** The value in its normal form, or why it is none: a sentence, and the cure. */
  read(value: Json): { readonly value: Json } | { readonly refused: string };
  /**
   * What the reference system calls this key and how its log writes a value, e.g. `is_federation_enabled` and `1`. `undefined` stands for
   * a key that is not set, so for its default. Absent: the reference system is not known to log this key. Never called for a secret.
   */
  told?(value: Json | undefined): { readonly name: string; readonly value: string };
}

/** The keys that a configuration may have; clusterdb itself knows none. */
export interface Catalog {
  /** The kind of a key, or why there is no such key: a sentence with the nearest one that there is. */
  kindOf(key: string): KeyKind | { readonly refused: string };
  /** What is wrong with the configuration of one origin as a whole, in sentences; secrets are there as they are. */
  check(values: ReadonlyMap<string, Json>): readonly string[];
}

/** A key as it stands. */
export interface Entry {
  readonly key: string;
  /** `undefined`: a secret that another box holds. */
  readonly value: Json | undefined;
  /** Of the change that wrote it. */
  readonly revision: number;
}

/** One consistent state of one origin. Never changes. */
export interface Snapshot {
  readonly origin: string;
  readonly revision: number;
  readonly entries: ReadonlyMap<string, Entry>;
}

/** A step that somebody asks for; nobody asks to hide. */
export type ChangeStep = Exclude<ConfigStep, { readonly hide: string }>;

/** A change as it is asked for. */
export interface ChangeRequest {
  readonly steps: readonly ChangeStep[];
  readonly author: string;
  readonly reason: string;
  /** The revision of each key that the author has seen (0: there was none); what is not named is overwritten unseen. */
  readonly expect?: Readonly<Record<string, number>>;
}

/** What became of a change. `unchanged`: every key had its value already, and no revision was made. Secrets are hidden in `change`. */
export type ChangeOutcome =
  | { readonly outcome: 'changed'; readonly change: ConfigChange }
  | { readonly outcome: 'unchanged'; readonly revision: number }
  | { readonly outcome: 'conflict'; readonly problems: readonly string[] }
  | { readonly outcome: 'refused'; readonly problems: readonly string[] };

/** Where a replica comes from as a whole. */
export interface ReplicaSource {
  /** The lasting id of the peer, and its name for people. */
  readonly peer: string;
  readonly name: string;
  /** Nothing was left out of it. */
  readonly complete: boolean;
  /** What the owner says of the revision; absent: nothing. */
  readonly digest?: string | undefined;
}

/** What came with the next change of a replica. */
export interface ApplyOptions {
  /** Something of the change was left out. */
  readonly skipped: boolean;
  /** What the owner says of the revision; `undefined`: nothing. */
  readonly digest: string | undefined;
}

/** What became of it. `known`: it was applied before; `gap`: one before it is missing, and nothing was done. */
export type ApplyOutcome = 'applied' | 'known' | 'gap' | { readonly refused: string };

/** One origin has moved, and it is on disk: what watchers are told. */
export interface Advance {
  readonly origin: string;
  readonly before: Snapshot;
  /** Without entries and at revision 0 when a replica was forgotten. */
  readonly after: Snapshot;
  /** What led from one to the other, in order, secrets hidden. `undefined`: a replica was replaced as a whole, or forgotten. */
  readonly changes: readonly ConfigChange[] | undefined;
}

/** What people read in the place of a secret. */
export const SECRET = '(secret)';
