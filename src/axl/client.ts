import type { NoteSink } from '../protocol/notes.ts';
import { encodeBase64 } from '../protocol/sasl/base64.ts';
import { AxlAgent } from './agent.ts';
import { post } from './exchange.ts';
import type { AxlFailure } from './failures.ts';
import { problemOf, statusOf } from './failures.ts';
import type { QueryOutcome, UpdateOutcome } from './outcome.ts';
import { outcomeOf } from './outcome.ts';
import type { AxlSettings } from './settings.ts';
import { axlUrl } from './settings.ts';
import { soapAction } from './soap/action.ts';
import { ANSWER_LIMITS } from './soap/read.ts';
import type { AxlFunction } from './soap/types.ts';
import { AXL_VERSIONS } from './soap/types.ts';
import { writeRequest } from './soap/write.ts';

/** Milliseconds. `connect`: TCP and TLS; `whole`: from the request to the end of the answer, a connection included. */
export interface AxlTimes {
  readonly connect: number;
  readonly whole: number;
}

const TIMES: AxlTimes = { connect: 10_000, whole: 30_000 };

/** What keeps a publisher's table needs of a client. */
export type AxlAccess = Pick<AxlClient, 'query' | 'update' | 'version' | 'forget' | 'close'>;

/**
 * A client of AXL on one server: one request at a time, over a connection that is kept. Every failure is a value; each request and what became of it is a note.
 */
export class AxlClient {
  readonly #settings: AxlSettings;
  readonly #note: NoteSink;
  readonly #times: AxlTimes;
  readonly #agent: AxlAgent;
  readonly #stop = new AbortController();
  #version: string | undefined;
  #sequence = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** Throws when one of the authorities is no certificate in PEM: they are checked by whoever reads them. */
  constructor(settings: AxlSettings, note: NoteSink, times: AxlTimes = TIMES) {
    this.#settings = settings;
    this.#note = note;
    this.#times = times;
    this.#agent = new AxlAgent(settings, times.connect);
    this.forget();
  }

  /** Of the AXL schema: the fixed one, or the one that worked. */
  get version(): string | undefined {
    return this.#version;
  }

  /**
   * Asks the database. The statement is ours: one that XML cannot express throws.
   *
   * @param routine nothing has changed, it is only looked again: told less loudly
   */
  query(sql: string, routine = false): Promise<QueryOutcome> {
    return this.#inTurn(() => this.#ask('executeSQLQuery', sql, routine) as Promise<QueryOutcome>);
  }

  /** Changes the database. */
  update(sql: string): Promise<UpdateOutcome> {
    return this.#inTurn(() => this.#ask('executeSQLUpdate', sql, false) as Promise<UpdateOutcome>);
  }

  /** Forgets which version worked: the next request finds out anew. */
  forget(): void {
    const { version } = this.#settings;
    this.#version = version === 'auto' ? undefined : version;
  }

  /** Ends what is under way and what waits, with the failure `stopped`; nothing can be asked any more. */
  close(): void {
    this.#stop.abort();
    this.#agent.destroy();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** Under the version that worked; when that is none, or not any more, under each from the newest on. */
  async #ask(fn: AxlFunction, sql: string, routine: boolean): Promise<QueryOutcome | UpdateOutcome> {
    const known = this.#version;
    if (known !== undefined) {
      const outcome = await this.#askUnder(known, fn, sql, routine);
      if (this.#settings.version !== 'auto' || !isVersionRefused(outcome)) return this.#told(outcome, fn, known);
      this.forget();
    }
    for (const version of AXL_VERSIONS) {
      const outcome = await this.#askUnder(version, fn, sql, routine);
      if (isVersionRefused(outcome)) continue;
      if (!('failure' in outcome) || 'fault' in outcome.failure) this.#version = version;
      return this.#told(outcome, fn, version);
    }
    return this.#told({ failure: { code: 'version', tried: AXL_VERSIONS } }, fn, AXL_VERSIONS[0]);
  }

  async #askUnder(
    version: string,
    fn: AxlFunction,
    sql: string,
    routine: boolean,
  ): Promise<QueryOutcome | UpdateOutcome> {
    const { name, host, port, user, password } = this.#settings;
    this.#sequence += 1;
    const written = writeRequest({ function: fn, version, sequence: String(this.#sequence), sql });
    if ('fault' in written) throw new TypeError(written.fault);
    if (this.#stop.signal.aborted) return { failure: { code: 'stopped' } };
    const url = axlUrl(this.#settings);
    this.#note({ note: 'axl-sent', publisher: name, url, function: fn, version, sql, routine }, {});
    const since = performance.now();
    const answer = await post({
      agent: this.#agent,
      host,
      port,
      path: '/axl/',
      headers: {
        // RFC 7617 §2.1: in UTF-8.
        Authorization: `Basic ${encodeBase64(`${user}:${password}`)}`,
        'Content-Type': 'text/xml; charset=utf-8',
        SOAPAction: soapAction(version, fn),
        Accept: 'text/xml',
      },
      body: written.xml,
      timeout: this.#times.whole,
      limit: ANSWER_LIMITS.bytes,
      stop: this.#stop.signal,
    });
    if ('failure' in answer) return answer;
    const outcome = outcomeOf(answer, fn, version, Date.now());
    if (!('failure' in outcome)) {
      const rows = 'rows' in outcome ? outcome.rows.length : outcome.rowsUpdated;
      const seconds = (performance.now() - since) / 1000;
      this.#note({ note: 'axl-answered', publisher: name, url, function: fn, version, rows, seconds }, {});
    }
    return outcome;
  }

  #told<T extends QueryOutcome | UpdateOutcome>(outcome: T, fn: AxlFunction, version: string): T {
    if ('failure' in outcome && outcome.failure.code !== 'stopped') this.#noteFailure(outcome.failure, fn, version);
    return outcome;
  }

  #noteFailure(failure: AxlFailure, fn: AxlFunction, version: string): void {
    const reason = 'fault' in failure ? failure.fault.faultstring : undefined;
    this.#note(
      {
        note: 'axl-failed',
        publisher: this.#settings.name,
        url: axlUrl(this.#settings),
        function: fn,
        version,
        status: statusOf(failure),
        reason: reason === '' ? undefined : reason,
        problem: problemOf(failure, this.#settings),
      },
      {},
    );
  }
}

function isVersionRefused(outcome: QueryOutcome | UpdateOutcome): boolean {
  return 'failure' in outcome && outcome.failure.code === 'version';
}
