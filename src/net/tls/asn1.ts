import { type BaseBlock, Constructed, fromBER, ObjectIdentifier } from 'asn1js';

/** One ASN.1 element (X.690), as plain data: the only form of it that the rest of this folder sees. */
export interface Asn1 {
  readonly tagClass: 'universal' | 'application' | 'context' | 'private';
  readonly tag: number;
  /** Of a constructed element; `undefined` for a primitive one. */
  readonly children: readonly Asn1[] | undefined;
  /** The content octets. */
  readonly content: Uint8Array;
  /** Of an OBJECT IDENTIFIER, dotted. */
  readonly oid: string | undefined;
}

/** Universal tag numbers (X.680 §8.6). */
export const TAG = {
  boolean: 1,
  integer: 2,
  bitString: 3,
  octetString: 4,
  oid: 6,
  utf8String: 12,
  sequence: 16,
  set: 17,
  printableString: 19,
  teletexString: 20,
  ia5String: 22,
  universalString: 28,
  bmpString: 30,
} as const;

/** More elements or deeper nesting than any certificate has. */
const LIMITS = { maxNodes: 5000, maxDepth: 32 };
const CLASSES = { 1: 'universal', 2: 'application', 3: 'context', 4: 'private' } as const;

/** Reads exactly one element with definite lengths; `undefined` for anything else. Total: never throws, whatever the bytes. */
export function readAsn1(bytes: Uint8Array): Asn1 | undefined {
  try {
    const { offset, result } = fromBER(bytes, { ...LIMITS, parseEmbedded: false, copyInput: false });
    return offset === bytes.length ? plain(result) : undefined;
  } catch {
    // asn1js reports most faults in its result, but throws for some; either way the bytes are no ASN.1 and the caller says so.
    return undefined;
  }
}

/** The children of a SEQUENCE; `undefined` for any other element. */
export function sequenceOf(element: Asn1 | undefined): readonly Asn1[] | undefined {
  return isUniversal(element, TAG.sequence) ? element?.children : undefined;
}

export function isUniversal(element: Asn1 | undefined, tag: number): boolean {
  return element?.tagClass === 'universal' && element.tag === tag;
}

export function isContext(element: Asn1 | undefined, tag: number): boolean {
  return element?.tagClass === 'context' && element.tag === tag;
}

/** DER (X.690 §11.1) knows two values. */
export function booleanOf(element: Asn1 | undefined): boolean | undefined {
  if (!isUniversal(element, TAG.boolean) || element?.content.length !== 1) return undefined;
  return element.content[0] !== 0;
}

/** A non-negative INTEGER that fits into 32 bits. */
export function smallIntegerOf(element: Asn1 | undefined): number | undefined {
  const content = isUniversal(element, TAG.integer) ? element?.content : undefined;
  if (content === undefined || content.length === 0 || content.length > 5) return undefined;
  if ((content[0] ?? 0) >= 0x80) return undefined;
  return content.reduce((value, octet) => value * 256 + octet, 0);
}

/** The text of a character string, read by its type's own rules; `undefined` for other types and for bytes that break the rules. */
export function textOf(element: Asn1): string | undefined {
  if (element.tagClass !== 'universal' || element.children !== undefined) return undefined;
  switch (element.tag) {
    case TAG.utf8String:
      return decoded('utf-8', element.content);
    case TAG.printableString:
    case TAG.ia5String:
    case TAG.teletexString:
      return octetsAsText(element.content);
    case TAG.bmpString:
      return decoded('utf-16be', element.content);
    case TAG.universalString:
      return decodedUtf32(element.content);
    default:
      return undefined;
  }
}

/** One character per octet: nothing collides, nothing is lost. */
export function octetsAsText(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
}

function decoded(encoding: string, octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}

function decodedUtf32(octets: Uint8Array): string | undefined {
  if (octets.length % 4 !== 0) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  let text = '';
  for (let at = 0; at < octets.length; at += 4) {
    const point = view.getUint32(at);
    if (point > 0x10ffff) return undefined;
    text += String.fromCodePoint(point);
  }
  return text;
}

function plain(block: BaseBlock): Asn1 | undefined {
  const tagClass = CLASSES[block.idBlock.tagClass as keyof typeof CLASSES];
  if (tagClass === undefined || block.lenBlock.isIndefiniteForm) return undefined;
  const whole = block.valueBeforeDecodeView;
  let children: Asn1[] | undefined;
  if (block.idBlock.isConstructed) {
    if (!(block instanceof Constructed)) return undefined;
    children = [];
    for (const child of block.valueBlock.value) {
      const read = plain(child);
      if (read === undefined) return undefined;
      children.push(read);
    }
  }
  return {
    tagClass,
    tag: block.idBlock.tagNumber,
    children,
    content: whole.subarray(whole.length - block.lenBlock.length),
    oid: block instanceof ObjectIdentifier ? block.getValue() : undefined,
  };
}
