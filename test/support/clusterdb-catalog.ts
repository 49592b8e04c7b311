import type { Catalog, KeyKind } from '../../src/clusterdb/types.ts';

const number: KeyKind['read'] = (value) =>
  typeof value === 'number' ? { value } : { refused: 'it is a number, e.g. 1.' };

const oneOf =
  (...values: readonly string[]): KeyKind['read'] =>
  (value) =>
    typeof value === 'string' && values.includes(value.toLowerCase())
      ? { value: value.toLowerCase() }
      : { refused: `it is one of ${values.join(', ')}.` };

const KINDS: readonly (readonly [RegExp, KeyKind])[] = [
  [
    /^federation$/,
    {
      owner: 'edge',
      secret: false,
      read: oneOf('on', 'off'),
      told: (value) => ({ name: 'is_federation_enabled', value: value === 'on' ? '1' : '0' }),
    },
  ],
  [/^tls$/, { owner: 'edge', secret: false, read: oneOf('required', 'optional', 'none') }],
  [/^dialback_secret$/, { owner: 'edge', secret: true, read: (value) => ({ value }) }],
  [/^secret\.\w+$/, { owner: 'edge', secret: true, read: number }],
  [/^count\.\w+$/, { owner: 'edge', secret: false, read: number }],
  [/^list\.\w+$/, { owner: 'edge', secret: false, read: (value) => ({ value }) }],
  [/^address\.\w+$/, { owner: 'core', secret: false, stays: true, read: (value) => ({ value }) }],
  [/^homes\.[\w.]+\.federation$/, { owner: 'core', secret: false, read: oneOf('on', 'off') }],
];

/** A small catalog: keys of both owners, secrets, a key that stays, a key with a name of the reference system, and a rule across keys. */
export const CATALOG: Catalog = {
  kindOf: (key) =>
    KINDS.find(([pattern]) => pattern.test(key))?.[1] ?? { refused: 'there is no such key; did you mean "tls"?' },
  check: (values) =>
    values.get('federation') === 'on' && values.get('tls') === 'none' && !values.has('dialback_secret')
      ? ['federation: with tls none there is dialback only, and that needs dialback_secret.']
      : [],
};
