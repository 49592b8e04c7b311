import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDomain } from '../jid/domain.ts';
import type { StreamPair } from '../stream/actions.ts';
import { WaitingQueue } from './waiting-queue.ts';

const home = parseDomain('coluc.com');
const foreign = parseDomain('far.lab');
if (home === undefined || foreign === undefined) throw new Error('these are domains');
const PAIRS: readonly [StreamPair, StreamPair] = [
  { sender: home, target: foreign },
  { sender: foreign, target: home },
];

/** The bytes of a stanza with a number, of different lengths. */
const bytes = (n: number): Uint8Array => Uint8Array.of(n, ...Array.from({ length: n % 3 }, () => 0));

it('what is withdrawn leaves the queue, and the rest stays in order, wherever the queue begins and however long it is', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 200 }),
      fc.nat(150),
      fc.nat(210),
      fc.array(fc.boolean(), { maxLength: 5 }),
      (goes, moved, start, more) => {
        const queue = new WaitingQueue();
        for (let n = 0; n < moved; n++) queue.add(new Uint8Array(1), PAIRS[0]);
        queue.drop(moved);
        for (const [n, each] of goes.entries()) queue.add(bytes(n), PAIRS[each ? 0 : 1]);
        const withdrawn = queue.withdraw(start, ({ pair }) => pair === PAIRS[0]);
        for (const n of more.keys()) queue.add(bytes(250 + n), PAIRS[1]);
        const numbers = goes.map((_, n) => n);
        const isGone = (n: number): boolean => n >= start && goes[n] === true;
        const rest = [...numbers.filter((n) => !isGone(n)), ...more.map((_, n) => 250 + n)];
        expect(withdrawn.map((each) => each.bytes[0])).toEqual(numbers.filter(isGone));
        expect(queue.bytes).toBe(rest.reduce((sum, n) => sum + bytes(n).length, 0));
        expect(queue.take(queue.stanzas).map((each) => each.bytes[0])).toEqual(rest);
      },
    ),
  );
});
