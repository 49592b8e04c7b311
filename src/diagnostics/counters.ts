import type { AuthorizedBy, Note, NoteSink, NoteSubject, StreamState } from '../protocol/notes.ts';
import { codeOf } from '../protocol/sentence.ts';
import type { StanzaErrorCondition } from '../protocol/stream/stanza-error.ts';
import type { NoteName, NoteOf } from './row.ts';

/** The four kinds of streams: which of our faces, and who opened it. */
export type StreamKind = `${'foreign' | 'home'}-${'in' | 'out'}`;

/** Counters at one moment. All but the pending and connected streams only grow. */
export interface CountersSnapshot {
  readonly stanzas: {
    readonly inward: number;
    readonly outward: number;
    /** By the condition of the error that was returned. */
    readonly bounced: Readonly<Partial<Record<StanzaErrorCondition, number>>>;
    readonly dropped: number;
  };
  /** `pending` and `connected` are those open now, `closed` all that ever were. */
  readonly streams: Readonly<Record<StreamKind, Readonly<Record<StreamState, number>>>>;
  /** Pairs, by what proved them. */
  readonly authorized: Readonly<Record<AuthorizedBy, number>>;
  /** Pairs that were not authorized, by the code of the reason (`codeOf`). */
  readonly refused: Readonly<Record<string, number>>;
  /** Connections turned away before a stream. */
  readonly connectionsRefused: number;
  /** Faults of our own. */
  readonly bugs: number;
}

/**
 * Plain numbers: whoever relays a stanza adds to `inward` or `outward` itself, everything else is counted from notes. No label is
 * anything that a peer can choose, so that there is a bounded number of them.
 */
export class Counters {
  /** Stanzas relayed from foreign to home, and from home to foreign. */
  inward = 0;
  outward = 0;

  readonly #bounced: Partial<Record<StanzaErrorCondition, number>> = {};
  #dropped = 0;
  /** The streams that are open, by connection: an entry lasts from the first header or the accept to `ended`. */
  readonly #open = new Map<string, { readonly kind: StreamKind; state: StreamState }>();
  readonly #closed: Record<StreamKind, number> = { 'foreign-in': 0, 'foreign-out': 0, 'home-in': 0, 'home-out': 0 };
  readonly #authorized: Record<AuthorizedBy, number> = { external: 0, dialback: 0, component: 0 };
  readonly #refused: Record<string, number> = {};
  #connectionsRefused = 0;
  #bugs = 0;

  /** Counts a note. Can be handed around by itself. */
  readonly note: NoteSink = (note, subject) => {
    const count = this.#counts[note.note] as ((note: Note, subject: NoteSubject) => void) | undefined;
    count?.(note, subject);
  };

  /** A copy that does not change any more. */
  snapshot(): CountersSnapshot {
    return {
      stanzas: {
        inward: this.inward,
        outward: this.outward,
        bounced: { ...this.#bounced },
        dropped: this.#dropped,
      },
      streams: this.#streams(),
      authorized: { ...this.#authorized },
      refused: { ...this.#refused },
      connectionsRefused: this.#connectionsRefused,
      bugs: this.#bugs,
    };
  }

  readonly #counts: { readonly [N in NoteName]?: (note: NoteOf<N>, subject: NoteSubject) => void } = {
    accepted: (_note, subject) => this.#opened(subject),
    'header-sent': (_note, subject) => this.#opened(subject),
    'state-changed': ({ to }, { connection = '' }) => {
      const stream = this.#open.get(connection);
      if (stream !== undefined) stream.state = to;
    },
    ended: (_note, subject) => {
      if (subject.connection !== undefined && this.#open.delete(subject.connection)) this.#closed[kindOf(subject)]++;
    },
    authorized: ({ by }) => {
      this.#authorized[by]++;
    },
    refused: ({ because }) => {
      const code = codeOf(because);
      this.#refused[code] = (this.#refused[code] ?? 0) + 1;
    },
    bounced: ({ condition, stanzas }) => {
      this.#bounced[condition] = (this.#bounced[condition] ?? 0) + stanzas;
    },
    dropped: () => {
      this.#dropped++;
    },
    'connection-refused': () => {
      this.#connectionsRefused++;
    },
    bug: () => {
      this.#bugs++;
    },
  };

  #opened(subject: NoteSubject): void {
    const { connection } = subject;
    if (connection === undefined || this.#open.has(connection)) return;
    this.#open.set(connection, { kind: kindOf(subject), state: 'pending' });
  }

  #streams(): CountersSnapshot['streams'] {
    const none = (kind: StreamKind) => ({ pending: 0, connected: 0, closed: this.#closed[kind] });
    const streams = {
      'foreign-in': none('foreign-in'),
      'foreign-out': none('foreign-out'),
      'home-in': none('home-in'),
      'home-out': none('home-out'),
    };
    for (const { kind, state } of this.#open.values()) streams[kind][state]++;
    return streams;
  }
}

function kindOf({ side = 'foreign', direction = 'in' }: NoteSubject): StreamKind {
  return `${side}-${direction}`;
}
