import type { AxlProblem } from './failures.ts';
import type { RouterView } from './router-view.ts';

/**
 * `unknown`: not asked yet, or settings are new; `ok`: the table is as wanted; `waiting`: the server answers, and nobody has said yet which Edges there
 * are; `failed`: the last attempt failed, see `failure`.
 */
export type PublisherState = 'unknown' | 'ok' | 'failed' | 'waiting';

/** A row of `xmpps2snodes`, or one that should be there. */
export interface PublisherRow {
  readonly cpId: string;
  /** Inserted by us. */
  readonly ours: boolean;
  readonly wanted: boolean;
  /** In the table, when it was last read. */
  readonly present: boolean;
}

/** What is known of one publisher: plain data. Times in Unix milliseconds. */
export interface PublisherStatus {
  readonly name: string;
  readonly url: string;
  readonly user: string;
  readonly state: PublisherState;
  /** Of the AXL schema, once it is known. */
  readonly version: string | undefined;
  readonly lastSuccess: number | undefined;
  readonly lastAttempt: number | undefined;
  readonly nextAttempt: number | undefined;
  /** Of the last attempt. */
  readonly failure: AxlProblem | undefined;
  readonly rows: readonly PublisherRow[];
  /** Only of fedway's own IM&P node. */
  readonly router: RouterView | undefined;
}
