import type { SQLOutputValue } from 'node:sqlite';
import { parseElement } from '../../protocol/xml/parse.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { writeElement } from '../../protocol/xml/write.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

const CLIENT = { defaultNamespace: 'jabber:client', prefixes: new Map<string, string>() };

/** An element as text to keep; `jabber:client` is not declared, most of what is kept being stanzas. */
export function toStored(element: XmlElement): string {
  return writeElement(element, 'jabber:client');
}

/** What `toStored` has kept. Throws a `SyntaxError` for anything else: the file was damaged or changed by somebody. */
export function fromStored(text: string): XmlElement {
  return parseElement(text, CLIENT);
}

/** Octets in UTF-8. */
export function octetsOf(text: string): number {
  return Buffer.byteLength(text);
}

/** A column that holds text. */
export function textIn(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`${column} holds no text`);
  return value;
}

/** A column that holds an integer. */
export function numberIn(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new TypeError(`${column} holds no number`);
  return value;
}
