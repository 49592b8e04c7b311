import type { TlsFacts } from '../identity/facts.ts';
import type { Domain } from '../jid/domain.ts';
import type { ScramHash, ScramKeys } from '../sasl/scram-keys.ts';
import type { ChannelBindings, ScramCrypto } from '../sasl/scram-receiving.ts';
import type { XmlLimits } from '../xml/types.ts';
import type { SessionDesk } from './sessions.ts';

/** Time-outs of the stream of a client, in milliseconds. */
export interface ClientTimeouts {
  readonly header: number;
  /** From one stream header to authentication, and from authentication to a session. */
  readonly negotiation: number;
  readonly close: number;
  /** Silence after which a client with stream management is asked whether it is still there. */
  readonly quiet: number;
  /** How long it may take to answer that. */
  readonly answer: number;
}

/** What slows down and turns away who guesses passwords. */
export interface Brake {
  /** Whether an attempt to be this user may be made now. */
  admits(username: string): boolean;
  /** An attempt failed; `username` is `undefined` when it named nobody. The answer is for how long the client must wait to hear of it, in milliseconds. */
  failed(username: string | undefined): number;
  succeeded(username: string): void;
}

/** What authentication needs to know. All functions answer at once. */
export interface AuthenticationContext {
  readonly domain: Domain;
  readonly crypto: ScramCrypto;
  readonly brake: Brake;
  /** Unpredictable, 128 bits at least, printable and without comma. */
  newNonce(): string;
  /** The keys of a user, or such that nothing can satisfy (see `ScramFacts.keysOf`). */
  keysOf(username: string, hash: ScramHash): { readonly keys: ScramKeys; readonly exists: boolean };
}

/** What the stream of a client knows of the node it belongs to. */
export interface ClientContext extends AuthenticationContext {
  /** TLS that was there before the first byte of XML: on the port of direct TLS (XEP-0368), and below a WebSocket. `undefined`: STARTTLS is required. */
  readonly tls: TlsFacts | undefined;
  readonly timeouts: ClientTimeouts;
  /** Of stanzas, once the client is authenticated. */
  readonly limits: XmlLimits;
  readonly desk: SessionDesk;
  /** Whether the next thing that a client with a session has sent is looked at now; else a `go-on` comes when it is time. */
  mayRead(username: string): boolean;
  /** Unpredictable, 128 bits at least, never used twice. */
  newStreamId(): string;
  /** The channel bindings of the connection, asked for once it is secured. */
  channelBindings(): ChannelBindings;
}
