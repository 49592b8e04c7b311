/**
 * What the hop between Edge and Core costs, side by side with a single box in the same run.
 *
 *   node bench/split/main.ts [--seconds 8] [--rounds 3] [--short] [--write]
 *
 * Throughput is what one second of CPU relays: of the single box, and of the slower one of Edge and Core. Latency is measured at 1,000 stanzas
 * per second. The exit status is 1 when a stanza was lost, came twice or out of order; how fast anything was never changes it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { claimAddresses } from '../../test/lab/addresses.ts';
import { createAuthority } from '../../test/lab/certificates.ts';
import { type LabProcess, tail } from '../../test/lab/processes.ts';
import { chooseCores } from '../relay/cores.ts';
import { type Addresses, NumberedSink, NumberedSource } from '../relay/numbered.ts';
import { DIRECTIONS, type Direction, HOME, PARTNER, type Setting, type Way } from '../relay/setting.ts';
import { fedway } from '../relay/systems/fedway.ts';
import { usageOf } from '../relay/usage.ts';
import { xmppWay } from '../relay/xmpp-way.ts';
import { type Latencies, PacedSource, percentile } from './latency.ts';
import { startTwoBoxes } from './two-boxes.ts';

const PER_SECOND = 1000;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string' },
    rounds: { type: 'string' },
    short: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds ?? (options.short ? 1 : 8));
const rounds = Number(options.rounds ?? (options.short ? 1 : 3));

/** The processes of a deployment, each with its name. */
type Boxes = Readonly<Record<string, LabProcess>>;

interface Result {
  readonly direction: Direction;
  readonly system: 'single' | 'split';
  /** CPU seconds per 100,000 stanzas, of each box. */
  readonly cost: Readonly<Record<string, number>>;
  readonly stanzasPerSecond: number;
  readonly latencies: Latencies;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const cores = chooseCores();
const addresses = await claimAddresses();
const folder = mkdtempSync(path.join(tmpdir(), 'fedway-bench-'));
const common: Omit<Setting, 'folder'> = {
  system: addresses.address(10),
  inside: addresses.address(11),
  partner: addresses.address(20),
  authority: createAuthority(path.join(folder, 'authority')),
  core: cores?.system,
};
const results: Result[] = [];
try {
  for (let round = 1; round <= rounds; round++) {
    for (const direction of DIRECTIONS) {
      for (const system of ['single', 'split'] as const) {
        const result = await measure(system, direction, `${round}-${direction}-${system}`);
        results.push(result);
        console.error(`round ${round}: ${describe(result)}`);
      }
    }
  }
  console.log(`\n${table()}`);
  if (options.write) writeFileSync(new URL('../../docs/performance-split.md', import.meta.url), page());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await addresses.release();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

async function measure(system: Result['system'], direction: Direction, name: string): Promise<Result> {
  const setting: Setting = { ...common, folder: path.join(folder, name) };
  mkdirSync(setting.folder, { mode: 0o700 });
  const boxes: Boxes =
    system === 'single' ? { single: await fedway().start(setting, direction) } : { ...(await startTwoBoxes(setting)) };
  try {
    const way = await xmppWay(setting, direction, setting.inside);
    return { system, direction, ...(await load(way, direction, boxes)) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${name}: ${reason}\n${tail(path.join(setting.folder, 'output.log'), 20)}`, { cause: error });
  } finally {
    for (const box of Object.values(boxes)) await box.stop();
  }
}

/** First as much as goes through, then a thousand a second. */
async function load(
  way: Way,
  direction: Direction,
  boxes: Boxes,
): Promise<Pick<Result, 'cost' | 'stanzasPerSecond' | 'latencies'>> {
  const sink = new NumberedSink();
  let paced: PacedSource | undefined;
  const sending = way.source.handOver(() => undefined);
  const inward = { from: `anna@${PARTNER}/phone`, to: `ben@${HOME}/desk` };
  const ends: Addresses = direction === 'inward' ? inward : { from: inward.to, to: inward.from };
  const source = new NumberedSource(sending, ends);
  source.sendOne();
  const arriving = await way.sink;
  const receiving = arriving.handOver((bytes) => {
    if (paced === undefined) sink.take(bytes);
    else paced.take(bytes);
  });
  try {
    await allArrived(source, sink);
    source.start();
    await pause(options.short ? 500 : 2000);
    const before = mark(boxes, sink);
    await pause(seconds * 1000);
    const after = mark(boxes, sink);
    source.stop();
    await allArrived(source, sink);
    const stanzas = after.stanzas - before.stanzas;
    const cost = Object.fromEntries(
      Object.keys(boxes).map((box) => [box, (((after.cpu[box] ?? 0) - (before.cpu[box] ?? 0)) / stanzas) * 100_000]),
    );
    paced = new PacedSource(sending, ends);
    const latencies = await paced.run(PER_SECOND, options.short ? 2 : seconds);
    return { cost, stanzasPerSecond: stanzas / (after.at - before.at), latencies };
  } finally {
    sending.destroy();
    receiving.destroy();
    way.close();
  }
}

async function allArrived(source: NumberedSource, sink: NumberedSink): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (sink.received < source.sent) {
    if (sink.fault !== undefined) throw new Error(sink.fault);
    if (performance.now() > deadline) throw new Error(`${source.sent - sink.received} stanzas never arrived`);
    await pause(5);
  }
  if (sink.fault !== undefined) throw new Error(sink.fault);
  if (sink.received !== source.sent) throw new Error(`${sink.received} stanzas arrived, and ${source.sent} were sent`);
}

function mark(boxes: Boxes, sink: NumberedSink): { at: number; stanzas: number; cpu: Record<string, number> } {
  const cpu = Object.fromEntries(Object.entries(boxes).map(([name, { pid }]) => [name, usageOf(pid).cpuSeconds]));
  return { at: performance.now() / 1000, stanzas: sink.received, cpu };
}

function describe({ system, direction, cost, stanzasPerSecond, latencies }: Result): string {
  const costs = Object.entries(cost).map(([box, value]) => `${box} ${value.toFixed(3)}`);
  const p99 = percentile(latencies, 0.99).toFixed(2);
  return `${system}, ${direction}: ${Math.round(stanzasPerSecond)} stanzas/s, CPU s per 100,000: ${costs.join(', ')}; p99 ${p99} ms`;
}

function table(): string {
  const lines = [
    '| direction | single: CPU s per 100,000 | Edge | Core | slower box of single | p50, p99 single | p50, p99 split | p99 added |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
  ];
  for (const direction of DIRECTIONS) {
    const of = (system: Result['system']): Result[] =>
      results.filter((each) => each.system === system && each.direction === direction);
    const cost = (system: Result['system'], box: string): number =>
      median(of(system).map((each) => each.cost[box] ?? Number.NaN));
    const single = cost('single', 'single');
    const [edge, core] = [cost('split', 'edge'), cost('split', 'core')];
    const latency = (system: Result['system'], share: number): number =>
      median(of(system).map(({ latencies }) => percentile(latencies, share)));
    const milliseconds = (system: Result['system']): string =>
      `${latency(system, 0.5).toFixed(2)}, ${latency(system, 0.99).toFixed(2)} ms`;
    const added = latency('split', 0.99) - latency('single', 0.99);
    lines.push(
      `| ${direction} | ${single.toFixed(3)} | ${edge.toFixed(3)} | ${core.toFixed(3)} | ${((100 * single) / Math.max(edge, core)).toFixed(0)} % | ${milliseconds('single')} | ${milliseconds('split')} | ${added.toFixed(2)} ms |`,
    );
  }
  return lines.join('\n');
}

function page(): string {
  const [cpu] = cpus();
  return `# Performance of Edge and Core

Measured by \`node bench/split/main.ts --write\` on ${cpu?.model.trim() ?? 'an unknown processor'}, ${cpus().length} cores; medians of ${rounds} rounds of ${seconds} seconds.

${table()}

- "Slower box of single": what one second of CPU relays on the slower one of Edge and Core, compared with the single box. Both boxes share one core here, the load has
  the other; on machines of their own they work side by side.
- One stream each way, one pair of domains; S2S with TLS and EXTERNAL towards the partner, a component towards the home, default settings. The Link is TLS 1.3 with stream
  management.
- Latency: messages at ${PER_SECOND.toLocaleString('en-US')} per second, from the write at one end to the read at the other, over loopback.
- Every message has a number. A run counts only if each one arrived exactly once and in order.
`;
}

/** NaN of none. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
