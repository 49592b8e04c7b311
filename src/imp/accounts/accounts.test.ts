import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseDomain } from '../../protocol/jid/domain.ts';
import type { Note } from '../../protocol/notes.ts';
import { SCRAM_HASHES } from '../../protocol/sasl/scram-keys.ts';
import { NodeDatabase } from '../database/database.ts';
import { Accounts } from './accounts.ts';
import { Administrators } from './administrators.ts';
import { fits, keysOfNobody, scramKeysOf } from './scram.ts';
import { ACCOUNT_TABLES } from './tables.ts';
import { Users } from './user-operations.ts';

/** Tests need no slow keys. */
const FAST = 10;

let database: NodeDatabase;
let accounts: Accounts;
let users: Users;
let administrators: Administrators;
let notes: Note[];
let ended: string[];
let forgotten: string[];

beforeEach(() => {
  database = new NodeDatabase(':memory:', [ACCOUNT_TABLES]);
  notes = [];
  ended = [];
  forgotten = [];
  const sink = (note: Note): void => void notes.push(note);
  accounts = new Accounts({ database, now: () => 1_000, iterations: FAST });
  administrators = new Administrators({ database, notes: sink, now: () => 1_000, iterations: FAST });
  const domain = parseDomain('coluc.com');
  if (domain === undefined) throw new Error('coluc.com is a domain');
  users = new Users({
    domain,
    accounts,
    notes: sink,
    belongings: {
      sessionsOf: (user) => (user === 'alice' ? 2 : 0),
      endSessions: (user, text) => void ended.push(`${user}: ${text}`),
      forget: (user) => void forgotten.push(user),
    },
  });
});

afterEach(() => {
  database[Symbol.dispose]();
});

describe('the keys of a password', () => {
  test('are those of RFC 7677 §3', async () => {
    // Its example exchange: user "user", password "pencil".
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const keys = { salt, iterations: 4096, storedKey: Buffer.alloc(32), serverKey: Buffer.alloc(32) };
    expect(await fits('pencil', 'sha-256', keys)).toBe(false);
    const storedKey = Buffer.from('WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=', 'base64');
    expect(await fits('pencil', 'sha-256', { ...keys, storedKey })).toBe(true);
    expect(await fits('Pencil', 'sha-256', { ...keys, storedKey })).toBe(false);
  });

  test('have a new salt each time, and the length of their hash', async () => {
    for (const hash of SCRAM_HASHES) {
      const [one, other] = [
        await scramKeysOf('correct horse', hash, FAST),
        await scramKeysOf('correct horse', hash, FAST),
      ];
      expect(Buffer.from(one.salt).equals(other.salt)).toBe(false);
      expect(one.storedKey).toHaveLength(hash === 'sha-1' ? 20 : 32);
      expect(await fits('correct horse', hash, one)).toBe(true);
    }
  });

  test('that nobody has are the same each time for one name, differ from name to name, and no password fits them', async () => {
    const secret = new Uint8Array(32).fill(7);
    const keys = keysOfNobody(secret, 'mallory', 'sha-256', FAST);
    expect(keysOfNobody(secret, 'mallory', 'sha-256', FAST)).toEqual(keys);
    expect(keysOfNobody(secret, 'mallary', 'sha-256', FAST).salt).not.toEqual(keys.salt);
    expect(keysOfNobody(new Uint8Array(32), 'mallory', 'sha-256', FAST).salt).not.toEqual(keys.salt);
    expect(await fits('', 'sha-256', keys)).toBe(false);
  });
});

describe('users', () => {
  test('one that is added can log in by its prepared name, and its password is nowhere in the database', async () => {
    expect(await users.add('Alice', 'correct horse', 'root@host')).toEqual({ done: 'Added alice@coluc.com.' });
    expect(await accounts.isPassword('ALICE', 'correct horse')).toBe(true);
    expect(await accounts.isPassword('alice', 'correct  horse')).toBe(false);
    expect(accounts.keysOf('alice', 'sha-1')?.iterations).toBe(FAST);
    expect(users.list()).toEqual([
      { user: 'alice', address: 'alice@coluc.com', active: true, sessions: 2, created: 1_000 },
    ]);
    expect(notes).toEqual([{ note: 'imp-user-changed', user: 'alice', what: 'added', author: 'root@host' }]);
    const everything = JSON.stringify(database.sql.prepare('SELECT * FROM user_keys').all());
    expect(everything).not.toContain('correct');
  });

  test('a password is prepared the same way whenever it is typed', async () => {
    await users.add('alice', 'caf\u00E9 au lait', 'root');
    expect(await accounts.isPassword('alice', 'cafe\u0301\u00A0au lait')).toBe(true);
  });

  test.each([
    ['a name with a space', 'al ice', 'correct horse', /not a user name/],
    ['no name', '', 'correct horse', /not a user name/],
    ['an address', 'alice@coluc.com', 'correct horse', /not a user name/],
    ['no password', 'alice', '', /is empty/],
    ['a short password', 'alice', 'sevenup', /fewer than 8/],
    ['a password with a control character', 'alice', 'correct\u0000horse', /control characters/],
  ])('%s is refused, and the password is not repeated', async (_, name, password, reason) => {
    const outcome = await users.add(name, password, 'root');
    expect(outcome).toEqual({ refused: expect.stringMatching(reason) as unknown });
    expect(JSON.stringify(outcome)).not.toContain(password === '' ? 'nothing was typed' : password);
    expect(users.list()).toEqual([]);
  });

  test('a second one of the same name is refused and changes nothing, also when both are added at once', async () => {
    const outcomes = await Promise.all([
      users.add('alice', 'first horse', 'a'),
      users.add('ALICE', 'second horse', 'b'),
    ]);
    expect(outcomes.filter((outcome) => 'done' in outcome)).toHaveLength(1);
    expect(users.list()).toHaveLength(1);
    expect(await users.add('alice', 'third horse', 'c')).toEqual({
      refused: expect.stringContaining('already') as unknown,
    });
    expect(await accounts.isPassword('alice', 'third horse')).toBe(false);
  });

  test('with a new password the former one is of no use', async () => {
    await users.add('alice', 'correct horse', 'root');
    expect(await users.setPassword('alice', 'battery staple', 'root')).toHaveProperty('done');
    expect(await accounts.isPassword('alice', 'correct horse')).toBe(false);
    expect(await accounts.isPassword('alice', 'battery staple')).toBe(true);
    expect(await users.setPassword('nobody', 'battery staple', 'root')).toHaveProperty('refused');
  });

  test('an inactive one exists and cannot log in; its sessions end', async () => {
    await users.add('alice', 'correct horse', 'root');
    expect(users.setActive('alice', false, 'root')).toHaveProperty('done');
    expect(ended).toEqual(['alice: The account is inactive.']);
    expect(accounts.exists('alice')).toBe(true);
    expect(accounts.keysOf('alice', 'sha-256')).toBeUndefined();
    expect(await accounts.isPassword('alice', 'correct horse')).toBe(false);
    users.setActive('alice', true, 'root');
    expect(await accounts.isPassword('alice', 'correct horse')).toBe(true);
  });

  test('one that is removed leaves nothing behind', async () => {
    await users.add('alice', 'correct horse', 'root');
    expect(users.remove('alice', 'root')).toHaveProperty('done');
    expect([ended.length, forgotten]).toEqual([1, ['alice']]);
    expect(database.sql.prepare('SELECT count(*) AS n FROM user_keys').get()).toEqual({ n: 0 });
    expect(users.remove('alice', 'root')).toEqual({ refused: expect.stringContaining('no such user') as unknown });
  });

  test('a wrong name costs as much work as a wrong password', async () => {
    const slow = new Accounts({ database, now: () => 0, iterations: 60_000 });
    await slow.add('alice', 'correct horse');
    const time = async (name: string): Promise<number> => {
      const samples: number[] = [];
      for (let sample = 0; sample < 5; sample += 1) {
        const start = performance.now();
        await slow.isPassword(name, 'a wrong password');
        samples.push(performance.now() - start);
      }
      return Math.min(...samples);
    };
    const [known, unknown] = [await time('alice'), await time('nobody')];
    expect(unknown).toBeGreaterThan(known / 3);
    expect(known).toBeGreaterThan(unknown / 3);
  });
});

describe('administrators', () => {
  test('the role comes with the right password, whatever the case of the name', async () => {
    await administrators.add('AxlAdmin', 'correct horse', 'axl', 'root');
    await administrators.add('reader', 'correct horse', 'none', 'root');
    expect(await administrators.roleOf('axladmin', 'correct horse')).toBe('axl');
    expect(await administrators.roleOf('AXLADMIN', 'correct horse')).toBe('axl');
    expect(await administrators.roleOf('reader', 'correct horse')).toBe('none');
    expect(await administrators.roleOf('axladmin', 'wrong horse')).toBeUndefined();
    expect(await administrators.roleOf('nobody', 'correct horse')).toBeUndefined();
    expect(await administrators.roleOf('', '')).toBeUndefined();
  });

  test('they are no users, and users are no administrators', async () => {
    await users.add('alice', 'correct horse', 'root');
    await administrators.add('axladmin', 'correct horse', 'axl', 'root');
    expect(await administrators.roleOf('alice', 'correct horse')).toBeUndefined();
    expect(await accounts.isPassword('axladmin', 'correct horse')).toBe(false);
  });

  test('role and password change, and a removed account is gone', async () => {
    await administrators.add('axladmin', 'correct horse', 'none', 'root');
    expect(administrators.setRole('AXLadmin', 'axl', 'root')).toHaveProperty('done');
    await administrators.setPassword('axladmin', 'battery staple', 'root');
    expect(await administrators.roleOf('axladmin', 'correct horse')).toBeUndefined();
    expect(await administrators.roleOf('axladmin', 'battery staple')).toBe('axl');
    expect(administrators.list()).toEqual([{ name: 'axladmin', role: 'axl' }]);
    expect(administrators.remove('axladmin', 'root')).toHaveProperty('done');
    expect(await administrators.roleOf('axladmin', 'battery staple')).toBeUndefined();
    expect(administrators.remove('axladmin', 'root')).toHaveProperty('refused');
    expect(notes.map((note) => ('what' in note ? note.what : ''))).toEqual([
      'added',
      'role changed',
      'password changed',
      'removed',
    ]);
  });
});
