import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linesOf } from './lines.ts';

async function* chunked(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const size of [...sizes, bytes.length]) {
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

async function linesIn(bytes: Uint8Array, sizes: readonly number[], longest = 100): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const line of linesOf(chunked(bytes, sizes), longest)) lines.push(line);
  return lines;
}

const well = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll('\n', ' ').toWellFormed());

describe('linesOf', () => {
  test('lines come as they were written, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(well), fc.array(fc.nat({ max: 5 })), async (lines, sizes) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        expect(await linesIn(bytes, sizes, 10_000)).toEqual(lines);
      }),
    );
  });

  test('what has no end is no line', async () => {
    expect(await linesIn(Buffer.from('a\nb'), [])).toEqual(['a']);
  });

  test.each([[[]], [[5]], [[2, 100]]])('a line that is too long is the last that comes (cut at %j)', async (sizes) => {
    const long = { unreadable: 'the line is too long' };
    expect(await linesIn(Buffer.from(`a\n${'x'.repeat(101)}\nb\n`), sizes)).toEqual(['a', long]);
    expect(await linesIn(Buffer.from(`a\n${'x'.repeat(100)}\nb\n`), sizes)).toEqual(['a', 'x'.repeat(100), 'b']);
    expect(await linesIn(Buffer.from('x'.repeat(101)), sizes)).toEqual([long]);
  });

  test('a line that is not UTF-8 is the last that comes', async () => {
    expect(await linesIn(Buffer.from('61 0a ff 0a 62 0a'.replaceAll(' ', ''), 'hex'), [])).toEqual([
      'a',
      { unreadable: 'the line is not UTF-8' },
    ]);
  });
});
