import type { XmlElement } from '../../protocol/xml/types.ts';
import { element } from '../../protocol/xml/write.ts';
import { delayOf, writeDateTime } from '../delay.ts';
import { writeResultSet } from '../forms/result-set.ts';
import type { IqAnswer } from '../messaging/ports.ts';
import { MAM, queryForm, readQuery } from './query.ts';
import type { ArchivedMessage, ArchiveEnd, ArchiveStore } from './store.ts';

/** XEP-0297 §3. */
const FORWARD = 'urn:xmpp:forward:0';

/** Messages of one page. */
const PAGE = 50;
const LARGEST_PAGE = 250;

/** A question to one archive, from somebody who may ask it. */
export interface ArchiveInquiry {
  /** The key of the archive in the store. */
  readonly owner: string;
  readonly type: 'get' | 'set';
  /** `<query/>` or `<metadata/>`. */
  readonly payload: XmlElement;
  /** Sends a `<result/>` in a message of its own. Called in order, and before the answer is there (XEP-0313, "Querying an archive"). */
  readonly send: (result: XmlElement) => void;
}

/** Answers what XEP-0313 lets one ask of any archive: its form, its metadata, its messages. */
export function answerInquiry(store: ArchiveStore, { owner, type, payload, send }: ArchiveInquiry): IqAnswer {
  if (payload.name === 'metadata' && type === 'get') return { result: metadataOf(store, owner) };
  if (payload.name !== 'query') return { error: 'feature-not-implemented' };
  if (type === 'get') return { result: queryForm() };
  const query = readQuery(payload);
  if ('error' in query) return query;
  const page = store.page(owner, query.filter, sized(query.page), LARGEST_PAGE);
  if (page === 'unknown') return { error: 'item-not-found', text: 'The archive has no message of that id.' };
  const { messages, complete } = page;
  for (const message of query.flipped ? messages.toReversed() : messages) send(resultOf(message, query.queryId));
  return { result: element('fin', MAM, { complete: complete ? 'true' : undefined }, writeResultSet(page)) };
}

/** Whoever does not say how much they want gets less than they could have. */
function sized<T extends { readonly max: number | undefined }>(request: T): T {
  return { ...request, max: request.max ?? PAGE };
}

function resultOf({ id, time, stanza }: ArchivedMessage, queryId: string | undefined): XmlElement {
  return element(
    'result',
    MAM,
    { queryid: queryId, id },
    element('forwarded', FORWARD, {}, delayOf(undefined, time), stanza),
  );
}

/** XEP-0313, "Archive metadata". */
function metadataOf(store: ArchiveStore, owner: string): XmlElement {
  const ends = store.ends(owner);
  if (ends === undefined) return element('metadata', MAM);
  return element('metadata', MAM, {}, endOf('start', ends.oldest), endOf('end', ends.newest));
}

function endOf(name: string, { id, time }: ArchiveEnd): XmlElement {
  return element(name, MAM, { id, timestamp: writeDateTime(time) });
}
