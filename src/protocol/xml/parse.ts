import type { AttributeTable } from './attributes.ts';
import { BINDING, ESCAPED, LOCAL, NAME_END, VALUE, VALUE_END } from './attributes.ts';
import { Input } from './input.ts';
import { NO_LIMITS } from './limits.ts';
import { Nesting } from './nesting.ts';
import type { NamespaceContext } from './scope.ts';
import { NamespaceScope } from './scope.ts';
import { CDATA, EMPTY, END, FAULT, MORE, START } from './tag.ts';
import { Tokenizer } from './tokens.ts';
import type { XmlAttribute, XmlElement, XmlFault, XmlNode, XmlRoot } from './types.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';
import { attributeValue, cdataValue, textValue } from './values.ts';

/** Nothing in scope. */
export const NO_CONTEXT: NamespaceContext = { defaultNamespace: '', prefixes: new Map() };

/**
 * The tree of exactly one element, in the namespaces of `context`.
 *
 * For XML that a reader passed or that we wrote ourselves: anything else throws a `SyntaxError` (a peer's bytes go through
 * `XmlReader`, which answers faults as values). It is the same scanner; nothing is checked less.
 */
export function parseElement(xml: Uint8Array | string, context: NamespaceContext = NO_CONTEXT): XmlElement {
  return new TreeBuilder(context).build(typeof xml === 'string' ? encodeUtf8(xml) : xml);
}

/** An element whose children are still coming. */
interface OpenElement extends XmlElement {
  readonly attributes: readonly XmlAttribute[];
  readonly children: XmlNode[];
}

/** Builds the trees of one context. */
export class TreeBuilder {
  private readonly input = new Input();
  private readonly tokens = new Tokenizer(this.input, NO_LIMITS);
  private readonly nesting: Nesting;

  constructor(context: NamespaceContext) {
    this.nesting = new Nesting(this.input, this.tokens, new NamespaceScope(context, []), NO_LIMITS);
  }

  /** See `parseElement`. */
  build(bytes: Uint8Array): XmlElement {
    const { input, tokens, nesting } = this;
    input.discard();
    input.push(bytes);
    tokens.begin();
    tokens.inElement = false;
    nesting.reset();
    const open: OpenElement[] = [];
    for (;;) {
      const token = tokens.next(input.end);
      const parent = open.at(-1);
      if (parent !== undefined && token !== MORE && token !== FAULT) this.addText(parent);
      switch (token) {
        case START:
        case EMPTY: {
          if (parent === undefined && tokens.textEnd !== 0) throw new SyntaxError('Something precedes the element.');
          this.check(nesting.open());
          const element: OpenElement = { ...startTag(input, tokens, nesting), children: [] };
          parent?.children.push(element);
          open.push(element);
          tokens.inElement = true;
          break;
        }
        case END:
          this.check(nesting.close());
          break;
        case CDATA:
          if (parent !== undefined) append(parent, cdataValue(bytes, tokens.cdataStart, tokens.cdataEnd));
          continue;
        case MORE:
          throw new SyntaxError('The element is not complete.');
        default:
          this.check(tokens.fault);
      }
      if (token === START) continue;
      if (token === EMPTY) nesting.leave();
      const element = open.pop();
      if (element === undefined || open.length > 0) continue;
      if (input.at !== input.end) throw new SyntaxError('Something follows the element.');
      return element;
    }
  }

  private addText(parent: OpenElement): void {
    const { tokens, input } = this;
    if (tokens.textStart !== tokens.textEnd) {
      append(parent, textValue(input.bytes, tokens.textStart, tokens.textEnd, tokens.textEscaped));
    }
  }

  private check(fault: XmlFault | undefined): void {
    if (fault === undefined) return;
    throw new SyntaxError(fault.detail);
  }
}

/** Neighboring pieces of text are one node. */
function append(parent: OpenElement, text: string): void {
  const last = parent.children.at(-1);
  if (typeof last === 'string') parent.children[parent.children.length - 1] = last + text;
  else if (text !== '') parent.children.push(text);
}

/** The start tag that `tokens` has just read and `nesting` has just opened. */
function startTag(input: Input, tokens: Tokenizer, nesting: Nesting): Omit<XmlElement, 'children'> {
  const { bytes, base } = input;
  const { attributes } = tokens.tag;
  const list: XmlAttribute[] = [];
  for (let i = 0; i < attributes.count; i++) {
    if (!attributes.isAttribute(i)) continue;
    list.push({
      name: decodeUtf8(bytes, base + attributes.get(i, LOCAL), base + attributes.get(i, NAME_END)),
      namespace: attributes.isPrefixed(i) ? nesting.scope.nameOf(attributes.get(i, BINDING), bytes, base) : '',
      value: valueAt(bytes, base, attributes, i),
    });
  }
  return {
    name: decodeUtf8(bytes, base + tokens.tag.local, base + tokens.tag.end),
    namespace: nesting.scope.nameOf(nesting.namespace, bytes, base),
    attributes: list,
  };
}

/** The start tag of a stream that `tokens` has just read and `nesting` has just opened. */
export function rootOf(input: Input, tokens: Tokenizer, nesting: Nesting): XmlRoot {
  const { bytes, base } = input;
  const { attributes } = tokens.tag;
  const prefixes = new Map<string, string>();
  for (let i = 0; i < attributes.count; i++) {
    if (!attributes.isPrefixDeclaration(i)) continue;
    const prefix = decodeUtf8(bytes, base + attributes.get(i, LOCAL), base + attributes.get(i, NAME_END));
    prefixes.set(prefix, valueAt(bytes, base, attributes, i));
  }
  return { ...startTag(input, tokens, nesting), contentNamespace: nesting.defaultNamespace, prefixes };
}

function valueAt(bytes: Uint8Array, base: number, attributes: AttributeTable, index: number): string {
  return attributeValue(
    bytes,
    base + attributes.get(index, VALUE),
    base + attributes.get(index, VALUE_END),
    attributes.get(index, ESCAPED) !== 0,
  );
}
