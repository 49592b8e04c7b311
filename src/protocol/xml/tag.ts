import { AttributeTable } from './attributes.ts';

/** What `Tokenizer.next` answers: bytes are missing, a tag, a CDATA section, or `fault` is set. */
export const MORE = 0;
export const START = 1;
/** `<name/>` */
export const EMPTY = 2;
export const END = 3;
export const CDATA = 4;
export const FAULT = 5;

/** The tag read last. Every offset is relative to the first-level element's first byte. */
export class Tag {
  start = 0;
  /** The colon in the name, -1 without a prefix. */
  colon = -1;
  end = 0;
  readonly attributes: AttributeTable = new AttributeTable();

  /** Where the local part of the name begins. */
  get local(): number {
    return this.colon < 0 ? this.start : this.colon + 1;
  }
}
