import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Note } from '../../protocol/notes.ts';
import { basicCredentials, Gate } from './gate.ts';

const notes: Note[] = [];
const delays: number[] = [];
let now = 0;
let asked = 0;

beforeEach(() => {
  notes.length = 0;
  delays.length = 0;
  now = 1_000_000;
  asked = 0;
});

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function gate(): (user: string, password: string, source?: string) => Promise<number> {
  const made = new Gate({
    administrators: {
      roleOf: (name, password) => {
        asked += 1;
        return Promise.resolve(password === 'right' ? (name === 'core' ? 'axl' : 'none') : undefined);
      },
    },
    notes: (note) => notes.push(note),
    clock: () => now,
    delay: (milliseconds) => {
      delays.push(milliseconds);
      return Promise.resolve();
    },
  });
  return async (user, password, source = '192.0.2.1') => {
    const admitted = await made.admit({ authorization: basic(user, password), source, subject: {} });
    return 'refused' in admitted ? admitted.refused.status : 200;
  };
}

describe('who comes in', () => {
  test('an account with the role; one without it is 403, and everybody else 401', async () => {
    const come = gate();
    expect(await come('core', 'right')).toBe(200);
    expect(await come('clerk', 'right')).toBe(403);
    expect(await come('core', 'wrong')).toBe(401);
    expect(notes).toEqual([
      { note: 'imp-axl-login-refused', user: 'core', because: 'no such account with this password' },
    ]);
  });

  test('no credentials: 401 with the challenge, and no password is looked at', async () => {
    const made = new Gate({
      administrators: { roleOf: () => Promise.reject(new Error('asked')) },
      notes: () => undefined,
      clock: () => now,
      delay: () => Promise.resolve(),
    });
    for (const authorization of [undefined, '', 'Bearer x', 'Basic', 'Basic !', basic('', 'x'), 'Basic /w==']) {
      expect(await made.admit({ authorization, source: 'a', subject: {} })).toMatchObject({
        refused: { status: 401, headers: { 'WWW-Authenticate': expect.stringMatching(/^Basic realm=/) as string } },
      });
    }
  });
});

describe('guessing', () => {
  test('answers become slower, then guesses are turned away untried, and that is noted once', async () => {
    const come = gate();
    const answers = [];
    for (let guess = 0; guess < 30; guess += 1) answers.push(await come('core', `guess-${guess}`));
    expect(answers.filter((status) => status === 401)).toHaveLength(10);
    expect(answers.slice(10)).toEqual(Array.from({ length: 20 }, () => 429));
    expect(asked).toBe(10);
    expect(delays).toEqual(delays.toSorted((a, b) => a - b));
    expect(delays.at(-1)).toBeGreaterThan(1_000);
    expect(notes.filter(({ note }) => note === 'imp-axl-login-storm')).toEqual([
      { note: 'imp-axl-login-storm', of: 'source', name: '192.0.2.1' },
      { note: 'imp-axl-login-storm', of: 'account', name: 'core' },
    ]);
    // Later there is room for one more, and not for two.
    now += 10_000;
    expect([await come('core', 'x'), await come('core', 'y')]).toEqual([401, 429]);
  });

  test('guesses at the same time are no way around', async () => {
    const come = gate();
    const answers = await Promise.all(Array.from({ length: 60 }, (_, guess) => come('core', `guess-${guess}`)));
    expect(asked).toBe(10);
    expect(answers.filter((status) => status !== 401 && status !== 429)).toEqual([]);
  });

  test('from many sources at one account: the account is guarded, and whoever has logged in from his place is not locked out', async () => {
    const come = gate();
    expect(await come('core', 'right', '10.0.0.1')).toBe(200);
    for (let guess = 0; guess < 40; guess += 1) await come('Core', 'guess', `198.51.100.${guess}`);
    expect(asked).toBe(11);
    expect(await come('core', 'right', '10.0.0.1')).toBe(200);
    expect(await come('core', 'right', '203.0.113.1')).toBe(429);
  });

  test('many accounts from one source: the source is guarded, and other sources are not', async () => {
    const come = gate();
    for (let guess = 0; guess < 40; guess += 1) await come(`account-${guess}`, 'guess');
    expect(asked).toBe(10);
    expect(await come('core', 'right', '10.0.0.1')).toBe(200);
  });

  test('a Core with a wrong password that tries every half minute is told so each time, and comes in when the password is right', async () => {
    const come = gate();
    for (let attempt = 0; attempt < 50; attempt += 1) {
      expect(await come('core', 'old')).toBe(401);
      now += 30_000;
    }
    expect(await come('core', 'right')).toBe(200);
  });

  test('successes cost nothing', async () => {
    const come = gate();
    for (let request = 0; request < 100; request += 1) expect(await come('core', 'right')).toBe(200);
  });

  test('only a few passwords are checked at the same time, and more than so many do not wait for it', async () => {
    let checking = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const made = new Gate({
      administrators: {
        roleOf: async () => {
          checking += 1;
          most = Math.max(most, checking);
          await new Promise<void>((resolve) => release.push(resolve));
          checking -= 1;
          return 'axl';
        },
      },
      notes: () => undefined,
      clock: () => now,
      delay: () => Promise.resolve(),
    });
    const all = Array.from({ length: 50 }, (_, index) =>
      made.admit({ authorization: basic(`a${index}`, 'x'), source: `s${index}`, subject: {} }),
    );
    while (release.length > 0) {
      release.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const statuses = (await Promise.all(all)).map((each) => ('refused' in each ? each.refused.status : 200));
    expect(most).toBe(4);
    expect(statuses.filter((status) => status === 200)).toHaveLength(36);
    expect(statuses.filter((status) => status === 503)).toHaveLength(14);
  });
});

describe('basicCredentials', () => {
  test('what a client has put in comes out, colons in the password included', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((each) => each.toWellFormed());
    fc.assert(
      fc.property(
        text.filter((user) => user !== '' && !user.includes(':')),
        text,
        (user, password) => {
          expect(basicCredentials(basic(user, password))).toEqual({ user, password });
        },
      ),
    );
  });

  test('nothing makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (header) => {
        const read = basicCredentials(`Basic ${header}`);
        expect(read === undefined || read.user.length > 0).toBe(true);
      }),
    );
  });
});
