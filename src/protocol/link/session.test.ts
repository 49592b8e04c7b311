import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Domain, parseDomain } from '../jid/domain.ts';
import type { StreamPair } from '../stream/actions.ts';
import { LinkSession } from './session.ts';
import { WaitingQueue } from './waiting-queue.ts';

const PAIR: StreamPair = { sender: domain('a.example'), target: domain('b.example') };

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(text);
  return parsed;
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function write(session: LinkSession): string[] {
  const written: string[] = [];
  for (let next = session.next(); next !== undefined; next = session.next())
    written.push(new TextDecoder().decode(next));
  return written;
}

function texts(waiting: readonly { readonly bytes: Uint8Array }[]): string[] {
  return waiting.map((each) => new TextDecoder().decode(each.bytes));
}

describe('LinkSession', () => {
  test('writes nothing without a connection, and each stanza once on an open one', () => {
    const session = new LinkSession();
    session.send(bytes('1'), PAIR);
    expect(write(session)).toEqual([]);
    const connection = {};
    session.begin('s', connection);
    expect(write(session)).toEqual([]);
    session.open(connection);
    expect(write(session)).toEqual(['1']);
    session.send(bytes('2'), PAIR);
    expect(write(session)).toEqual(['2']);
    expect(write(session)).toEqual([]);
  });

  test('§5: on the next connection writes what the peer has not handled, and then the rest', () => {
    const session = new LinkSession();
    const first = {};
    session.begin('s', first);
    session.open(first);
    for (const text of ['1', '2', '3']) session.send(bytes(text), PAIR);
    write(session);
    session.release(first);
    session.send(bytes('4'), PAIR);
    expect(session.neverWritten).toBe(1);
    const second = {};
    session.claim(second);
    expect(session.acknowledge(2)).toBe(true);
    session.open(second);
    expect(write(session)).toEqual(['3', '4']);
    expect(session.waiting).toMatchObject({ stanzas: 2, bytes: 2 });
  });

  test('§4: refuses a count beyond what was sent, or what was written on the open connection, and changes nothing', () => {
    const session = new LinkSession();
    const connection = {};
    session.begin('s', connection);
    session.send(bytes('1'), PAIR);
    expect(session.acknowledge(1)).toBe(false);
    session.open(connection);
    expect(session.acknowledge(1)).toBe(false);
    write(session);
    expect(session.acknowledge(2)).toBe(false);
    expect(session.acknowledge(0)).toBe(true);
    expect(session.acknowledge(1)).toBe(true);
    expect(session.acknowledge(0)).toBe(false);
    expect(session.waiting.stanzas).toBe(0);
    expect(session.sent).toBe(1);
  });

  test('a new session carries over what was never written, and hands out what is in doubt', () => {
    const session = new LinkSession();
    const connection = {};
    session.begin('s', connection);
    session.open(connection);
    session.send(bytes('1'), PAIR);
    write(session);
    session.send(bytes('2'), PAIR);
    const next = {};
    expect(texts(session.begin('t', next))).toEqual(['1']);
    session.open(next);
    session.send(bytes('3'), PAIR);
    expect(write(session)).toEqual(['2', '3']);
  });

  test('when the peer tells its final count, nothing is in doubt', () => {
    const session = new LinkSession();
    const connection = {};
    session.begin('s', connection);
    session.open(connection);
    for (const text of ['1', '2']) session.send(bytes(text), PAIR);
    write(session);
    session.claim({});
    expect(session.settle(3)).toBe(false);
    expect(session.settle(1)).toBe(true);
    const next = {};
    expect(session.begin('t', next)).toEqual([]);
    session.open(next);
    expect(write(session)).toEqual(['2']);
  });

  test('the count of a session that is over is known until the next one is over', () => {
    const session = new LinkSession();
    const connection = {};
    session.begin('s', connection);
    session.handle(connection);
    expect(session.finallyHandled('s')).toBeUndefined();
    session.giveUp();
    session.giveUp();
    expect(session.finallyHandled('s')).toBe(1);
    session.begin('t', connection);
    expect(session.finallyHandled('s')).toBe(1);
    session.begin('u', connection);
    expect([session.finallyHandled('s'), session.finallyHandled('t')]).toEqual([undefined, 0]);
    session.disown();
    session.begin('v', connection);
    expect(session.finallyHandled('u')).toBeUndefined();
  });

  test('only the present connection counts, opens, is shut or released', () => {
    const session = new LinkSession();
    const [first, second] = [{}, {}];
    session.begin('s', first);
    session.claim(second);
    expect(session.handle(first)).toBe(false);
    expect(session.open(first)).toBe(false);
    session.open(second);
    session.shut(first);
    session.release(first);
    expect(session.isOpen).toBe(true);
    expect(session.handle(second)).toBe(true);
    expect(session.handled).toBe(1);
    session.shut(second);
    expect(session.isOpen).toBe(false);
    expect(session.handle(second)).toBe(true);
    session.release(second);
    expect(session.handle(second)).toBe(false);
  });

  test('keeps a copy of what waits for a connection, so that the buffer it came in is free', () => {
    const session = new LinkSession();
    const chunk = bytes('xx1xx');
    session.send(chunk.subarray(2, 3), PAIR);
    chunk.fill(0);
    const connection = {};
    session.begin('s', connection);
    session.open(connection);
    expect(write(session)).toEqual(['1']);
  });

  test('giving up hands out everything, first what is in doubt', () => {
    const session = new LinkSession();
    const connection = {};
    session.begin('s', connection);
    session.open(connection);
    session.send(bytes('1'), PAIR);
    write(session);
    session.send(bytes('2'), PAIR);
    const { inDoubt, never } = session.giveUp();
    expect([texts(inDoubt), texts(never)]).toEqual([['1'], ['2']]);
    expect(session).toMatchObject({ id: undefined, isOpen: false, neverWritten: 0 });
    expect(session.handle(connection)).toBe(false);
  });
});

describe('WaitingQueue', () => {
  test('is a queue: the same as an array, through any pushes and drops', () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 200 }) }),
      fc.record({ drop: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ take: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new WaitingQueue();
        let model: Uint8Array[] = [];
        let pushed = 0;
        const taken: Uint8Array[] = [];
        const expected: Uint8Array[] = [];
        for (const each of steps) {
          if ('push' in each) {
            for (let i = 0; i < each.push; i++) {
              const one = new Uint8Array(pushed++ % 7);
              queue.add(one, PAIR);
              model.push(one);
            }
          } else if ('drop' in each) {
            const count = Math.floor(each.drop * model.length);
            queue.drop(count);
            model = model.slice(count);
          } else {
            const count = Math.floor(each.take * model.length);
            taken.push(...queue.take(count).map((waiting) => waiting.bytes));
            expected.push(...model.slice(0, count));
            model = model.slice(count);
          }
          expect(taken).toEqual(expected);
          expect(queue.stanzas).toBe(model.length);
          expect(queue.bytes).toBe(model.reduce((sum, one) => sum + one.length, 0));
          for (const index of [0, Math.max(0, model.length - 1), model.length])
            expect(queue.bytesAt(index)).toEqual(model[index]);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('lets go of the room that a long break took', () => {
    const queue = new WaitingQueue();
    for (let i = 0; i < 40_000; i++) queue.add(bytes('x'), PAIR);
    queue.drop(40_000);
    queue.add(bytes('y'), PAIR);
    expect(queue.bytesAt(0)).toEqual(bytes('y'));
    expect(queue).toMatchObject({ stanzas: 1, bytes: 1 });
  });
});
