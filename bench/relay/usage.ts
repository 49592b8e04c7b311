import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** What a process group has used so far. */
export interface Usage {
  /** User and system time, of children that have ended too. */
  readonly cpuSeconds: number;
  /** The sum of the processes' highest resident sizes (VmHWM). */
  readonly peakBytes: number;
}

/** The usage of the process group `group`; see proc(5). */
export function usageOf(group: number): Usage {
  let ticks = 0;
  let peakKilobytes = 0;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    // A process may end between two looks.
    const stat = tryRead(`/proc/${entry}/stat`);
    // The name stands in parentheses and may contain anything.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
    if (Number(fields[2]) !== group) continue;
    for (const field of fields.slice(11, 15)) ticks += Number(field);
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(tryRead(`/proc/${entry}/status`) ?? '');
    peakKilobytes += Number(peak?.[1] ?? 0);
  }
  return { cpuSeconds: ticks / TICKS_PER_SECOND, peakBytes: peakKilobytes * 1024 };
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
