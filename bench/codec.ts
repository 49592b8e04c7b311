/**
 * The XML codec on one core, beside saxes: the same stream in the same chunks, rounds interleaved, medians.
 *
 *   node bench/codec.ts [rounds]
 */
import { TextDecoder } from 'node:util';
import { SaxesParser } from 'saxes';
import { AUTHENTICATED_LIMITS } from '../src/protocol/xml/limits.ts';
import { XmlReader } from '../src/protocol/xml/reader.ts';
import { FOOTER, HEADER, stanzas } from './stanzas.ts';

const COUNT = 20_000;
const ROUNDS = Number(process.argv[2] ?? 15);

interface Contestant {
  readonly name: string;
  /** Reads the chunks and returns the number of stanzas found. */
  readonly run: (chunks: readonly Uint8Array[]) => number;
}

/** What one stanza costs before anybody looks at it. */
function scan(chunks: readonly Uint8Array[]): number {
  const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
  let found = 0;
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      if (event.type === 'stanza') found++;
      else if (event.type === 'fault') throw new Error(event.fault.detail);
    }
  }
  return found;
}

/** What the router does with a stanza: both domains, and the bytes to write. */
function relay(contentNamespace: 'jabber:server' | 'jabber:component:accept', to?: string) {
  const scope = to === undefined ? { contentNamespace } : { contentNamespace, to };
  return (chunks: readonly Uint8Array[]): number => {
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
    let found = 0;
    let written = 0;
    for (const chunk of chunks) {
      reader.push(chunk);
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.type !== 'stanza') continue;
        const { stanza } = event;
        if (stanza.fromDomain === 'vngtp.lab' && stanza.toDomain === 'coluc.com') found++;
        written += stanza.render(scope).length;
      }
    }
    return written > 0 ? found : 0;
  };
}

/** Trees of every stanza: what it costs to look inside. */
function trees(chunks: readonly Uint8Array[]): number {
  const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
  let found = 0;
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      if (event.type === 'stanza' && event.stanza.tree().name !== '') found++;
    }
  }
  return found;
}

function saxes(chunks: readonly Uint8Array[]): number {
  const parser = new SaxesParser({ xmlns: true });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let depth = 0;
  let found = 0;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    if (++depth !== 2) return;
    if (String(tag.attributes['from']?.value).includes('vngtp.lab')) found++;
  });
  parser.on('closetag', () => depth--);
  for (const chunk of chunks) parser.write(decoder.decode(chunk, { stream: true }));
  return found;
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(Buffer.from(bytes.subarray(at, at + size)));
  return chunks;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const list = stanzas(COUNT);
const plain = new TextEncoder().encode(HEADER + list.join('') + FOOTER);
const withLanguage = new TextEncoder().encode(
  HEADER.replace(`'1.0'>`, `'1.0' xml:lang='en'>`) + list.join('') + FOOTER,
);
const contestants: readonly (Contestant & { readonly chunks: readonly Uint8Array[] })[] = [
  { name: 'scan', run: scan, chunks: cut(plain, 16_384) },
  { name: 'scan, chunks of 200 bytes', run: scan, chunks: cut(plain, 200) },
  { name: 'relay, bytes unchanged', run: relay('jabber:component:accept'), chunks: cut(plain, 16_384) },
  { name: 'relay, xml:lang inherited', run: relay('jabber:server'), chunks: cut(withLanguage, 16_384) },
  { name: 'relay, "to" replaced', run: relay('jabber:server', 'x@coluc.com'), chunks: cut(plain, 16_384) },
  { name: 'trees', run: trees, chunks: cut(plain, 16_384) },
  { name: 'saxes', run: saxes, chunks: cut(plain, 16_384) },
];

const seconds = contestants.map((): number[] => []);
for (let round = -2; round < ROUNDS; round++) {
  for (const [index, { name, run, chunks }] of contestants.entries()) {
    const start = process.hrtime.bigint();
    const found = run(chunks);
    const elapsed = Number(process.hrtime.bigint() - start) / 1e9;
    if (found !== COUNT) throw new Error(`${name} found ${found} stanzas of ${COUNT}`);
    if (round >= 0) seconds[index]?.push(elapsed);
  }
}

const reference = median(seconds.at(-1) ?? []);
console.log(`${COUNT} stanzas, ${(plain.length / COUNT).toFixed(0)} bytes each; median of ${ROUNDS} rounds`);
for (const [index, { name }] of contestants.entries()) {
  const time = median(seconds[index] ?? []);
  const megabytes = (plain.length / time / 1e6).toFixed(0).padStart(5);
  const thousands = (COUNT / time / 1e3).toFixed(0).padStart(5);
  console.log(
    `${name.padEnd(28)}${megabytes} MB/s ${thousands} k stanzas/s   saxes × ${(reference / time).toFixed(1)}`,
  );
}
