import { setTimeout as pause } from 'node:timers/promises';

/** Who sends to whom: `vngtp.lab>coluc.com`. */
export type Flow = `${string}>${string}`;

/** A stanza error as its sender received it. */
export interface Bounce {
  readonly condition: string;
  readonly text: string;
}

/** Where peers write down what they send and what they are given. */
export interface Recorder {
  /** Called before the stanza is handed to a socket; its number, counted from 1 in each flow. */
  sent(flow: Flow): number;
  arrived(flow: Flow, number: number): void;
  bounced(flow: Flow, number: number, bounce: Bounce): void;
  /** Something arrived that nobody sent, or where it does not belong. */
  strange(what: string): void;
}

/**
 * Something that takes stanzas without a trace: a process was killed, or a connection without stream management was closed. What was in its memory
 * or in its sockets is lost, and nobody can know how much. Only stanzas that were sent between the two times can have been there.
 */
export interface Incident {
  readonly what: string;
  /** `performance.now()`. */
  readonly from: number;
  readonly until: number;
  /** Without: every flow. */
  readonly flows?: (flow: Flow) => boolean;
}

/** What a test permits. Without it: everything arrives. */
export interface Expectation {
  /** Which bounces are right; without, none. */
  readonly bounce?: (bounce: Bounce, flow: Flow) => boolean;
  /** Which bounces may be of a stanza that arrived all the same, because nobody could know; without, none. */
  readonly inDoubt?: (bounce: Bounce, flow: Flow) => boolean;
}

/** What became of the stanzas of one flow, or of all. */
export interface Account {
  readonly sent: number;
  readonly delivered: number;
  readonly bounced: number;
  /** Delivered, and bounced as well. */
  readonly both: number;
  /** Lost in an incident. */
  readonly lost: number;
  /** Lost without one. */
  readonly missing: number;
  readonly twice: number;
  readonly disordered: number;
}

interface Book {
  readonly sentAt: number[];
  /** By number; the first place is not used. */
  readonly arrivals: number[];
  readonly bounces: Map<number, Bounce>;
  last: number;
  readonly twice: number[];
  /** `12 after 15` */
  readonly disorder: string[];
}

/** How many examples a fault is shown with. */
const EXAMPLES = 8;

/**
 * Books of what was sent, delivered and returned, flow by flow: sent = delivered + bounced, in order, none twice. Whatever does not add up is a
 * line in the table that the assertion prints.
 */
export class Ledger implements Recorder {
  private readonly books = new Map<Flow, Book>();
  private readonly incidents: Incident[] = [];
  /** What arrived and nobody sent, or where it does not belong. */
  readonly oddities: string[] = [];
  private lastEvent = 0;
  private open = 0;

  sent(flow: Flow): number {
    const book = this.bookOf(flow);
    book.sentAt.push(performance.now());
    this.open += 1;
    return book.sentAt.length;
  }

  arrived(flow: Flow, number: number): void {
    const book = this.known(flow, number, 'arrived');
    if (book === undefined) return;
    const before = book.arrivals[number] ?? 0;
    book.arrivals[number] = before + 1;
    if (before > 0) book.twice.push(number);
    else {
      if (!book.bounces.has(number)) this.open -= 1;
      if (number < book.last) book.disorder.push(`${number} after ${book.last}`);
      book.last = Math.max(book.last, number);
    }
  }

  bounced(flow: Flow, number: number, bounce: Bounce): void {
    const book = this.known(flow, number, 'was returned');
    if (book === undefined) return;
    if (book.bounces.has(number)) this.strange(`${flow} ${number} was returned twice`);
    else if (book.arrivals[number] === undefined) this.open -= 1;
    book.bounces.set(number, bounce);
  }

  strange(what: string): void {
    this.lastEvent = performance.now();
    this.oddities.push(what);
  }

  incident(incident: Incident): void {
    this.incidents.push(incident);
  }

  /** Stanzas that have neither arrived nor come back. */
  get outstanding(): number {
    return this.open;
  }

  /**
   * Waits until every stanza has arrived or come back, or nothing has happened for so long that nothing will. Says nothing of which it was: that is for
   * `check`.
   */
  async settled(quietMs = 3_000): Promise<void> {
    const began = performance.now();
    while (this.open > 0 && performance.now() - Math.max(this.lastEvent, began) < quietMs) await pause(20);
    // What comes twice would come now.
    await pause(100);
  }

  /** The flows so far. */
  get flows(): readonly Flow[] {
    return [...this.books.keys()];
  }

  /** The highest number that was sent. */
  countOf(flow: Flow): number {
    return this.books.get(flow)?.sentAt.length ?? 0;
  }

  deliveredOf(flow: Flow): number {
    return this.books.get(flow)?.arrivals.reduce((sum) => sum + 1, 0) ?? 0;
  }

  /** The bounces of one flow, by number. */
  bouncesOf(flow: Flow): ReadonlyMap<number, Bounce> {
    return this.books.get(flow)?.bounces ?? new Map<number, Bounce>();
  }

  /** The sum over some flows, all without `which`. */
  totals(which: (flow: Flow) => boolean = () => true): Account {
    const accounts = this.flows.filter(which).map((flow) => this.examine(flow, {}).account);
    const sum = (of: keyof Account): number => accounts.reduce((total, account) => total + account[of], 0);
    return {
      sent: sum('sent'),
      delivered: sum('delivered'),
      bounced: sum('bounced'),
      both: sum('both'),
      lost: sum('lost'),
      missing: sum('missing'),
      twice: sum('twice'),
      disordered: sum('disordered'),
    };
  }

  /** Throws with a table and every fault when something does not add up. The answer is the sum. */
  check(expected: Expectation = {}): Account {
    const examined = this.flows.map((flow) => ({ flow, ...this.examine(flow, expected) }));
    const faults = [
      ...examined.flatMap(({ flow, faults }) => faults.map((fault) => `${flow}: ${fault}`)),
      ...some(this.oddities),
    ];
    if (examined.length === 0) faults.push('nothing was sent');
    if (faults.length === 0) return this.totals();
    const rows = examined.filter(({ faults }) => faults.length > 0).map(({ flow, account }) => rowOf(flow, account));
    const table = [HEADINGS, ...rows.slice(0, 40), rowOf('all flows', this.totals())];
    const incidents = this.incidents.map(({ what }) => `in between: ${what}`);
    throw new Error(['The stanzas do not add up.', aligned(table), ...incidents, ...some(faults, 40)].join('\n'));
  }

  private examine(
    flow: Flow,
    expected: Expectation,
  ): { readonly account: Account; readonly faults: readonly string[] } {
    const book = this.bookOf(flow);
    const faults: string[] = [];
    const fault = (what: string, numbers: readonly (number | string)[]): void => {
      if (numbers.length > 0) faults.push(`${what}: ${some(numbers.map(String)).join(', ')}`);
    };
    const wrong: string[] = [];
    let both = 0;
    for (const [number, bounce] of book.bounces) {
      const arrived = book.arrivals[number] !== undefined;
      if (arrived) both += 1;
      const permitted = arrived ? expected.inDoubt : expected.bounce;
      const how = arrived ? ' although it arrived' : '';
      if (permitted?.(bounce, flow) !== true) wrong.push(`${number}${how} with ${bounce.condition} "${bounce.text}"`);
    }
    fault('returned', wrong);
    fault('delivered twice', book.twice);
    fault('out of order', book.disorder);
    const { lost, missing, torn } = this.lossesOf(flow, book);
    fault('lost without a cause', ranges(missing));
    fault('lost, though others that were sent in between arrived', torn);
    const delivered = book.arrivals.reduce((sum) => sum + 1, 0);
    const account: Account = {
      sent: book.sentAt.length,
      delivered,
      bounced: book.bounces.size,
      both,
      lost,
      missing: missing.length,
      twice: book.twice.length,
      disordered: book.disorder.length,
    };
    return { account, faults };
  }

  /** One incident takes one run of stanzas from a flow, for everything on the way keeps their order. */
  private lossesOf(
    flow: Flow,
    book: Book,
  ): { readonly lost: number; readonly missing: readonly number[]; readonly torn: readonly string[] } {
    const missing: number[] = [];
    const runs = new Map<Incident, { first: number; last: number }>();
    let lost = 0;
    for (let number = 1; number <= book.sentAt.length; number++) {
      if (book.arrivals[number] !== undefined || book.bounces.has(number)) continue;
      const at = book.sentAt[number - 1] ?? 0;
      const cause = this.incidents.find(
        (incident) => incident.from <= at && at <= incident.until && (incident.flows?.(flow) ?? true),
      );
      if (cause === undefined) {
        missing.push(number);
        continue;
      }
      lost += 1;
      const run = runs.get(cause);
      if (run === undefined) runs.set(cause, { first: number, last: number });
      else run.last = number;
    }
    const torn = [...runs].flatMap(([{ what }, { first, last }]) => {
      const survivor = range(first, last).find((number) => book.arrivals[number] !== undefined);
      return survivor === undefined ? [] : [`${first} to ${last} (${what}), but ${survivor} arrived`];
    });
    return { lost, missing, torn };
  }

  private known(flow: Flow, number: number, what: string): Book | undefined {
    this.lastEvent = performance.now();
    const book = this.books.get(flow);
    if (book !== undefined && number >= 1 && number <= book.sentAt.length) return book;
    this.strange(`${flow} ${number} ${what}, and was never sent`);
    return undefined;
  }

  private bookOf(flow: Flow): Book {
    let book = this.books.get(flow);
    if (book === undefined) {
      book = { sentAt: [], arrivals: [], bounces: new Map(), last: 0, twice: [], disorder: [] };
      this.books.set(flow, book);
    }
    return book;
  }
}

const HEADINGS = ['flow', 'sent', 'delivered', 'bounced', 'both', 'lost', 'missing', 'twice', 'out of order'];

function rowOf(name: string, account: Account): readonly string[] {
  const { sent, delivered, bounced, both, lost, missing, twice, disordered } = account;
  return [name, ...[sent, delivered, bounced, both, lost, missing, twice, disordered].map(String)];
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return rows.map(line).join('\n');
}

function some(all: readonly string[], most = EXAMPLES): readonly string[] {
  return all.length <= most ? all : [...all.slice(0, most), `and ${all.length - most} more`];
}

/** `[1, 2, 3, 7]` as `1 to 3` and `7`. */
function ranges(numbers: readonly number[]): readonly string[] {
  const found: [number, number][] = [];
  for (const number of numbers) {
    const open = found.at(-1);
    if (open !== undefined && open[1] === number - 1) open[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) => (first === last ? `${first}` : `${first} to ${last}`));
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
