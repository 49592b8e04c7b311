import { describe, expect, test } from 'vitest';
import { Output } from './output.ts';

/** A reader that takes bytes when the test lets it. */
class Reader {
  text = '';
  readonly #pending: { readonly bytes: Uint8Array; readonly done: (error: Error | null, written: number) => void }[] =
    [];
  readonly #retries: (() => void)[] = [];
  readonly output: Output;

  constructor(limit?: number) {
    this.output = new Output({
      write: (bytes, done) => this.#pending.push({ bytes: Uint8Array.from(bytes), done }),
      writeSync: (bytes) => this.#take(bytes.subarray(0, 5)),
      lineAboutLoss: (lines) => `(${lines} lost)`,
      later: (_milliseconds, then) => this.#retries.push(then),
      ...(limit === undefined ? undefined : { limit }),
    });
  }

  get writesUnderWay(): number {
    return this.#pending.length;
  }

  /** Lets the write that is under way take up to so many bytes. */
  read(bytes = Infinity): void {
    const write = this.#pending.shift();
    write?.done(null, this.#take(write.bytes.subarray(0, bytes)));
  }

  fail(code: string): void {
    this.#pending.shift()?.done(Object.assign(new Error(code), { code }), 0);
  }

  retry(): void {
    for (const then of this.#retries.splice(0)) then();
  }

  #take(bytes: Uint8Array): number {
    this.text += Buffer.from(bytes).toString('latin1');
    return bytes.length;
  }
}

describe('Output', () => {
  test('writes a line at once, and those that come meanwhile together afterwards', () => {
    const reader = new Reader();
    for (const line of ['one', 'two', 'three']) reader.output.line(line);
    expect(reader.writesUnderWay).toBe(1);
    reader.read();
    expect(reader.text).toBe('one\n');
    reader.read();
    expect(reader.text).toBe('one\ntwo\nthree\n');
    expect(reader.writesUnderWay).toBe(0);
  });

  test('goes on where a partial write ended', () => {
    const reader = new Reader();
    reader.output.line('0123456789');
    while (reader.writesUnderWay > 0) reader.read(3);
    expect(reader.text).toBe('0123456789\n');
  });

  test('tries again when a non-blocking descriptor is full', () => {
    const reader = new Reader();
    reader.output.line('one');
    reader.fail('EAGAIN');
    expect(reader.writesUnderWay).toBe(0);
    reader.retry();
    reader.read();
    expect(reader.text).toBe('one\n');
  });

  test('with a reader that has stopped, keeps the newest lines within its limit and says how many are missing', () => {
    const reader = new Reader(100);
    for (let index = 0; index < 1000; index++) reader.output.line(`line ${index}`);
    reader.read();
    reader.read();
    const lines = reader.text.trimEnd().split('\n');
    expect(lines[0]).toBe('line 0');
    expect(lines.at(-1)).toBe('line 999');
    const lost = Number(/^\((\d+) lost\)$/.exec(lines[1] ?? '')?.[1]);
    expect(lost + lines.length - 1).toBe(1000);
    expect(reader.text.length).toBeLessThan(130);
  });

  test('a failed write costs its lines, not the process, and the count includes lines lost before', () => {
    const reader = new Reader(20);
    reader.output.line('one');
    for (const line of ['two', 'three', 'four', 'five', 'six']) reader.output.line(line);
    reader.fail('ENOSPC');
    reader.fail('ENOSPC');
    reader.output.line('seven');
    reader.read();
    expect(reader.text).toBe('(6 lost)\nseven\n');
  });

  test('flush resolves once everything is written', async () => {
    const reader = new Reader();
    await reader.output.flush();
    reader.output.line('one');
    reader.output.line('two');
    const flushed = reader.output.flush().then(() => reader.text);
    reader.read();
    reader.read();
    expect(await flushed).toBe('one\ntwo\n');
  });

  test('flushSync writes the waiting lines at once', () => {
    const reader = new Reader();
    reader.output.line('under way');
    reader.output.line('waiting');
    reader.output.flushSync();
    expect(reader.text).toBe('waiting\n');
  });
});
