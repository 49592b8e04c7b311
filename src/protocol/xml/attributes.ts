import { bytesAre } from './bytes.ts';

/** The fields of one attribute in `AttributeTable.offsets`; every offset is relative to the first-level element's first byte. */
const ATTRIBUTE_SIZE = 8;
export const NAME = 0;
/** Where the local part begins; the same as `NAME` without a prefix. */
export const LOCAL = 1;
export const NAME_END = 2;
export const VALUE = 3;
export const VALUE_END = 4;
/** 1 when the value has a reference or white space that is normalized. */
export const ESCAPED = 5;

/** What kind of attribute it is: one of the four below. */
export const KIND = 6;
/** The binding of a prefixed attribute's namespace, once it was looked up. */
export const BINDING = 7;
const PLAIN = 0;
const PREFIXED = 1;
const DEFAULT_DECLARATION = 2;
const PREFIX_DECLARATION = 3;

const LETTER_X = 0x78;

/** The attributes and namespace declarations of one tag, in the order they were written. */
export class AttributeTable {
  offsets: Int32Array = new Int32Array(ATTRIBUTE_SIZE * 16);
  count = 0;

  /** Takes the offsets of the name's start, colon (-1: none) and end, and of the value's start and end. */
  add(
    bytes: Uint8Array,
    base: number,
    name: number,
    colon: number,
    nameEnd: number,
    value: number,
    valueEnd: number,
    escaped: number,
  ): void {
    const offset = this.count * ATTRIBUTE_SIZE;
    if (offset === this.offsets.length) {
      const larger = new Int32Array(2 * offset);
      larger.set(this.offsets);
      this.offsets = larger;
    }
    const offsets = this.offsets;
    offsets[offset + NAME] = name;
    offsets[offset + LOCAL] = colon < 0 ? name : colon + 1;
    offsets[offset + NAME_END] = nameEnd;
    offsets[offset + VALUE] = value;
    offsets[offset + VALUE_END] = valueEnd;
    offsets[offset + ESCAPED] = escaped;
    const isDeclaration =
      bytes[base + name] === LETTER_X && bytesAre(bytes, base + name, base + (colon < 0 ? nameEnd : colon), 'xmlns');
    if (colon < 0) offsets[offset + KIND] = isDeclaration ? DEFAULT_DECLARATION : PLAIN;
    else offsets[offset + KIND] = isDeclaration ? PREFIX_DECLARATION : PREFIXED;
    this.count++;
  }

  /** Field `field` of the attribute `index`. */
  get(index: number, field: number): number {
    return this.offsets[index * ATTRIBUTE_SIZE + field] as number;
  }

  setBinding(index: number, binding: number): void {
    this.offsets[index * ATTRIBUTE_SIZE + BINDING] = binding;
  }

  /** Whether it has a prefix other than `xmlns`. */
  isPrefixed(index: number): boolean {
    return this.get(index, KIND) === PREFIXED;
  }

  /** Whether it is `xmlns='...'`. */
  isDefaultDeclaration(index: number): boolean {
    return this.get(index, KIND) === DEFAULT_DECLARATION;
  }

  /** Whether it is `xmlns:...='...'`. */
  isPrefixDeclaration(index: number): boolean {
    return this.get(index, KIND) === PREFIX_DECLARATION;
  }

  /** Whether it is an attribute, not a declaration. */
  isAttribute(index: number): boolean {
    return this.get(index, KIND) <= PREFIXED;
  }
}
