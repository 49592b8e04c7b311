import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The first core for the system under test, the second for us, who load it; `undefined` where there are no two, or no taskset. */
export function chooseCores(): { readonly system: number } | undefined {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const [system, load] = allowed.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  const pinned =
    system !== undefined &&
    load !== undefined &&
    spawnSync('taskset', ['-a', '-p', '-c', String(load), String(process.pid)]).status === 0;
  if (!pinned) {
    console.error('There are no two cores to choose from, or no taskset: system and load share what there is.');
    return undefined;
  }
  return { system };
}
