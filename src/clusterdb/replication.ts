import type { ConfigStep, ReplicationMessage } from '../protocol/link/messages.ts';
import type { NoteSink } from '../protocol/notes.ts';
import { theFirst } from './bounds.ts';
import { keyOf } from './plan.ts';
import type { ProposalOutcome } from './proposals.ts';
import { Proposals } from './proposals.ts';
import { Replica } from './replica.ts';
import { Source } from './source.ts';
import type { Clusterdb } from './store.ts';
import type { ChangeOutcome, ChangeRequest, ChangeStep, Entry, KeyOwner } from './types.ts';

/** Changes that a peer may have asked for and not been answered: as many as an honest one waits for. */
const WAITING = 100;
/** UTF-16 units of a key in a sentence. */
const SHOWN_KEY = 1_000;

type Proposal = Extract<ReplicationMessage, { readonly is: 'propose' }>;

export interface ReplicationOptions {
  readonly db: Clusterdb;
  /** The box at the other end: its lasting id, and its name for people. */
  readonly peer: { readonly id: string; readonly name: string };
  readonly peerOwns: KeyOwner;
  readonly own: KeyOwner;
  /** Why the peer may not ask for a change of a key of this box, as half a sentence; without: of every key it may. */
  readonly objection?: (key: string) => string | undefined;
  /** Sends over the Link, in order. `false`: the Link is down, nothing was sent. */
  tell(message: ReplicationMessage): boolean;
  readonly notes: NoteSink;
  /** The replica of the peer is another one now. */
  changed(): void;
  /** Unix milliseconds. */
  now(): number;
  /** Runs something after whatever else waits for its turn: `setImmediate`. */
  readonly later?: (run: () => void) => void;
}

/**
 * Keeps this box and one peer in step: each follows what the other owns, and asks the other for changes of it. Both ends are alike.
 *
 * Messages are expected in order as long as the Link is established. At a break any of them may be lost; `up` makes both sides say how far they
 * are, and the rest follows from that.
 */
export class Replication {
  readonly #options: ReplicationOptions;
  readonly #source: Source;
  readonly #replica: Replica;
  readonly #proposals: Proposals;
  readonly #unwatch: () => void;
  #isUp = false;
  /** What the peer asks for beyond one change in a turn: each is a write to the disk, and everybody judges anew. */
  #waiting: Proposal[] = [];
  #hasJudged = false;

  constructor(options: ReplicationOptions) {
    this.#options = options;
    const { db, peer, peerOwns, notes } = options;
    const tell = (message: ReplicationMessage): boolean => this.#isUp && this.#tell(message);
    this.#source = new Source({ db, tell, later: (run) => this.#later(run) });
    this.#replica = new Replica({ db, peer, peerOwns, tell, notes, changed: () => this.#changed() });
    this.#proposals = new Proposals({ db, peer, tell, held: () => this.#replica.snapshot, now: () => options.now() });
    this.#unwatch = db.watch(({ origin }) => {
      if (origin === db.origin) this.#source.advanced();
    });
  }

  /** Of the peer's database, as far as it is known. */
  get origin(): string | undefined {
    return this.#replica.snapshot?.origin;
  }

  /** The replica of what the peer owns: what is in force of it, also while the Link is down. */
  entries(): readonly Entry[] {
    return [...(this.#replica.snapshot?.entries.values() ?? [])];
  }

  /** How far the peer's configuration is, as far as this box was told, and how far the replica of it. `undefined`: nothing was told yet. */
  status(): { readonly theirs: number; readonly held: number } | undefined {
    return this.#replica.status;
  }

  /** The revision of this box's configuration that the peer says to hold; `undefined`: it is not connected, or holds none. */
  get confirmed(): number | undefined {
    return this.#source.confirmed;
  }

  /** The Link is established, anew or again. */
  up(): void {
    this.#isUp = true;
    this.#source.stop();
    this.#replica.up();
  }

  /** The Link is gone; what was on its way may be lost. */
  down(): void {
    this.#isUp = false;
    this.#source.stop();
    this.#replica.down();
    this.#proposals.down();
    this.#waiting = [];
  }

  /** The pairing has ended: the replica is dropped, and the database not watched any more. */
  forget(): void {
    this.close();
    this.#replica.forget();
  }

  /** Ends the work for this peer; the replica stays. */
  close(): void {
    this.down();
    this.#unwatch();
  }

  /** A message of the peer. One that comes while the Link is down is of a former connection, and ignored. */
  receive(message: ReplicationMessage): void {
    if (!this.#isUp) return;
    this.#note('received', message);
    switch (message.is) {
      case 'follow':
        return this.#source.follow(message);
      case 'applied':
        return this.#source.applied(message.origin, message.revision);
      case 'backfill':
        return this.#replica.backfill(message);
      case 'entry':
        return this.#replica.entry(message);
      case 'cutover':
        return this.#replica.cutover(message);
      case 'change':
        return this.#replica.change(message);
      case 'propose':
        return this.#proposed(message);
      case 'accepted':
        return this.#proposals.accepted(message.id, message.revision);
      case 'declined':
        return this.#proposals.declined(message.id, message.conflict, message.problems);
    }
  }

  /**
   * Asks the peer for a change of keys that it owns. The answer is that of the peer, once the change is in the replica here as well. `unreachable`: the
   * sentence says whether nothing was changed, or whether that is unknown because the Link broke in between.
   */
  propose(request: ChangeRequest): Promise<ProposalOutcome> {
    return this.#proposals.propose(request);
  }

  #changed(): void {
    this.#proposals.advanced();
    this.#options.changed();
  }

  #proposed(proposal: Proposal): void {
    if (!this.#hasJudged) this.#judgeNow(proposal);
    else if (this.#waiting.length < WAITING) this.#waiting.push(proposal);
    else this.#decline(proposal, false, [`More than ${WAITING} changes were asked for at once. Try again later.`]);
  }

  #judgeNow(proposal: Proposal): void {
    this.#hasJudged = true;
    this.#judge(proposal);
    this.#later(() => {
      this.#hasJudged = false;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#judgeNow(next);
    });
  }

  /** A change that the peer asks for, of keys that this box owns and no others. */
  #judge(proposal: Proposal): void {
    const { id, author, reason, steps, expect } = proposal;
    const { db, peer } = this.#options;
    const faults = steps.flatMap((step) => this.#faultOf(step) ?? []);
    const outcome: ChangeOutcome =
      faults.length > 0
        ? { outcome: 'refused', problems: theFirst(faults) }
        : db.change({ author: authorAt(author, peer.name), reason, steps: steps.filter(isChangeStep), expect });
    if (outcome.outcome === 'changed' || outcome.outcome === 'unchanged') {
      const revision = outcome.outcome === 'changed' ? outcome.change.revision : outcome.revision;
      this.#tell({ is: 'accepted', id, revision });
    } else this.#decline(proposal, outcome.outcome === 'conflict', outcome.problems);
  }

  #decline({ id, author }: Proposal, conflict: boolean, problems: readonly string[]): void {
    const { notes, peer } = this.#options;
    notes({ note: 'proposal-declined', box: peer.name, author, problems }, {});
    this.#tell({ is: 'declined', id, conflict, problems });
  }

  /** What is wrong with a step before the database looks at it; keys that do not exist are its to name. */
  #faultOf(step: ConfigStep): string | undefined {
    const whole = keyOf(step);
    const key = whole.slice(0, SHOWN_KEY);
    if ('hide' in step) return `${key}: its value is missing.`;
    const kind = this.#options.db.catalog.kindOf(whole);
    if ('refused' in kind) return undefined;
    if (kind.owner !== this.#options.own) return `${key}: it does not belong to this box.`;
    const objection = this.#options.objection?.(whole);
    return objection === undefined ? undefined : `${key}: ${objection}`;
  }

  #tell(message: ReplicationMessage): boolean {
    const isSent = this.#options.tell(message);
    if (isSent) this.#note('sent', message);
    return isSent;
  }

  #note(way: 'sent' | 'received', message: ReplicationMessage): void {
    // A whole copy has thousands of them.
    if (message.is === 'entry') return;
    const { notes, peer } = this.#options;
    notes({ note: 'replication-step', box: peer.name, way, step: message.is, revision: revisionOf(message) }, {});
  }

  #later(run: () => void): void {
    (this.#options.later ?? setImmediate)(run);
  }
}

function isChangeStep(step: ConfigStep): step is ChangeStep {
  return !('hide' in step);
}

function revisionOf(message: ReplicationMessage): number | undefined {
  if (message.is === 'follow') return message.since;
  if (message.is === 'change') return message.change.revision;
  return 'revision' in message ? message.revision : undefined;
}

/** By which box somebody asked is part of who it was, and a peer cannot leave it out: it does not speak for another one. */
function authorAt(author: string, box: string): string {
  return `${author} via ${box}`;
}
