import { readJid } from '../../protocol/jid/prepare.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, element } from '../../protocol/xml/write.ts';
import { readDateTime } from '../delay.ts';
import { type DataForm, type FormField, formIn, valueOf, writeForm } from '../forms/data-form.ts';
import { type PageRequest, pageRequestIn } from '../forms/result-set.ts';
import type { IqAnswer } from '../messaging/ports.ts';
import type { ArchiveFilter } from './store.ts';

/** XEP-0313 §3. */
export const MAM = 'urn:xmpp:mam:2';

/** Ids that one query may name. */
const MOST_IDS = 250;
/** UTF-16 units of a `queryid`, which is repeated in every result. */
const LONGEST_QUERY_ID = 512;

/** The fields of a query (XEP-0313, "Filtering results"). */
const FIELDS: readonly FormField[] = [
  { name: 'with', type: 'jid-single' },
  { name: 'start', type: 'text-single' },
  { name: 'end', type: 'text-single' },
  { name: 'before-id', type: 'text-single' },
  { name: 'after-id', type: 'text-single' },
  { name: 'ids', type: 'list-multi', open: true },
];
const NAMES: ReadonlySet<string> = new Set(FIELDS.map(({ name }) => name));

const NO_FILTER: ArchiveFilter = {
  with: undefined,
  start: undefined,
  end: undefined,
  afterId: undefined,
  beforeId: undefined,
  ids: undefined,
};

/** A query as it was asked. */
export interface ArchiveQuery {
  readonly filter: ArchiveFilter;
  readonly page: PageRequest;
  /** The newest message of the page comes first. */
  readonly flipped: boolean;
  readonly queryId: string | undefined;
}

type QueryFault = Extract<IqAnswer, { readonly error: unknown }>;

/** The `<query/>` with the fields it may have (XEP-0313, "Retrieving form fields"). */
export function queryForm(): XmlElement {
  return element('query', MAM, {}, writeForm('form', MAM, FIELDS));
}

/** Reads a `<query/>`. What is wrong with it comes back as the error that answers it. */
export function readQuery(query: XmlElement): ArchiveQuery | QueryFault {
  const queryId = attributeOf(query, 'queryid');
  if (queryId !== undefined && queryId.length > LONGEST_QUERY_ID) return wrong('The queryid is too long.');
  // XEP-0313, "Pubsub archives": an account's archive has no nodes.
  if (attributeOf(query, 'node') !== undefined) return { error: 'item-not-found' };
  const page = pageRequestIn(query);
  if (page === 'malformed') return wrong('The result set is malformed.');
  const form = formIn(query);
  if (form === 'malformed') return wrong('The form is malformed.');
  const filter = form === undefined ? NO_FILTER : readFilter(form);
  if ('error' in filter) return filter;
  return { filter, page, flipped: childOf(query, 'flip-page', MAM) !== undefined, queryId };
}

function readFilter(form: DataForm): ArchiveFilter | QueryFault {
  if (form.type !== 'submit' || form.about !== MAM) return wrong('The form is not one for archives.');
  for (const name of form.fields.keys()) {
    if (!NAMES.has(name))
      return { error: 'feature-not-implemented', text: 'The form has a field that is not known here.' };
  }
  const peer = field(form, 'with', readJid);
  const start = field(form, 'start', readDateTime);
  const end = field(form, 'end', readDateTime);
  const afterId = field(form, 'after-id', (id) => id);
  const beforeId = field(form, 'before-id', (id) => id);
  const ids = form.fields.get('ids');
  if (ids !== undefined && ids.length > MOST_IDS) return { error: 'policy-violation', text: 'These are too many ids.' };
  if (peer === 'malformed' || start === 'malformed' || end === 'malformed')
    return wrong('An address or a time in the form is malformed.');
  return { with: peer, start, end, afterId, beforeId, ids: ids?.length === 0 ? undefined : ids };
}

/** The value of a field as `read` understands it; a field that is empty is as if it were not there. */
function field<T>(form: DataForm, name: string, read: (text: string) => T | undefined): T | 'malformed' | undefined {
  const values = form.fields.get(name);
  if (values === undefined || values.length === 0) return undefined;
  const text = valueOf(form, name);
  if (text === undefined) return 'malformed';
  return text === '' ? undefined : (read(text) ?? 'malformed');
}

function wrong(text: string): QueryFault {
  return { error: 'bad-request', text };
}
