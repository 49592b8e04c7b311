import {
  APOSTROPHE,
  CLASS,
  COLON,
  EQUALS,
  GREATER_THAN,
  IN_NAME,
  IN_VALUE,
  NAME_START,
  QUOTATION_MARK,
  SLASH,
} from './bytes.ts';
import type { Tag } from './tag.ts';
import { EMPTY, END, MORE, START } from './tag.ts';
import type { XmlLimits } from './types.ts';

const SPACE = 0x20;

/**
 * A shortcut for what nearly every tag is made of: ASCII names, single spaces, values without references. It answers only where the
 * tokenizer's slow way would answer the same; everything else, a fault too, is left to that way. No byte is looked at more than
 * once here, so at most twice altogether.
 */
export class OrdinaryTags {
  /** Where the tag ends, or where the slow way has to go on. */
  at = 0;
  /** When the slow way has to go on: whether that is behind the tag's name or an attribute, not at the name. */
  named = false;

  private readonly tag: Tag;
  private nameLimit: number;
  private attributeLimit: number;

  constructor(tag: Tag, limits: XmlLimits) {
    this.tag = tag;
    this.nameLimit = limits.name;
    this.attributeLimit = limits.attributes;
  }

  setLimits(limits: XmlLimits): void {
    this.nameLimit = limits.name;
    this.attributeLimit = limits.attributes;
  }

  /** The tag at `at`, behind its `<`: `START`, `EMPTY` or `END`, or `MORE` when it is not ordinary or not complete before `stop`. */
  read(bytes: Uint8Array, base: number, at: number, stop: number): number {
    const { tag } = this;
    this.at = at;
    this.named = false;
    const isEnd = at < stop && bytes[at] === SLASH;
    const start = isEnd ? at + 1 : at;
    let colon = -1;
    let end = nameEnd(bytes, start, stop);
    if (end >= 0 && end < stop && bytes[end] === COLON) {
      colon = end - base;
      end = nameEnd(bytes, end + 1, stop);
    }
    if (end < 0 || end >= stop || end - start > this.nameLimit) return MORE;
    const behind = bytes[end] as number;
    if (behind !== GREATER_THAN && (isEnd || (behind !== SPACE && behind !== SLASH))) return MORE;
    tag.start = start - base;
    tag.colon = colon;
    tag.end = end - base;
    if (isEnd) {
      this.at = end + 1;
      return END;
    }
    tag.attributes.count = 0;
    this.named = true;
    let next = end;
    while (next < stop) {
      const byte = bytes[next] as number;
      if (byte === GREATER_THAN) {
        this.at = next + 1;
        return START;
      }
      if (byte === SLASH) {
        if (next + 1 >= stop || bytes[next + 1] !== GREATER_THAN) break;
        this.at = next + 2;
        return EMPTY;
      }
      if (byte !== SPACE || tag.attributes.count >= this.attributeLimit) break;
      const attributeEnd = this.attribute(bytes, base, next + 1, stop);
      if (attributeEnd < 0) break;
      next = attributeEnd;
    }
    this.at = next;
    return MORE;
  }

  /** Adds the attribute `name='value'` at `at` and returns its end, or -1 when it is not ordinary or not complete. */
  private attribute(bytes: Uint8Array, base: number, at: number, stop: number): number {
    let colon = -1;
    let end = nameEnd(bytes, at, stop);
    if (end >= 0 && end < stop && bytes[end] === COLON) {
      colon = end - base;
      end = nameEnd(bytes, end + 1, stop);
    }
    if (end < 0 || end + 1 >= stop || bytes[end] !== EQUALS || end - at > this.nameLimit) return -1;
    const quote = bytes[end + 1] as number;
    if (quote !== APOSTROPHE && quote !== QUOTATION_MARK) return -1;
    const value = end + 2;
    let valueEnd = value;
    while (valueEnd < stop && ((CLASS[bytes[valueEnd] as number] as number) & IN_VALUE) !== 0) valueEnd++;
    if (valueEnd >= stop || bytes[valueEnd] !== quote) return -1;
    this.tag.attributes.add(bytes, base, at - base, colon, end - base, value - base, valueEnd - base, 0);
    return valueEnd + 1;
  }
}

/** The end of the ASCII name without colon at `at`, -1 when there is none; at `stop` it may go on. */
function nameEnd(bytes: Uint8Array, at: number, stop: number): number {
  if (at >= stop || ((CLASS[bytes[at] as number] as number) & NAME_START) === 0) return -1;
  let end = at + 1;
  while (end < stop && ((CLASS[bytes[end] as number] as number) & IN_NAME) !== 0) end++;
  return end;
}
