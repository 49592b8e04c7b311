import { bytesAre } from './bytes.ts';

/** The fields of one attribute in `AttributeTable.offsets`; every offset is relative to the first-level element's first byte. */
export const ATTRIBUTE_SIZE = 6;
export const NAME = 0;
/** Where the local part begins; the same as `NAME` without a prefix. */
export const LOCAL = 1;
export const NAME_END = 2;
export const VALUE = 3;
export const VALUE_END = 4;
/** 1 when the value has a reference or white space that is normalized. */
export const ESCAPED = 5;

const NOT_A_DECLARATION = 0;
const DEFAULT_DECLARATION = 1;
const PREFIX_DECLARATION = 2;

/** The attributes and namespace declarations of one tag, in the order they were written. */
export class AttributeTable {
  offsets: Int32Array = new Int32Array(ATTRIBUTE_SIZE * 16);
  count = 0;

  add(name: number, colon: number, nameEnd: number, value: number, valueEnd: number, escaped: number): void {
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
    this.count++;
  }

  /** Field `field` of the attribute `index`. */
  get(index: number, field: number): number {
    return this.offsets[index * ATTRIBUTE_SIZE + field] as number;
  }

  isPrefixed(index: number): boolean {
    return this.get(index, LOCAL) !== this.get(index, NAME);
  }

  /** Whether it is `xmlns='...'`. */
  isDefaultDeclaration(index: number, bytes: Uint8Array, base: number): boolean {
    return this.declaration(index, bytes, base) === DEFAULT_DECLARATION;
  }

  /** Whether it is `xmlns:...='...'`. */
  isPrefixDeclaration(index: number, bytes: Uint8Array, base: number): boolean {
    return this.declaration(index, bytes, base) === PREFIX_DECLARATION;
  }

  private declaration(index: number, bytes: Uint8Array, base: number): number {
    const name = this.get(index, NAME);
    const local = this.get(index, LOCAL);
    if (local === name) {
      return bytesAre(bytes, base + name, base + this.get(index, NAME_END), 'xmlns')
        ? DEFAULT_DECLARATION
        : NOT_A_DECLARATION;
    }
    return bytesAre(bytes, base + name, base + local - 1, 'xmlns') ? PREFIX_DECLARATION : NOT_A_DECLARATION;
  }
}
