import { SaxesParser } from 'saxes';
import type { XmlAttribute, XmlElement, XmlNode } from '../../protocol/xml/types.ts';
import type { Unusable } from './types.ts';

/** Bounds of one document. */
export interface DocumentLimits {
  /** Of the whole document. */
  readonly bytes: number;
  /** Elements open at the same time. */
  readonly depth: number;
  readonly elements: number;
  /** Attributes and namespace declarations of one element. */
  readonly attributes: number;
  /** UTF-16 units of the text directly inside one element. */
  readonly text: number;
}

/** UTF-16 units that are parsed before the bounds are looked at again: what a document can have us do too much. */
const STRIDE = 2048;
/** Namespaces in XML 1.0 §3. */
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';

/**
 * Reads a whole XML 1.0 document in UTF-8: well-formed, namespaces declared, and nothing in it that SOAP 1.1 §3 forbids (a document type declaration,
 * processing instructions) or that nobody needs (comments, entities other than the five). White space stays. Total; the time it takes is bounded
 * by the limits, whatever the bytes are.
 */
export function readDocument(bytes: Uint8Array, limits: DocumentLimits): { readonly root: XmlElement } | Unusable {
  if (bytes.length > limits.bytes) return { fault: `The document has more than ${limits.bytes} bytes.` };
  const text = decodeUtf8(bytes);
  if (text === undefined) return { fault: 'The document is not UTF-8.' };
  const building = new Building(limits);
  for (let at = 0; at < text.length && building.fault === undefined; at += STRIDE) {
    building.read(text.slice(at, at + STRIDE));
  }
  return building.end();
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined; // not UTF-8: the one thing TextDecoder throws for
  }
}

interface Open {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: XmlNode[];
  /** UTF-16 units of text so far. */
  text: number;
}

/** A document while it is read: the tree so far, and the first thing that is wrong with it. */
class Building {
  readonly #parser = new SaxesParser({
    xmlns: true,
    position: false,
    defaultXMLVersion: '1.0',
    forceXMLVersion: true,
  });
  readonly #limits: DocumentLimits;
  readonly #open: Open[] = [];
  #root: XmlElement | undefined;
  #elements = 0;
  #attributes = 0;
  #fault: string | undefined;

  constructor(limits: DocumentLimits) {
    this.#limits = limits;
    this.#listen();
  }

  get fault(): string | undefined {
    return this.#fault;
  }

  read(text: string): void {
    this.#parser.write(text);
  }

  end(): { readonly root: XmlElement } | Unusable {
    if (this.#fault === undefined) this.#parser.close();
    if (this.#fault !== undefined) return { fault: this.#fault };
    return this.#root === undefined ? { fault: 'The document is empty.' } : { root: this.#root };
  }

  #listen(): void {
    const parser = this.#parser;
    // The parser's own words can repeat what stands in the document.
    parser.on('error', () => this.#refuse('The document is not well-formed XML.'));
    parser.on('xmldecl', ({ version, encoding }) => {
      if (version !== '1.0') this.#refuse('The document is not XML 1.0.');
      if (encoding !== undefined && !/^utf-8$/i.test(encoding)) this.#refuse('The document says that it is not UTF-8.');
    });
    parser.on('doctype', () => this.#refuse('The document has a document type declaration.'));
    parser.on('comment', () => this.#refuse('The document has a comment.'));
    parser.on('processinginstruction', () => this.#refuse('The document has a processing instruction.'));
    parser.on('opentagstart', () => {
      this.#attributes = 0;
    });
    parser.on('attribute', () => {
      this.#attributes += 1;
      if (this.#attributes > this.#limits.attributes) this.#refuse('An element has too many attributes.');
    });
    parser.on('opentag', (tag) => {
      const attributes = Object.values(tag.attributes)
        .filter(({ uri }) => uri !== XMLNS_NAMESPACE)
        .map(({ local, uri, value }) => ({ name: local, namespace: uri, value }));
      this.#begin(tag.local, tag.uri, attributes);
    });
    parser.on('closetag', () => this.#close());
    parser.on('text', (text) => this.#text(text));
    parser.on('cdata', (text) => this.#text(text));
  }

  #begin(name: string, namespace: string, attributes: readonly XmlAttribute[]): void {
    this.#elements += 1;
    if (this.#elements > this.#limits.elements) this.#refuse('The document has too many elements.');
    if (this.#open.length >= this.#limits.depth) this.#refuse('The elements of the document are nested too deeply.');
    if (this.#fault !== undefined) return;
    const element: Open = { name, namespace, attributes, children: [], text: 0 };
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = element;
    else parent.children.push(element);
    this.#open.push(element);
  }

  #close(): void {
    if (this.#fault === undefined) this.#open.pop();
  }

  #text(text: string): void {
    const parent = this.#open.at(-1);
    // White space around the root.
    if (parent === undefined || text === '' || this.#fault !== undefined) return;
    parent.text += text.length;
    if (parent.text > this.#limits.text) return this.#refuse('A text in the document is too long.');
    const last = parent.children.at(-1);
    if (typeof last === 'string') parent.children[parent.children.length - 1] = last + text;
    else parent.children.push(text);
  }

  #refuse(sentence: string): void {
    this.#fault ??= sentence;
  }
}
