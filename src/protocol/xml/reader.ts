import { BLANK, bytesAre, CLASS, LESS_THAN, sameBytes } from './bytes.ts';
import { contextOf } from './context.ts';
import * as faults from './faults.ts';
import { Input } from './input.ts';
import { CONTENT_NAMESPACES } from './limits.ts';
import { notEvenUtf8 } from './markup.ts';
import { Nesting } from './nesting.ts';
import { NO_CONTEXT, rootOf } from './parse.ts';
import { Prolog } from './prolog.ts';
import type { NamespaceContext } from './scope.ts';
import { NamespaceScope } from './scope.ts';
import { StanzaSource } from './source.ts';
import { StanzaEnvelope } from './stanza.ts';
import { CDATA, EMPTY, END, FAULT, MORE, START } from './tag.ts';
import { Tokenizer } from './tokens.ts';
import type { ContentNamespace, Stanza, XmlEvent, XmlFault, XmlLimits, XmlRoot } from './types.ts';

export interface XmlReaderOptions {
  readonly limits: XmlLimits;
  /**
   * The content namespace of a stream whose root has none as its default namespace: the header without prefix, below which every
   * stanza declares it (RFC 6120 §4.8.2). `jabber:server` if left out.
   */
  readonly contentNamespace?: ContentNamespace;
}

// Where the reader is.
const BEFORE_ROOT = 0;
const IN_ROOT_TAG = 1;
/** Between first-level elements. */
const BETWEEN = 2;
const IN_ELEMENT = 3;
/** The root was an empty element: its end is the next event. */
const ROOT_EMPTY = 4;
/** After the footer or a fault. */
const ENDED = 5;

const STREAM_NAMESPACE = 'http://etherx.jabber.org/streams';
const FOOTER: XmlEvent = { type: 'footer' };

/**
 * The strict reader of an XMPP stream (RFC 6120 §4, §11): bytes in, in pieces of any size, one event at a time out.
 *
 * Accepts XML 1.0 with namespaces in UTF-8, without what RFC 6120 §11.1 prohibits, within limits. An event is there as soon as its
 * last byte is, and the events depend on the bytes alone, not on how they were cut. After a footer or a fault nothing more is read.
 *
 * A chunk handed to `push` belongs to the reader: stanzas are rendered as views of it.
 */
export class XmlReader {
  private readonly contentNamespace: ContentNamespace;
  private limits: XmlLimits;
  private readonly input = new Input();
  private readonly tokens: Tokenizer;

  private state = BEFORE_ROOT;
  private prolog = new Prolog();
  private nesting: Nesting;
  private rootName: Uint8Array = new Uint8Array(0);
  /** Set from the root on. */
  private stream: OpenStream | undefined;
  /** White space since the last first-level element. */
  private whitespace = 0;
  /** Whether the first-level element being read is a stanza. */
  private inStanza = false;

  constructor(options: XmlReaderOptions) {
    this.contentNamespace = options.contentNamespace ?? 'jabber:server';
    this.limits = options.limits;
    this.tokens = new Tokenizer(this.input, options.limits);
    this.nesting = this.nestingIn(NO_CONTEXT);
  }

  /** Bytes pushed that are not part of an event yet. */
  get pending(): number {
    return this.input.end - this.input.base;
  }

  /** Lets go of white space that is pending behind an element. Whatever follows it stays pending. */
  dropWhitespace(): void {
    // What comes behind it, or too much of it, is no fault before somebody asks for the next event.
    if (this.state === BETWEEN) this.skipWhitespace();
  }

  /** Adds bytes; the reader owns the chunk from here on. Without effect after a footer or a fault. */
  push(chunk: Uint8Array): void {
    if (this.state !== ENDED && chunk.length > 0) this.input.push(chunk);
  }

  /**
   * The next event, or `undefined` when it needs more bytes. A stanza is valid until the next call.
   *
   * A stream header where an element is due is answered as a second `root`, and is the last event: it has no end to wait for.
   */
  next(): XmlEvent | undefined {
    switch (this.state) {
      case BEFORE_ROOT:
      case IN_ROOT_TAG:
        return this.readRoot();
      case ROOT_EMPTY:
        this.end();
        return FOOTER;
      case ENDED:
        return undefined;
      default:
        return this.readElement();
    }
  }

  /** From now on, for what is being read too: after authentication. */
  setLimits(limits: XmlLimits): void {
    this.limits = limits;
    this.tokens.setLimits(limits);
    this.nesting.setLimits(limits);
  }

  /**
   * A new stream on the same connection (RFC 6120 §4.3.3): nothing of the old one is remembered. Bytes that are still pending are
   * its first ones; after STARTTLS there must be none (RFC 6120 §5.4.3.3), which is for the caller to see to.
   */
  restart(): void {
    this.input.at = this.input.base;
    this.state = BEFORE_ROOT;
    this.prolog = new Prolog();
    this.nesting = this.nestingIn(NO_CONTEXT);
    this.stream = undefined;
    this.whitespace = 0;
    this.inStanza = false;
  }

  private readRoot(): XmlEvent | undefined {
    const { input, tokens, nesting } = this;
    const stop = Math.min(input.end, input.base + this.limits.header);
    if (this.state === BEFORE_ROOT) {
      const found = this.prolog.read(input, stop);
      if (found === undefined) return this.more(this.limits.header, faults.HEADER_TOO_BIG);
      if (found !== 'root') return this.fail(found);
      tokens.begin();
      tokens.inElement = false;
      this.state = IN_ROOT_TAG;
    }
    const token = tokens.next(stop);
    if (token === MORE) return this.more(this.limits.header, faults.HEADER_TOO_BIG);
    if (token === FAULT) return this.fail(tokens.fault);
    if (token === END) return this.fail(faults.NO_ROOT);
    const fault = nesting.open();
    if (fault !== undefined) return this.fail(fault);
    const root = rootOf(input, tokens, nesting);
    this.rootName = input.bytes.slice(input.base + tokens.tag.start, input.base + tokens.tag.end);
    this.enter(root);
    input.consume();
    this.state = token === EMPTY ? ROOT_EMPTY : BETWEEN;
    return { type: 'root', root };
  }

  private enter(root: XmlRoot): void {
    const context = contextOf(root, this.contentNamespace);
    const source = new StanzaSource(context);
    const envelope = new StanzaEnvelope(source);
    this.nesting = this.nestingIn(context);
    this.stream = { source, envelope, stanzaEvent: { type: 'stanza', stanza: envelope } };
  }

  private readElement(): XmlEvent | undefined {
    const { input, tokens, nesting } = this;
    if (this.state === BETWEEN) {
      const fault = this.skipWhitespace();
      if (fault !== undefined) return this.fail(fault);
      if (input.at === input.end) return undefined;
      tokens.begin();
      tokens.inElement = false;
      this.state = IN_ELEMENT;
    }
    const stop = Math.min(input.end, input.base + this.limits.element);
    for (;;) {
      const token = tokens.next(stop);
      let fault: XmlFault | undefined;
      switch (token) {
        case START:
          fault = nesting.open();
          if (fault === undefined && nesting.depth === 1) {
            if (this.isHeader()) return this.secondRoot();
            fault = this.beginElement(1);
          }
          break;
        case EMPTY:
          fault = nesting.open();
          if (fault !== undefined) break;
          if (nesting.depth === 1) {
            if (this.isHeader()) return this.secondRoot();
            fault = this.beginElement(2);
            if (fault !== undefined) break;
          }
          nesting.leave();
          if (nesting.depth === 0) return this.complete();
          break;
        case END:
          if (nesting.depth === 0) return this.footer();
          fault = nesting.close();
          if (fault === undefined && nesting.depth === 0) return this.complete();
          break;
        case CDATA:
          this.stream?.envelope.cdata();
          break;
        case MORE:
          return this.more(this.limits.element, faults.ELEMENT_TOO_BIG);
        default:
          fault = tokens.fault;
      }
      if (fault !== undefined) return this.fail(fault);
    }
  }

  /** Up to the `<` of a first-level element (RFC 6120 §11.7), or the end of the bytes. */
  private skipWhitespace(): XmlFault | undefined {
    const { input } = this;
    const { bytes, end } = input;
    let { at } = input;
    while (at < end && ((CLASS[bytes[at] as number] as number) & BLANK) !== 0) at++;
    this.whitespace += at - input.at;
    input.at = at;
    input.consume();
    if (this.whitespace > this.limits.whitespace) return faults.TOO_MUCH_WHITESPACE;
    if (at === end || bytes[at] === LESS_THAN) return undefined;
    return notEvenUtf8(bytes[at] as number) ? faults.NOT_UTF8 : faults.TEXT_OUTSIDE;
  }

  /** At a first-level start tag whose end is `closing` bytes long: is it a stanza? (RFC 6120 §4.8.3, §4.8.5) */
  private beginElement(closing: number): XmlFault | undefined {
    const { input, tokens, nesting } = this;
    const { bytes, base } = input;
    tokens.inElement = true;
    this.inStanza = false;
    const kind = stanzaKind(bytes, base + tokens.tag.local, base + tokens.tag.end);
    if (kind === undefined) return undefined;
    const namespace = nesting.scope.kind(nesting.namespace);
    if (namespace === 0) return undefined;
    if (namespace !== nesting.scope.contentKind) return faults.OTHER_CONTENT_NAMESPACE;
    if (tokens.tag.colon >= 0) return faults.PREFIXED_STANZA;
    this.inStanza = true;
    this.stream?.envelope.begin(kind, tokens, bytes, base, input.at - base - closing);
    return undefined;
  }

  private complete(): XmlEvent {
    const { input, stream } = this;
    if (stream === undefined) throw new Error('unreachable: an element outside a stream');
    this.whitespace = 0;
    this.state = BETWEEN;
    const { bytes, base, at } = input;
    input.consume();
    if (!this.inStanza) return { type: 'element', element: stream.source.trees.build(bytes.subarray(base, at)) };
    stream.envelope.complete(bytes, base, at - base, this.nesting);
    return stream.stanzaEvent;
  }

  private isHeader(): boolean {
    const { input, tokens, nesting } = this;
    const { bytes, base } = input;
    return (
      bytesAre(bytes, base + tokens.tag.local, base + tokens.tag.end, 'stream') &&
      nesting.scope.nameOf(nesting.namespace, bytes, base) === STREAM_NAMESPACE
    );
  }

  private secondRoot(): XmlEvent {
    const root = rootOf(this.input, this.tokens, this.nesting);
    this.end();
    return { type: 'root', root };
  }

  private footer(): XmlEvent {
    const { input, tokens, rootName } = this;
    const length = tokens.tag.end - tokens.tag.start;
    if (length !== rootName.length || !sameBytes(input.bytes, input.base + tokens.tag.start, rootName, 0, length)) {
      return this.fail(faults.MISMATCH);
    }
    this.end();
    return FOOTER;
  }

  /** Bytes are missing; a fault when no more of them are permitted. */
  private more(limit: number, fault: XmlFault): XmlEvent | undefined {
    return this.input.end - this.input.base >= limit ? this.fail(fault) : undefined;
  }

  private fail(fault: XmlFault): XmlEvent {
    this.end();
    return { type: 'fault', fault };
  }

  private end(): void {
    this.state = ENDED;
    this.input.discard();
  }

  private nestingIn(context: NamespaceContext): Nesting {
    const scope = new NamespaceScope(context, CONTENT_NAMESPACES);
    return new Nesting(this.input, this.tokens, scope, this.limits);
  }
}

/** What exists from the root of a stream on. */
interface OpenStream {
  readonly source: StanzaSource;
  readonly envelope: StanzaEnvelope;
  readonly stanzaEvent: XmlEvent;
}

function stanzaKind(bytes: Uint8Array, start: number, end: number): Stanza['kind'] | undefined {
  switch (end - start) {
    case 7:
      return bytesAre(bytes, start, end, 'message') ? 'message' : undefined;
    case 8:
      return bytesAre(bytes, start, end, 'presence') ? 'presence' : undefined;
    case 2:
      return bytesAre(bytes, start, end, 'iq') ? 'iq' : undefined;
    default:
      return undefined;
  }
}
