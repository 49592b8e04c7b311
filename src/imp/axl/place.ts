import { methodsOf, USERS_PATH, userIn } from './users-api.ts';

/** What stands at a path. */
export type Place =
  | { readonly at: 'axl'; readonly path: string; readonly methods: readonly string[] }
  | {
      readonly at: 'users';
      /** Without the user's name, for the log. */
      readonly path: string;
      readonly methods: readonly string[];
      readonly user: string | undefined;
    };

/** What stands at the path of a request target; `undefined`: nothing. */
export function placeOf(target: string): Place | undefined {
  const path = target.split('?', 1)[0] ?? '';
  if (path === '/axl' || path === '/axl/') return { at: 'axl', path: '/axl/', methods: ['GET', 'POST'] };
  const found = userIn(path);
  if (found === 'refused') return undefined;
  const { user } = found;
  return { at: 'users', path: USERS_PATH, methods: methodsOf(user), user };
}
