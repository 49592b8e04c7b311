import type { NoteSubject } from '../../protocol/notes.ts';
import type { Negotiated } from '../../protocol/stream/negotiated.ts';
import type { StreamDriver } from './stream-driver.ts';

/**
 * A stream that lives, as an administrator sees it. Plain data.
 */
export interface StreamFacts {
  /** The handle of its connection, as in the log. */
  readonly connection: string;
  /** Who opened it. */
  readonly direction: 'in' | 'out';
  readonly side: 'foreign' | 'home';
  /** The domain we speak for, and the domain the peer speaks for, as far as they are known. */
  readonly local: string | undefined;
  readonly remote: string | undefined;
  /** Address and port. */
  readonly peer: string | undefined;
  readonly state: 'pending' | 'connected' | 'closed';
  /** Unix milliseconds: since when the connection exists, and when a stanza last passed. */
  readonly since: number;
  readonly lastStanza: number;
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384`; `undefined`: plaintext. */
  readonly tls: string | undefined;
  /** What the peer's certificate proves, or why it proves nothing, in a sentence; `undefined` without TLS. */
  readonly certificate: string | undefined;
  /** The pairs whose stanzas may travel on it, and what proved their sender. */
  readonly authorized: readonly { readonly sender: string; readonly target: string; readonly by: string }[];
  readonly stanzasIn: number;
  readonly stanzasOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** A stream that can say what was negotiated on it. */
export interface FactualStream {
  facts(now: number): Negotiated;
}

/** A running stream whose owner tells of it. */
export interface RunningStream {
  readonly stream: FactualStream;
  readonly driver: StreamDriver;
  readonly subject: NoteSubject;
}

/** What a stream and its driver know, put together; `now` in Unix milliseconds. */
export function factsOf(
  { stream, driver, subject }: RunningStream,
  side: StreamFacts['side'],
  now: number,
): StreamFacts {
  const { state, local, remote, tls, certificate, authorized } = stream.facts(now);
  const { since, lastStanza, stanzasIn, stanzasOut, bytesIn, bytesOut } = driver;
  return {
    connection: subject.connection ?? '',
    direction: subject.direction ?? 'in',
    side,
    local: local ?? subject.local,
    remote: remote ?? subject.remote,
    peer: subject.peer,
    state,
    since,
    lastStanza,
    tls,
    certificate,
    authorized,
    stanzasIn,
    stanzasOut,
    bytesIn,
    bytesOut,
  };
}

/** Ends the stream with this connection handle in good order, on an administrator's word; `false`: it is none of these. */
export function closeNamed(running: Iterable<RunningStream>, connection: string, reason: string): boolean {
  for (const { driver, subject } of running) {
    if (subject.connection !== connection) continue;
    driver.handle({ type: 'close', why: 'administrator', reason });
    return true;
  }
  return false;
}
