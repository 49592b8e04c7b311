import { CLASS, HASH, IN_NAME, NAME_START, NOT_ASCII, SEMICOLON } from './bytes.ts';
import { AMPERSAND_ALONE, CHARACTER_REFERENCE, ENTITY, NOT_UTF8 } from './faults.ts';
import type { XmlFault } from './types.ts';
import { characterLength, codePointAt, INCOMPLETE, isCharacter, isInName, isNameStart, MALFORMED } from './utf8.ts';

const FIRST = 0;
const NAMED = 1;
const NUMBER = 2;
const DECIMAL = 3;
const HEXADECIMAL_FIRST = 4;
const HEXADECIMAL = 5;

/** The five of XML 1.0 §4.6, the only ones RFC 6120 §11.1 permits. */
const PREDEFINED = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['apos', "'"],
  ['quot', '"'],
]);

/** Checks one reference, `&...;`, in as many pieces as it comes in. A number may have any number of leading zeros. */
export class ReferenceScanner {
  fault: XmlFault | undefined;
  done = false;

  private state = FIRST;
  private codePoint = 0;
  /** Bytes of an entity's name, as far as they can be those of a predefined one. */
  private name = '';

  /** After the `&`. */
  begin(): void {
    this.fault = undefined;
    this.done = false;
    this.state = FIRST;
    this.codePoint = 0;
    this.name = '';
  }

  /** Reads on from `at` and returns where it stopped: behind the `;`, at the byte in fault, or where bytes are missing. */
  scan(bytes: Uint8Array, at: number, stop: number): number {
    let next = at;
    while (next < stop && !this.done && this.fault === undefined) {
      const length = this.step(bytes, next, stop);
      if (length === INCOMPLETE) return next;
      next += length;
    }
    return next;
  }

  /** The number of bytes taken. */
  private step(bytes: Uint8Array, at: number, stop: number): number {
    const byte = bytes[at] as number;
    switch (this.state) {
      case FIRST:
        if (byte === HASH) {
          this.state = NUMBER;
          return 1;
        }
        return this.nameCharacter(bytes, at, stop);
      case NAMED:
        if (byte !== SEMICOLON) return this.nameCharacter(bytes, at, stop);
        if (!PREDEFINED.has(this.name)) this.fault = ENTITY;
        this.done = true;
        return 1;
      case NUMBER:
        if (byte === 0x78) {
          this.state = HEXADECIMAL_FIRST;
          return 1;
        }
        this.state = DECIMAL;
        return this.digit(byte, 10);
      case HEXADECIMAL_FIRST:
        this.state = HEXADECIMAL;
        return this.digit(byte, 16);
      default:
        if (byte !== SEMICOLON) return this.digit(byte, this.state === DECIMAL ? 10 : 16);
        if (!isCharacter(this.codePoint)) this.fault = CHARACTER_REFERENCE;
        this.done = true;
        return 1;
    }
  }

  private nameCharacter(bytes: Uint8Array, at: number, stop: number): number {
    const byte = bytes[at] as number;
    const first = this.state === FIRST;
    this.state = NAMED;
    if (byte < NOT_ASCII) {
      const classes = CLASS[byte] as number;
      if ((classes & (first ? NAME_START : IN_NAME)) === 0) this.fault = AMPERSAND_ALONE;
      // Longer than any predefined one is enough to know that it is none.
      else if (this.name.length < 5) this.name += String.fromCharCode(byte);
      return 1;
    }
    const length = characterLength(bytes, at, stop);
    if (length === INCOMPLETE) {
      if (first) this.state = FIRST;
      return INCOMPLETE;
    }
    if (length < 0) {
      this.fault = length === MALFORMED ? NOT_UTF8 : AMPERSAND_ALONE;
      return 1;
    }
    const codePoint = codePointAt(bytes, at, length);
    if (!(first ? isNameStart(codePoint) : isInName(codePoint))) this.fault = AMPERSAND_ALONE;
    if (this.name.length < 5) this.name += '\u{fffd}';
    return length;
  }

  private digit(byte: number, radix: 10 | 16): number {
    const value = digitValue(byte);
    if (value >= radix) {
      this.fault = byte >= NOT_ASCII && (byte < 0xc2 || byte > 0xf4) ? NOT_UTF8 : CHARACTER_REFERENCE;
    }
    // Stays beyond the last code point once it is there.
    else if (this.codePoint <= 0x10ffff) this.codePoint = this.codePoint * radix + value;
    return 1;
  }
}

function digitValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : 16;
}

/** What a checked reference, without `&` and `;`, stands for. */
export function referenced(reference: string): string {
  if (!reference.startsWith('#')) return PREDEFINED.get(reference) ?? '';
  const hexadecimal = reference.startsWith('#x');
  return String.fromCodePoint(Number.parseInt(reference.slice(hexadecimal ? 2 : 1), hexadecimal ? 16 : 10));
}
