import { describe, expect, it } from 'vitest';
import { bytesOf, drain, eventsByteByByte, eventsOf, faultOf, HEADER } from '../../../test/support/xml-events.ts';
import { AUTHENTICATED_LIMITS, LINK_LIMITS, UNAUTHENTICATED_LIMITS } from './limits.ts';
import { XmlReader } from './reader.ts';
import type { XmlLimits } from './types.ts';

const FOOTER = '</stream:stream>';

function limited(limits: Partial<XmlLimits>): XmlLimits {
  return { ...AUTHENTICATED_LIMITS, ...limits };
}

/** The types of the events; a fault's condition in its place. */
function types(xml: string | Uint8Array, limits?: XmlLimits): string[] {
  const whole = eventsOf(xml, [], limits);
  expect(eventsByteByByte(xml, limits)).toEqual(whole);
  return whole.map((event) => (event.type === 'fault' ? event.condition : event.type));
}

const nested = (depth: number): string => `${HEADER}${'<a>'.repeat(depth - 1)}<a/>${'</a>'.repeat(depth - 1)}`;

const manyAttributes = (count: number): string => Array.from({ length: count }, (_, i) => ` a${i}=''`).join('');

const prefixChain = (count: number): string =>
  `${HEADER}${Array.from({ length: count }, (_, i) => `<a xmlns:p${i}='u'>`).join('')}${'</a>'.repeat(count)}`;

const spacedStream = (count: number): string =>
  `${HEADER}${' '.repeat(count)}<presence/>${'\n'.repeat(count)}${FOOTER}`;

describe('limits', () => {
  it('X-26: an element at the limit is read, one byte more is refused with tooBig', () => {
    const xml = `<message><body>${'x'.repeat(100)}</body></message>`;
    const stream = `${HEADER}${xml}<presence/>`;
    expect(types(stream, limited({ element: xml.length }))).toEqual(['root', 'stanza', 'stanza']);
    expect(types(stream, limited({ element: xml.length + 1 }))).toEqual(['root', 'stanza', 'stanza']);
    expect(types(stream, limited({ element: xml.length - 1 }))).toEqual(['root', 'policy-violation']);
    expect(faultOf(eventsOf(stream, [], limited({ element: xml.length - 1 })))?.tooBig).toBe(true);
  });

  it('X-26: the element is refused while it is being received, without waiting for a byte more than permitted', () => {
    expect(types(`${HEADER}<message><body>${'x'.repeat(84)}`, limited({ element: 100 }))).toEqual(['root']);
    expect(types(`${HEADER}<message><body>${'x'.repeat(85)}`, limited({ element: 100 }))).toEqual([
      'root',
      'policy-violation',
    ]);
  });

  it.each([
    ['an endless tag', '<message a="'],
    ['an endless name of spaces', '<message '],
    ['endless text', '<message>'],
    ['an endless CDATA section', '<message><![CDATA['],
    ['an endless reference', '<message>&#'],
  ])('X-27: %s ends at the limit', (_, xml) => {
    expect(types(`${HEADER}${xml}${(xml.endsWith('#') ? '0' : ' ').repeat(10_000)}`, UNAUTHENTICATED_LIMITS)).toEqual([
      'root',
      'policy-violation',
    ]);
  });

  it('S-48: a header at the limit is read, declaration included; one byte more is refused', () => {
    const header = `<?xml version='1.0'?>\n${HEADER}`;
    expect(types(header, limited({ header: header.length }))).toEqual(['root']);
    expect(types(header, limited({ header: header.length - 1 }))).toEqual(['policy-violation']);
    expect(types(`<?xml ${' '.repeat(200)}`, limited({ header: 100 }))).toEqual(['policy-violation']);
    expect(types(' '.repeat(100), limited({ header: 100 }))).toEqual(['policy-violation']);
    expect(faultOf(eventsOf(header, [], limited({ header: 50 })))?.tooBig).toBe(false);
  });

  it('X-29: depth counts the first-level element', () => {
    expect(types(nested(5), limited({ depth: 5 }))).toEqual(['root', 'element']);
    expect(types(nested(6), limited({ depth: 5 }))).toEqual(['root', 'policy-violation']);
    expect(types(nested(256))).toEqual(['root', 'element']);
    expect(types(`${HEADER}${'<a>'.repeat(5000)}`)).toEqual(['root', 'policy-violation']);
  });

  it('X-30: attributes and declarations of one element', () => {
    expect(types(`${HEADER}<a xmlns='u'${manyAttributes(63)}/>`)).toEqual(['root', 'element']);
    expect(types(`${HEADER}<a xmlns='u'${manyAttributes(64)}/>`)).toEqual(['root', 'policy-violation']);
    expect(types(`${HEADER}<a\n${manyAttributes(65)}/>`)).toEqual(['root', 'policy-violation']);
    expect(types(`<a${manyAttributes(65)}>`)).toEqual(['policy-violation']);
  });

  it('X-30: the length of names', () => {
    const name = 'n'.repeat(1024);
    expect(types(`${HEADER}<${name}/><${name}></${name}><a ${name}=''/><a  ${name} =''/>`)).toEqual([
      'root',
      'element',
      'element',
      'element',
      'element',
    ]);
    for (const xml of [
      `<n${name}/>`,
      `<a n${name}=''/>`,
      `<a\nn${name}=''/>`,
      `<a></n${name}`,
      `<a:${name}/>`,
      `<n${name}\xff`,
    ]) {
      expect(types(HEADER + xml)).toEqual(['root', 'policy-violation']);
    }
  });

  it('X-30: prefixes in scope, those of the root included', () => {
    // xml, stream and db are in scope already.
    expect(types(prefixChain(AUTHENTICATED_LIMITS.prefixes - 3))).toEqual(['root', 'element']);
    expect(types(prefixChain(AUTHENTICATED_LIMITS.prefixes - 2))).toEqual(['root', 'policy-violation']);
    const siblings = `${HEADER}<a>${"<b xmlns:p='u' p:x=''/>".repeat(500)}</a>`;
    expect(types(siblings)).toEqual(['root', 'element']);
  });

  it('whatever is accepted of a partner is accepted on a Link, with all that forwarding copies into it', () => {
    // As much as a header may declare, and as many attributes, prefixes and bytes as a stanza may have.
    const inherited = Array.from({ length: 58 }, (_, i) => `h${i}`);
    const own = Array.from({ length: 60 }, (_, i) => `o${i}`);
    const header = `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xml:lang='de' ${inherited
      .map((prefix) => `xmlns:${prefix}='urn:${prefix}'`)
      .join(' ')}>`;
    const start = `<message from='a@b.example/c' to='d@e.example' ${own.map((prefix) => `xmlns:${prefix}='urn:${prefix}'`).join(' ')}>`;
    const used = [...inherited, ...own].map((prefix) => `<${prefix}:x/>`).join('');
    const end = '</message>';
    const room = AUTHENTICATED_LIMITS.element - start.length - used.length - end.length - '<body></body>'.length;
    const xml = `${start}<body>${'x'.repeat(room)}</body>${used}${end}`;
    expect(xml.length).toBe(AUTHENTICATED_LIMITS.element);
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
    reader.push(new TextEncoder().encode(header + xml));
    expect(reader.next()?.type).toBe('root');
    const event = reader.next();
    if (event?.type !== 'stanza') throw new Error('the stanza is within the limits');
    const forwarded = event.stanza.render({ contentNamespace: 'jabber:server' });
    expect(forwarded.length).toBeGreaterThan(AUTHENTICATED_LIMITS.element);
    const text = HEADER + new TextDecoder().decode(forwarded);
    expect(types(text)).toEqual(['root', 'policy-violation']);
    expect(types(text, LINK_LIMITS)).toEqual(['root', 'stanza']);
  });

  it('elements inside one first-level element', () => {
    expect(types(`${HEADER}<a>${'<b/>'.repeat(32)}</a><a>${'<b></b>'.repeat(32)}</a>`, UNAUTHENTICATED_LIMITS)).toEqual(
      ['root', 'element', 'element'],
    );
    expect(types(`${HEADER}<a>${'<b/>'.repeat(33)}</a>`, UNAUTHENTICATED_LIMITS)).toEqual(['root', 'policy-violation']);
  });

  it('X-14, X-28: white space between elements is skipped up to the limit', () => {
    expect(types(spacedStream(10_000))).toEqual(['root', 'stanza', 'footer']);
    expect(types(spacedStream(10_001))).toEqual(['root', 'policy-violation']);
  });

  it('K-01: white space keeps nothing pending', () => {
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
    reader.push(bytesOf(`${HEADER} `));
    drain(reader);
    reader.push(bytesOf(' \n'));
    expect(reader.next()).toBeUndefined();
    expect(reader.pending).toBe(0);
  });

  it('limits change between elements', () => {
    const reader = new XmlReader({ limits: UNAUTHENTICATED_LIMITS });
    reader.push(bytesOf(HEADER));
    drain(reader);
    reader.setLimits(AUTHENTICATED_LIMITS);
    reader.push(bytesOf(`<message>${'<b/>'.repeat(40)}${'x'.repeat(20_000)}</message>`));
    expect(drain(reader).map(({ type }) => type)).toEqual(['stanza']);
    reader.setLimits({ ...AUTHENTICATED_LIMITS, name: 8, attributes: 1, depth: 1, elements: 0 });
    reader.push(bytesOf(`<message/><presence a='' b=''/>`));
    expect(drain(reader).map(({ type }) => type)).toEqual(['stanza', 'fault']);
  });
});
