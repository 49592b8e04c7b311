import type { AxlAccess } from '../../src/axl/client.ts';
import type { AxlFailure } from '../../src/axl/failures.ts';
import type { AxlRow } from '../../src/axl/soap/types.ts';
import type { Timers } from './timers.ts';

const NO_TABLE: AxlFailure = {
  code: 'unknown-table',
  fault: { axlcode: -206, axlmessage: '', request: '', faultstring: '' },
};
const DUPLICATE: AxlFailure = {
  code: 'duplicate',
  fault: { axlcode: -239, axlmessage: '', request: '', faultstring: '' },
};

/** A publisher's database behind AXL. */
export class AxlDatabase implements AxlAccess {
  table: string[] = [];
  view: Readonly<Record<string, string>> | undefined;
  /** What every request comes to while it is set. */
  failure: AxlFailure | undefined;
  updateFailure: AxlFailure | undefined;
  /** Called before each change: what somebody else does in that moment. */
  meanwhile: () => void = () => {};
  /** Takes changes and forgets them. */
  isForgetful = false;
  readonly asked: string[] = [];
  readonly times: number[] = [];
  /** Settled by the test, when a request is to take its time. */
  hold: Promise<void> = Promise.resolve();
  version: string | undefined = '14.0';
  forgotten = 0;
  closed = false;
  routine: boolean[] = [];
  readonly #clock: Timers;

  constructor(clock: Timers) {
    this.#clock = clock;
  }

  async query(sql: string, routine = false) {
    await this.#take(sql);
    this.routine.push(routine);
    if (this.failure !== undefined) return { failure: this.failure };
    if (sql.includes('routerstatus')) {
      if (this.view === undefined) return { failure: NO_TABLE };
      return {
        rows: Object.entries(this.view).map(
          ([name, value]): AxlRow => [
            ['name', name],
            ['value', value],
          ],
        ),
      };
    }
    return {
      rows: this.table.map(
        (cpId): AxlRow => [
          ['pkid', ''],
          ['cp_id', cpId],
        ],
      ),
    };
  }

  async update(sql: string) {
    await this.#take(sql);
    this.meanwhile();
    const failure = this.failure ?? this.updateFailure;
    if (failure !== undefined) return { failure };
    const [, name = ''] = /'([^']+)'/.exec(sql) ?? [];
    const isThere = this.table.includes(name);
    if (sql.startsWith('insert') && isThere) return { failure: DUPLICATE };
    if (!this.isForgetful) {
      this.table = sql.startsWith('insert') ? [...this.table, name] : this.table.filter((one) => one !== name);
    }
    return { rowsUpdated: sql.startsWith('insert') || isThere ? 1 : 0 };
  }

  forget(): void {
    this.forgotten += 1;
  }

  close(): void {
    this.closed = true;
  }

  async #take(sql: string): Promise<void> {
    if (!sql.includes('routerstatus')) this.times.push(this.#clock.time);
    this.asked.push(sql.split(' ')[0] ?? '');
    await this.hold;
  }
}
