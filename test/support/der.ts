/**
 * Writing DER (X.690 §8, §10) for the certificate factory. It writes whatever it is told, ill-formed things included: that is
 * what the tests need, and why no library does it.
 */

const SEQUENCE = 0x30;
export const SET = 0x31;

/** One element: the tag octet, the length, the content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return concat([Uint8Array.from([tag, ...lengthOctets(length)]), ...content]);
}

export function sequence(...content: readonly Uint8Array[]): Uint8Array {
  return element(SEQUENCE, ...content);
}

/** `[number]` around complete elements. */
export function explicit(number: number, ...content: readonly Uint8Array[]): Uint8Array {
  return element(0xa0 + number, ...content);
}

/** `[number]` instead of the tag of a primitive type. */
export function implicit(number: number, content: Uint8Array): Uint8Array {
  return element(0x80 + number, content);
}

export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
}

export function integer(value: number | Uint8Array): Uint8Array {
  return element(0x02, typeof value === 'number' ? integerOctets(value) : value);
}

export function boolean(value: boolean): Uint8Array {
  return element(0x01, Uint8Array.of(value ? 0xff : 0));
}

export function octets(content: Uint8Array): Uint8Array {
  return element(0x04, content);
}

export function bits(content: Uint8Array, unused = 0): Uint8Array {
  return element(0x03, Uint8Array.of(unused), content);
}

export function utf8(text: string): Uint8Array {
  return element(0x0c, Buffer.from(text));
}

export function printableString(text: string): Uint8Array {
  return element(0x13, latin1(text));
}

export function ia5(text: string): Uint8Array {
  return element(0x16, latin1(text));
}

/** UTCTime up to 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
export function time(date: Date): Uint8Array {
  const text = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  const year = date.getUTCFullYear();
  return year >= 1950 && year < 2050 ? element(0x17, latin1(text.slice(2))) : element(0x18, latin1(text));
}

/** One octet per character, as IA5String wants it; characters above U+00FF are cut, which is a way to write bad ones. */
export function latin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 + octets.length, ...octets];
}

function base128(arc: number): number[] {
  const septets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) septets.unshift(128 + (rest % 128));
  return septets;
}

function integerOctets(value: number): Uint8Array {
  const octets: number[] = [value & 0xff];
  for (let rest = value >> 8; rest > 0; rest >>= 8) octets.unshift(rest & 0xff);
  if ((octets[0] ?? 0) >= 0x80) octets.unshift(0);
  return Uint8Array.from(octets);
}
