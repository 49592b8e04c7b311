import type { StreamEnd } from './end.ts';
import type { TlsFacts } from './identity/facts.ts';
import type { AxlNote } from './notes/axl.ts';
import type { ClientNote } from './notes/clients.ts';
import type { ImpAxlNote } from './notes/imp-axl.ts';
import type { ImpNodeNote } from './notes/imp-node.ts';
import type { MessagingNote } from './notes/messaging.ts';
import type { PublisherNote } from './notes/publishers.ts';
import type { StanzaErrorCondition } from './stream/stanza-error.ts';
import type { StreamErrorCondition } from './stream/stream-error.ts';

/** From the most to the least urgent. `info` tells what happened, `debug` why, `verbose` shows the elements themselves. */
export const SEVERITIES = ['error', 'warning', 'info', 'debug', 'verbose'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a note is about: every log line carries it. */
export interface NoteSubject {
  /** fedway's handle of one connection, 9 hex digits; the reference system calls it `xcoder`. */
  readonly connection?: string;
  /** Of the stream. */
  readonly direction?: 'in' | 'out';
  /** Which of our two faces the stream belongs to. */
  readonly side?: 'foreign' | 'home';
  /** The domain we speak for on this stream, and the domain the peer speaks for. */
  readonly local?: string;
  readonly remote?: string;
  /** Address and port of the peer. */
  readonly peer?: string;
  /** It belongs to another attempt at what has just failed, which was told: logs tell it to whoever debugs. */
  readonly repeats?: boolean;
}

/** One step, as data. Log lines, trails, metrics and tests read this same value; nobody formats text at the place where it happens. */
export type Note =
  | AxlNote
  | PublisherNote
  | ImpNodeNote
  | ImpAxlNote
  | ClientNote
  | MessagingNote
  // One stream
  | { readonly note: 'accepted' }
  | { readonly note: 'header-received'; readonly xml: string; readonly streamId: string | undefined }
  | { readonly note: 'header-sent'; readonly xml: string; readonly streamId: string | undefined }
  /** Anything but a stanza: features, STARTTLS, SASL, dialback, errors. */
  | { readonly note: 'element-received'; readonly xml: string }
  | { readonly note: 'element-sent'; readonly xml: string }
  | { readonly note: 'secured'; readonly tls: TlsFacts }
  | { readonly note: 'not-secured'; readonly detail: string }
  | { readonly note: 'external-offered' }
  /** EXTERNAL is not possible; `because` says what is wrong with the certificate. */
  | { readonly note: 'external-not-offered'; readonly because: string }
  | { readonly note: 'external-succeeded' }
  | { readonly note: 'external-failed'; readonly condition: string; readonly text: string | undefined }
  | { readonly note: 'stream-ready' }
  /** `pending`: opened, nobody authorized; `connected`: a pair is authorized; `closed`. */
  | { readonly note: 'state-changed'; readonly from: StreamState; readonly to: StreamState }
  | { readonly note: 'authorized'; readonly sender: string; readonly target: string; readonly by: AuthorizedBy }
  | { readonly note: 'refused'; readonly sender: string; readonly target: string; readonly because: StreamEnd }
  | { readonly note: 'stream-error-sent'; readonly condition: StreamErrorCondition; readonly text: string | undefined }
  | {
      readonly note: 'stream-error-received';
      readonly condition: StreamErrorCondition;
      readonly text: string | undefined;
    }
  | { readonly note: 'closed-by-administrator'; readonly reason: string }
  | { readonly note: 'ended'; readonly end: StreamEnd; readonly stanzasIn: number; readonly stanzasOut: number }
  /** Something the peer sent that has no effect, e.g. a dialback answer that nobody asked for. */
  | { readonly note: 'ignored'; readonly what: string }
  // Dialback: initiating, receiving, authoritative
  | { readonly note: 'dialback-sent'; readonly xml: string; readonly timeoutSeconds: number }
  | { readonly note: 'dialback-requested'; readonly xml: string }
  | { readonly note: 'dialback-answered'; readonly xml: string }
  | { readonly note: 'dialback-answer-received'; readonly xml: string }
  | { readonly note: 'verify-sent'; readonly xml: string; readonly forConnection: string | undefined }
  | { readonly note: 'verify-answer-received'; readonly xml: string; readonly forConnection: string | undefined }
  /** As authoritative server: what we answered and why; never the expected key. */
  | { readonly note: 'verify-requested'; readonly xml: string }
  | { readonly note: 'verify-answered'; readonly xml: string; readonly because: string }
  | { readonly note: 'verify-stream-closing' }
  // Finding and reaching a peer
  | { readonly note: 'lookup-started'; readonly domain: string; readonly ascii: string; readonly service: string }
  | {
      readonly note: 'lookup-finished';
      readonly domain: string;
      readonly method: 'SRV' | 'A/AAAA' | 'route';
      /** In the order they will be tried; `address` is `host:port`, `directTls` says that TLS comes first there (`_xmpps-server`). */
      readonly targets: readonly { readonly address: string; readonly directTls: boolean }[];
      readonly seconds: { readonly total: number; readonly srv: number };
    }
  | {
      readonly note: 'lookup-failed';
      readonly domain: string;
      readonly stage: 'idna' | 'dns' | 'no-service';
      readonly detail: string;
    }
  | { readonly note: 'connecting'; readonly host: string; readonly address: string }
  | { readonly note: 'connected'; readonly address: string; readonly seconds: number }
  | { readonly note: 'connect-failed'; readonly address: string; readonly detail: string }
  // Routing
  | { readonly note: 'queued'; readonly stanzas: number }
  | { readonly note: 'flushed'; readonly stanzas: number }
  | {
      readonly note: 'bounced';
      readonly kind: string;
      readonly condition: StanzaErrorCondition;
      readonly because: string;
      readonly stanzas: number;
    }
  /** Dropped without an answer; `because` says why none may be sent. */
  | { readonly note: 'dropped'; readonly kind: string; readonly because: string }
  | { readonly note: 'backing-off'; readonly seconds: number; readonly because: StreamEnd }
  // The Link between Edge and Core
  | {
      readonly note: 'link-invited';
      readonly box: string;
      readonly domains: readonly string[];
      readonly until: number;
    }
  /** Paired, by a token. */
  | { readonly note: 'link-joined'; readonly box: string; readonly certificateUntil: number }
  /** Told on the Edge: somebody came with a token that is not good, or not any more. */
  | { readonly note: 'link-join-refused'; readonly because: string }
  /** `resumed`: the session goes on, nothing was lost. `waiting`: stanzas that are sent now. */
  | {
      readonly note: 'link-up';
      readonly box: string;
      readonly resumed: boolean;
      readonly tls: { readonly version: string; readonly cipher: string };
      readonly certificateUntil: number;
      readonly waiting: number;
    }
  /** `waiting`: stanzas that wait for it to come back. */
  | { readonly note: 'link-down'; readonly box: string; readonly because: StreamEnd; readonly waiting: number }
  /** The Core cannot reach the Edge, or is not let in. */
  | { readonly note: 'link-unreachable'; readonly box: string; readonly detail: string }
  /** What waited is returned; `inDoubt` of the stanzas may have been delivered. */
  | {
      readonly note: 'link-given-up';
      readonly box: string;
      readonly detail: string;
      readonly stanzas: number;
      readonly inDoubt: number;
    }
  /** The Edge turned a connection to its Link port away. */
  | { readonly note: 'link-refused'; readonly because: string; readonly box?: string }
  /** A certificate that takes part in a Link: that of the named box. */
  | { readonly note: 'link-certificate-renewed'; readonly box: string; readonly until: number }
  | {
      readonly note: 'link-certificate-not-renewed';
      readonly box: string;
      readonly detail: string;
      readonly until: number;
    }
  /** `by`: which end ended the pairing. */
  | { readonly note: 'link-revoked'; readonly box: string; readonly by: 'us' | 'them'; readonly stanzas: number }
  /** Told on a Core: the Edge does not forward one of its homes. */
  | { readonly note: 'link-home-refused'; readonly box: string; readonly domain: string; readonly because: string }
  /** What the Links keep on disk cannot be used: no Link works. */
  | { readonly note: 'link-storage'; readonly detail: string }
  // The steering responder
  | { readonly note: 'steered'; readonly question: string; readonly client: string; readonly answer: string }
  // clusterdb
  /** One key of a change. A secret is `(secret)`, a key that is not set `undefined`. */
  | {
      readonly note: 'config-changed';
      readonly key: string;
      readonly from: string | undefined;
      readonly to: string | undefined;
      /** `undefined`: it came with a whole replica, which does not say who changed what. */
      readonly by: { readonly revision: number; readonly author: string; readonly reason: string } | undefined;
      /** Where it was changed; `undefined`: on this box. */
      readonly box: string | undefined;
      /** The words of the reference system, where it has some for this key. */
      readonly reference: { readonly name: string; readonly from: string; readonly to: string } | undefined;
    }
  /** What is in the database and not in force. */
  | { readonly note: 'config-left-out'; readonly key: string; readonly because: string }
  | { readonly note: 'replica-replaced'; readonly box: string; readonly revision: number; readonly entries: number }
  /** A key that was replicated and is not taken. */
  | { readonly note: 'replica-skipped'; readonly box: string; readonly key: string; readonly because: string }
  | { readonly note: 'replica-broken'; readonly box: string; readonly because: string }
  /** A step of replication with another box. `revision`: what it is about, where it is about one; 0 is nothing yet. */
  | {
      readonly note: 'replication-step';
      readonly box: string;
      readonly way: 'sent' | 'received';
      readonly step: 'follow' | 'backfill' | 'cutover' | 'change' | 'applied' | 'propose' | 'accepted' | 'declined';
      readonly revision: number | undefined;
    }
  | {
      readonly note: 'proposal-declined';
      readonly box: string;
      readonly author: string;
      readonly problems: readonly string[];
    }
  // The process
  | { readonly note: 'starting'; readonly version: string; readonly role: string; readonly config: string }
  | { readonly note: 'listening'; readonly what: string; readonly address: string }
  | { readonly note: 'listen-failed'; readonly what: string; readonly address: string; readonly detail: string }
  | { readonly note: 'connection-refused'; readonly because: string }
  | { readonly note: 'config-loaded'; readonly path: string; readonly homes: readonly string[] }
  | { readonly note: 'config-refused'; readonly path: string; readonly problems: readonly string[] }
  | {
      readonly note: 'certificate-loaded';
      readonly domains: readonly string[];
      readonly path: string;
      readonly notAfter: number;
    }
  /** A changed file cannot be used; `detail` names it, the reason and the cure. What was in use before stays. */
  | { readonly note: 'certificate-refused'; readonly detail: string }
  /** It is used, and some partners will not like it. */
  | { readonly note: 'certificate-doubtful'; readonly detail: string }
  | { readonly note: 'certificate-expiring'; readonly path: string; readonly days: number }
  | { readonly note: 'component-connected'; readonly domain: string }
  | { readonly note: 'component-lost'; readonly domain: string; readonly detail: string }
  /** An administrator's command that changes something; `author` is what the command says of itself. */
  | { readonly note: 'admin-asked'; readonly author: string; readonly what: string }
  | { readonly note: 'admin-unavailable'; readonly path: string; readonly detail: string }
  | { readonly note: 'draining'; readonly streams: number }
  | { readonly note: 'stopped' }
  /** A fault of our own; the process goes on, the stream it happened on does not. */
  | { readonly note: 'bug'; readonly where: string; readonly detail: string };

export type StreamState = 'pending' | 'connected' | 'closed';
export type AuthorizedBy = 'external' | 'dialback' | 'component';

/** Where notes go: the one way out of the running system for everything that is told. */
export type NoteSink = (note: Note, subject: NoteSubject) => void;
