import type { NoteOf, Rows } from '../row.ts';
import { ended, named, quoted, referenceChange } from '../row.ts';

/** Notes about the live configuration and its replication. The reference system's name for the module is its own. */
type ClusterdbNote =
  | 'config-changed'
  | 'config-left-out'
  | 'replica-replaced'
  | 'replica-skipped'
  | 'replica-broken'
  | 'proposal-declined'
  | 'replication-step';

const MODULE = { module: 'developer.clusterdb.restapi', codeLocation: 'clusterdb' } as const;

export const CLUSTERDB: Rows<ClusterdbNote> = {
  'config-changed': {
    ...MODULE,
    severity: 'info',
    wording: (note) => ({
      sentence: ended(`Configuration${whereOf(note)}: ${whatOf(note)}`),
      fields: {
        key: note.key,
        from: note.from,
        to: note.to,
        revision: note.by?.revision,
        author: note.by?.author,
        reason: note.by?.reason === '' ? undefined : note.by?.reason,
        box: note.box,
      },
    }),
  },
  'config-left-out': {
    ...MODULE,
    severity: 'warning',
    wording: ({ key, because }) => ({
      sentence: `The key ${named(key)} is in the database and not in force: ${ended(because)} It stays there for a fedway that can use it.`,
      fields: { key },
    }),
  },
  'replica-replaced': {
    ...MODULE,
    severity: 'info',
    wording: ({ box, revision, entries }) => ({
      sentence: `The configuration of ${named(box)} was copied whole: revision ${revision}, keys: ${entries}.`,
      fields: { box, revision, entries },
    }),
  },
  'replica-skipped': {
    ...MODULE,
    severity: 'warning',
    folds: true,
    wording: ({ box, key, because }) => ({
      sentence: `The key ${named(key)} from ${named(box)} is not taken: ${ended(because)}`,
      fields: { box, key },
    }),
  },
  'replica-broken': {
    ...MODULE,
    severity: 'warning',
    folds: true,
    wording: ({ box, because }) => ({
      sentence: `The copy of the configuration of ${named(box)} is not continued: ${ended(because)} What was copied before stays in force.`,
      fields: { box },
    }),
  },
  'proposal-declined': {
    ...MODULE,
    severity: 'info',
    folds: true,
    wording: ({ box, author, problems }) => ({
      sentence: `A change that ${named(author)} asked for on ${named(box)} is refused: ${ended(problems[0] ?? 'no reason given')}`,
      fields: { box, author, problems },
    }),
  },
  'replication-step': {
    ...MODULE,
    severity: 'debug',
    wording: ({ box, way, step, revision }) => ({
      sentence: `Replication: ${STEPS[way][step](named(box), revision === 0 ? 'nothing yet' : `revision ${revision}`)}.`,
      fields: { box, way, step, revision },
    }),
  },
};

type Step = NoteOf<'replication-step'>;

/** What each message of the Link's protocol says (docs/reference/link-protocol.md), seen from either end. */
const STEPS: Readonly<Record<Step['way'], Readonly<Record<Step['step'], (box: string, revision: string) => string>>>> =
  {
    sent: {
      follow: (box, revision) => `asked ${box} for its configuration; this box holds ${revision} of it`,
      backfill: (box, revision) => `began to send ${box} the whole configuration of this box, ${revision}`,
      cutover: (box, revision) => `sent ${box} the whole configuration of this box, ${revision}`,
      change: (box, revision) => `sent ${box} ${revision} of the configuration of this box`,
      applied: (box, revision) => `told ${box} that this box holds ${revision} of its configuration`,
      propose: (box) => `asked ${box} for a change of its configuration`,
      accepted: (box, revision) =>
        `told ${box} that the change it asked for is made, or was there already: ${revision}`,
      declined: (box) => `told ${box} that the change it asked for is refused`,
    },
    received: {
      follow: (box, revision) => `${box} asks for the configuration of this box; it holds ${revision} of it`,
      backfill: (box, revision) => `${box} begins to send its whole configuration, ${revision}`,
      cutover: (box, revision) => `${box} has sent its whole configuration, ${revision}`,
      change: (box, revision) => `${revision} of the configuration of ${box} has come`,
      applied: (box, revision) => `${box} holds ${revision} of the configuration of this box`,
      propose: (box) => `${box} asks for a change of the configuration of this box`,
      accepted: (box, revision) => `${box} has made the change that this box asked for, or had it already: ${revision}`,
      declined: (box) => `${box} refuses the change that this box asked for`,
    },
  };

function whereOf({ box, by }: NoteOf<'config-changed'>): string {
  const parts = [
    ...(box === undefined ? [] : [`of ${named(box)}`]),
    ...(by === undefined ? [] : [`revision ${by.revision} by ${named(by.author)}`]),
    ...(by === undefined || by.reason === '' ? [] : [quoted(by.reason)]),
  ];
  return parts.length === 0 ? '' : ` ${parts.join(', ')}`;
}

function whatOf({ key, from, to, reference }: NoteOf<'config-changed'>): string {
  if (reference !== undefined) return referenceChange(reference);
  if (to === SECRET) return `${named(key)} was set to ${from === undefined ? 'a' : 'another'} secret`;
  const was = from === undefined ? 'not set' : from === SECRET ? 'a secret' : named(from);
  return to === undefined
    ? `${named(key)} was removed; it was ${was}`
    : `${named(key)} is now ${named(to)}; it was ${was}`;
}

/** What a note has in the place of a secret. */
const SECRET = '(secret)';
