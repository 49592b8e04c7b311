import type { StreamEnd } from '../end.ts';

/** Clients of an IM&P node: their streams, authentication, sessions. */
export type ClientNote =
  | { readonly note: 'client-connected'; readonly transport: ClientTransport }
  | { readonly note: 'client-secured'; readonly version: string; readonly cipher: string }
  /** Elements of the stream that are no stanzas; what authenticates is masked. */
  | { readonly note: 'client-element'; readonly sent: boolean; readonly xml: string }
  | { readonly note: 'client-authenticated'; readonly username: string; readonly mechanism: string }
  | {
      readonly note: 'client-not-authenticated';
      /** Who it said to be, prepared; `undefined`: nobody that there could be. */
      readonly username: string | undefined;
      /** `undefined`: none that we have. */
      readonly mechanism: string | undefined;
      readonly condition: string;
      readonly why: string;
    }
  /** Somebody guesses passwords and is turned away for a while; told once, when that begins. */
  | {
      readonly note: 'client-braked';
      readonly what: 'source' | 'account';
      readonly name: string;
      readonly failures: number;
      readonly seconds: number;
    }
  | { readonly note: 'client-bound'; readonly address: string }
  /** The connection is gone, and the session is kept for the client to resume. */
  | { readonly note: 'client-away'; readonly address: string; readonly seconds: number }
  /** `again`: stanzas that were sent a second time. */
  | { readonly note: 'client-resumed'; readonly address: string; readonly again: number }
  /** `undelivered`: stanzas that the client has never acknowledged. */
  | { readonly note: 'client-session-ended'; readonly address: string; readonly undelivered: number }
  /** More waits for a client than is kept: its session ends. */
  | { readonly note: 'client-overflow'; readonly address: string; readonly bytes: number }
  /** A connection is over, whether it ever had a session or not. */
  | { readonly note: 'client-gone'; readonly end: StreamEnd; readonly stanzasIn: number; readonly stanzasOut: number }
  | { readonly note: 'client-ignored'; readonly what: string }
  /** A connection was closed at once. */
  | { readonly note: 'client-refused'; readonly because: string }
  /** Something that is no stream came where WebSockets are expected, or a WebSocket that does not keep to RFC 7395. */
  | { readonly note: 'client-websocket-refused'; readonly because: string };

/** What a stream of a client runs over. */
export type ClientTransport = 'STARTTLS' | 'direct TLS' | 'WebSocket';
