import { isDeepStrictEqual } from 'node:util';
import { ALARMS, type AlarmId } from '../diagnostics/alarms.ts';
import type { NoteSink } from '../protocol/notes.ts';
import type { Alarm } from './operations.ts';

/** A condition that somebody has to end, as it is found. */
export interface AlarmCondition extends Omit<Alarm, 'id' | 'title' | 'since'> {
  readonly id: AlarmId;
}

/** The alarms that are raised now. Whoever finds conditions says all of them each time; what is new is told as raised, what is gone as cleared. */
export class Alarms {
  private readonly notes: NoteSink;
  private readonly now: () => number;
  private raised = new Map<string, Alarm>();

  /** @param now Unix milliseconds */
  constructor(notes: NoteSink, now: () => number) {
    this.notes = notes;
    this.now = now;
  }

  /** Those that are raised, in the order of their numbers. */
  all(): readonly Alarm[] {
    return [...this.raised.values()].toSorted((a, b) => a.id - b.id || (a.about < b.about ? -1 : 1));
  }

  /** All conditions that hold now. An alarm that goes on for another reason is told again, and is as old as it was. */
  found(conditions: readonly AlarmCondition[]): void {
    const now = this.now();
    const former = this.raised;
    const raised = new Map<string, Alarm>();
    for (const condition of conditions) {
      const key = `${condition.id} ${condition.about}`;
      // One thing can be wrong in two ways; the first one found is told.
      if (raised.has(key)) continue;
      const known = former.get(key);
      const alarm = { ...condition, title: ALARMS[condition.id], since: known?.since ?? now };
      raised.set(key, alarm);
      if (isDeepStrictEqual(known, alarm)) continue;
      const { since: _, ...told } = alarm;
      this.notes({ note: 'alarm-raised', ...told }, {});
    }
    this.raised = raised;
    for (const [key, { id, title, about, since }] of former) {
      if (raised.has(key)) continue;
      const seconds = Math.max(0, Math.round((now - since) / 1000));
      this.notes({ note: 'alarm-cleared', id, title, about, seconds }, {});
    }
  }
}
