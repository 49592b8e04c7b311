import { GREATER_THAN, LESS_THAN, NOT_ASCII, QUESTION_MARK } from './bytes.ts';
import * as faults from './faults.ts';
import type { Input } from './input.ts';
import { isDeclarationEnd, notEvenUtf8 } from './markup.ts';
import type { XmlFault } from './types.ts';
import { decodeUtf8 } from './utf8.ts';

// What is expected next.
const BYTE_ORDER_MARK = 0;
const BEGINNING = 1;
const IN_DECLARATION = 2;
const BEFORE_ROOT = 3;

const BOM = [0xef, 0xbb, 0xbf];
const DECLARATION_START = '<?xml';

/** XML 1.0 §2.8 [23]: XMLDecl. White space is that of [3]. */
const DECLARATION =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:'([^']*)'|"([^"]*)")(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:'([A-Za-z][-\w.]*)'|"([A-Za-z][-\w.]*)"))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:'(?:yes|no)'|"(?:yes|no)"))?[ \t\r\n]*\?>$/u;

/** What stands before a stream's root: a byte order mark, which is tolerated, an XML declaration, white space. */
export class Prolog {
  private expected = BYTE_ORDER_MARK;

  /** `'root'` when the next byte is the `<` of the root, `undefined` while bytes are missing before `stop`. */
  read(input: Input, stop: number): XmlFault | 'root' | undefined {
    if (this.expected === BYTE_ORDER_MARK) {
      const found = this.skipByteOrderMark(input, stop);
      if (found !== true) return found;
      this.expected = BEGINNING;
    }
    if (this.expected === BEGINNING) {
      const found = this.recognizeDeclaration(input, stop);
      if (typeof found !== 'boolean') return found;
      this.expected = found ? IN_DECLARATION : BEFORE_ROOT;
    }
    if (this.expected === IN_DECLARATION) {
      const found = this.readDeclaration(input, stop);
      if (found !== true) return found;
      this.expected = BEFORE_ROOT;
    }
    return this.skipWhitespace(input, stop);
  }

  /** RFC 6120 §11.6 calls U+FEFF at the start text; peers that send one are understood by everybody, so by us. */
  private skipByteOrderMark(input: Input, stop: number): XmlFault | true | undefined {
    for (let i = 0; i < BOM.length; i++) {
      if (input.at + i >= stop) return undefined;
      const byte = input.bytes[input.at + i] as number;
      if (byte === BOM[i]) continue;
      if (i === 0) return byte === 0 || byte >= 0xfe ? faults.OTHER_ENCODING : true;
      return (byte & 0xc0) === 0x80 ? faults.NO_ROOT : faults.NOT_UTF8;
    }
    input.at += BOM.length;
    return true;
  }

  /** Whether the stream begins with an XML declaration. */
  private recognizeDeclaration(input: Input, stop: number): XmlFault | boolean | undefined {
    for (let i = 0; i < DECLARATION_START.length; i++) {
      if (input.at + i >= stop) return undefined;
      const byte = input.bytes[input.at + i] as number;
      if (byte === DECLARATION_START.charCodeAt(i)) continue;
      // "<" and a zero is UTF-16, little end first
      return i === 1 && byte === 0 ? faults.OTHER_ENCODING : false;
    }
    if (input.at + DECLARATION_START.length >= stop) return undefined;
    if (!isDeclarationEnd(input.bytes[input.at + DECLARATION_START.length] as number)) return false;
    input.at += DECLARATION_START.length;
    return true;
  }

  /** Looks for `?>`; a declaration is ASCII and has no `<` or other `>`. */
  private readDeclaration(input: Input, stop: number): XmlFault | true | undefined {
    for (; input.at < stop; input.at++) {
      const byte = input.bytes[input.at] as number;
      if (notEvenUtf8(byte)) return faults.NOT_UTF8;
      if (byte >= NOT_ASCII || byte === LESS_THAN) return faults.DECLARATION;
      if (byte !== GREATER_THAN) continue;
      if (input.bytes[input.at - 1] !== QUESTION_MARK) return faults.DECLARATION;
      input.at++;
      const start = input.bytes[input.base] === BOM[0] ? input.base + BOM.length : input.base;
      return checkDeclaration(decodeUtf8(input.bytes, start, input.at)) ?? true;
    }
    return undefined;
  }

  private skipWhitespace(input: Input, stop: number): XmlFault | 'root' | undefined {
    for (; input.at < stop; input.at++) {
      const byte = input.bytes[input.at] as number;
      if (byte === LESS_THAN) return 'root';
      if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) continue;
      return notEvenUtf8(byte) ? faults.NOT_UTF8 : faults.NO_ROOT;
    }
    return undefined;
  }
}

/** RFC 6120 §11.5, §11.6, §11.8. */
function checkDeclaration(text: string): XmlFault | undefined {
  const match = DECLARATION.exec(text);
  if (match === null) return faults.DECLARATION;
  const [, version1, version2, encoding1, encoding2] = match;
  const encoding = encoding1 ?? encoding2;
  if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') return faults.OTHER_ENCODING;
  // `standalone` has no effect: there is no DTD that could make a difference.
  return (version1 ?? version2) === '1.0' ? undefined : faults.VERSION;
}
