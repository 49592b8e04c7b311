import type { NodeOperations, Outcome, UserFacts } from '../operations.ts';
import { jsonReply, type Reply } from './reply.ts';

/** Path of the users. That of one user has the name behind it. */
export const USERS_PATH = '/api/v1/users';

/** A request to the users, its account admitted. */
export interface UsersCall {
  readonly method: string;
  /** The name in the path, decoded; `undefined`: all users. */
  readonly user: string | undefined;
  readonly body: Uint8Array;
  /** On whose behalf. */
  readonly author: string;
}

/** The name behind the path of the users: `undefined` there is none. `refused`: this is no path. */
export function userIn(path: string): { readonly user: string | undefined } | 'refused' {
  if (path === USERS_PATH || path === `${USERS_PATH}/`) return { user: undefined };
  const name = path.slice(USERS_PATH.length + 1);
  if (!path.startsWith(`${USERS_PATH}/`) || name.includes('/')) return 'refused';
  try {
    return { user: decodeURIComponent(name) };
  } catch {
    return 'refused'; // not percent-encoded UTF-8: the one thing decodeURIComponent throws for
  }
}

/** The methods for all users, or for one. */
export function methodsOf(user: string | undefined): readonly string[] {
  return user === undefined ? ['GET', 'POST'] : ['GET', 'PATCH', 'DELETE'];
}

/** Answers a request to the users. `method` is one of `methodsOf`. */
export async function answerUsers(
  { method, user, body, author }: UsersCall,
  { users }: Pick<NodeOperations, 'users'>,
): Promise<Reply> {
  if (user === undefined) {
    return method === 'POST' ? add(body, author, users) : jsonReply(200, { users: users.list().map(shown) });
  }
  const found = users.list().find((each) => each.user === user);
  if (found === undefined) return jsonReply(404, { error: 'There is no such user.' }, 'there is no such user');
  if (method === 'GET') return jsonReply(200, shown(found));
  if (method === 'DELETE') return outcome(users.remove(user, author), 200);
  return change(body, user, author, users);
}

async function add(body: Uint8Array, author: string, users: NodeOperations['users']): Promise<Reply> {
  const read = fieldsOf(body, { user: 'string', password: 'string' });
  if ('refused' in read) return read.refused;
  const { user, password } = read.fields;
  if (typeof user !== 'string' || typeof password !== 'string')
    return malformed('Give "user" and "password", both texts.');
  return outcome(await users.add(user, password, author), 201);
}

async function change(body: Uint8Array, user: string, author: string, users: NodeOperations['users']): Promise<Reply> {
  const read = fieldsOf(body, { password: 'string', active: 'boolean' });
  if ('refused' in read) return read.refused;
  const { password, active } = read.fields;
  const outcomes: Outcome[] = [];
  // The password first: it is what can be refused.
  if (typeof password === 'string') outcomes.push(await users.setPassword(user, password, author));
  if (typeof active === 'boolean' && !outcomes.some((each) => 'refused' in each)) {
    outcomes.push(users.setActive(user, active, author));
  }
  const [first, second] = outcomes;
  if (first === undefined) return malformed('Give "password", "active" or both.');
  if (second === undefined || 'refused' in first) return outcome(first, 200);
  return outcome('refused' in second ? second : { done: `${first.done} ${second.done}` }, 200);
}

function shown({ user, address, active, sessions, created }: UserFacts): object {
  return { user, address, active, sessions, created: new Date(created).toISOString() };
}

function outcome(what: Outcome, status: number): Reply {
  return 'done' in what ? jsonReply(status, what) : jsonReply(409, { error: what.refused }, what.refused);
}

function malformed(sentence: string): Reply {
  return jsonReply(400, { error: sentence }, sentence);
}

/** The members of a JSON object, each of the type that is said; a member that is not named is a slip of the client. */
function fieldsOf(
  body: Uint8Array,
  types: Readonly<Record<string, 'string' | 'boolean'>>,
): { readonly fields: Readonly<Record<string, unknown>> } | { readonly refused: Reply } {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return { refused: malformed('The body is not JSON in UTF-8.') };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { refused: malformed('The body is not a JSON object.') };
  }
  for (const [name, member] of Object.entries(value)) {
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    if (type === undefined || typeof member !== type) {
      return {
        refused: malformed(
          `The members may be ${Object.entries(types)
            .map(([one, kind]) => `"${one}" (${kind})`)
            .join(', ')}.`,
        ),
      };
    }
  }
  return { fields: value as Readonly<Record<string, unknown>> };
}
