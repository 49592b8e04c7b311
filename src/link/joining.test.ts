import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { socketPair } from '../../test/support/socket-pair.ts';
import { newKeyPair } from '../net/tls/issue.ts';
import { Attempts } from './attempts.ts';
import { readJoinAnswer, readJoinRequest, writeJoinAnswer, writeJoinRequest } from './join-messages.ts';
import { readLine } from './line.ts';

const CORE = { id: 'core-0000-0001', name: 'core-1' };

describe('what is said to join', () => {
  test('is read as it was written', async () => {
    const { publicKey } = await newKeyPair();
    const request = { secret: 's'.repeat(43), core: CORE, publicKey };
    expect(readJoinRequest(writeJoinRequest(request))).toEqual(request);
    const answer = { edge: CORE, chain: 'pem' };
    expect(readJoinAnswer(writeJoinAnswer(answer))).toEqual(answer);
    expect(readJoinAnswer(writeJoinAnswer('refused'))).toBe('refused');
  });

  test('a request with a part that is none is no request', async () => {
    const { publicKey, privateKey } = await newKeyPair();
    const good = { secret: 's'.repeat(43), core: CORE, publicKey };
    for (const change of [
      { secret: 'short' },
      { core: { ...CORE, id: '"' } },
      { core: { ...CORE, name: 'a b' } },
      { publicKey: 'x' },
      { publicKey: privateKey.replaceAll('PRIVATE', 'PUBLIC') },
    ])
      expect(readJoinRequest(writeJoinRequest({ ...good, ...change }))).toBeUndefined();
  });

  test('whatever arrives, reading it does not throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (line) => {
        expect(readJoinRequest(line)).toBeUndefined();
        expect(readJoinAnswer(line)).toBeUndefined();
      }),
    );
  });
});

describe('a line', () => {
  const LIMITS = { bytes: 10, timeoutMs: 5_000 };

  test('is there when its end is, in however many pieces it comes', async () => {
    await using pair = await socketPair();
    const line = readLine(pair.receiving, LIMITS);
    pair.initiating.write('abc');
    setImmediate(() => pair.initiating.write('dé\nmore'));
    expect(await line).toBe('abcdé');
  });

  test('that is too long, is no UTF-8, or has no end is none', async () => {
    for (const bytes of ['12345678901', Buffer.from([0xff, 0x0a]), '']) {
      await using pair = await socketPair();
      const line = readLine(pair.receiving, LIMITS);
      pair.initiating.end(bytes);
      expect(await line).toBeUndefined();
    }
  });

  test('that does not come in time is none', async () => {
    await using pair = await socketPair();
    expect(await readLine(pair.receiving, { bytes: 10, timeoutMs: 1 })).toBeUndefined();
  });
});

describe('attempts', () => {
  test('are counted per source, and forgotten after a while', () => {
    const attempts = new Attempts(2, 1_000);
    expect([0, 1, 2].map((now) => attempts.take('a', now))).toEqual([true, true, false]);
    expect(attempts.take('b', 3)).toBe(true);
    expect(attempts.take('a', 999)).toBe(false);
    expect(attempts.take('a', 1_000)).toBe(true);
  });

  test('of very many sources take bounded memory: the quietest source is forgotten, a busy one is not', () => {
    const attempts = new Attempts(1, 1_000);
    attempts.take('busy', 0);
    for (let index = 0; index < 10_000; index++) {
      attempts.take(`source ${index}`, 0);
      expect(attempts.take('busy', 0)).toBe(false);
    }
    expect(attempts.take('source 9999', 0)).toBe(false);
    expect(attempts.take('source 0', 0)).toBe(true);
  });
});
