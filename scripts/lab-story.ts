import { styleText } from 'node:util';
import type { LabFedway } from '../test/lab/fedway.ts';
import { isTelling, parseLogLine } from './lab-log.ts';

type Style = Parameters<typeof styleText>[0];

/** Text in a style where standard output is a terminal that wants it (NO_COLOR is respected). */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout, validateStream: true });
}

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** The step that is being told, for the report of a failure. */
export interface Step {
  readonly number: number;
  readonly title: string;
  readonly expectation: string;
}

/** Tells the lab's story on standard output: numbered steps, and under each what fedway's log says as it happens. */
export class Story {
  #number = 0;
  #step: Step | undefined;
  #fedway: LabFedway | undefined;
  #read = 0;
  #timer: NodeJS.Timeout | undefined;
  #rest = '';
  #last = '';

  get step(): Step | undefined {
    return this.#step;
  }

  /** Does one step. `expectation` completes "expected: ..." should it fail; what the work returns is told as its result. */
  async tell(title: string, expectation: string, work: () => Promise<string>): Promise<void> {
    this.#number++;
    this.#step = { number: this.#number, title, expectation };
    say(styled('bold', `${String(this.#number).padStart(2)}  ${title}`));
    const start = performance.now();
    const result = await work();
    await this.#catchUp();
    const seconds = `${((performance.now() - start) / 1000).toFixed(2)} s`;
    say(`    ${styled('green', '→')} ${result} ${styled('dim', `(${seconds})`)}`);
  }

  /** From now on the steps in this fedway's log are told as they happen. */
  follow(fedway: LabFedway): void {
    this.#fedway = fedway;
    this.#read = fedway.mark();
    this.#timer = setInterval(() => this.#tellNew(), 40);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#tellNew();
    this.#fedway = undefined;
  }

  /** What belongs to a step may be written a moment after its end. */
  async #catchUp(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#fedway === undefined ? 0 : 120));
    this.#tellNew();
  }

  #tellNew(): void {
    if (this.#fedway === undefined) return;
    const text = this.#fedway.logSince(this.#read);
    this.#read += Buffer.byteLength(text);
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#tellLine(line);
  }

  #tellLine(line: string): void {
    const step = parseLogLine(line);
    if (step === undefined || !isTelling(step)) return;
    const streams = step.pair === '- < -' ? 'a new connection' : step.pair;
    const pair = step.home ? `${streams} (inside)` : streams;
    const urgent = step.level === 'WARN' || step.level === 'ERROR';
    const lead = pair === this.#last || pair === '-' ? '' : pair;
    this.#last = pair === '-' ? this.#last : pair;
    if (lead !== '') say(`      ${styled('cyan', lead)}`);
    const style = urgent ? 'yellow' : step.home ? 'dim' : 'reset';
    for (const part of wrapped(step.sentence, width() - 8)) say(`        ${styled(style, part)}`);
    if (step.xml !== undefined) say(`        ${styled('dim', cut(step.xml, width() - 8))}`);
  }
}

function width(): number {
  return Math.min(Math.max(process.stdout.columns ?? 110, 60), 130);
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}

/** Lines of at most so many columns, broken at spaces. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
