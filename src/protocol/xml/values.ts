import { referenced } from './references.ts';
import { decodeUtf8 } from './utf8.ts';

const REFERENCE = /&([^;]+);/gu;

/**
 * The meaning of checked character data (XML 1.0 §2.11, §4.6). `escaped` tells that it contains a reference or a carriage return;
 * without either the bytes are the text.
 */
export function textValue(bytes: Uint8Array, start: number, end: number, escaped: boolean): string {
  const text = decodeUtf8(bytes, start, end);
  return escaped ? lineEnds(text).replace(REFERENCE, (_, reference: string) => referenced(reference)) : text;
}

/** The meaning of a checked CDATA section's content. */
export function cdataValue(bytes: Uint8Array, start: number, end: number): string {
  return lineEnds(decodeUtf8(bytes, start, end));
}

/** The meaning of a checked attribute value (XML 1.0 §3.3.3). `escaped` tells that it contains a reference or white space other than spaces. */
export function attributeValue(bytes: Uint8Array, start: number, end: number, escaped: boolean): string {
  const text = decodeUtf8(bytes, start, end);
  if (!escaped) return text;
  return lineEnds(text)
    .replace(/[\t\n]/gu, ' ')
    .replace(REFERENCE, (_, reference: string) => referenced(reference));
}

function lineEnds(text: string): string {
  return text.replace(/\r\n?/gu, '\n');
}
