import { cpus } from 'node:os';
import type { Measurement } from './measure.ts';
import { STANZA_BYTES } from './numbered.ts';
import { DIRECTIONS, type Direction } from './setting.ts';

/** All measurements of one system, by direction. */
export interface Results {
  /** `ejabberd` and `frame` are what the others are compared with. */
  readonly name: string;
  readonly title: string;
  readonly rounds: Readonly<Record<Direction, Measurement[]>>;
}

const HEADINGS: Readonly<Record<Direction, string>> = {
  inward: 'Inward: S2S with TLS and EXTERNAL in, component out',
  outward: 'Outward: component in, S2S with TLS and EXTERNAL out',
};
const COLUMNS = [
  'system',
  'stanzas/s',
  'range',
  'CPU s per 100,000',
  'peak memory',
  'its core',
  'our core',
  '× ejabberd',
  'of framing relay',
];

/** The tables, as Markdown that can be read as it is. */
export function tables(results: readonly Results[], directions = DIRECTIONS): string {
  return directions.map((direction) => `${HEADINGS[direction]}\n\n${table(results, direction)}\n`).join('\n');
}

/** The page docs/performance.md. */
export function page(results: readonly Results[], run: { readonly seconds: number; readonly rounds: number }): string {
  const [cpu] = cpus();
  return `# Performance

Measured by \`npm run bench -- --write\` on ${cpu?.model.trim() ?? 'an unknown processor'}, ${cpus().length} cores; medians of ${run.rounds} rounds of ${run.seconds} seconds.
A machine easily varies by a third: compare within one run, and only there.

${tables(results)}
## Method

- One stream each way, one pair of domains, messages of ${STANZA_BYTES} bytes, as fast as the system takes them.
- The system under test has one core, the load has another. Rounds are interleaved, every measurement is of a freshly started process, and what
  it does in the first seconds is discarded. TLS 1.3 with TLS_AES_128_GCM_SHA256 for all.
- fedway is the full product with default settings: strict parsing, authorization and policy for every stanza, counters, log. Prosody and ejabberd
  are Debian's packages, as S2S server with an external component; log level info, no traffic shaping, no modules that S2S does not need.
- The two relays in Node know nothing of XMPP. One copies bytes; the other looks for closing tags and puts a length in front of each stanza.
- Every message has a number. A run counts only if each one arrived exactly once and in order.
- CPU is user and system time of the whole process group from /proc; memory is VmHWM, the highest resident size.

## Limits

- The last two columns compare what one second of CPU relays, which other work on the machine disturbs least. With the system's core at 100 % it is
  the same as comparing stanzas/s.
- A core is shared with whatever else runs: where "its core" is well below 100 % although ours is not full, the system could have done more.
- Where our own core is busy to 100 % and the system's is not, the load was the bottleneck: then CPU per 100,000 stanzas says more than stanzas/s.
- Loopback has no latency and loses nothing. Many streams, latency, and the cost of a new stream are not measured here.
`;
}

function table(results: readonly Results[], direction: Direction): string {
  const cost = (name: string): number | undefined => {
    const found = results.find((each) => each.name === name);
    return found === undefined ? undefined : median(found.rounds[direction].map((each) => each.cpuPer100k));
  };
  const ejabberd = cost('ejabberd');
  const frame = cost('frame');
  const rows = results.map(({ title, rounds }) => row(title, rounds[direction], ejabberd, frame));
  const widths = COLUMNS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(COLUMNS), rule, ...rows.map(line)].join('\n');
}

function row(
  title: string,
  rounds: readonly Measurement[],
  ejabberd: number | undefined,
  frame: number | undefined,
): string[] {
  const rates = rounds.map((each) => each.stanzasPerSecond);
  const cost = median(rounds.map((each) => each.cpuPer100k));
  const percent = (values: readonly number[]): string => `${(100 * median(values)).toFixed(0)} %`;
  return [
    title,
    thousands(median(rates)),
    `${thousands(Math.min(...rates))} to ${thousands(Math.max(...rates))}`,
    cost.toFixed(3),
    `${(median(rounds.map((each) => each.peakBytes)) / 1e6).toFixed(0)} MB`,
    percent(rounds.map((each) => each.busy.system)),
    percent(rounds.map((each) => each.busy.load)),
    ejabberd === undefined ? '' : (ejabberd / cost).toFixed(1),
    frame === undefined ? '' : `${((100 * frame) / cost).toFixed(0)} %`,
  ];
}

/** Of an even number the mean of the middle two; of none, NaN. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
