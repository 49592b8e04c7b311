import { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { NumberedSink, NumberedSource, STANZA_BYTES } from './numbered.ts';

const COUNT = 401;
let stanzas: Buffer[] = [];

beforeAll(async () => {
  const written: Buffer[] = [];
  const socket = new Writable({
    write(bytes: Buffer, _encoding, done) {
      written.push(Buffer.from(bytes));
      if (written.length === 3) source.stop();
      setImmediate(done);
    },
  });
  const source: NumberedSource = new NumberedSource(socket, { from: 'anna@a.example/x', to: 'ben@b.example/y' });
  source.sendOne();
  source.start();
  while (socket.writableLength > 0 || written.length < 3) await pause(1);
  const all = Buffer.concat(written);
  stanzas = Array.from({ length: COUNT }, (_, i) => all.subarray(i * STANZA_BYTES, (i + 1) * STANZA_BYTES));
});

function read(bytes: Buffer, cuts: readonly number[]): NumberedSink {
  const sink = new NumberedSink();
  let from = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    sink.take(bytes.subarray(from, cut));
    from = cut;
  }
  return sink;
}

const cuts = fc.array(fc.nat(COUNT * STANZA_BYTES), { maxLength: 400 });

describe('the benchmark notices what a relay does to the stream', () => {
  test('complete and in order, however it is cut and whatever stands between', () => {
    fc.assert(
      fc.property(cuts, fc.boolean(), (at, noise) => {
        const between = noise
          ? stanzas.flatMap((each, i) => [each, Buffer.from('<presence/>'.repeat(i % 4))])
          : stanzas;
        const sink = read(Buffer.concat(between), at);
        expect([sink.received, sink.fault]).toEqual([COUNT, undefined]);
      }),
    );
  });

  test('byte by byte', () => {
    const bytes = Buffer.concat(stanzas.slice(0, 20));
    const sink = read(bytes, Array.from(bytes.keys()));
    expect([sink.received, sink.fault]).toEqual([20, undefined]);
  });

  test.each([
    ['one lost', (list: Buffer[]) => list.toSpliced(100, 1), /^stanza 102 arrived where 101 was due/],
    [
      'one twice',
      (list: Buffer[]) => list.toSpliced(100, 0, ...list.slice(99, 100)),
      /^stanza 100 .* 101 was due \(twice/,
    ],
    [
      'two swapped',
      (list: Buffer[]) => [...list.slice(0, 50), ...list.slice(50, 52).toReversed(), ...list.slice(52)],
      /^stanza 52 /,
    ],
  ])('%s', (_name, change, fault) => {
    fc.assert(
      fc.property(cuts, (at) => {
        expect(read(Buffer.concat(change(stanzas)), at).fault).toMatch(fault);
      }),
    );
  });
});
