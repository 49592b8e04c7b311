/** Nothing longer is compared: the work is quadratic, and no key is that long. */
const LONGEST = 64;

/**
 * The candidate that `name` was probably meant to be: fewest slips (a letter missing, added, wrong, or two swapped), and not
 * more than a third of the name; else one that begins like it. `undefined` when none is near. Case and `-` for `_` do not count as slips.
 */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined;
  const wanted = plain(name);
  let best: string | undefined;
  let fewest = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const slips = distance(wanted, plain(candidate));
    if (slips < fewest) {
      fewest = slips;
      best = candidate;
    }
  }
  return best ?? candidates.find((candidate) => beginsLike(wanted, plain(candidate)));
}

/** `forward` for `forward_to`, `keep_zones` for `keep`. */
function beginsLike(name: string, candidate: string): boolean {
  return name.startsWith(`${candidate}_`) || candidate.startsWith(`${name}_`);
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}

/** Optimal string alignment distance. */
export function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let slips = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) slips = Math.min(slips, (beforeLast[column - 2] ?? 0) + 1);
      current.push(slips);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
