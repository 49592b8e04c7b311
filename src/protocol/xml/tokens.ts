import {
  AMPERSAND,
  APOSTROPHE,
  BLANK,
  CARRIAGE_RETURN,
  CLASS,
  COLON,
  EQUALS,
  EXCLAMATION_MARK,
  GREATER_THAN,
  IN_NAME,
  IN_TEXT,
  IN_VALUE,
  LESS_THAN,
  LINE_FEED,
  NAME_START,
  NOT_ASCII,
  QUESTION_MARK,
  QUOTATION_MARK,
  RIGHT_BRACKET,
  SLASH,
  TAB,
} from './bytes.ts';
import * as faults from './faults.ts';
import type { Input } from './input.ts';
import { CDATA_START_LENGTH, notEvenUtf8, specialMarkup } from './markup.ts';
import { OrdinaryTags } from './ordinary.ts';
import { ReferenceScanner } from './references.ts';
import { CDATA, EMPTY, END, FAULT, MORE, START, Tag } from './tag.ts';
import type { XmlFault, XmlLimits } from './types.ts';
import { characterLength, codePointAt, FORBIDDEN, INCOMPLETE, isInName, isNameStart, MALFORMED } from './utf8.ts';

// Where the tokenizer is between two bytes.
const IN_CHARACTER_DATA = 0;
const AFTER_LESS_THAN = 1;
const SPECIAL = 2;
const NAME_FIRST = 3;
const NAME_REST = 4;
const TAG_NAMED = 5;
const AFTER_NAME_OR_VALUE = 6;
const BEFORE_ATTRIBUTE = 7;
const ATTRIBUTE_NAMED = 8;
const BEFORE_VALUE = 9;
const IN_ATTRIBUTE_VALUE = 10;
const AFTER_SLASH = 11;
const END_NAMED = 12;
const BEFORE_END = 13;
const IN_REFERENCE = 14;
const IN_CDATA = 15;

/**
 * Bytes to tags, one at a time: XML 1.0's grammar of tags, character data and references, without nesting and namespaces.
 *
 * It can stop and go on between any two bytes (inside a character it waits for the rest of it), so no byte is looked at again when
 * an element comes in pieces, and a fault is found at the same byte however it came. All offsets are relative to the input's `base`.
 */
export class Tokenizer {
  /** Set when `next` answered `FAULT`. */
  fault: XmlFault = faults.MARKUP;

  readonly tag: Tag = new Tag();
  /** The character data before the last tag or CDATA section; `textEscaped` when it has a reference or a carriage return. */
  textStart = 0;
  textEnd = 0;
  textEscaped = false;
  /** The content of the last CDATA section. */
  cdataStart = 0;
  cdataEnd = 0;
  /** Whether character data is inside an element. */
  inElement = false;

  private readonly input: Input;
  private limits: XmlLimits;
  private state = IN_CHARACTER_DATA;
  /** Where to go after a name, and after a reference. */
  private afterName = TAG_NAMED;
  private afterReference = IN_CHARACTER_DATA;
  private nameStart = 0;
  private nameColon = -1;
  private nameEnd = 0;
  /** The character data being read. */
  private runStart = 0;
  private runEscaped = false;
  private quote = 0;
  private valueStart = 0;
  private valueEscaped = 0;
  private readonly ordinary: OrdinaryTags;
  private readonly reference = new ReferenceScanner();

  constructor(input: Input, limits: XmlLimits) {
    this.input = input;
    this.limits = limits;
    this.ordinary = new OrdinaryTags(this.tag, limits);
  }

  setLimits(limits: XmlLimits): void {
    this.limits = limits;
    this.ordinary.setLimits(limits);
  }

  /** The input is at the `<` of a first-level element or a root. */
  begin(): void {
    this.state = IN_CHARACTER_DATA;
    this.runStart = this.input.at - this.input.base;
    this.runEscaped = false;
  }

  /** Goes on to the end of the next token; looks at no byte at `stop` or behind it. */
  next(stop: number): number {
    const input = this.input;
    const bytes = input.bytes;
    const base = input.base;
    let at = input.at;
    let state = this.state;
    for (;;) {
      if (at >= stop) {
        input.at = at;
        this.state = state;
        return MORE;
      }
      const byte = bytes[at] as number;
      switch (state) {
        case IN_CHARACTER_DATA: {
          while (at < stop && ((CLASS[bytes[at] as number] as number) & IN_TEXT) !== 0) at++;
          if (at === stop) continue;
          const special = bytes[at] as number;
          if (special === LESS_THAN) {
            this.textStart = this.runStart;
            this.textEnd = at - base;
            this.textEscaped = this.runEscaped;
            const { ordinary } = this;
            const token = ordinary.read(bytes, base, at + 1, stop);
            at = ordinary.at;
            if (token !== MORE) {
              this.toCharacterData(at);
              return token;
            }
            state = ordinary.named ? AFTER_NAME_OR_VALUE : AFTER_LESS_THAN;
          } else if (special === GREATER_THAN) {
            if (this.endsCdata(bytes, at, base + this.runStart)) return this.fail(faults.CDATA_END_IN_TEXT);
            at++;
          } else if (special === CARRIAGE_RETURN) {
            this.runEscaped = true;
            at++;
          } else if (special === AMPERSAND) {
            this.runEscaped = true;
            this.afterReference = IN_CHARACTER_DATA;
            this.reference.begin();
            at++;
            state = IN_REFERENCE;
          } else {
            const length = this.character(bytes, at, stop);
            if (length <= 0) return this.halt(length, at, state);
            at += length;
          }
          continue;
        }
        case AFTER_LESS_THAN:
          if (byte === SLASH) {
            at++;
            this.afterName = END_NAMED;
          } else if (byte === EXCLAMATION_MARK || byte === QUESTION_MARK) {
            state = SPECIAL;
            at++;
            continue;
          } else {
            this.afterName = TAG_NAMED;
          }
          this.nameStart = at - base;
          this.nameColon = -1;
          state = NAME_FIRST;
          continue;
        case SPECIAL: {
          const found = specialMarkup(bytes, base + this.textEnd, stop, this.inElement);
          if (found === undefined) {
            input.at = at;
            this.state = state;
            return MORE;
          }
          if (found !== 'cdata') return this.fail(found);
          at = base + this.textEnd + CDATA_START_LENGTH;
          this.cdataStart = at - base;
          state = IN_CDATA;
          continue;
        }
        case NAME_FIRST:
          if (((CLASS[byte] as number) & NAME_START) !== 0) {
            at++;
          } else {
            const length = this.nameCharacter(bytes, at, stop, true);
            if (length <= 0) return this.halt(length, at, state);
            at += length;
          }
          state = NAME_REST;
          continue;
        case NAME_REST: {
          while (at < stop && ((CLASS[bytes[at] as number] as number) & IN_NAME) !== 0) at++;
          if (at - base - this.nameStart > this.limits.name) return this.fail(faults.NAME_TOO_LONG);
          if (at === stop) continue;
          const special = bytes[at] as number;
          if (special === COLON) {
            if (this.nameColon >= 0) return this.fail(faults.NAME);
            this.nameColon = at - base;
            at++;
            state = NAME_FIRST;
          } else if (special >= NOT_ASCII) {
            const length = this.nameCharacter(bytes, at, stop, false);
            if (length <= 0) return this.halt(length, at, state);
            at += length;
          } else {
            this.nameEnd = at - base;
            state = this.afterName;
          }
          continue;
        }
        case TAG_NAMED:
          this.tag.start = this.nameStart;
          this.tag.colon = this.nameColon;
          this.tag.end = this.nameEnd;
          this.tag.attributes.count = 0;
          state = AFTER_NAME_OR_VALUE;
          continue;
        case AFTER_NAME_OR_VALUE:
        case BEFORE_ATTRIBUTE:
          if (byte === GREATER_THAN) {
            this.toCharacterData(at + 1);
            return START;
          }
          if (((CLASS[byte] as number) & BLANK) !== 0) {
            at++;
            state = BEFORE_ATTRIBUTE;
            continue;
          }
          if (byte === SLASH) {
            at++;
            state = AFTER_SLASH;
            continue;
          }
          if (state === AFTER_NAME_OR_VALUE) return this.unexpected(byte, faults.TAG);
          if (this.tag.attributes.count >= this.limits.attributes) return this.fail(faults.TOO_MANY_ATTRIBUTES);
          this.nameStart = at - base;
          this.nameColon = -1;
          this.afterName = ATTRIBUTE_NAMED;
          state = NAME_FIRST;
          continue;
        case ATTRIBUTE_NAMED:
          if (byte === EQUALS) state = BEFORE_VALUE;
          else if (((CLASS[byte] as number) & BLANK) === 0) return this.unexpected(byte, faults.EQUALS_SIGN);
          at++;
          continue;
        case BEFORE_VALUE:
          at++;
          if (byte === APOSTROPHE || byte === QUOTATION_MARK) {
            this.quote = byte;
            this.valueStart = at - base;
            this.valueEscaped = 0;
            state = IN_ATTRIBUTE_VALUE;
          } else if (((CLASS[byte] as number) & BLANK) === 0) {
            return this.unexpected(byte, faults.QUOTES);
          }
          continue;
        case IN_ATTRIBUTE_VALUE: {
          while (at < stop && ((CLASS[bytes[at] as number] as number) & IN_VALUE) !== 0) at++;
          if (at === stop) continue;
          const special = bytes[at] as number;
          if (special === this.quote) {
            this.tag.attributes.add(
              bytes,
              base,
              this.nameStart,
              this.nameColon,
              this.nameEnd,
              this.valueStart,
              at - base,
              this.valueEscaped,
            );
            at++;
            state = AFTER_NAME_OR_VALUE;
          } else if (special === APOSTROPHE || special === QUOTATION_MARK) {
            at++;
          } else if (special === AMPERSAND) {
            this.valueEscaped = 1;
            this.afterReference = IN_ATTRIBUTE_VALUE;
            this.reference.begin();
            at++;
            state = IN_REFERENCE;
          } else if (special === TAB || special === LINE_FEED || special === CARRIAGE_RETURN) {
            this.valueEscaped = 1;
            at++;
          } else if (special === LESS_THAN) {
            return this.fail(faults.LESS_THAN_IN_VALUE);
          } else {
            const length = this.character(bytes, at, stop);
            if (length <= 0) return this.halt(length, at, state);
            at += length;
          }
          continue;
        }
        case AFTER_SLASH:
          if (byte !== GREATER_THAN) return this.unexpected(byte, faults.TAG);
          this.toCharacterData(at + 1);
          return EMPTY;
        case END_NAMED:
          this.tag.start = this.nameStart;
          this.tag.colon = this.nameColon;
          this.tag.end = this.nameEnd;
          state = BEFORE_END;
          continue;
        case BEFORE_END:
          if (byte === GREATER_THAN) {
            this.toCharacterData(at + 1);
            return END;
          }
          if (((CLASS[byte] as number) & BLANK) === 0) {
            return this.unexpected(byte, faults.TAG);
          }
          at++;
          continue;
        case IN_REFERENCE:
          at = this.reference.scan(bytes, at, stop);
          if (this.reference.fault !== undefined) return this.fail(this.reference.fault);
          if (this.reference.done) {
            state = this.afterReference;
            continue;
          }
          input.at = at;
          this.state = state;
          return MORE;
        default: {
          // IN_CDATA
          while (at < stop && ((CLASS[bytes[at] as number] as number) & IN_TEXT) !== 0) at++;
          if (at === stop) continue;
          const special = bytes[at] as number;
          if (special === GREATER_THAN && this.endsCdata(bytes, at, base + this.cdataStart)) {
            this.cdataEnd = at - 2 - base;
            this.toCharacterData(at + 1);
            return CDATA;
          }
          if (special < NOT_ASCII && (special >= 0x20 || special === CARRIAGE_RETURN)) {
            at++;
          } else {
            const length = this.character(bytes, at, stop);
            if (length <= 0) return this.halt(length, at, state);
            at += length;
          }
        }
      }
    }
  }

  private toCharacterData(at: number): void {
    this.input.at = at;
    this.state = IN_CHARACTER_DATA;
    this.runStart = at - this.input.base;
    this.runEscaped = false;
  }

  /** Whether the `>` at `at` ends `]]>`, all of it at or behind `from`. */
  private endsCdata(bytes: Uint8Array, at: number, from: number): boolean {
    return at - 2 >= from && bytes[at - 1] === RIGHT_BRACKET && bytes[at - 2] === RIGHT_BRACKET;
  }

  /** The length of a character that is none of the ordinary ASCII ones; see `halt` for what is no length. */
  private character(bytes: Uint8Array, at: number, stop: number): number {
    return (bytes[at] as number) < NOT_ASCII ? FORBIDDEN : characterLength(bytes, at, stop);
  }

  /** The length of a name's character other than the ordinary ASCII ones. */
  private nameCharacter(bytes: Uint8Array, at: number, stop: number, first: boolean): number {
    if ((bytes[at] as number) < NOT_ASCII) return NO_NAME;
    const length = characterLength(bytes, at, stop);
    if (length <= 0) return length === FORBIDDEN ? NO_NAME : length;
    const codePoint = codePointAt(bytes, at, length);
    return (first ? isNameStart(codePoint) : isInName(codePoint)) ? length : NO_NAME;
  }

  /** For a length that is none: waits for the rest of a character, or fails. */
  private halt(length: number, at: number, state: number): number {
    if (length === INCOMPLETE) {
      this.input.at = at;
      this.state = state;
      return MORE;
    }
    if (length === MALFORMED) return this.fail(faults.NOT_UTF8);
    return this.fail(length === NO_NAME ? faults.NAME : faults.CHARACTER);
  }

  /** A byte that does not belong where it is; that it is no UTF-8 either goes first. */
  private unexpected(byte: number, fault: XmlFault): number {
    return this.fail(notEvenUtf8(byte) ? faults.NOT_UTF8 : fault);
  }

  private fail(fault: XmlFault): number {
    this.fault = fault;
    return FAULT;
  }
}

const NO_NAME = -3;
