import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { opened, put, remove, useDatabases } from '../../test/support/clusterdb.ts';
import type { ReplicatedBox } from '../../test/support/replicated.ts';
import { ReplicatedBoxes } from '../../test/support/replicated.ts';
import type { ProposalOutcome } from './proposals.ts';
import type { Clusterdb } from './store.ts';
import type { Snapshot } from './types.ts';

/** What can happen to the two boxes, in any order. */
type Event =
  | { readonly do: 'put' | 'remove'; readonly at: Name; readonly key: number; readonly value: number }
  | { readonly do: 'put many'; readonly at: Name }
  | { readonly do: 'propose'; readonly at: Name; readonly key: number; readonly value: number }
  | { readonly do: 'deliver' | 'turn' | 'restart' | 'deliver all' | 'back up'; readonly at: Name }
  | { readonly do: 'restore'; readonly at: Name; readonly backup: number; readonly further: number }
  | { readonly do: 'settle'; readonly at?: undefined }
  | { readonly do: 'break' | 'establish'; readonly at?: undefined };
type Name = 'edge' | 'core';

const at = fc.constantFrom<Name>('edge', 'core');
const key = fc.nat(3);
const value = fc.nat(1);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('put' as const, 'remove' as const), at, key, value }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('put many' as const), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('propose' as const), at, key, value }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'deliver' as const,
        'deliver' as const,
        'deliver' as const,
        'turn' as const,
        'deliver all' as const,
      ),
      at,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), at }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('break' as const, 'establish' as const, 'establish' as const) }),
  },
);

/** What happens where backups are made and restored besides: each is of the whole data folder, also of the replica in it. */
const eventOrRestore: fc.Arbitrary<Event> = fc.oneof(
  { weight: 12, arbitrary: event },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('back up' as const), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('restore' as const), at, backup: fc.nat(9), further: fc.nat(8) }),
  },
);

/** A key that a box owns, and a value for it; the last key of the Edge is a secret. */
function keyOf(owner: Name, key: number): string {
  if (owner === 'core') return `homes.h${key}.lab.federation`;
  return key === 3 ? 'secret.a' : `count.a${key}`;
}

function valueOf(owner: Name, value: number): number | string {
  return owner === 'edge' ? value : (['off', 'on'][value % 2] ?? 'on');
}

/** What one box sees of the other's database from the beginning to the end. */
class Observer {
  /** What went on although it should not have. */
  readonly faults: string[] = [];
  #revision = 0;
  #mayGoBack = false;

  /** The replica is a former one. */
  restored(revision: number): void {
    this.#revision = revision;
  }

  /** The database that is followed is a former one. */
  ownerRestored(): void {
    this.#mayGoBack = true;
  }

  /** A replica goes on from where it was, one change at a time or as a whole: none is left out, and none comes twice. */
  watch(db: Clusterdb, origin: string): void {
    db.watch(({ origin: advanced, before, after, changes }) => {
      if (advanced !== origin) return;
      const step = `${this.#revision}: ${before.revision} to ${after.revision} by ${JSON.stringify(changes)}`;
      const isNext =
        changes?.length === 1 && changes[0]?.revision === before.revision + 1 && after.revision === before.revision + 1;
      const isWhole = changes === undefined && (this.#mayGoBack || after.revision >= before.revision);
      if (before.revision !== this.#revision || !(isNext || isWhole)) this.faults.push(step);
      this.#revision = after.revision;
    });
  }
}

class World {
  readonly boxes: ReplicatedBoxes;
  readonly #folder: string;
  readonly #observers = { edge: new Observer(), core: new Observer() };
  readonly #origins: { readonly edge: string; readonly core: string };
  readonly #backups: { readonly edge: string[]; readonly core: string[] } = { edge: [], core: [] };
  readonly answers: Promise<ProposalOutcome>[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    this.boxes = new ReplicatedBoxes(this.#open('edge'), this.#open('core'));
    this.#origins = { edge: this.boxes.edge.db.origin, core: this.boxes.core.db.origin };
    this.#observe('edge');
    this.#observe('core');
  }

  happens(event: Event): void {
    const { boxes } = this;
    if (event.at === undefined) {
      if (event.do === 'break') return boxes.down();
      boxes.up();
      if (event.do === 'settle') boxes.settle();
      return;
    }
    const box = boxes[event.at];
    switch (event.do) {
      case 'put':
        put(box.db, { [keyOf(event.at, event.key)]: valueOf(event.at, event.value) });
        break;
      case 'put many':
        if (event.at === 'edge')
          put(
            box.db,
            Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`count.b${n}`, box.db.snapshot().revision])),
          );
        break;
      case 'remove':
        remove(box.db, keyOf(event.at, event.key));
        break;
      case 'propose': {
        const owner = event.at === 'edge' ? 'core' : 'edge';
        const steps = [{ put: keyOf(owner, event.key), value: valueOf(owner, event.value) }];
        this.answers.push(box.replication.propose({ steps, author: 'root', reason: '' }));
        break;
      }
      case 'deliver':
        boxes.deliver(box);
        break;
      case 'deliver all':
        while (boxes.deliver(box));
        break;
      case 'turn':
        boxes.turn(box);
        break;
      case 'restart':
        this.#restart(event.at, box);
        break;
      case 'back up':
        this.#restart(event.at, box, () => this.#backUp(event.at));
        break;
      case 'restore':
        this.#restore(event.at, box, event.backup);
        for (let n = 0; n < event.further; n++) {
          put(box.db, { [keyOf(event.at, n % 2)]: valueOf(event.at, event.at === 'edge' ? 100 + n : n >> 1) });
        }
        break;
    }
  }

  /** What is known of each database at both ends: where it is, and where it is replicated. */
  get ends(): readonly {
    readonly owned: Snapshot;
    readonly replica: Snapshot | undefined;
    readonly confirmed: unknown;
    readonly status: unknown;
    readonly histories: readonly [owned: readonly unknown[], replica: readonly unknown[]];
    readonly digests: readonly [owned: unknown, replica: unknown];
  }[] {
    const { edge, core } = this.boxes;
    return (
      [
        [edge, core],
        [core, edge],
      ] as const
    ).map(([owner, other]) => ({
      owned: owner.db.snapshot(),
      replica: other.db.snapshot(owner.db.origin),
      confirmed: owner.replication.confirmed,
      status: other.replication.status(),
      histories: [owner.db.log(100, owner.db.origin), other.db.log(100, owner.db.origin)],
      digests: [owner, other].map(({ db }) => db.digestOf(owner.db.origin, owner.db.snapshot().revision)) as [
        unknown,
        unknown,
      ],
    }));
  }

  /** What went wrong on the way. */
  get faults(): readonly unknown[] {
    const { edge, core } = this.boxes;
    return [...this.#observers.edge.faults, ...this.#observers.core.faults, ...edge.notes, ...core.notes];
  }

  close(): void {
    this.boxes.edge.db.close();
    this.boxes.core.db.close();
  }

  #open(name: Name): Clusterdb {
    // A short history, so that boxes that were away need a backfill now and then.
    return opened({ folder: join(this.#folder, name), owns: name, history: 4 });
  }

  #observe(name: Name): void {
    this.#observers[name].watch(this.boxes[name].db, this.#origins[name === 'edge' ? 'core' : 'edge']);
  }

  #restart(name: Name, box: ReplicatedBox, meanwhile: () => void = () => undefined): void {
    this.boxes.down();
    box.replication.close();
    box.db.close();
    meanwhile();
    box.restart(this.#open(name));
    this.#observe(name);
  }

  /** While the database is closed. */
  #backUp(name: Name): void {
    const backups = this.#backups[name];
    const backup = join(this.#folder, `${name}, backup ${backups.length}`);
    cpSync(join(this.#folder, name), backup, { recursive: true });
    backups.push(backup);
  }

  #restore(name: Name, box: ReplicatedBox, number: number): void {
    const backups = this.#backups[name];
    const backup = backups[number % backups.length];
    if (backup === undefined) return this.#restart(name, box, () => this.#backUp(name));
    const other = name === 'edge' ? 'core' : 'edge';
    this.#restart(name, box, () => {
      rmSync(join(this.#folder, name), { recursive: true });
      cpSync(backup, join(this.#folder, name), { recursive: true });
    });
    this.#observers[name].restored(box.db.snapshot(this.#origins[other])?.revision ?? 0);
    this.#observers[other].ownerRestored();
  }
}

function withoutSecrets({ origin, revision, entries }: Snapshot): Snapshot {
  const hidden = [...entries.values()].map((entry) =>
    entry.key === 'secret.a' ? { ...entry, value: undefined } : entry,
  );
  return { origin, revision, entries: new Map(hidden.map((entry) => [entry.key, entry])) };
}

const databases = useDatabases();

/** Lets the events happen to two new boxes, and then come to rest what they have begun. */
async function expectEqualInTheEnd(place: string, events: readonly Event[]): Promise<void> {
  const world = new World(place);
  try {
    world.boxes.up();
    for (const each of events) world.happens(each);
    world.boxes.up();
    world.boxes.settle();
    expect(world.faults).toEqual([]);
    for (const { owned, replica, confirmed, status, histories, digests } of world.ends) {
      expect(replica).toEqual(withoutSecrets(owned));
      expect(confirmed).toBe(owned.revision);
      expect(status).toEqual({ theirs: owned.revision, held: owned.revision });
      expect(histories[0]).toEqual(expect.arrayContaining([...histories[1]]));
      expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
      expect(digests[1]).toBe(digests[0]);
    }
    for (const answer of world.answers)
      expect(['changed', 'unchanged', 'unreachable']).toContain((await answer).outcome);
  } finally {
    world.close();
  }
}

test('whatever changes, breaks and restarts happen, replicas become equal, and no change is left out or applied twice', async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 80 }), (events) =>
      expectEqualInTheEnd(join(databases.place, `${runs++}`), events),
    ),
    { numRuns: 60 },
  );
  expect(runs).toBe(60);
}, 60_000);

test('whatever backups of either box are restored and changed further, replicas become equal', async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(eventOrRestore, { minLength: 10, maxLength: 80 }), (events) =>
      expectEqualInTheEnd(join(databases.place, `${runs++}`), events),
    ),
    { numRuns: 60 },
  );
  expect(runs).toBe(60);
}, 60_000);
