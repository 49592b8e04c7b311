/**
 * Loaded before everything else: on SIGUSR2 the clock of this process jumps by the milliseconds in the file `clock`, as when somebody sets it, and
 * `clock.set` says that it has. `performance.now()` goes on as before, for it is never set.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env['FEDWAY_TEST_FOLDER'] ?? '.';
const RealDate = Date;
let shift = 0;

class ShiftedDate extends RealDate {
  // Every form of the constructor but one is the real one's.
  constructor(...parts: readonly unknown[]) {
    super(...((parts.length === 0 ? [RealDate.now() + shift] : parts) as [number]));
  }

  static override now(): number {
    return RealDate.now() + shift;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;

process.on('SIGUSR2', () => {
  const wanted = readFileSync(join(folder, 'clock'), 'utf8');
  shift = Number(wanted);
  writeFileSync(join(folder, 'clock.set'), wanted);
});
