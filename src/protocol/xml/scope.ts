import { bytesAre, sameBytes } from './bytes.ts';
import * as faults from './faults.ts';
import type { XmlFault } from './types.ts';
import { encodeUtf8 } from './utf8.ts';
import { attributeValue } from './values.ts';

export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
export const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';

/** The namespaces that a first-level element finds declared. */
export interface NamespaceContext {
  /** `''` for none. */
  readonly defaultNamespace: string;
  readonly prefixes: ReadonlyMap<string, string>;
  /** Of the stream; `undefined` where there is none. */
  readonly contentNamespace?: string;
}

// The fields of one binding in the table.
const SIZE = 8;
const PREFIX = 0;
const PREFIX_END = 1;
const VALUE = 2;
const VALUE_END = 3;
const ESCAPED = 4;
/** 0, or 1 plus the index among the content namespaces. */
const KIND = 5;
const HASH = 6;
/** The next older binding in the same bucket. */
const OLDER = 7;

// Kinds besides 0 and those of the content namespaces, which begin at 1.
const XMLNS_KIND = -2;
const XML_KIND = -1;

/** No namespace is of kind 0, like every namespace that is not special. */
const NO_NAMESPACE = '';

const BUCKETS = 64;
const NO_BUCKET = -1;

/**
 * Which prefix, and which default namespace, means what at the current place: a stack of bindings found by the bytes of the prefix.
 *
 * Namespaces are compared by number: `kind` tells content namespaces apart without making a string, `nameOf` makes the string of a
 * binding once. Looking up a prefix costs the same however many are declared.
 */
export class NamespaceScope {
  /** Bindings in the table; the first of them come from the context. */
  count = 0;

  /** The kind of the stream's own content namespace; -1 when there is none. */
  readonly contentKind: number;

  private readonly contentNamespaces: readonly string[];
  /** The namespaces that are looked for in declarations, in the order of their kinds. */
  private readonly special: readonly string[];
  private readonly inherited: number;
  /** The bytes of the context's prefixes; those of other bindings are in the element. */
  private readonly contextBytes: Uint8Array;
  private readonly contextPrefixes: readonly string[];
  private table: Int32Array = new Int32Array(SIZE * 32);
  private readonly buckets = new Int32Array(BUCKETS).fill(-1);
  private readonly names: (string | undefined)[] = [];
  private prefixCount = 0;
  private readonly numbers = new Map<string, number>();
  private readonly usedFlags: boolean[] = [];
  private readonly usedPrefixes: string[] = [];

  constructor(context: NamespaceContext, contentNamespaces: readonly string[]) {
    this.contentNamespaces = contentNamespaces;
    this.special = [XMLNS_NAMESPACE, XML_NAMESPACE, NO_NAMESPACE, ...contentNamespaces];
    this.contentKind = this.kindOfName(context.contentNamespace ?? '') || -1;
    this.contextPrefixes = ['', 'xml', ...context.prefixes.keys()];
    this.contextBytes = encodeUtf8(this.contextPrefixes.join(''));
    this.add(0, 0, NO_BUCKET, this.kindOfName(context.defaultNamespace), context.defaultNamespace);
    let end = this.addContextPrefix('xml', 0, XML_NAMESPACE);
    for (const [prefix, namespace] of context.prefixes) end = this.addContextPrefix(prefix, end, namespace);
    this.inherited = this.count;
  }

  /** The binding of the default namespace outside every element. */
  readonly contextDefault = 0;

  /** The context's prefixes used since `forgetUse`, but for `xml`. */
  get used(): readonly string[] {
    return this.usedPrefixes;
  }

  forgetUse(): void {
    if (this.usedPrefixes.length === 0) return;
    this.usedPrefixes.length = 0;
    this.usedFlags.length = 0;
  }

  /** Back to the context alone. */
  reset(): void {
    this.unwind(this.inherited);
    this.forgetUse();
  }

  /** 0, or 1 plus the index among the content namespaces. */
  kind(binding: number): number {
    return this.table[binding * SIZE + KIND] as number;
  }

  private kindOfName(namespace: string): number {
    return this.contentNamespaces.indexOf(namespace) + 1;
  }

  /** The namespace's name. `bytes` and `base` are those of the element that declares it. */
  nameOf(binding: number, bytes: Uint8Array, base: number): string {
    const known = this.names[binding];
    if (known !== undefined) return known;
    const offset = binding * SIZE;
    const name = attributeValue(
      bytes,
      base + this.field(offset, VALUE),
      base + this.field(offset, VALUE_END),
      this.field(offset, ESCAPED) !== 0,
    );
    this.names[binding] = name;
    return name;
  }

  /** The same number for the same namespace name, within one first-level element. */
  numberOf(binding: number, bytes: Uint8Array, base: number): number {
    const name = this.nameOf(binding, bytes, base);
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    this.numbers.set(name, this.numbers.size);
    return this.numbers.size - 1;
  }

  /** The binding of the prefix in [start, end), or -1 when it is not declared. */
  find(bytes: Uint8Array, base: number, start: number, end: number): number {
    const length = end - start;
    const hash = hashOf(bytes, base + start, base + end);
    let binding = this.buckets[hash & (BUCKETS - 1)] as number;
    while (binding >= 0) {
      const offset = binding * SIZE;
      const prefix = this.field(offset, PREFIX);
      if (this.field(offset, HASH) === hash && this.field(offset, PREFIX_END) - prefix === length) {
        const inContext = binding < this.inherited;
        const same = inContext
          ? sameBytes(this.contextBytes, prefix, bytes, base + start, length)
          : sameBytes(bytes, base + prefix, bytes, base + start, length);
        if (same) {
          if (inContext) this.markUsed(binding);
          return binding;
        }
      }
      binding = this.field(offset, OLDER);
    }
    return -1;
  }

  /**
   * Declares the prefix in [prefix, prefixEnd), or the default namespace when that is empty, to be the value in [value, valueEnd);
   * Namespaces in XML 1.0 §3, §5. On success the binding is the last one of the table. `most`: prefixes in scope.
   */
  declare(
    bytes: Uint8Array,
    base: number,
    prefix: number,
    prefixEnd: number,
    value: number,
    valueEnd: number,
    escaped: number,
    most: number,
  ): XmlFault | undefined {
    const isDefault = prefix === prefixEnd;
    if (!isDefault) {
      if (value === valueEnd) return faults.EMPTY_NAMESPACE;
      if (this.prefixCount >= most) return faults.TOO_MANY_DECLARATIONS;
      if (bytesAre(bytes, base + prefix, base + prefixEnd, 'xmlns')) return faults.RESERVED_PREFIX;
    }
    const name = escaped === 0 ? undefined : attributeValue(bytes, base + value, base + valueEnd, true);
    const kind = this.kindOfValue(bytes, base + value, base + valueEnd, name);
    if (kind === XMLNS_KIND) return faults.RESERVED_NAMESPACE;
    const isXml = !isDefault && bytesAre(bytes, base + prefix, base + prefixEnd, 'xml');
    if (isXml !== (kind === XML_KIND)) return isXml ? faults.RESERVED_PREFIX : faults.RESERVED_NAMESPACE;
    const hash = isDefault ? NO_BUCKET : hashOf(bytes, base + prefix, base + prefixEnd);
    const offset = this.add(prefix, prefixEnd, hash, Math.max(kind, 0), name);
    this.table[offset + VALUE] = value;
    this.table[offset + VALUE_END] = valueEnd;
    this.table[offset + ESCAPED] = escaped;
    return undefined;
  }

  /** Forgets every binding but the oldest `count`. */
  unwind(count: number): void {
    while (this.count > count) {
      this.count--;
      const offset = this.count * SIZE;
      if (this.field(offset, PREFIX) !== this.field(offset, PREFIX_END)) {
        this.buckets[this.field(offset, HASH) & (BUCKETS - 1)] = this.field(offset, OLDER);
        this.prefixCount--;
      }
      this.names[this.count] = undefined;
    }
    if (count === this.inherited && this.numbers.size > 0) this.numbers.clear();
  }

  /** The kind of the namespace name in [start, end), which is `name` when it has to be unescaped. */
  private kindOfValue(bytes: Uint8Array, start: number, end: number, name: string | undefined): number {
    const { special } = this;
    const length = name === undefined ? end - start : name.length;
    for (let i = 0; i < special.length; i++) {
      const candidate = special[i] as string;
      if (candidate.length !== length) continue;
      if (name === undefined ? bytesAre(bytes, start, end, candidate) : name === candidate) return i + XMLNS_KIND;
    }
    return 0;
  }

  private addContextPrefix(prefix: string, start: number, namespace: string): number {
    const end = start + encodeUtf8(prefix).length;
    this.add(start, end, hashOf(this.contextBytes, start, end), this.kindOfName(namespace), namespace);
    return end;
  }

  private add(prefix: number, prefixEnd: number, hash: number, kind: number, name: string | undefined): number {
    const offset = this.count * SIZE;
    if (offset === this.table.length) {
      const larger = new Int32Array(2 * offset);
      larger.set(this.table);
      this.table = larger;
    }
    const table = this.table;
    table[offset + PREFIX] = prefix;
    table[offset + PREFIX_END] = prefixEnd;
    table[offset + KIND] = kind;
    table[offset + HASH] = hash;
    if (prefix !== prefixEnd) {
      const bucket = hash & (BUCKETS - 1);
      table[offset + OLDER] = this.buckets[bucket] as number;
      this.buckets[bucket] = this.count;
      this.prefixCount++;
    }
    this.names[this.count] = name;
    this.count++;
    return offset;
  }

  private markUsed(binding: number): void {
    const prefix = this.contextPrefixes[binding] as string;
    if (prefix === 'xml' || this.usedFlags[binding] === true) return;
    this.usedFlags[binding] = true;
    this.usedPrefixes.push(prefix);
  }

  private field(offset: number, field: number): number {
    return this.table[offset + field] as number;
  }
}

/** FNV-1a. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash;
}
