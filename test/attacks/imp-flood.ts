import type { Wire } from '../support/raw-peer.ts';

let ids = 0;

/** Sends an IQ and gives back its answer. */
export async function iq(wire: Wire, type: 'get' | 'set', payload: string, to?: string): Promise<string> {
  ids += 1;
  wire.send(`<iq type='${type}' id='q${ids}'${to === undefined ? '' : ` to='${to}'`}>${payload}</iq>`);
  return wire.expect(new RegExp(`<iq[^>]* id='q${ids}'[^>]*?(?:/>|>.*?</iq>)`, 's'), 10_000);
}

export function times(n: number, of: (index: number) => string): string {
  return Array.from({ length: n }, (_, index) => of(index)).join('');
}

/** How many matches came on these wires since `watch` was called. */
export function watch(
  wires: readonly Wire[],
  pattern: RegExp,
): { readonly count: () => number; readonly stop: () => void } {
  let count = 0;
  for (const wire of wires) {
    let rest = '';
    wire.onText = (text) => {
      rest += text;
      let end = 0;
      for (const { index, 0: found } of rest.matchAll(pattern)) {
        count += 1;
        end = index + found.length;
      }
      rest = rest.slice(Math.max(end, rest.length - 2_000));
    };
  }
  return {
    count: () => count,
    stop: () => {
      for (const wire of wires) wire.onText = undefined;
    },
  };
}

/** Sends so many IQs at once; how many of the answers are results, and how many errors. */
export async function answersTo(
  wire: Wire,
  n: number,
  type: 'get' | 'set',
  payload: (index: number) => string,
): Promise<{ readonly result: number; readonly error: number }> {
  ids += 1;
  const mark = `h${ids}`;
  wire.send(times(n, (index) => `<iq type='${type}' id='${mark}-${index}'>${payload(index)}</iq>`));
  const text = await wire.expect(new RegExp(`<iq[^>]* id='${mark}-${n - 1}'[^>]*?(?:/>|>.*?</iq>)`, 's'), 30_000);
  const types = [...text.matchAll(new RegExp(`<iq(?=[^>]* id='${mark}-)[^>]*? type='(result|error)'`, 'g'))];
  const count = (wanted: string): number => types.filter(([, found]) => found === wanted).length;
  return { result: count('result'), error: count('error') };
}
