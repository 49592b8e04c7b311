import { LONGEST_LINE } from '../imp/shell/shell.ts';
import { Fields, isObject, parsed, refuse } from './fields.ts';
import type { NodeDeed, NodeRequest, NodeRequestTo } from './node-wire.ts';
import { WIRE } from './wire.ts';

const LONGEST_NAME = 255;
/** Of a password, as typed; what may be one is for the accounts to say. */
const LONGEST_PASSWORD = 4_096;

/** How each request is read. A deed that is added to `NodeRequest` does not compile without its row. */
const DEEDS: { readonly [D in NodeDeed]: (fields: Fields) => NodeRequestTo<D> } = {
  hello: () => ({ do: 'hello' }),
  status: () => ({ do: 'status' }),
  notifications: () => ({ do: 'notifications' }),
  line: (fields) => ({ do: 'line', author: author(fields), line: fields.text('line', LONGEST_LINE) }),
  interrupt: () => ({ do: 'interrupt' }),
  complete: (fields) => ({ do: 'complete', line: fields.text('line', LONGEST_LINE) }),
  'user-list': () => ({ do: 'user-list' }),
  'user-add': (fields) => ({ do: 'user-add', author: author(fields), user: user(fields), password: password(fields) }),
  'user-password': (fields) => ({
    do: 'user-password',
    author: author(fields),
    user: user(fields),
    password: password(fields),
  }),
  'user-active': (fields) => ({
    do: 'user-active',
    author: author(fields),
    user: user(fields),
    active: fields.oneOf('active', ['yes', 'no']),
  }),
  'user-remove': (fields) => ({ do: 'user-remove', author: author(fields), user: user(fields) }),
  'admin-list': () => ({ do: 'admin-list' }),
  'admin-add': (fields) => ({
    do: 'admin-add',
    author: author(fields),
    name: name(fields),
    password: password(fields),
    role: role(fields),
  }),
  'admin-password': (fields) => ({
    do: 'admin-password',
    author: author(fields),
    name: name(fields),
    password: password(fields),
  }),
  'admin-role': (fields) => ({ do: 'admin-role', author: author(fields), name: name(fields), role: role(fields) }),
  'admin-remove': (fields) => ({ do: 'admin-remove', author: author(fields), name: name(fields) }),
};

function author(fields: Fields): string {
  return fields.text('author', LONGEST_NAME);
}

function user(fields: Fields): string {
  return fields.text('user', LONGEST_NAME);
}

function name(fields: Fields): string {
  return fields.text('name', LONGEST_NAME);
}

function password(fields: Fields): string {
  return fields.text('password', LONGEST_PASSWORD);
}

function role(fields: Fields): 'axl' | 'none' {
  return fields.oneOf('role', ['axl', 'none']);
}

/** One line without its end, as a request; or why it is none, in a sentence. Never throws, whatever the line is. */
export function readNodeRequest(line: string): { readonly request: NodeRequest } | { readonly refused: string } {
  const value = parsed(line);
  if (!isObject(value)) return refuse('the line is not a JSON object');
  const fields = new Fields(value);
  const wire = fields.json('wire');
  // Before anything else: the rest of another version's request may mean something else.
  if (wire !== WIRE) {
    return {
      refused: `This node speaks version ${WIRE} of the admin protocol, and the request is of another. Use the fedway command of the version that runs, or restart the node after an upgrade.`,
    };
  }
  const deed = fields.text('do', LONGEST_NAME);
  if (!isDeed(deed)) return refuse(fields.problem ?? `${JSON.stringify(deed)} is nothing that an IM&P node does`);
  const request = DEEDS[deed](fields);
  return fields.problem === undefined ? { request } : refuse(fields.problem);
}

function isDeed(word: string): word is NodeDeed {
  return Object.hasOwn(DEEDS, word);
}
