import { BINDING, ESCAPED, KIND, LOCAL, NAME, NAME_END, VALUE, VALUE_END } from './attributes.ts';
import { sameBytes } from './bytes.ts';
import * as faults from './faults.ts';
import type { Input } from './input.ts';
import type { NamespaceScope } from './scope.ts';
import { hashOf } from './scope.ts';
import type { Tokenizer } from './tokens.ts';
import type { XmlFault, XmlLimits } from './types.ts';

// The fields of one open element in the table.
const SIZE = 8;
const ELEMENT_NAME = 0;
const ELEMENT_NAME_END = 1;
/** Bindings in scope before this element's own. */
const BINDINGS = 2;
/** The binding of the default namespace inside this element, and of the element's own namespace. */
const DEFAULT = 3;
const OWN = 4;

/**
 * The open elements inside one first-level element: tags must match, prefixes must be declared, attributes must differ (XML 1.0 §3,
 * Namespaces in XML 1.0 §5, §6.3). Knows of each element whether its namespace is a content namespace.
 */
export class Nesting {
  depth = 0;
  /**
   * What `Stanza.render` must know about the elements inside the first-level element: whether one in a content namespace has a
   * prefix, and whether one declares the stream's content namespace again or lies inside a payload of another namespace.
   */
  prefixedContent = false;
  redeclaredContent = false;

  readonly scope: NamespaceScope;
  private readonly input: Input;
  private readonly tokens: Tokenizer;
  private depthLimit: number;
  private elementLimit: number;
  private prefixLimit: number;
  private elements = 0;
  private table: Int32Array = new Int32Array(SIZE * 32);
  /** One number for each attribute of a tag. */
  private keys: Int32Array = new Int32Array(16);

  constructor(input: Input, tokens: Tokenizer, scope: NamespaceScope, limits: XmlLimits) {
    this.input = input;
    this.tokens = tokens;
    this.scope = scope;
    this.depthLimit = limits.depth;
    this.elementLimit = limits.elements;
    this.prefixLimit = limits.prefixes;
    this.table[OWN] = scope.contextDefault;
    this.table[DEFAULT] = scope.contextDefault;
  }

  setLimits(limits: XmlLimits): void {
    this.depthLimit = limits.depth;
    this.elementLimit = limits.elements;
    this.prefixLimit = limits.prefixes;
  }

  /** Nothing is open. */
  reset(): void {
    this.depth = 0;
    this.scope.reset();
  }

  /** The binding of the namespace of the innermost open element. */
  get namespace(): number {
    return this.table[this.depth * SIZE + OWN] as number;
  }

  /** The name of the default namespace inside the innermost open element. */
  get defaultNamespace(): string {
    return this.scope.nameOf(this.table[this.depth * SIZE + DEFAULT] as number, this.input.bytes, this.input.base);
  }

  /** Takes the start tag that the tokenizer has just read. */
  open(): XmlFault | undefined {
    if (this.depth >= this.depthLimit) return faults.TOO_DEEP;
    if (this.depth === 0) this.beginElement();
    else if (this.elements++ >= this.elementLimit) return faults.TOO_MANY_ELEMENTS;

    const { tokens, scope, input } = this;
    const outside = this.depth * SIZE;
    const offset = outside + SIZE;
    if (offset === this.table.length) {
      const larger = new Int32Array(2 * offset);
      larger.set(this.table);
      this.table = larger;
    }
    const table = this.table;
    table[offset + ELEMENT_NAME] = tokens.tag.start;
    table[offset + ELEMENT_NAME_END] = tokens.tag.end;
    table[offset + BINDINGS] = scope.count;
    table[offset + DEFAULT] = table[outside + DEFAULT] as number;
    this.depth++;
    if (tokens.tag.attributes.count > 0) {
      const fault = this.takeAttributes(offset);
      if (fault !== undefined) return fault;
    }

    let own = table[offset + DEFAULT] as number;
    if (tokens.tag.colon >= 0) {
      own = scope.find(input.bytes, input.base, tokens.tag.start, tokens.tag.colon);
      if (own < 0) return faults.UNDECLARED_PREFIX;
    }
    table[offset + OWN] = own;
    const kind = scope.kind(own);
    if (kind !== 0) {
      if (tokens.tag.colon >= 0) this.prefixedContent = true;
      else if (kind === scope.contentKind && this.depth > 1 && kind !== scope.kind(table[outside + OWN] as number)) {
        this.redeclaredContent = true;
      }
    }
    return undefined;
  }

  /** Takes the end tag that the tokenizer has just read. */
  close(): XmlFault | undefined {
    const { tokens, input } = this;
    const offset = this.depth * SIZE;
    const name = this.table[offset + ELEMENT_NAME] as number;
    const length = (this.table[offset + ELEMENT_NAME_END] as number) - name;
    const { bytes, base } = input;
    if (
      tokens.tag.end - tokens.tag.start !== length ||
      !sameBytes(bytes, base + tokens.tag.start, bytes, base + name, length)
    ) {
      return faults.MISMATCH;
    }
    this.leave();
    return undefined;
  }

  /** The innermost element is over. */
  leave(): void {
    const bindings = this.table[this.depth * SIZE + BINDINGS] as number;
    if (this.scope.count !== bindings) this.scope.unwind(bindings);
    this.depth--;
  }

  private beginElement(): void {
    this.elements = 0;
    this.prefixedContent = false;
    this.redeclaredContent = false;
    this.scope.forgetUse();
  }

  /** Declarations first: they are in scope for the whole tag, whatever the order. */
  private takeAttributes(offset: number): XmlFault | undefined {
    const { attributes } = this.tokens.tag;
    let prefixed = false;
    for (let i = 0; i < attributes.count; i++) {
      if (attributes.isAttribute(i)) {
        if (attributes.isPrefixed(i)) prefixed = true;
        continue;
      }
      const isDefault = attributes.isDefaultDeclaration(i);
      const fault = this.bind(i, isDefault ? 0 : attributes.get(i, LOCAL), isDefault ? 0 : attributes.get(i, NAME_END));
      if (fault !== undefined) return fault;
      if (!isDefault) continue;
      const binding = this.scope.count - 1;
      this.table[offset + DEFAULT] = binding;
      if (this.depth > 1 && this.scope.kind(binding) === this.scope.contentKind) this.redeclaredContent = true;
    }
    if (prefixed) {
      for (let i = 0; i < attributes.count; i++) {
        if (!attributes.isPrefixed(i)) continue;
        const { bytes, base } = this.input;
        const binding = this.scope.find(bytes, base, attributes.get(i, NAME), attributes.get(i, LOCAL) - 1);
        if (binding < 0) return faults.UNDECLARED_PREFIX;
        attributes.setBinding(i, binding);
      }
    }
    return this.mayHaveDuplicate() && this.hasDuplicate() ? faults.DUPLICATE : undefined;
  }

  private bind(index: number, prefix: number, prefixEnd: number): XmlFault | undefined {
    const { attributes } = this.tokens.tag;
    return this.scope.declare(
      this.input.bytes,
      this.input.base,
      prefix,
      prefixEnd,
      attributes.get(index, VALUE),
      attributes.get(index, VALUE_END),
      attributes.get(index, ESCAPED),
      this.prefixLimit,
    );
  }

  /** Whether two local names are alike in length and last byte; quick, and nearly always no. */
  private mayHaveDuplicate(): boolean {
    const { attributes } = this.tokens.tag;
    const { bytes, base } = this.input;
    if (this.keys.length < attributes.count) this.keys = new Int32Array(2 * attributes.count);
    const keys = this.keys;
    for (let i = 0; i < attributes.count; i++) {
      const end = attributes.get(i, NAME_END);
      const key = ((end - attributes.get(i, LOCAL)) << 8) | (bytes[base + end - 1] as number);
      for (let j = 0; j < i; j++) {
        if (keys[j] === key) return true;
      }
      keys[i] = key;
    }
    return false;
  }

  /**
   * Whether two attributes have the same name, as written or with the prefixes replaced by their namespaces. By hash, so that many
   * long names that differ in little cost no more than others.
   */
  private hasDuplicate(): boolean {
    const { attributes } = this.tokens.tag;
    const { bytes, base } = this.input;
    const hashes = this.keys;
    for (let i = 0; i < attributes.count; i++) {
      const hash = hashOf(bytes, base + attributes.get(i, LOCAL), base + attributes.get(i, NAME_END));
      for (let j = 0; j < i; j++) {
        if (hashes[j] === hash && this.areSame(i, j)) return true;
      }
      hashes[i] = hash;
    }
    return false;
  }

  private areSame(i: number, j: number): boolean {
    const { attributes } = this.tokens.tag;
    const { bytes, base } = this.input;
    if (attributes.get(i, KIND) !== attributes.get(j, KIND)) return false;
    const local = attributes.get(i, LOCAL);
    const otherLocal = attributes.get(j, LOCAL);
    const length = attributes.get(i, NAME_END) - local;
    if (attributes.get(j, NAME_END) - otherLocal !== length) return false;
    if (!sameBytes(bytes, base + local, bytes, base + otherLocal, length)) return false;
    if (!attributes.isPrefixed(i)) return true;
    const one = attributes.get(i, BINDING);
    const other = attributes.get(j, BINDING);
    return one === other || this.scope.numberOf(one, bytes, base) === this.scope.numberOf(other, bytes, base);
  }
}
