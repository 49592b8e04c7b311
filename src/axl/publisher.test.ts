import { beforeEach, describe, expect, test } from 'vitest';
import { AxlDatabase } from '../../test/support/axl-database.ts';
import { settled, Timers } from '../../test/support/timers.ts';
import type { Note } from '../protocol/notes.ts';
import { Publisher } from './publisher.ts';
import type { PublisherStatus } from './publisher-status.ts';
import type { CpId } from './s2s-nodes.ts';
import { parseCpId } from './s2s-nodes.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
function cp(text: string): CpId {
  const parsed = parseCpId(text);
  if (parsed === undefined) throw new TypeError(text);
  return parsed;
}

let clock: Timers;
let database: AxlDatabase;
let recorded: readonly string[];
let changes: PublisherStatus[];
let notes: Note[];
let publisher: Publisher;

beforeEach(() => {
  clock = new Timers();
  database = new AxlDatabase(clock);
  recorded = [];
  changes = [];
  notes = [];
  publisher = new Publisher(
    { name: 'cups', host: 'cups.lab', port: 8443, user: 'fedway' },
    {
      access: database,
      ledger: {
        ours: () => recorded,
        record: (_, cpIds) => {
          recorded = cpIds;
        },
      },
      clock,
      random: () => 0,
      note: (note) => notes.push(note),
      changed: (status) => changes.push(status),
    },
  );
});

/** Seconds from one look at the table to the next, over so much time. */
async function pauses(milliseconds: number): Promise<readonly number[]> {
  const [start] = database.times.splice(0).slice(-1);
  await clock.pass(milliseconds);
  return database.times.map((time, index) => (time - (database.times[index - 1] ?? start ?? time)) / SECOND);
}

describe('a change', () => {
  test('is made at once: what lacks is inserted, read back and recorded as ours', async () => {
    database.table = ['theirs'];
    publisher.want([cp('a'), cp('b')]);
    await clock.pass(0);
    expect(database.table).toEqual(['theirs', 'a', 'b']);
    expect(database.asked).toEqual(['select', 'insert', 'insert', 'select', 'select']);
    expect(recorded).toEqual(['a', 'b']);
    expect(publisher.status()).toEqual({
      name: 'cups',
      url: 'https://cups.lab:8443/axl/',
      user: 'fedway',
      state: 'ok',
      version: '14.0',
      lastSuccess: clock.time,
      lastAttempt: clock.time,
      nextAttempt: clock.time + 10 * MINUTE,
      failure: undefined,
      rows: [
        { cpId: 'theirs', ours: false, wanted: false, present: true },
        { cpId: 'a', ours: true, wanted: true, present: true },
        { cpId: 'b', ours: true, wanted: true, present: true },
      ],
      router: undefined,
    });
    expect(changes.map(({ state }) => state)).toEqual(['unknown', 'ok']);
    expect(notes).toEqual([{ note: 'axl-table-changed', publisher: 'cups', inserted: ['a', 'b'], removed: [] }]);
  });

  test('is waited with for a second after the last round, and all until then are made together', async () => {
    publisher.want([cp('a')]);
    await clock.pass(100);
    publisher.want([cp('b')]);
    expect(publisher.status().state).toBe('waiting');
    publisher.want([cp('b'), cp('c')]);
    await clock.pass(899);
    expect(database.table).toEqual(['a']);
    await clock.pass(1);
    expect(database.table).toEqual(['b', 'c']);
    expect(database.asked.filter((verb) => verb === 'select')).toHaveLength(5);
    expect(publisher.status().state).toBe('ok');
  });

  test('during a round is made after it', async () => {
    const gate = Promise.withResolvers<void>();
    database.hold = gate.promise;
    publisher.want([cp('a')]);
    await clock.pass(5 * SECOND);
    publisher.want([cp('b')]);
    gate.resolve();
    await clock.pass(SECOND);
    expect(database.table).toEqual(['b']);
  });

  test('that is none changes nothing', async () => {
    publisher.want([cp('a'), cp('b')]);
    await clock.pass(5 * SECOND);
    const asked = database.asked.length;
    publisher.want([cp('b'), cp('a'), cp('b')]);
    await clock.pass(5 * SECOND);
    expect(database.asked).toHaveLength(asked);
  });

  test('to nothing removes what is ours and nothing else', async () => {
    database.table = ['theirs', 'adopted'];
    publisher.want([cp('a'), cp('adopted')]);
    await clock.pass(5 * SECOND);
    publisher.want([]);
    await clock.pass(5 * SECOND);
    expect(database.table).toEqual(['theirs', 'adopted']);
    expect(recorded).toEqual([]);
    expect(publisher.status().state).toBe('ok');
  });

  test('that nobody knows yet is waited for: the table is read and not changed', async () => {
    database.table = ['a'];
    recorded = ['a'];
    publisher.want(undefined);
    await clock.pass(5 * SECOND);
    expect(database.table).toEqual(['a']);
    expect(publisher.status()).toMatchObject({
      state: 'waiting',
      rows: [{ cpId: 'a', ours: true, wanted: false, present: true }],
    });
  });

  test('before the first there is nothing', async () => {
    await clock.pass(MINUTE);
    expect(database.asked).toEqual([]);
    expect(publisher.status()).toMatchObject({ state: 'unknown', rows: [], nextAttempt: undefined });
  });
});

describe('what happens to the table', () => {
  test('a row that somebody removed is inserted again within ten minutes', async () => {
    publisher.want([cp('a')]);
    await clock.pass(SECOND);
    database.table = [];
    await clock.pass(10 * MINUTE);
    expect(database.table).toEqual(['a']);
  });

  test('a row that somebody else inserts between look and change counts as done', async () => {
    database.meanwhile = () => {
      database.table = ['a'];
    };
    publisher.want([cp('a')]);
    await clock.pass(0);
    expect(database.asked).toContain('insert');
    expect(publisher.status().state).toBe('ok');
  });

  test('a row is recorded as ours before it is inserted', async () => {
    database.updateFailure = { code: 'connection-lost', detail: 'it was closed' };
    publisher.want([cp('a')]);
    await clock.pass(0);
    expect(recorded).toEqual(['a']);
    expect(database.table).toEqual([]);
  });

  test('a change that does not stay is a failure', async () => {
    database.isForgetful = true;
    publisher.want([cp('a')]);
    await clock.pass(0);
    expect(publisher.status()).toMatchObject({ state: 'failed', failure: { code: 'not-kept' } });
  });

  test('a row of ours that is gone and not wanted is forgotten', async () => {
    recorded = ['old'];
    publisher.want([cp('a')]);
    await clock.pass(0);
    expect(recorded).toEqual(['a']);
  });
});

describe('after a failure', () => {
  test('it is tried again after one second and ever longer, to half of five minutes and more by chance', async () => {
    database.failure = { code: 'refused' };
    publisher.want([cp('a')]);
    await clock.pass(0);
    expect(publisher.status()).toMatchObject({
      state: 'failed',
      failure: { code: 'refused', cause: expect.stringContaining('AXL') as string },
      lastSuccess: undefined,
      nextAttempt: clock.time + SECOND,
    });
    expect(await pauses(20 * MINUTE)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 150, 150, 150, 150, 150, 150]);
    database.failure = undefined;
    await clock.pass(5 * MINUTE);
    expect(publisher.status()).toMatchObject({ state: 'ok', failure: undefined });
    database.failure = { code: 'refused' };
    database.times.splice(0);
    await clock.pass(10 * MINUTE);
    expect(database.times.length).toBeGreaterThan(1);
    expect(database.table).toEqual(['a']);
  });

  test('a change is tried at once', async () => {
    database.failure = { code: 'refused' };
    publisher.want([cp('a')]);
    await clock.pass(10 * MINUTE);
    database.failure = undefined;
    publisher.want([cp('b')]);
    await clock.pass(SECOND);
    expect(database.table).toEqual(['b']);
  });

  test('401: two wrong passwords, then one in 31 minutes, whatever changes here, so that the account is not locked', async () => {
    database.failure = { code: 'credentials' };
    publisher.want([cp('a')]);
    await clock.pass(0);
    expect(publisher.status().nextAttempt).toBe(clock.time + 30 * SECOND);
    publisher.want([cp('b')]);
    expect(await pauses(70 * MINUTE)).toEqual([30, 31 * 60, 31 * 60]);
  });

  test('401 after other failures: the first wrong password is the first', async () => {
    database.failure = { code: 'refused' };
    publisher.want([cp('a')]);
    await clock.pass(MINUTE);
    database.failure = { code: 'credentials' };
    await clock.pass(10 * SECOND);
    expect(publisher.status()).toMatchObject({
      failure: { code: 'credentials' },
      nextAttempt: (publisher.status().lastAttempt ?? 0) + 30 * SECOND,
    });
  });

  test('401 and then a new password on the server: refresh tries at once', async () => {
    database.failure = { code: 'credentials' };
    publisher.want([cp('a')]);
    await clock.pass(5 * MINUTE);
    database.failure = undefined;
    const refreshed = publisher.refresh();
    await clock.pass(0);
    expect(await refreshed).toMatchObject({ state: 'ok' });
    expect(database.table).toEqual(['a']);
  });

  test('403: half a minute, then longer, at most five minutes', async () => {
    database.failure = { code: 'role' };
    publisher.want([cp('a')]);
    await clock.pass(0);
    expect(await pauses(15 * MINUTE)).toEqual([30, 60, 120, 240, 300]);
  });

  test('503: not before the time that the server asks for, whatever changes here', async () => {
    database.failure = { code: 'throttled', retryAfter: 90 * SECOND };
    publisher.want([cp('a')]);
    await clock.pass(SECOND);
    publisher.want([cp('b')]);
    expect(await pauses(3 * MINUTE)).toEqual([90, 90]);
  });

  test('of our own disk it is told as a bug, and tried again', async () => {
    recorded = Object.freeze([]);
    const broken = new Publisher(
      { name: 'cups', host: 'cups.lab', port: 8443, user: 'fedway' },
      {
        access: database,
        ledger: {
          ours: () => [],
          record: () => {
            throw new Error('disk full');
          },
        },
        clock,
        random: () => 0,
        note: (note) => notes.push(note),
        changed: () => {},
      },
    );
    broken.want([cp('a')]);
    await clock.pass(0);
    expect(broken.status()).toMatchObject({ state: 'failed', failure: { code: 'internal' } });
    expect(notes).toMatchObject([{ note: 'bug' }]);
    expect(database.table).toEqual([]);
    expect(broken.status().nextAttempt).toBe(clock.time + SECOND);
  });
});

describe("the view of a node's router", () => {
  test('is asked for once of a product that has none, and again after a refresh', async () => {
    const selects = (): number => database.asked.splice(0).filter((verb) => verb === 'select').length;
    publisher.want([]);
    await clock.pass(0);
    expect(selects()).toBe(2);
    await clock.pass(10 * MINUTE);
    expect(selects()).toBe(1);
    const refreshed = publisher.refresh();
    await clock.pass(SECOND);
    await refreshed;
    expect(selects()).toBe(2);
    expect(database.forgotten).toBe(1);
  });

  test('is looked at every ten seconds while a restart is needed, not aloud', async () => {
    database.view = { restart_needed: '1', foreign_bounces: '3', xmpp_federation: 'off' };
    publisher.want([cp('a')]);
    await clock.pass(0);
    expect(publisher.status().router).toEqual({ restartNeeded: true, foreignBounces: 3, federation: 'off' });
    expect(database.routine.splice(0)).not.toContain(true);
    expect(await pauses(35 * SECOND)).toEqual([10, 10, 10]);
    expect(database.routine.splice(0)).not.toContain(false);
    database.view = { restart_needed: '0', foreign_bounces: '3', xmpp_federation: 'off' };
    await clock.pass(10 * SECOND);
    expect(publisher.status()).toMatchObject({
      router: { restartNeeded: false },
      nextAttempt: expect.any(Number) as number,
    });
    expect(await pauses(2.5 * MINUTE)).toEqual([60, 60]);
    expect(database.routine).not.toContain(false);
  });
});

describe('a refresh', () => {
  test('during a round answers after a round of its own', async () => {
    const gate = Promise.withResolvers<void>();
    database.hold = gate.promise;
    publisher.want([cp('a')]);
    await clock.pass(0);
    const refreshed = publisher.refresh();
    database.failure = { code: 'credentials' };
    gate.resolve();
    await settled();
    database.failure = undefined;
    await clock.pass(SECOND);
    expect(await refreshed).toMatchObject({ state: 'ok' });
  });

  test.each([{ code: 'role' }, { code: 'credentials' }, { code: 'throttled', retryAfter: 90 * SECOND }] as const)(
    'during a round that then fails with $code has its own at once, and answers after that',
    async (failure) => {
      const gate = Promise.withResolvers<void>();
      database.hold = gate.promise;
      publisher.want([cp('a')]);
      await clock.pass(3 * SECOND);
      const answers: PublisherStatus[] = [];
      void publisher.refresh().then((status) => answers.push(status));
      database.failure = failure;
      gate.resolve();
      await settled();
      expect([publisher.status().failure?.code, answers]).toEqual([failure.code, []]);
      await clock.pass(0);
      expect(answers).toMatchObject([{ state: 'failed', failure: { code: failure.code } }]);
      expect(database.asked).toEqual(['select', 'select']);
    },
  );

  test('during a round of another product asks for the view anew', async () => {
    const gate = Promise.withResolvers<void>();
    database.hold = gate.promise;
    publisher.want([]);
    await clock.pass(0);
    const refreshed = publisher.refresh();
    gate.resolve();
    await settled();
    database.view = { restart_needed: '0' };
    await clock.pass(SECOND);
    expect((await refreshed).router).toBeDefined();
  });
});

describe('stop', () => {
  test('ends the client, the timer and whoever waits; nothing is told any more', async () => {
    const gate = Promise.withResolvers<void>();
    database.hold = gate.promise;
    publisher.want([cp('a')]);
    await clock.pass(0);
    const refreshed = publisher.refresh();
    publisher.stop();
    expect(await refreshed).toMatchObject({ state: 'unknown' });
    changes = [];
    gate.resolve();
    await clock.pass(MINUTE);
    expect(database.closed).toBe(true);
    expect(changes).toEqual([]);
    expect(clock.pending).toBe(0);
    publisher.want([cp('b')]);
    await publisher.refresh();
    expect(clock.pending).toBe(0);
  });
});
