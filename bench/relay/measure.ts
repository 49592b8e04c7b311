import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { tail } from '../../test/lab/processes.ts';
import { NumberedSink, NumberedSource } from './numbered.ts';
import { type Direction, HOME, PARTNER, type Setting, type System } from './setting.ts';
import { usageOf } from './usage.ts';

/** How long the last stanzas may take once nothing more is sent. */
const DRAIN_MS = 60_000;

/** One system, one direction, one round. */
export interface Measurement {
  readonly stanzasPerSecond: number;
  /** CPU seconds per 100,000 stanzas. */
  readonly cpuPer100k: number;
  readonly peakBytes: number;
  /** How much of its core the system had, and how much of the other one we had, who load it. 1 is all of it. */
  readonly busy: { readonly system: number; readonly load: number };
}

/** What is the same for all measurements. */
export interface Conditions extends Omit<Setting, 'folder'> {
  readonly folder: string;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

let number = 0;

/** Starts the system, loads it, and ends it. Throws when a stanza was lost, came twice or out of order. */
export async function measure(system: System, direction: Direction, conditions: Conditions): Promise<Measurement> {
  number += 1;
  const setting: Setting = { ...conditions, folder: path.join(conditions.folder, String(number)) };
  mkdirSync(setting.folder, { mode: 0o700 });
  const started = await system.start(setting, direction);
  try {
    return await load(system, direction, setting, conditions, started.pid);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${system.title}, ${direction}: ${reason}\n${tail(started.outputFile)}`, { cause: error });
  } finally {
    await started.stop();
  }
}

async function load(
  system: System,
  direction: Direction,
  setting: Setting,
  { seconds, warmUpSeconds }: Conditions,
  group: number,
): Promise<Measurement> {
  const way = await system.open(setting, direction);
  const sink = new NumberedSink();
  let answer = '';
  const sending = way.source.handOver((bytes) => (answer += answer.length < 1000 ? bytes.toString('utf8') : ''));
  const inwards = { from: `anna@${PARTNER}/phone`, to: `ben@${HOME}/desk` };
  const addresses = direction === 'inward' ? inwards : { from: inwards.to, to: inwards.from };
  const source = new NumberedSource(sending, addresses);
  source.sendOne();
  const arriving = await way.sink;
  const receiving = arriving.handOver((bytes) => sink.take(bytes));
  try {
    await arrived(source, sink);
    source.start();
    await pause(warmUpSeconds * 1000);
    const before = mark(group, sink);
    await pause(seconds * 1000);
    const after = mark(group, sink);
    source.stop();
    await arrived(source, sink);
    const stanzas = after.stanzas - before.stanzas;
    const elapsed = after.at - before.at;
    const cpu = after.usage.cpuSeconds - before.usage.cpuSeconds;
    return {
      stanzasPerSecond: stanzas / elapsed,
      cpuPer100k: (cpu / stanzas) * 100_000,
      peakBytes: usageOf(group).peakBytes,
      busy: { system: cpu / elapsed, load: (after.ownCpu - before.ownCpu) / elapsed },
    };
  } catch (error) {
    if (answer === '') throw error;
    throw new Error(`${String(error)}; the system answered: ${answer.slice(0, 600)}`, { cause: error });
  } finally {
    sending.destroy();
    receiving.destroy();
    way.close();
  }
}

/** Waits until all that was sent is there. */
async function arrived(source: NumberedSource, sink: NumberedSink): Promise<void> {
  const deadline = performance.now() + DRAIN_MS;
  let seen = 0;
  while (sink.received < source.sent) {
    if (sink.fault !== undefined) throw new Error(sink.fault);
    if (performance.now() > deadline)
      throw new Error(`${source.sent - sink.received} of ${source.sent} stanzas never arrived`);
    seen = sink.received;
    await pause(5);
  }
  // What came twice would come now.
  while (seen !== sink.received) {
    seen = sink.received;
    await pause(20);
  }
  if (sink.fault !== undefined) throw new Error(sink.fault);
  if (sink.received !== source.sent) throw new Error(`${sink.received} stanzas arrived, and ${source.sent} were sent`);
}

function mark(group: number, sink: NumberedSink) {
  const { user, system } = process.cpuUsage();
  return { at: performance.now() / 1000, stanzas: sink.received, usage: usageOf(group), ownCpu: (user + system) / 1e6 };
}
