/** Bytes with a meaning in markup. */
export const TAB = 0x09;
export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;
export const QUOTATION_MARK = 0x22;
export const HASH = 0x23;
export const AMPERSAND = 0x26;
export const APOSTROPHE = 0x27;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const LESS_THAN = 0x3c;
export const EQUALS = 0x3d;
export const GREATER_THAN = 0x3e;
export const QUESTION_MARK = 0x3f;
export const RIGHT_BRACKET = 0x5d;
export const EXCLAMATION_MARK = 0x21;

/** The first byte that is not ASCII. */
export const NOT_ASCII = 0x80;

/** Bits of `CLASS`: what an ASCII byte may be a part of without a second look. */
export const NAME_START = 1;
export const IN_NAME = 2;
/** Character data, but for `<`, `&`, CR (line ends are normalized) and `>` (which may end `]]>`). */
export const IN_TEXT = 4;
/** An attribute value, but for `<`, `&`, both quotation marks and what is normalized to a space. */
export const IN_VALUE = 8;
/** White space, XML 1.0 §2.3 [3]. */
export const BLANK = 16;

/** The classes of every byte. Bytes above 0x7F have none: whoever meets one looks at the whole character. */
export const CLASS: Uint8Array = classTable();

function classTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0x20; byte < NOT_ASCII; byte++) table[byte] = IN_TEXT | IN_VALUE;
  table[TAB] = IN_TEXT | BLANK;
  table[LINE_FEED] = IN_TEXT | BLANK;
  table[CARRIAGE_RETURN] = BLANK;
  table[0x20] = IN_TEXT | IN_VALUE | BLANK;
  table[LESS_THAN] = 0;
  table[AMPERSAND] = 0;
  table[GREATER_THAN] = IN_VALUE;
  table[QUOTATION_MARK] = IN_TEXT;
  table[APOSTROPHE] = IN_TEXT;
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_';
  for (const letter of letters) add(table, letter, NAME_START | IN_NAME);
  for (const character of '0123456789.-') add(table, character, IN_NAME);
  return table;
}

function add(table: Uint8Array, character: string, classes: number): void {
  const byte = character.charCodeAt(0);
  table[byte] = (table[byte] as number) | classes;
}

/** Whether `length` bytes are the same in both places. */
export function sameBytes(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    if (a[aStart + i] !== b[bStart + i]) return false;
  }
  return true;
}

/** Whether the bytes of [start, end) are exactly `ascii`. */
export function bytesAre(bytes: Uint8Array, start: number, end: number, ascii: string): boolean {
  if (end - start !== ascii.length) return false;
  for (let i = 0; i < ascii.length; i++) {
    if (bytes[start + i] !== ascii.charCodeAt(i)) return false;
  }
  return true;
}
