import type { Waiting } from '../protocol/link/waiting-queue.ts';
import { NS } from '../protocol/namespaces.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import { NO_LIMITS } from '../protocol/xml/limits.ts';
import { XmlReader } from '../protocol/xml/reader.ts';
import type { Stanza } from '../protocol/xml/types.ts';

const HEADER = new TextEncoder().encode(`<stream:stream xmlns='${NS.server}' xmlns:stream='${NS.stream}'>`);

/**
 * Stanzas from the bytes that waited for a Link, for those that have to be answered with an error. The bytes were written by us, for a
 * stream in jabber:server.
 */
export function* reread(
  waiting: readonly Waiting[],
): Generator<{ readonly stanza: Stanza; readonly pair: StreamPair }, void> {
  const reader = new XmlReader({ limits: NO_LIMITS });
  reader.push(HEADER);
  reader.next();
  for (const { bytes, pair } of waiting) {
    reader.push(bytes);
    const event = reader.next();
    if (event?.type !== 'stanza') throw new Error('what waited for the Link is not a stanza');
    yield { stanza: event.stanza, pair };
  }
}

/** Whether a stanza that waited is an error: it answers somebody who waits for it. */
export function isError(waiting: Waiting): boolean {
  for (const { stanza } of reread([waiting])) return stanza.type === 'error';
  return false;
}
