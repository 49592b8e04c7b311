import { isWellAddressed, isWellAddressedText } from './address.ts';
import { ESCAPED, NAME, NAME_END, VALUE, VALUE_END } from './attributes.ts';
import { bytesAre, SLASH } from './bytes.ts';
import { escapeAttribute } from './escape.ts';
import type { Nesting } from './nesting.ts';
import type { StanzaSource } from './source.ts';
import type { Tokenizer } from './tokens.ts';
import type { Stanza, StanzaScope, XmlElement } from './types.ts';
import { encodeUtf8 } from './utf8.ts';
import { attributeValue } from './values.ts';

// The attributes an envelope knows, each three numbers in `spans`: start and end of the value (-1: none), whether it is escaped.
const FROM = 0;
const TO = 3;
const ID = 6;
const TYPE = 9;
const LANG = 12;
const SPANS = 15;
const OTHER = -1;
const DEFAULT_NAMESPACE = -2;

const AT_SIGN = 0x40;
const NOTHING = new Uint8Array(0);
const NO_PREFIXES: readonly string[] = [];

/** A stanza over the bytes that were checked. The reader fills one envelope again and again. */
export class StanzaEnvelope implements Stanza {
  kind: Stanza['kind'] = 'message';
  size = 0;

  private source: StanzaSource;
  private bytes: Uint8Array = NOTHING;
  private start = 0;
  private readonly spans = new Int32Array(SPANS);
  /** Where an attribute can be added to the start tag, from the stanza's first byte. */
  private insertion = 0;
  private declaresNamespace = false;
  private hasCdata = false;
  private prefixedContent = false;
  private redeclaredContent = false;
  /** Prefixes in use that only the stream's root declares. */
  private inheritedPrefixes = NO_PREFIXES;

  constructor(source: StanzaSource) {
    this.source = source;
  }

  get from(): string | undefined {
    return this.value(FROM);
  }

  get to(): string | undefined {
    return this.value(TO);
  }

  get id(): string | undefined {
    return this.value(ID);
  }

  get type(): string | undefined {
    return this.value(TYPE);
  }

  get lang(): string | undefined {
    return this.value(LANG);
  }

  get fromDomain(): string | undefined {
    return this.domain(FROM);
  }

  get toDomain(): string | undefined {
    return this.domain(TO);
  }

  get wellAddressed(): boolean {
    return this.isWellAddressed(FROM) && this.isWellAddressed(TO);
  }

  render(scope: StanzaScope): Uint8Array {
    const { context } = this.source;
    const changesNamespace = scope.contentNamespace !== context.contentNamespace;
    const everywhere = this.hasCdata || this.prefixedContent || (changesNamespace && this.redeclaredContent);
    if (
      everywhere ||
      (changesNamespace && this.declaresNamespace) ||
      this.replaces(FROM, scope.from) ||
      this.replaces(TO, scope.to)
    ) {
      return this.source.rescoper.write(this.view(), scope, this.additions(), !everywhere);
    }
    const additions = this.additions();
    return additions.length === 0 ? this.view() : this.insert(additions);
  }

  tree(): XmlElement {
    return this.source.trees.build(this.view());
  }

  keep(): Stanza {
    const copy = new StanzaEnvelope(this.source);
    copy.kind = this.kind;
    copy.size = this.size;
    copy.bytes = this.bytes.slice(this.start, this.start + this.size);
    copy.spans.set(this.spans);
    copy.insertion = this.insertion;
    copy.declaresNamespace = this.declaresNamespace;
    copy.hasCdata = this.hasCdata;
    copy.prefixedContent = this.prefixedContent;
    copy.redeclaredContent = this.redeclaredContent;
    copy.inheritedPrefixes = this.inheritedPrefixes;
    return copy;
  }

  /** Takes the start tag that `tokens` has just read; `insertion` is the offset of its `>` or `/>`. */
  begin(kind: Stanza['kind'], tokens: Tokenizer, bytes: Uint8Array, base: number, insertion: number): void {
    this.kind = kind;
    this.insertion = insertion;
    this.declaresNamespace = false;
    this.hasCdata = false;
    const { spans } = this;
    spans.fill(-1);
    const { attributes } = tokens.tag;
    for (let i = 0; i < attributes.count; i++) {
      const slot = slotOf(bytes, base + attributes.get(i, NAME), base + attributes.get(i, NAME_END));
      if (slot >= 0) {
        spans[slot] = attributes.get(i, VALUE);
        spans[slot + 1] = attributes.get(i, VALUE_END);
        spans[slot + 2] = attributes.get(i, ESCAPED);
      } else if (slot === DEFAULT_NAMESPACE) {
        this.declaresNamespace = true;
      }
    }
  }

  cdata(): void {
    this.hasCdata = true;
  }

  /** Takes the whole: `size` bytes from `start` on, and what is known about the elements inside. */
  complete(bytes: Uint8Array, start: number, size: number, nesting: Nesting): void {
    this.bytes = bytes;
    this.start = start;
    this.size = size;
    this.prefixedContent = nesting.prefixedContent;
    this.redeclaredContent = nesting.redeclaredContent;
    const { used } = nesting.scope;
    this.inheritedPrefixes = used.length === 0 ? NO_PREFIXES : [...used];
  }

  private view(): Uint8Array {
    return this.bytes.subarray(this.start, this.start + this.size);
  }

  private value(slot: number): string | undefined {
    const start = this.spans[slot] as number;
    if (start < 0) return undefined;
    return attributeValue(
      this.bytes,
      this.start + start,
      this.start + (this.spans[slot + 1] as number),
      this.spans[slot + 2] !== 0,
    );
  }

  private domain(slot: typeof FROM | typeof TO): string | undefined {
    if ((this.spans[slot] as number) < 0) return undefined;
    if (this.spans[slot + 2] !== 0) return domainOf(this.value(slot) ?? '');
    const { bytes } = this;
    let start = this.start + (this.spans[slot] as number);
    let end = this.start + (this.spans[slot + 1] as number);
    for (let at = start; at < end; at++) {
      if (bytes[at] === SLASH) end = at;
    }
    for (let at = start; at < end; at++) {
      if (bytes[at] !== AT_SIGN) continue;
      start = at + 1;
      break;
    }
    const domains = slot === FROM ? this.source.fromDomains : this.source.toDomains;
    return domains.of(bytes, start, end);
  }

  private isWellAddressed(slot: typeof FROM | typeof TO): boolean {
    const start = this.spans[slot] as number;
    if (start < 0) return true;
    if (this.spans[slot + 2] !== 0) return isWellAddressedText(this.value(slot) ?? '');
    return isWellAddressed(this.bytes, this.start + start, this.start + (this.spans[slot + 1] as number));
  }

  /** Whether `address` is given and differs from the attribute as it was written. */
  private replaces(slot: number, address: string | undefined): boolean {
    if (address === undefined) return false;
    const start = this.spans[slot] as number;
    if (start < 0 || this.spans[slot + 2] !== 0) return true;
    return !bytesAre(this.bytes, this.start + start, this.start + (this.spans[slot + 1] as number), address);
  }

  /** What the stanza has from the stream's root and must have itself elsewhere (RFC 6120 §4.7.4, §4.8.5). */
  private additions(): Uint8Array {
    const { language, prefixes } = this.source.context;
    const inherited = (this.spans[LANG] as number) < 0 ? language : undefined;
    if (this.inheritedPrefixes.length === 0) return inherited ?? NOTHING;
    let declarations = '';
    for (const prefix of this.inheritedPrefixes) {
      declarations += ` xmlns:${prefix}='${escapeAttribute(prefixes.get(prefix) ?? '')}'`;
    }
    const encoded = encodeUtf8(declarations);
    if (inherited === undefined) return encoded;
    const additions = new Uint8Array(encoded.length + inherited.length);
    additions.set(encoded);
    additions.set(inherited, encoded.length);
    return additions;
  }

  private insert(additions: Uint8Array): Uint8Array {
    const { bytes, start, size, insertion } = this;
    const result = this.source.slab.take(size + additions.length);
    result.set(bytes.subarray(start, start + insertion));
    result.set(additions, insertion);
    result.set(bytes.subarray(start + insertion, start + size), insertion + additions.length);
    return result;
  }
}

function domainOf(jid: string): string {
  const bare = jid.split('/', 1)[0] ?? '';
  return bare.slice(bare.indexOf('@') + 1);
}

/** The slot of the attribute named in [start, end), if it has one. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  switch (end - start) {
    case 2:
      if (bytes[start] === 0x74) return bytes[start + 1] === 0x6f ? TO : OTHER;
      return bytes[start] === 0x69 && bytes[start + 1] === 0x64 ? ID : OTHER;
    case 4:
      if (bytes[start] === 0x66) return bytesAre(bytes, start, end, 'from') ? FROM : OTHER;
      return bytesAre(bytes, start, end, 'type') ? TYPE : OTHER;
    case 5:
      return bytesAre(bytes, start, end, 'xmlns') ? DEFAULT_NAMESPACE : OTHER;
    case 8:
      return bytesAre(bytes, start, end, 'xml:lang') ? LANG : OTHER;
    default:
      return OTHER;
  }
}
