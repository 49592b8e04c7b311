import { join } from 'node:path';
import type { ReplicationOptions } from '../../src/clusterdb/replication.ts';
import { Replication } from '../../src/clusterdb/replication.ts';
import type { Clusterdb, ClusterdbOptions } from '../../src/clusterdb/store.ts';
import type { ReplicationMessage } from '../../src/protocol/link/messages.ts';
import type { Note } from '../../src/protocol/notes.ts';
import type { Databases } from './clusterdb.ts';

/** One end of a Link that a test moves message by message. */
export class ReplicatedBox {
  readonly name: 'edge-1' | 'core-1';
  db: Clusterdb;
  replication: Replication;
  /** What somebody has to know; each message besides is in `steps`. */
  readonly notes: Note[] = [];
  readonly steps: Note[] = [];
  /** Times that the replica was said to have changed. */
  changed = 0;
  /** What was sent and has not arrived. */
  readonly sent: ReplicationMessage[] = [];
  /** What waits for its turn. */
  readonly due: (() => void)[] = [];
  isUp = false;

  constructor(name: 'edge-1' | 'core-1', db: Clusterdb) {
    this.name = name;
    this.db = db;
    this.replication = this.#replicate();
  }

  /** After a restart. */
  restart(db: Clusterdb): void {
    this.due.length = 0;
    this.db = db;
    this.replication = this.#replicate();
  }

  #replicate(): Replication {
    const isEdge = this.name === 'edge-1';
    const options: ReplicationOptions = {
      db: this.db,
      peer: isEdge ? { id: 'id of core-1', name: 'core-1' } : { id: 'id of edge-1', name: 'edge-1' },
      own: isEdge ? 'edge' : 'core',
      peerOwns: isEdge ? 'core' : 'edge',
      tell: (message) => {
        // What travels is a copy.
        if (this.isUp) this.sent.push(structuredClone(message));
        return this.isUp;
      },
      notes: (note) => (note.note === 'replication-step' ? this.steps : this.notes).push(note),
      changed: () => this.changed++,
      now: () => 0,
      later: (run) => this.due.push(run),
    };
    return new Replication(options);
  }
}

/** An Edge and a Core, and the Link between them. */
export class ReplicatedBoxes {
  readonly edge: ReplicatedBox;
  readonly core: ReplicatedBox;

  constructor(edge: Clusterdb, core: Clusterdb) {
    this.edge = new ReplicatedBox('edge-1', edge);
    this.core = new ReplicatedBox('core-1', core);
  }

  up(): void {
    for (const box of [this.edge, this.core]) {
      if (box.isUp) continue;
      box.isUp = true;
      box.replication.up();
    }
  }

  /** The Link breaks: what is on its way is lost. */
  down(): void {
    for (const box of [this.edge, this.core]) {
      box.sent.length = 0;
      if (!box.isUp) continue;
      box.isUp = false;
      box.replication.down();
    }
  }

  /** Lets the oldest message of a box arrive. */
  deliver(from: ReplicatedBox): boolean {
    const message = from.sent.shift();
    const to = from === this.edge ? this.core : this.edge;
    if (message !== undefined) to.replication.receive(message);
    return message !== undefined;
  }

  /** Gives what waits in a box its turn. */
  turn(box: ReplicatedBox): boolean {
    const run = box.due.shift();
    run?.();
    return run !== undefined;
  }

  /** Until nothing moves any more. */
  settle(): void {
    for (let steps = 0; steps < 100_000; steps++) {
      const moved = [this.edge, this.core].map((box) => [this.deliver(box), this.turn(box)]);
      if (!moved.flat().includes(true)) return;
    }
    throw new Error('the boxes do not come to rest');
  }
}

/** Two boxes with databases of the test that runs, not linked yet. */
export function pairOf(databases: Databases, options: Partial<ClusterdbOptions> = {}): ReplicatedBoxes {
  const edge = databases.start({ folder: join(databases.place, 'edge'), owns: 'edge', ...options });
  const core = databases.start({ folder: join(databases.place, 'core'), owns: 'core', ...options });
  return new ReplicatedBoxes(edge, core);
}

/** The same, linked and in step. */
export function linkedPairOf(databases: Databases, options: Partial<ClusterdbOptions> = {}): ReplicatedBoxes {
  const both = pairOf(databases, options);
  both.up();
  both.settle();
  return both;
}
