import { randomFrom } from '../../bench/stanzas.ts';

const CONTENT = ['jabber:server', 'jabber:client', 'jabber:component:accept'];
const NAMESPACES = [...CONTENT, 'urn:a', 'urn:b', 'urn:a b', 'jabber:server:dialback', 'urn:\u00e9&amp;'];
const NAMES = ['a', 'body', 'message', 'x-1', 'n\u00e9', 'from', 'to', 'lang', '_', 'stream', 'iq'];
const PIECES = [
  'text',
  ' ',
  '\n',
  '\r\n',
  '\r',
  '\t',
  '&lt;',
  '&amp;',
  '&gt;',
  '&apos;',
  '&quot;',
  '&#x41;',
  '&#233;',
  '&#x1F600;',
  '&#13;',
  '&#9;',
  '>',
  ']]',
  '\u00fc',
  '\u20ac',
  '\u{1f600}',
  '\u{10ffff}',
];

interface Scope {
  readonly prefixes: ReadonlyMap<string, string>;
  readonly defaultNamespace: string;
}

/** Writes stanzas as nobody sensible would, but well-formed ones: every kind of declaration, reference, section and white space. */
class Writer {
  private readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  stanza(): string {
    const name = this.one(['message', 'presence', 'iq']);
    return this.element(
      name,
      {
        prefixes: new Map([
          ['db', 'jabber:server:dialback'],
          ['stream', 'http://etherx.jabber.org/streams'],
          ['p', 'urn:a'],
        ]),
        defaultNamespace: 'jabber:server',
      },
      0,
    );
  }

  private element(stanza: string | undefined, outside: Scope, depth: number): string {
    const space = (): string => (this.chance(0.1) ? this.one(['  ', '\n', '\t ', ' \r\n']) : ' ');
    const prefixes = new Map(outside.prefixes);
    let { defaultNamespace } = outside;
    const written: string[] = [];
    for (const prefix of ['p', 'q', 'r\u00e9']) {
      if (!this.chance(0.15)) continue;
      const namespace = this.one(NAMESPACES);
      prefixes.set(prefix, namespace);
      written.push(`xmlns:${prefix}=${this.quoted(namespace)}`);
    }
    if (this.chance(stanza === undefined ? 0.3 : 0.15)) {
      defaultNamespace = stanza === undefined ? this.one(['', ...NAMESPACES]) : 'jabber:server';
      written.push(`xmlns=${this.quoted(defaultNamespace)}`);
    }
    const seen = new Set<string>();
    for (let count = this.below(4); count > 0; count--) {
      const prefix = this.chance(0.3) ? this.one(['xml', ...prefixes.keys()]) : '';
      const name = this.one(NAMES);
      const expanded = `${prefix === '' ? '' : (prefixes.get(prefix) ?? prefix)} ${name}`;
      if (seen.has(expanded)) continue;
      seen.add(expanded);
      written.push(
        `${prefix === '' ? '' : `${prefix}:`}${name}${this.chance(0.1) ? ' = ' : '='}${this.quoted(this.text(3, '\'"'))}`,
      );
    }
    written.sort(() => this.random() - 0.5);
    const prefix = stanza === undefined && this.chance(0.3) ? `${this.one(['xml', ...prefixes.keys()])}:` : '';
    const name = prefix + (stanza ?? this.one(NAMES));
    const tag = `<${name}${written.map((part) => space() + part).join('')}${this.chance(0.1) ? space() : ''}`;
    if (this.chance(0.2)) return `${tag}/>`;
    let children = '';
    let text = '';
    for (let count = depth < 5 ? this.below(5) : 0; count > 0; count--) {
      if (this.chance(0.4)) {
        text += this.text(4, '>]');
        continue;
      }
      // "]]>" may not be text, nor come about between two pieces of it.
      children += text.replaceAll(']]>', ']]&gt;');
      text = '';
      children += this.chance(0.25)
        ? `<![CDATA[${this.text(3, '<&]').replaceAll(']]>', '')}]]>`
        : this.element(undefined, { prefixes, defaultNamespace }, depth + 1);
    }
    children += text.replaceAll(']]>', ']]&gt;');
    return `${tag}>${children}</${name}${this.chance(0.1) ? space() : ''}>`;
  }

  private quoted(value: string): string {
    const quote = this.one(["'", '"']);
    return quote + value.replaceAll(quote, '') + quote;
  }

  private text(most: number, more: string): string {
    let text = '';
    for (let count = this.below(most + 1); count > 0; count--) text += this.one([...PIECES, ...more.split('')]);
    return text;
  }

  private one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  private chance(probability: number): boolean {
    return this.random() < probability;
  }
}

/** The header whose prefixes and content namespace `wildStanza` relies on. */
export const WILD_HEADER =
  `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' ` +
  `xmlns:db='jabber:server:dialback' xmlns:p='urn:a'>`;

/** A stanza in `jabber:server`, the same for the same seed. */
export function wildStanza(seed: number): string {
  return new Writer(randomFrom(seed)).stanza();
}
