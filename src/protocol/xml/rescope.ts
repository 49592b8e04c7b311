import { NAME, NAME_END, VALUE_END } from './attributes.ts';
import { bytesAre, GREATER_THAN, LINE_FEED, RIGHT_BRACKET } from './bytes.ts';
import type { StreamContext } from './context.ts';
import { escapeAttribute, escapeText } from './escape.ts';
import { Input } from './input.ts';
import { CONTENT_NAMESPACES, NO_LIMITS } from './limits.ts';
import { Nesting } from './nesting.ts';
import { NamespaceScope } from './scope.ts';
import { ByteWriter } from './slab.ts';
import { CDATA, EMPTY, END, START } from './tag.ts';
import { Tokenizer } from './tokens.ts';
import type { StanzaScope } from './types.ts';
import { cdataValue } from './values.ts';

/** Characters that mean something else behind certain others. */
const JOINING: ReadonlyMap<number, string> = new Map([
  [RIGHT_BRACKET, '&#93;'],
  [GREATER_THAN, '&gt;'],
  [LINE_FEED, '&#10;'],
]);

/** An element that is open in what is written. */
interface Frame {
  /** The default namespace in what is written. */
  readonly defaultNamespace: string;
  /** Whether this element and all around it are in the content namespace, which then is replaced. */
  readonly inContent: boolean;
  /** Whether it is written without its prefix. */
  readonly bare: boolean;
}

/**
 * Writes checked stanzas for another stream (RFC 6120 §4.8.3, §4.8.5). Works on tags, not on a tree: prefixes and the order of
 * attributes of a payload stay, and so does every byte of it where nothing must change.
 *
 * - The stanza, and what is in the content namespace directly below it, change to the content namespace of the other stream.
 *   What lies inside a payload of another namespace keeps its namespace.
 * - An element in a content namespace is written without prefix.
 * - CDATA sections become text.
 */
export class Rescoper {
  private readonly context: StreamContext;
  private readonly input = new Input();
  private readonly tokens = new Tokenizer(this.input, NO_LIMITS);
  private readonly nesting: Nesting;

  constructor(context: StreamContext) {
    this.context = context;
    this.nesting = new Nesting(this.input, this.tokens, new NamespaceScope(context, CONTENT_NAMESPACES), NO_LIMITS);
  }

  /**
   * `additions` is put at the end of the start tag. With `startTagOnly` everything behind the start tag is copied as it is, for a
   * stanza that declares its content namespace nowhere else.
   */
  write(bytes: Uint8Array, scope: StanzaScope, additions: Uint8Array, startTagOnly: boolean): Uint8Array {
    const { input, tokens, nesting } = this;
    input.discard();
    input.push(bytes);
    tokens.begin();
    nesting.reset();
    const out = new ByteWriter(bytes.length + additions.length + 256);
    const frames: Frame[] = [{ defaultNamespace: scope.contentNamespace, inContent: true, bare: false }];
    let afterCdata = false;
    for (;;) {
      const token = tokens.next(input.end);
      this.writeText(out, bytes, afterCdata);
      afterCdata = token === CDATA;
      switch (token) {
        case START:
        case EMPTY: {
          nesting.open();
          const outside = frames.at(-1);
          if (outside === undefined) throw new Error('unreachable: no frame');
          const frame = this.frame(bytes, outside, scope);
          this.writeName(out, bytes, frame);
          if (frame.defaultNamespace !== outside.defaultNamespace) {
            out.text(` xmlns='${escapeAttribute(frame.defaultNamespace)}'`);
          }
          this.writeAttributes(out, bytes, frames.length === 1 ? scope : undefined);
          if (frames.length === 1) out.copy(additions, 0, additions.length);
          out.text(token === EMPTY ? '/>' : '>');
          if (startTagOnly) {
            out.copy(bytes, input.at, input.end);
            return out.finish();
          }
          frames.push(frame);
          tokens.inElement = true;
          break;
        }
        case END: {
          const bare = frames.at(-1)?.bare === true;
          out.text('</');
          out.copy(bytes, bare ? tokens.tag.colon + 1 : tokens.tag.start, tokens.tag.end);
          out.text('>');
          break;
        }
        case CDATA:
          out.text(escapeText(cdataValue(bytes, tokens.cdataStart, tokens.cdataEnd)).replace(/^\n/u, '&#10;'));
          continue;
        default:
          throw new Error('unreachable: a stanza that was checked is not well-formed');
      }
      if (token === START) continue;
      nesting.leave();
      frames.pop();
      if (frames.length === 1) return out.finish();
    }
  }

  /**
   * The text before the tag or section, as it is. Without the section before it, its first character must not complete "]]>" or a
   * line end with what then stands before it; nor must the section's own first one.
   */
  private writeText(out: ByteWriter, bytes: Uint8Array, afterCdata: boolean): void {
    const { textStart, textEnd } = this.tokens;
    const reference = afterCdata && textStart < textEnd ? JOINING.get(bytes[textStart] as number) : undefined;
    if (reference !== undefined) out.text(reference);
    out.copy(bytes, reference === undefined ? textStart : textStart + 1, textEnd);
  }

  private frame(bytes: Uint8Array, outside: Frame, scope: StanzaScope): Frame {
    const { nesting, tokens } = this;
    const hasPrefix = tokens.tag.colon >= 0;
    const bare = hasPrefix && nesting.scope.kind(nesting.namespace) !== 0;
    const namespace = nesting.scope.nameOf(nesting.namespace, bytes, 0);
    const inContent = outside.inContent && namespace === this.context.contentNamespace;
    if (!hasPrefix || bare) {
      return { defaultNamespace: inContent ? scope.contentNamespace : namespace, inContent, bare };
    }
    // It needs no default namespace itself. What is inside and does is given its own; only a declaration for names in text stays.
    const declared = this.declaredDefault();
    return { defaultNamespace: declared ?? outside.defaultNamespace, inContent, bare };
  }

  /** The default namespace that the tag declares itself. */
  private declaredDefault(): string | undefined {
    const { attributes } = this.tokens.tag;
    for (let i = 0; i < attributes.count; i++) {
      if (attributes.isDefaultDeclaration(i)) return this.nesting.defaultNamespace;
    }
    return undefined;
  }

  private writeName(out: ByteWriter, bytes: Uint8Array, frame: Frame): void {
    const { tokens } = this;
    out.text('<');
    out.copy(bytes, frame.bare ? tokens.tag.colon + 1 : tokens.tag.start, tokens.tag.end);
  }

  /** Everything but the declaration of the default namespace, in the order it was written; `addresses` for a stanza's own tag. */
  private writeAttributes(out: ByteWriter, bytes: Uint8Array, addresses: StanzaScope | undefined): void {
    const { attributes } = this.tokens.tag;
    let { from, to } = addresses ?? {};
    for (let i = 0; i < attributes.count; i++) {
      if (attributes.isDefaultDeclaration(i)) continue;
      const name = attributes.get(i, NAME);
      const nameEnd = attributes.get(i, NAME_END);
      if (from !== undefined && bytesAre(bytes, name, nameEnd, 'from')) {
        out.text(` from='${escapeAttribute(from)}'`);
        from = undefined;
      } else if (to !== undefined && bytesAre(bytes, name, nameEnd, 'to')) {
        out.text(` to='${escapeAttribute(to)}'`);
        to = undefined;
      } else {
        out.text(' ');
        out.copy(bytes, name, attributes.get(i, VALUE_END) + 1);
      }
    }
    if (from !== undefined) out.text(` from='${escapeAttribute(from)}'`);
    if (to !== undefined) out.text(` to='${escapeAttribute(to)}'`);
  }
}
