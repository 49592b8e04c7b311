import { styleText } from 'node:util';
import { isTelling, type LogStep, parseLogLine } from './lab-log.ts';

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

/** A log that can be read while it is written. */
export interface StoryLog {
  mark(): number;
  logSince(mark: number): string;
}

/** A log that is followed. */
interface Followed {
  readonly log: StoryLog;
  /** Whose log it is, where there are several. */
  readonly name: string;
  read: number;
  rest: string;
}

/** A line that was read and not yet told. */
interface Line {
  readonly text: string;
  readonly name: string;
}

/** Lines of several logs are told in the order of their times; so long a line may take to be read. */
const SETTLED_MS = 80;

/** Tells a lab's story on standard output: numbered steps, and under each what the logs of fedway say as it happens. */
export class Story {
  #number = 0;
  #step: Step | undefined;
  #followed: Followed[] = [];
  #lines: Line[] = [];
  readonly #tells: (step: LogStep) => boolean;
  #timer: NodeJS.Timeout | undefined;
  #last = '';

  /** @param tells which lines belong to the story */
  constructor(tells: (step: LogStep) => boolean = isTelling) {
    this.#tells = tells;
  }

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

  /** From now on the steps in this log are told as they happen; `name` says whose they are. */
  follow(log: StoryLog, name = ''): void {
    this.#followed.push({ log, name, read: log.mark(), rest: '' });
    this.#timer ??= setInterval(() => this.#tellNew(), 40);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#tellNew(0);
    this.#followed = [];
  }

  /** What belongs to a step may be written a moment after its end. */
  async #catchUp(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#followed.length === 0 ? 0 : 120));
    this.#tellNew(0);
  }

  #tellNew(settled = SETTLED_MS): void {
    for (const followed of this.#followed) {
      const text = followed.log.logSince(followed.read);
      followed.read += Buffer.byteLength(text);
      const lines = (followed.rest + text).split('\n');
      followed.rest = lines.pop() ?? '';
      this.#lines.push(...lines.map((line) => ({ text: line, name: followed.name })));
    }
    // Each begins with its time.
    this.#lines.sort((one, other) => one.text.slice(0, 24).localeCompare(other.text.slice(0, 24)));
    const until = new Date(Date.now() - settled).toISOString();
    const told = settled === 0 ? this.#lines.length : this.#lines.filter(({ text }) => text < until).length;
    for (const { text, name } of this.#lines.splice(0, told)) this.#tellLine(text, name);
  }

  #tellLine(line: string, name: string): void {
    const step = parseLogLine(line);
    if (step === undefined || !this.#tells(step)) return;
    const streams = step.pair === '- < -' ? 'a new connection' : step.pair;
    const pair = step.home ? `${streams} (inside)` : streams;
    const urgent = step.level === 'WARN' || step.level === 'ERROR';
    const about = [name, pair === '-' ? '' : pair].filter((part) => part !== '').join('   ');
    const lead = about === this.#last || about === '' ? '' : about;
    this.#last = about === '' ? this.#last : about;
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
