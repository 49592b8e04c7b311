/** A value as it is stored and replicated. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** One step of a change. */
export type ConfigStep = { readonly put: string; readonly value: Json } | { readonly remove: string } | HiddenStep;

/** A secret that stays where it is needed: the other box learns that it is set, and never its value. */
export interface HiddenStep {
  readonly hide: string;
}

/** One change of a configuration: applied whole or not at all. `revision` counts the changes of one origin without a gap. */
export interface ConfigChange {
  /** The database the change was made in; a database that was made anew has another one. */
  readonly origin: string;
  readonly revision: number;
  /** Unix milliseconds, by the clock of the box where it was made. For people: order is by revision. */
  readonly time: number;
  /** Who, e.g. `root@edge-1`; with the box that asked for it if it is another one: `root@core-1 via core-1`. */
  readonly author: string;
  readonly reason: string;
  readonly steps: readonly ConfigStep[];
}

/** How one box keeps a replica of what the other owns. */
export type ReplicationMessage =
  /**
   * "Send me your changes after `since`", of the database `origin`; without an origin there is no replica yet. `digest` is what was said of `since`: 64
   * hexadecimal digits that stand for the history up to there, opaque to all but who made them. Another one: the database was restored and went on.
   */
  | {
      readonly is: 'follow';
      readonly origin: string | undefined;
      readonly since: number;
      readonly digest?: string | undefined;
    }
  /** Everything follows: `entry` messages, then `cutover`. What the replica holds stays in force until the cutover. */
  | {
      readonly is: 'backfill';
      readonly origin: string;
      readonly revision: number;
      readonly digest?: string | undefined;
    }
  | { readonly is: 'entry'; readonly step: Exclude<ConfigStep, { readonly remove: string }>; readonly revision: number }
  | { readonly is: 'cutover'; readonly origin: string; readonly revision: number; readonly entries: number }
  | { readonly is: 'change'; readonly change: ConfigChange; readonly digest?: string | undefined }
  /** "I hold everything up to here." */
  | { readonly is: 'applied'; readonly origin: string; readonly revision: number }
  /** A change of keys that the other box owns; each expectation is the revision of the key the author saw, 0 for none. */
  | {
      readonly is: 'propose';
      readonly id: string;
      readonly author: string;
      readonly reason: string;
      readonly steps: readonly ConfigStep[];
      readonly expect: Readonly<Record<string, number>>;
    }
  | { readonly is: 'accepted'; readonly id: string; readonly revision: number }
  /** `conflict`: somebody else was faster; otherwise the change itself is no good. */
  | { readonly is: 'declined'; readonly id: string; readonly conflict: boolean; readonly problems: readonly string[] };

/** What travels on a Link besides stanzas: everything but stanzas is said again after a break, so none of it needs to be acknowledged. */
export type LinkMessage =
  | ReplicationMessage
  /** Core to Edge: the homes it serves; a new announcement replaces the former. */
  | { readonly is: 'homes'; readonly domains: readonly string[] }
  /** Edge to Core: which of them it forwards, and why not the others. */
  | {
      readonly is: 'homes-judged';
      readonly accepted: readonly string[];
      readonly refused: readonly { readonly domain: string; readonly because: string }[];
    }
  /** Core to Edge: the public key (SPKI, PEM) of a new certificate; Edge to Core: the certificate (PEM chain, leaf first). */
  | { readonly is: 'renew'; readonly publicKey: string }
  | { readonly is: 'renewed'; readonly chain: string }
  /** A question of the administrator about the other half, and its answer. */
  | { readonly is: 'ask'; readonly id: string; readonly what: string; readonly about: Json }
  | { readonly is: 'told'; readonly id: string; readonly answer: Json }
  /** Last words before the end of a pairing. */
  | { readonly is: 'revoked' };
