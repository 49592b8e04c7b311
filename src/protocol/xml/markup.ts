import { BLANK, CLASS, GREATER_THAN, NOT_ASCII, QUESTION_MARK } from './bytes.ts';
import { CDATA_OUTSIDE, COMMENT, DTD, LATE_DECLARATION, MARKUP, NOT_UTF8, PROCESSING_INSTRUCTION } from './faults.ts';
import type { XmlFault } from './types.ts';

const CDATA_START = '<![CDATA[';
/** Bytes from `<` to the `[` before the content. */
export const CDATA_START_LENGTH = CDATA_START.length;

/**
 * What `<!...` or `<?...` at `at` is: the beginning of a CDATA section, or a fault, or `undefined` while the bytes before `stop`
 * leave it open (never more than a few). Nothing of a DTD is read: `<!D` is enough (RFC 6120 §11.1).
 */
export function specialMarkup(
  bytes: Uint8Array,
  at: number,
  stop: number,
  inElement: boolean,
): XmlFault | 'cdata' | undefined {
  return bytes[at + 1] === QUESTION_MARK
    ? processingInstruction(bytes, at, stop)
    : markupDeclaration(bytes, at, stop, inElement);
}

function markupDeclaration(
  bytes: Uint8Array,
  at: number,
  stop: number,
  inElement: boolean,
): XmlFault | 'cdata' | undefined {
  if (at + 2 >= stop) return undefined;
  const third = bytes[at + 2] as number;
  switch (third) {
    case 0x44: // <!DOCTYPE
    case 0x45: // <!ELEMENT, <!ENTITY
    case 0x41: // <!ATTLIST
    case 0x4e: // <!NOTATION
      return DTD;
    case 0x2d:
      if (at + 3 >= stop) return undefined;
      return bytes[at + 3] === 0x2d ? COMMENT : MARKUP;
    default:
  }
  for (let i = 2; i < CDATA_START.length; i++) {
    if (at + i >= stop) return undefined;
    if (bytes[at + i] !== CDATA_START.charCodeAt(i)) return notEvenUtf8(bytes[at + i] as number) ? NOT_UTF8 : MARKUP;
  }
  return inElement ? 'cdata' : CDATA_OUTSIDE;
}

/** `<?xml` and white space is a declaration in the wrong place, everything else a processing instruction. */
function processingInstruction(bytes: Uint8Array, at: number, stop: number): XmlFault | undefined {
  for (let i = 0; i < 3; i++) {
    if (at + 2 + i >= stop) return undefined;
    const byte = bytes[at + 2 + i] as number;
    if (byte !== 'xml'.charCodeAt(i)) return notEvenUtf8(byte) ? NOT_UTF8 : PROCESSING_INSTRUCTION;
  }
  if (at + 5 >= stop) return undefined;
  return isDeclarationEnd(bytes[at + 5] as number) ? LATE_DECLARATION : PROCESSING_INSTRUCTION;
}

/** Whether the byte behind `<?xml` ends that name. */
export function isDeclarationEnd(byte: number): boolean {
  return ((CLASS[byte] as number) & BLANK) !== 0 || byte === QUESTION_MARK || byte === GREATER_THAN;
}

/** Whether a byte that is out of place could not even begin a character. */
export function notEvenUtf8(byte: number): boolean {
  return byte >= NOT_ASCII && (byte < 0xc2 || byte > 0xf4);
}
