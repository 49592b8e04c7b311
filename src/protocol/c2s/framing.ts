import { NS } from '../namespaces.ts';
import { AUTHENTICATED_LIMITS, NO_LIMITS } from '../xml/limits.ts';
import { XmlReader } from '../xml/reader.ts';
import type { XmlElement, XmlEvent, XmlRoot } from '../xml/types.ts';
import { element, writeElement, writeRoot } from '../xml/write.ts';

/**
 * XMPP over WebSocket (RFC 7395 §3.3): each message is one element, complete in itself; `<open/>` and `<close/>` stand for the tags of the stream. Behind this
 * translation the stream is one as on TCP, so that nothing else knows of WebSockets.
 */

/** The header below which each element declares its own namespace, as each message does (RFC 6120 §4.8.2). */
const BARE_STREAM = `<stream xmlns='${NS.stream}'>`;
const FOOTER = '</stream>';
const XML_DECLARATION = "<?xml version='1.0'?>";
const STREAM_PREFIX: ReadonlyMap<string, string> = new Map([['stream', NS.stream]]);

/** The largest message that can be of use: what is larger is refused by the limits of the stream as well. */
export const LARGEST_MESSAGE = AUTHENTICATED_LIMITS.element;

/** What a message means to the stream, or why it is none (RFC 7395 §3.3.3). */
export type Unframed = { readonly xml: string | Uint8Array } | { readonly refused: string };

/** Reads one message of a client. */
export function unframe(message: Uint8Array): Unframed {
  const reader = new XmlReader({ limits: { ...AUTHENTICATED_LIMITS, whitespace: 0 }, contentNamespace: NS.client });
  reader.push(new TextEncoder().encode(BARE_STREAM));
  reader.next();
  // The reader keeps what it is given.
  reader.push(message.slice());
  const event = reader.next();
  const refused = refusalOf(event) ?? (hasMore(reader) ? 'a message has more than one element' : undefined);
  if (refused !== undefined) return { refused };
  if (event?.type !== 'element' || event.element.namespace !== NS.framing) return { xml: message };
  if (event.element.name === 'open') return { xml: headerFor(event.element) };
  return event.element.name === 'close' ? { xml: FOOTER } : { refused: 'an element that RFC 7395 does not know' };
}

/** What a stream writes, as messages. Whole elements come in, in any number. */
export class Framer {
  private reader = new XmlReader({ limits: NO_LIMITS, contentNamespace: NS.client });

  /** The messages for what was written. */
  frame(written: Uint8Array): readonly string[] {
    const messages: string[] = [];
    // A new stream begins with its XML declaration, which stands nowhere else.
    const [rest = '', ...streams] = new TextDecoder().decode(written).split(XML_DECLARATION);
    this.read(rest, messages);
    for (const stream of streams) {
      this.reader = new XmlReader({ limits: NO_LIMITS, contentNamespace: NS.client });
      this.read(stream, messages);
    }
    return messages;
  }

  private read(xml: string, messages: string[]): void {
    this.reader.push(new TextEncoder().encode(xml));
    for (;;) {
      const event = this.reader.next();
      if (event === undefined) return;
      if (event.type === 'fault') throw new SyntaxError(`a stream of ours is not well-formed: ${event.fault.detail}`);
      messages.push(messageFor(event));
    }
  }
}

function messageFor(event: Exclude<XmlEvent, { type: 'fault' }>): string {
  switch (event.type) {
    case 'root':
      return writeElement(element('open', NS.framing, attributesOf(event.root)));
    case 'stanza':
      return writeElement(event.stanza.tree());
    case 'element':
      return declared(event.element);
    case 'footer':
      return `<close xmlns='${NS.framing}'/>`;
  }
}

/** COMPAT(clients that look for the prefix): what is in the namespace of streams is written with it (RFC 7395 §3.3.3 shows it so). */
function declared(tree: XmlElement): string {
  if (tree.namespace !== NS.stream) return writeElement(tree);
  const xml = writeElement(tree, '', STREAM_PREFIX);
  const name = `<stream:${tree.name}`;
  return `${name} xmlns:stream='${NS.stream}'${xml.slice(name.length)}`;
}

function attributesOf(root: XmlRoot): Readonly<Record<string, string>> {
  return Object.fromEntries(
    root.attributes.map(({ name, namespace, value }) => [namespace === NS.xml ? `xml:${name}` : name, value]),
  );
}

/** RFC 7395 §3.3.2: the attributes of `<open/>` are those of a stream header. */
function headerFor(open: XmlElement): string {
  const { attributes } = open;
  return writeRoot({
    name: 'stream',
    namespace: NS.stream,
    attributes,
    contentNamespace: NS.stream,
    prefixes: new Map(),
  });
}

function refusalOf(event: XmlEvent | undefined): string | undefined {
  switch (event?.type) {
    case 'stanza':
      return undefined;
    case 'element':
      return event.element.namespace === NS.framing && event.element.children.length > 0
        ? 'the stream is opened and closed by empty elements'
        : undefined;
    case undefined:
      return 'a message is not a complete element';
    case 'fault':
      return `a message is not an element: ${event.fault.detail}`;
    case 'root':
    case 'footer':
      return 'a stream header or its end, which RFC 7395 has other elements for';
  }
}

/** White space behind the element is refused too: it could be the beginning of the next one. */
function hasMore(reader: XmlReader): boolean {
  const pending = reader.pending > 0;
  return pending || reader.next() !== undefined;
}
