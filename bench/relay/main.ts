/**
 * Relay throughput on one core, side by side with other systems; docs/performance.md describes the method.
 *
 *   node bench/relay/main.ts [options]
 *
 *   --seconds 8          how long each measurement lasts, behind its warm-up
 *   --rounds 3           measurements of each system and direction; medians are shown
 *   --only a,b           of fedway, prosody, ejabberd, frame, pipe
 *   --direction d        only inward, or only outward
 *   --short              fedway alone, one second each way
 *   --against folder     another checkout of fedway too, to see what a change brings
 *   --profile folder     CPU profiles of what runs in Node, for the developer tools of a browser
 *   --write              writes docs/performance.md
 *
 * The exit status is 1 when stanzas were lost, came twice or out of order; how fast anything was never changes it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { claimAddresses } from '../../test/lab/addresses.ts';
import { createAuthority } from '../../test/lab/certificates.ts';
import { chooseCores } from './cores.ts';
import { type Conditions, measure } from './measure.ts';
import { page, type Results, tables } from './report.ts';
import { DIRECTIONS, type System } from './setting.ts';
import { ejabberd } from './systems/ejabberd.ts';
import { fedway } from './systems/fedway.ts';
import { nodeRelay } from './systems/node.ts';
import { prosody } from './systems/prosody.ts';

const SYSTEMS: Readonly<Record<string, () => System | undefined>> = {
  fedway: () => fedway(),
  against: () => (options.against === undefined ? undefined : fedway(path.resolve(options.against))),
  prosody,
  ejabberd,
  frame: () => nodeRelay('frame'),
  pipe: () => nodeRelay('pipe'),
};

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string' },
    direction: { type: 'string' },
    write: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    profile: { type: 'string' },
    against: { type: 'string' },
  },
});
const seconds = Number(options.seconds ?? (options.short ? 1 : 8));
const rounds = Number(options.rounds ?? (options.short ? 1 : 3));
const everything = Object.keys(SYSTEMS).filter((name) => name !== 'against' || options.against !== undefined);
const names = options.only?.split(',') ?? (options.short ? ['fedway'] : everything);
const directions = DIRECTIONS.filter((each) => options.direction === undefined || options.direction === each);

// What was started ends with this process, if this process ends by `exit`.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
if (options.profile !== undefined) {
  process.env['NODE_OPTIONS'] = `--cpu-prof --cpu-prof-interval=200 --cpu-prof-dir=${path.resolve(options.profile)}`;
}
const cores = chooseCores();
const addresses = await claimAddresses();
const folder = mkdtempSync(path.join(tmpdir(), 'fedway-bench-'));
const conditions: Conditions = {
  folder,
  system: addresses.address(10),
  inside: addresses.address(11),
  partner: addresses.address(20),
  authority: createAuthority(path.join(folder, 'authority')),
  core: cores?.system,
  seconds,
  warmUpSeconds: options.short ? 0.5 : 2,
};
try {
  const entries = systems();
  for (let round = 1; round <= rounds; round++) {
    for (const { system, results } of entries) {
      for (const direction of directions) {
        const measured = await measure(system, direction, conditions);
        results.rounds[direction].push(measured);
        const { stanzasPerSecond, cpuPer100k } = measured;
        const figures = `${Math.round(stanzasPerSecond)} stanzas/s, ${cpuPer100k.toFixed(3)} CPU s per 100,000`;
        console.error(`round ${round}: ${system.title}, ${direction}: ${figures}`);
      }
    }
  }
  const results = entries.map((each) => each.results);
  console.log(`\n${tables(results, directions)}`);
  if (options.write) {
    writeFileSync(new URL('../../docs/performance.md', import.meta.url), page(results, { seconds, rounds }));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await addresses.release();
  rmSync(folder, { recursive: true, force: true });
}
// A measurement that failed may have left connections open.
process.exit();

function systems(): { readonly system: System; readonly results: Results }[] {
  return names.flatMap((name) => {
    const system = SYSTEMS[name]?.();
    if (system === undefined) {
      console.error(`${name} is left out: it is not known, or not installed`);
      return [];
    }
    return [{ system, results: { name, title: system.title, rounds: { inward: [], outward: [] } } }];
  });
}
