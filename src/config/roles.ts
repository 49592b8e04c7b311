/**
 * What a boot file can describe. A single box with `data` is governed by its live settings, as Edge and Core are; one without by its
 * boot file alone.
 */
export type Setup = 'single' | 'single with data' | 'edge' | 'core';

export const SETUPS: readonly Setup[] = ['single', 'single with data', 'edge', 'core'];

/** What a key is to the boxes. */
export interface RoleRule {
  /** Where it must be written. `example` is what to write, in YAML; `''` for a section, which needs more than a line. */
  readonly needed?: { readonly by: readonly Setup[]; readonly example: string };
  /** Where it must not be written, and why. */
  readonly refused?: readonly Refusal[];
}

interface Refusal {
  readonly by: readonly Setup[];
  /** Completes the line `s2s.tls: ...`, as that of a problem. */
  readonly reason: string;
  /** Sentences. The value is what was written; `undefined` when it was no good. */
  cure(value: unknown): string;
}

const SINGLE: readonly Setup[] = ['single', 'single with data'];
const OUTSIDE: readonly Setup[] = [...SINGLE, 'edge'];
const INSIDE: readonly Setup[] = [...SINGLE, 'core'];

/** A key that only boxes which talk with partners have. */
const NOT_ON_A_CORE: Refusal = {
  by: ['core'],
  reason: 'a Core does not talk with partners, its Edge does',
  cure: () =>
    'Write it on the Edge; of s2s a Core has timeouts and limits, which bound its streams to the servers inside.',
};

/** A key that clusterdb has wherever there is one. `set` is the command that says the same. */
function live(set: (value: unknown) => string): Refusal {
  return {
    by: ['single with data', 'edge', 'core'],
    reason: 'is a live setting wherever there is a data folder',
    cure: (value) => `Remove it here; on the running box: ${set(value)}`,
  };
}

function wordOr(value: unknown, usual: string): string {
  return typeof value === 'string' ? value : usual;
}

const THE_CORE_DIALS = 'the Core dials, nobody dials it';
const THE_EDGE_IS_DIALED = 'an Edge dials nobody inside, its Cores dial it';

/** The keys that not every box may or must have, as `keysOf` writes their paths. What is not here is for all. */
export const ROLE_RULES: Readonly<Record<string, RoleRule>> = {
  data: { needed: { by: ['edge', 'core'], example: '/var/lib/fedway' } },
  link: {
    needed: { by: ['edge'], example: '{ listen: ["192.0.2.1:7400"] }' },
    refused: [
      {
        by: SINGLE,
        reason: 'a single box has no Link',
        cure: () => 'Remove it, or write "role: edge" or "role: core".',
      },
    ],
  },
  'link.listen': {
    needed: { by: ['edge'], example: '["192.0.2.1:7400"]' },
    refused: [{ by: ['core'], reason: THE_CORE_DIALS, cure: () => 'Write it on the Edge.' }],
  },
  'link.address': { refused: [{ by: ['core'], reason: THE_CORE_DIALS, cure: () => 'Write it on the Edge.' }] },
  'link.dial_from': { refused: [{ by: ['edge'], reason: THE_EDGE_IS_DIALED, cure: () => 'Write it on the Core.' }] },
  'link.connect': { refused: [{ by: ['edge'], reason: THE_EDGE_IS_DIALED, cure: () => 'Write it on the Core.' }] },
  s2s: { needed: { by: OUTSIDE, example: '' } },
  's2s.listen': { needed: { by: OUTSIDE, example: '["192.0.2.1:5269"]' }, refused: [NOT_ON_A_CORE] },
  's2s.tls_listen': { refused: [NOT_ON_A_CORE] },
  's2s.dial_from': { refused: [NOT_ON_A_CORE] },
  's2s.trust': { refused: [NOT_ON_A_CORE] },
  's2s.tls': { refused: [live((value) => `fedway config set tls ${wordOr(value, 'required')}`)] },
  's2s.authentication': {
    refused: [live((value) => `fedway config set authentication ${wordOr(value, 'either')}`)],
  },
  's2s.dialback_secret': {
    needed: { by: ['single'], example: '{ file: dialback.secret }' },
    refused: [
      live(() => 'fedway config set dialback_secret --from-file FILE. Without, fedway makes one at its first start'),
    ],
  },
  'homes[].certificate': {
    needed: { by: OUTSIDE, example: 'certs/example.org.pem' },
    refused: [notOnACore('the certificates of the homes belong to the Edge, which shows them to partners')],
  },
  'homes[].key': {
    needed: { by: OUTSIDE, example: 'certs/example.org.key' },
    refused: [notOnACore('the keys of the homes belong to the Edge, which shows their certificates to partners')],
  },
  'homes[].server': {
    needed: { by: INSIDE, example: '{ s2s: { address: "10.0.0.10:5269" } }' },
    refused: [{ by: ['edge'], reason: 'an Edge holds no inner address', cure: () => 'Write the server on the Core.' }],
  },
  inside: {
    refused: [
      {
        by: ['edge'],
        reason: 'an Edge holds no inner address: the servers inside talk with the Core',
        cure: () => 'Write the section on the Core.',
      },
    ],
  },
  publishers: {
    refused: [
      {
        by: ['single'],
        reason: 'the IM&P servers are live settings, which take a data folder',
        cure: () => 'Write "data: /var/lib/fedway", or remove the section.',
      },
      {
        by: ['edge'],
        reason: 'an Edge holds no inner address: its Core tells the IM&P servers',
        cure: () => 'Write the section on the Core.',
      },
    ],
  },
  dns: {
    refused: [
      {
        by: ['edge'],
        reason: 'an Edge steers nobody: the servers inside ask the Core',
        cure: () => 'Write the section on the Core.',
      },
    ],
  },
  partners: {
    refused: [
      live(
        () =>
          'fedway config set allow.example.org "a note". A boot file that was in force is taken over by: fedway config import --boot FILE',
      ),
    ],
  },
};

function notOnACore(reason: string): Refusal {
  return { by: ['core'], reason, cure: () => 'Remove it here.' };
}

/** Why a box must not have a key; `undefined`: it may. */
export function refusalOf(path: string, setup: Setup): Refusal | undefined {
  return ROLE_RULES[path]?.refused?.find(({ by }) => by.includes(setup));
}

/** The boxes that may have a key, which takes that they may have the sections it is in. */
export function setupsOf(path: string): readonly Setup[] {
  const parts = path.split('.').map((_, index, all) => all.slice(0, index + 1).join('.'));
  return SETUPS.filter((setup) => parts.every((part) => refusalOf(part, setup) === undefined));
}
