/** A line that is none: too long, or not UTF-8. Nothing can be read behind it. */
export interface Unreadable {
  readonly unreadable: string;
}

const LF = 0x0a;

/**
 * The lines of a byte stream, without their ends, as they come. Holds at most `longest` bytes of a line that has not ended; a longer one, or one
 * that is not UTF-8, is the last thing that comes. What stands behind the last line break is no line.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  longest: number,
): AsyncGenerator<string | Unreadable, void, undefined> {
  let kept: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      const line = size + end - start > longest ? TOO_LONG : decoded([...kept, chunk.subarray(start, end)]);
      yield line;
      if (typeof line !== 'string') return;
      kept = [];
      size = 0;
      start = end + 1;
    }
    kept.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > longest) {
      yield TOO_LONG;
      return;
    }
  }
}

const TOO_LONG: Unreadable = { unreadable: 'the line is too long' };

function decoded(parts: readonly Uint8Array[]): string | Unreadable {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
  } catch {
    return { unreadable: 'the line is not UTF-8' };
  }
}
