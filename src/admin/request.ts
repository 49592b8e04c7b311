import { Fields, isObject, parsed, refuse } from './fields.ts';
import { type AdminDeed, type AdminRequest, type RequestTo, WIRE } from './wire.ts';

/** UTF-16 units of a key: two domain names and what is around them. */
const LONGEST_KEY = 1024;
const LONGEST_NAME = 255;
const LONGEST_REASON = 1000;
/** A token holds a certificate's fingerprint, an address and a secret. */
const LONGEST_TOKEN = 8192;
const MOST_STEPS = 100_000;
const MOST_DOMAINS = 1000;
const MOST_CHANGES = 100_000;
/** A token that holds longer is a password. */
const LONGEST_VALIDITY = 30 * 86_400_000;

/** How each request is read. A deed that is added to `AdminRequest` does not compile without its row. */
const DEEDS: { readonly [D in AdminDeed]: (fields: Fields) => RequestTo<D> } = {
  hello: () => ({ do: 'hello' }),
  status: (fields) => ({ do: 'status', reach: fields.oneOf('reach', ['here', 'everywhere']) }),
  streams: () => ({ do: 'streams' }),
  'close-stream': (fields) => ({
    do: 'close-stream',
    author: author(fields),
    connection: fields.text('connection', LONGEST_NAME),
    reason: fields.text('reason', LONGEST_REASON),
  }),
  'config-list': () => ({ do: 'config-list' }),
  'config-change': (fields) => ({
    do: 'config-change',
    author: author(fields),
    reason: fields.text('reason', LONGEST_REASON),
    steps: fields.objects('steps', MOST_STEPS, (step) =>
      step.has('remove')
        ? { remove: step.text('remove', LONGEST_KEY) }
        : { put: step.text('put', LONGEST_KEY), value: step.json('value') },
    ),
    ...(fields.has('expect') ? { expect: fields.wholes('expect') } : {}),
    ...fields.textIfAny('edge', LONGEST_NAME),
  }),
  'config-log': (fields) => ({ do: 'config-log', limit: fields.whole('limit', 1, MOST_CHANGES) }),
  'link-list': () => ({ do: 'link-list' }),
  'link-invite': (fields) => ({
    do: 'link-invite',
    author: author(fields),
    name: fields.text('name', LONGEST_NAME),
    domains: fields.texts('domains', MOST_DOMAINS, LONGEST_NAME),
    validForMs: fields.whole('validForMs', 1, LONGEST_VALIDITY),
    ...fields.textIfAny('address', LONGEST_NAME),
  }),
  'link-join': (fields) => ({ do: 'link-join', author: author(fields), token: fields.text('token', LONGEST_TOKEN) }),
  'link-revoke': (fields) => ({ do: 'link-revoke', author: author(fields), name: fields.text('name', LONGEST_NAME) }),
  'publisher-list': () => ({ do: 'publisher-list' }),
  'publisher-refresh': (fields) => ({
    do: 'publisher-refresh',
    author: author(fields),
    ...fields.textIfAny('name', LONGEST_NAME),
  }),
};

function author(fields: Fields): string {
  return fields.text('author', LONGEST_NAME);
}

/** One line without its end, as a request; or why it is none, in a sentence. Never throws, whatever the line is. */
export function readRequest(line: string): { readonly request: AdminRequest } | { readonly refused: string } {
  const value = parsed(line);
  if (!isObject(value)) return refuse('the line is not a JSON object');
  const fields = new Fields(value);
  const wire = fields.json('wire');
  // Before anything else: the rest of another version's request may mean something else.
  if (wire !== WIRE) {
    return {
      refused: `This fedway speaks version ${WIRE} of the admin protocol, and the request is of ${
        typeof wire === 'number' ? `version ${wire}` : 'none'
      }. Use the fedway command of the version that runs, or restart fedway after an upgrade.`,
    };
  }
  const deed = fields.text('do', LONGEST_NAME);
  if (!isDeed(deed)) return refuse(fields.problem ?? `${JSON.stringify(deed)} is nothing that can be done`);
  const request = DEEDS[deed](fields);
  return fields.problem === undefined ? { request } : refuse(fields.problem);
}

function isDeed(word: string): word is AdminDeed {
  return Object.hasOwn(DEEDS, word);
}
