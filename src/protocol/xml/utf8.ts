/**
 * UTF-8 (RFC 3629) and the characters of XML 1.0 (§2.2 [2], §2.3 [4], [4a]) beyond ASCII.
 */

import { CLASS, IN_NAME, NAME_START, NOT_ASCII } from './bytes.ts';

/** Answers of `characterLength` that are no length. */
export const INCOMPLETE = 0;
export const MALFORMED = -1;
export const FORBIDDEN = -2;

/**
 * The number of bytes of the character at `at`, whose first byte is above 0x7F: 2 to 4, or `INCOMPLETE` when `stop` comes first
 * and nothing is wrong so far, `MALFORMED` for what no UTF-8 text contains (lone or missing continuation bytes, overlong forms,
 * surrogates, beyond U+10FFFF), `FORBIDDEN` for U+FFFE and U+FFFF. A fault is found at the first byte that proves it.
 */
export function characterLength(bytes: Uint8Array, at: number, stop: number): number {
  const lead = bytes[at] as number;
  if (lead < 0xc2 || lead > 0xf4) return MALFORMED;
  if (at + 1 >= stop) return INCOMPLETE;
  const second = bytes[at + 1] as number;
  if ((second & 0xc0) !== 0x80) return MALFORMED;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) {
    if ((lead === 0xe0 && second < 0xa0) || (lead === 0xed && second > 0x9f)) return MALFORMED;
    if (at + 2 >= stop) return INCOMPLETE;
    const third = bytes[at + 2] as number;
    if ((third & 0xc0) !== 0x80) return MALFORMED;
    return lead === 0xef && second === 0xbf && third >= 0xbe ? FORBIDDEN : 3;
  }
  if ((lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second > 0x8f)) return MALFORMED;
  if (at + 2 >= stop) return INCOMPLETE;
  if (((bytes[at + 2] as number) & 0xc0) !== 0x80) return MALFORMED;
  if (at + 3 >= stop) return INCOMPLETE;
  return ((bytes[at + 3] as number) & 0xc0) === 0x80 ? 4 : MALFORMED;
}

/** The code point of a character of 2 to 4 bytes that `characterLength` passed. */
export function codePointAt(bytes: Uint8Array, at: number, length: number): number {
  const lead = bytes[at] as number;
  let codePoint = length === 2 ? lead & 0x1f : length === 3 ? lead & 0x0f : lead & 0x07;
  for (let i = 1; i < length; i++) codePoint = (codePoint << 6) | ((bytes[at + i] as number) & 0x3f);
  return codePoint;
}

/** XML 1.0 §2.3 [4], for code points above 0x7F. */
export function isNameStart(codePoint: number): boolean {
  return (
    (codePoint >= 0xc0 && codePoint <= 0x2ff && codePoint !== 0xd7 && codePoint !== 0xf7) ||
    (codePoint >= 0x370 && codePoint <= 0x1fff && codePoint !== 0x37e) ||
    codePoint === 0x200c ||
    codePoint === 0x200d ||
    (codePoint >= 0x2070 && codePoint <= 0x218f) ||
    (codePoint >= 0x2c00 && codePoint <= 0x2fef) ||
    (codePoint >= 0x3001 && codePoint <= 0xd7ff) ||
    (codePoint >= 0xf900 && codePoint <= 0xfdcf) ||
    (codePoint >= 0xfdf0 && codePoint <= 0xfffd) ||
    (codePoint >= 0x10000 && codePoint <= 0xeffff)
  );
}

/** XML 1.0 §2.3 [4a], for code points above 0x7F. */
export function isInName(codePoint: number): boolean {
  return (
    isNameStart(codePoint) ||
    codePoint === 0xb7 ||
    (codePoint >= 0x300 && codePoint <= 0x36f) ||
    codePoint === 0x203f ||
    codePoint === 0x2040
  );
}

/** XML 1.0 §2.3 [5], without the colon (Namespaces in XML 1.0 §3 [4]). */
export function isName(name: string): boolean {
  let bits = NAME_START;
  for (const character of name) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (codePoint < NOT_ASCII) {
      if (((CLASS[codePoint] as number) & bits) === 0) return false;
    } else if (!(bits === NAME_START ? isNameStart(codePoint) : isInName(codePoint))) return false;
    bits = IN_NAME;
  }
  return bits === IN_NAME;
}

/** XML 1.0 §2.2 [2]: whether a character reference may stand for this code point. */
export function isCharacter(codePoint: number): boolean {
  return (
    (codePoint >= 0x20 && codePoint <= 0xd7ff) ||
    codePoint === 0x09 ||
    codePoint === 0x0a ||
    codePoint === 0x0d ||
    (codePoint >= 0xe000 && codePoint <= 0xfffd) ||
    (codePoint >= 0x10000 && codePoint <= 0x10ffff)
  );
}

// A U+FEFF at the start of a value is a character of it, not a byte order mark (RFC 6120 §11.6).
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Above this, calling the platform's decoder is worth its price. */
const SHORT = 24;

/** The text of bytes that were checked. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT) return decoder.decode(bytes.subarray(start, end));
  let text = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x80) return decoder.decode(bytes.subarray(start, end));
    text += String.fromCharCode(byte);
  }
  return text;
}

export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}
