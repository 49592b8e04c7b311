import type { SrvRecord } from './records.ts';

/** A random whole number from 0 to `max`, both included. */
export type RandomUpTo = (max: number) => number;

/**
 * The records in the order they are to be tried (RFC 2782): lower priorities first, within a priority by chance, in proportion
 * to the weights.
 *
 * @param limit only so many are returned
 */
export function orderBySrv<R extends SrvRecord>(
  records: readonly R[],
  random: RandomUpTo,
  limit: number,
): readonly R[] {
  const ordered: R[] = [];
  const priorities = [...new Set(records.map((record) => record.priority))].sort((a, b) => a - b);
  for (const priority of priorities) {
    const rest = shuffle(
      records.filter((record) => record.priority === priority),
      random,
    );
    // Those of weight 0 stand at the beginning, where they are chosen only by the number 0.
    rest.sort((a, b) => Math.sign(a.weight) - Math.sign(b.weight));
    let total = rest.reduce((sum, record) => sum + record.weight, 0);
    while (rest.length > 0) {
      if (ordered.length === limit) return ordered;
      const [chosen] = rest.splice(choose(rest, random(total)), 1);
      if (chosen === undefined) break;
      total -= chosen.weight;
      ordered.push(chosen);
    }
  }
  return ordered;
}

/** The first record whose running sum of weights is at least `mark`. */
function choose(records: readonly SrvRecord[], mark: number): number {
  let sum = 0;
  return records.findIndex((record) => (sum += record.weight) >= mark);
}

/** RFC 2782 leaves the order of equals open: chance, so that servers of weight 0 share the load too. */
function shuffle<R>(records: R[], random: RandomUpTo): R[] {
  const mixed = records;
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = random(last);
    const [a, b] = [mixed[last], mixed[other]];
    if (a === undefined || b === undefined) continue;
    mixed[last] = b;
    mixed[other] = a;
  }
  return mixed;
}
