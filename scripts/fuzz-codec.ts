/**
 * Differential fuzzing of the XML codec: mutated streams go to our reader and to two established strict parsers, saxes and libxml2.
 *
 *   node scripts/fuzz-codec.ts [mutations] [seed]
 *
 * A failure is a stream that we accept and an oracle refuses, a stream that all accept but read differently, and a stream that we
 * refuse although both oracles accept it and XMPP does not prohibit it. Known faults of the oracles are listed, each with its reason.
 */
import { ParseOption, XmlDocument, XmlLibError } from 'libxml2-wasm';
import { SaxesParser } from 'saxes';
import { FOOTER, HEADER, randomFrom, stanzas } from '../bench/stanzas.ts';
import * as faults from '../src/protocol/xml/faults.ts';
import { AUTHENTICATED_LIMITS } from '../src/protocol/xml/limits.ts';
import { XmlReader } from '../src/protocol/xml/reader.ts';
import { referenced } from '../src/protocol/xml/references.ts';
import type { XmlElement, XmlFault, XmlNode } from '../src/protocol/xml/types.ts';
import { WILD_HEADER, wildStanza } from '../test/support/wild-xml.ts';

type Verdict = 'accepted' | 'refused';

interface OurAnswer {
  readonly verdict: Verdict;
  /** Of the first-level elements. */
  readonly trees: readonly XmlElement[];
  readonly fault: XmlFault | undefined;
  /** Whether a second header ended the reading: the stream machine refuses it (RFC 6120 §4.3.3). */
  readonly secondHeader: boolean;
  /** Bytes up to the end of the footer. */
  readonly length: number;
}

export interface FuzzReport {
  readonly mutations: number;
  readonly accepted: number;
  /** How often a known fault of an oracle explained a difference. */
  readonly explained: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

/** What XMPP and our limits prohibit and XML does not: oracles may accept it. */
const OUR_OWN_RULES: readonly XmlFault[] = [
  faults.COMMENT,
  faults.PROCESSING_INSTRUCTION,
  faults.DTD,
  // Other versions and encodings, which these oracles know or ignore.
  faults.VERSION,
  faults.OTHER_ENCODING,
  faults.TEXT_OUTSIDE,
  faults.CDATA_OUTSIDE,
  faults.PREFIXED_STANZA,
  faults.OTHER_CONTENT_NAMESPACE,
  faults.HEADER_TOO_BIG,
  faults.ELEMENT_TOO_BIG,
  faults.TOO_DEEP,
  faults.TOO_MANY_ATTRIBUTES,
  faults.NAME_TOO_LONG,
  faults.TOO_MANY_ELEMENTS,
  faults.TOO_MANY_DECLARATIONS,
  faults.TOO_MUCH_WHITESPACE,
];

/** What mutations put in: the pieces markup is made of, and bytes that are no text. */
const PIECES: readonly (string | readonly number[])[] = [
  '<>&;\'"=/:!?-[]#x a1.\n\t\r\0\x01\x7f\u00b7\u0300\ufffe\uffff\ufeff'.split(''),
  '<!-- --> <? ?> <![CDATA[ ]]> /> </ &# &#x &lt; &#0; &#x41; &#xD800; &amp &nbsp; p: x: xml: xmlns: db: stream:'.split(
    ' ',
  ),
  '<a> </a> <p:a/> </message> <message> <body> </body> </stream:stream> \u{1f600}'.split(' '),
  [' xmlns="urn:m"', " xmlns:p='urn:m'", " xmlns:x='urn:n'", " xmlns:p=''", " xmlns=''", " xmlns='jabber:server'"],
  [" xmlns:q='urn:a'", " q:a='1'", " p:a='1'", " a='1'", '<!DOCTYPE a>'],
  [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0x80], [0xc3], [0xe2, 0x82]],
].flat();

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function ours(bytes: Uint8Array, random: () => number): OurAnswer {
  const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
  const trees: XmlElement[] = [];
  let roots = 0;
  let at = 0;
  while (at < bytes.length) {
    const end = Math.min(bytes.length, at + 1 + Math.floor(random() * 400));
    reader.push(bytes.slice(at, end));
    at = end;
    for (;;) {
      const { pending } = reader;
      const event = reader.next();
      if (event === undefined) break;
      switch (event.type) {
        case 'root':
          if (roots++ === 0) break;
          return { verdict: 'refused', trees, fault: undefined, secondHeader: true, length: 0 };
        case 'stanza':
          trees.push(event.stanza.tree());
          break;
        case 'element':
          trees.push(event.element);
          break;
        case 'fault':
          return { verdict: 'refused', trees, fault: event.fault, secondHeader: false, length: 0 };
        default: {
          // The footer ends at the first ">" of what was pending, that of an empty root where it began.
          const isRootEmpty = trees.length === 0 && bytes[at - pending - 2] === 0x2f;
          const length = isRootEmpty ? at - pending : bytes.indexOf(0x3e, at - pending) + 1;
          return { verdict: 'accepted', trees, fault: undefined, secondHeader: false, length };
        }
      }
    }
  }
  return { verdict: 'refused', trees, fault: undefined, secondHeader: false, length: 0 };
}

interface OracleAnswer {
  readonly verdict: Verdict;
  readonly trees: readonly XmlElement[];
  readonly because: string;
}

interface Building extends XmlElement {
  readonly children: XmlNode[];
}

function saxes(bytes: Uint8Array): OracleAnswer {
  const trees: XmlElement[] = [];
  const open: Building[] = [];
  const addText = (text: string): void => {
    const parent = open.at(-1);
    if (parent === undefined || text === '') return;
    const last = parent.children.at(-1);
    if (typeof last === 'string') parent.children[parent.children.length - 1] = last + text;
    else parent.children.push(text);
  };
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    const attributes = Object.values(tag.attributes)
      .filter(({ uri }) => uri !== 'http://www.w3.org/2000/xmlns/')
      .map(({ local, uri, value }) => ({ name: local, namespace: uri, value }));
    const element: Building = { name: tag.local, namespace: tag.uri, attributes, children: [] };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => {
    const element = open.pop();
    if (element !== undefined && open.length === 1) trees.push(element);
  });
  parser.on('text', addText);
  parser.on('cdata', addText);
  try {
    parser.write(decoder.decode(bytes)).close();
    return { verdict: 'accepted', trees, because: '' };
  } catch (error) {
    return { verdict: 'refused', trees: [], because: String(error) };
  }
}

function libxml2(bytes: Uint8Array): OracleAnswer {
  try {
    XmlDocument.fromBuffer(bytes, { option: ParseOption.XML_PARSE_NONET }).dispose();
    return { verdict: 'accepted', trees: [], because: '' };
  } catch (error) {
    const isOnlyAboutUris =
      error instanceof XmlLibError &&
      error.details.every(
        ({ message }) => message.includes('is not a valid URI') || message.includes('is not absolute'),
      );
    // Namespaces in XML 1.0 §2.2: a namespace name that is no URI is no matter of well-formedness.
    return { verdict: isOnlyAboutUris ? 'accepted' : 'refused', trees: [], because: String(error) };
  }
}

interface KnownFault {
  readonly reason: string;
  /** Which of the three directions it explains. */
  readonly applies: (xml: string, our: OurAnswer, oracles: readonly [OracleAnswer, OracleAnswer]) => boolean;
}

/** Whether a namespace name begins or ends with white space, as such or by reference. */
function hasUntrimmedNamespace(xml: string): boolean {
  for (const [, single, double] of xml.matchAll(/xmlns[^=]*=\s*(?:'([^']*)'|"([^"]*)")/gu)) {
    const name = (single ?? double ?? '').replace(/&([^;]+);/gu, (_, reference: string) => referenced(reference));
    if (name !== name.trim()) return true;
  }
  return false;
}

function trimmed(element: XmlElement): XmlElement {
  return {
    ...element,
    namespace: element.namespace.trim(),
    attributes: element.attributes.map((attribute) => ({ ...attribute, namespace: attribute.namespace.trim() })),
    children: element.children.map((child) => (typeof child === 'string' ? child : trimmed(child))),
  };
}

/** Where an oracle is wrong. */
const KNOWN_FAULTS: readonly KnownFault[] = [
  {
    // Namespaces in XML 1.0 §3 [4]: a local part is an NCName, which does not begin with a digit, a dot or a hyphen.
    reason: 'saxes accepts local parts that are no names, such as x:1a and x:.',
    applies: (_, our, [bySaxes, byLibxml2]) =>
      our.fault === faults.NAME && bySaxes.verdict === 'accepted' && byLibxml2.verdict === 'refused',
  },
  {
    // Namespaces in XML 1.0 §2.3: namespace names are compared as strings; checklist X-19.
    reason: 'saxes trims namespace names, and takes what is then empty, reserved or the same for that',
    applies: (xml, our, [bySaxes, byLibxml2]) =>
      our.verdict === 'accepted' &&
      byLibxml2.verdict === 'accepted' &&
      hasUntrimmedNamespace(xml) &&
      (bySaxes.verdict === 'refused' || JSON.stringify(our.trees.map(trimmed)) === JSON.stringify(bySaxes.trees)),
  },
];

/** Changes a stream in one to three places. */
function mutate(original: Uint8Array, random: () => number): Uint8Array {
  const bytes = [...original];
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
    const place = Math.floor(random() * bytes.length);
    const length = Math.floor(random() * 8);
    const piece = PIECES[Math.floor(random() * PIECES.length)] ?? '';
    switch (Math.floor(random() * 6)) {
      case 0:
        bytes.splice(place, 1, Math.floor(random() * 256));
        break;
      case 1:
        bytes.splice(place, 1 + length);
        break;
      case 2:
        bytes.splice(place, 0, ...bytes.slice(place - length, place + length));
        break;
      case 3: {
        const moved = bytes.splice(place, 1 + 4 * length);
        bytes.splice(Math.floor(random() * bytes.length), 0, ...moved);
        break;
      }
      default:
        bytes.splice(place, Math.floor(random() * 2), ...(typeof piece === 'string' ? encoder.encode(piece) : piece));
    }
  }
  return Uint8Array.from(bytes);
}

/** Runs `mutations` cases; the same for the same seed. `progress` is told after every 100,000. */
export function fuzz(mutations: number, seed: number, progress?: (done: number) => void): FuzzReport {
  const random = randomFrom(seed);
  const ordinary = stanzas(200, seed);
  const explained = new Map<string, number>();
  const failures: string[] = [];
  let accepted = 0;
  for (let i = 0; i < mutations && failures.length < 20; i++) {
    if (i > 0 && i % 100_000 === 0) progress?.(i);
    const isWild = random() < 0.6;
    const xml = isWild ? wildStanza(Math.floor(random() * 2 ** 32)) : (ordinary[i % ordinary.length] ?? '');
    const header = isWild ? WILD_HEADER : HEADER;
    // Mostly the stanza alone: a broken header hides everything behind it.
    const stream =
      random() < 0.15
        ? mutate(encoder.encode(header + xml + FOOTER), random)
        : Uint8Array.from([
            ...encoder.encode(header),
            ...mutate(encoder.encode(xml), random),
            ...encoder.encode(FOOTER),
          ]);
    const our = ours(stream, random);
    if (our.verdict === 'accepted') accepted++;
    // A mutation can bring a footer of its own; what is behind it is not for us, nor for the oracles.
    const difference = compare(our.verdict === 'accepted' ? stream.subarray(0, our.length) : stream, our);
    if (difference === undefined) continue;
    if (difference.known === undefined) failures.push(`${difference.what}\n  ${JSON.stringify(lossy(stream))}`);
    else explained.set(difference.known, (explained.get(difference.known) ?? 0) + 1);
  }
  return { mutations, accepted, explained, failures };
}

function compare(
  stream: Uint8Array,
  our: OurAnswer,
): { readonly what: string; readonly known: string | undefined } | undefined {
  const bySaxes = saxes(stream);
  const byLibxml2 = libxml2(stream);
  const what = difference(our, bySaxes, byLibxml2);
  if (what === undefined) return undefined;
  const xml = lossy(stream);
  return { what, known: KNOWN_FAULTS.find(({ applies }) => applies(xml, our, [bySaxes, byLibxml2]))?.reason };
}

function difference(our: OurAnswer, bySaxes: OracleAnswer, byLibxml2: OracleAnswer): string | undefined {
  if (our.verdict === 'accepted') {
    if (bySaxes.verdict === 'refused') return `we accept, saxes refuses: ${bySaxes.because}`;
    if (byLibxml2.verdict === 'refused') return `we accept, libxml2 refuses: ${byLibxml2.because}`;
    return JSON.stringify(our.trees) === JSON.stringify(bySaxes.trees)
      ? undefined
      : `the trees differ: ${JSON.stringify(our.trees)} and ${JSON.stringify(bySaxes.trees)}`;
  }
  if (our.secondHeader || OUR_OWN_RULES.some((rule) => rule === our.fault)) return undefined;
  const detail = our.fault?.detail ?? 'the stream is not complete';
  if (bySaxes.verdict === 'accepted') return `saxes accepts, we refuse: ${detail}`;
  return byLibxml2.verdict === 'accepted' ? `libxml2 accepts, we refuse: ${detail}` : undefined;
}

function lossy(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

if (import.meta.main) {
  const mutations = Number(process.argv[2] ?? 1_000_000);
  const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32));
  console.log(`${mutations} mutations, seed ${seed}`);
  const start = Date.now();
  const report = fuzz(mutations, seed, (done) => {
    console.log(`${done} after ${Math.round((Date.now() - start) / 1000)} s`);
  });
  console.log(`${report.accepted} of ${report.mutations} accepted`);
  for (const [reason, times] of report.explained) console.log(`${times} × known: ${reason}`);
  for (const failure of report.failures) console.error(failure);
  process.exitCode = report.failures.length === 0 ? 0 : 1;
}
