import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WILD_HEADER, wildStanza } from '../../../test/support/wild-xml.ts';
import { eventsOf, HEADER, stanzaIn } from '../../../test/support/xml-events.ts';
import { CONTENT_NAMESPACES } from './limits.ts';
import { parseElement } from './parse.ts';
import type { XmlElement, XmlNode, XmlRoot } from './types.ts';
import {
  attributeOf,
  childOf,
  element,
  escapeAttribute,
  escapeText,
  STREAM_PREFIXES,
  textOf,
  writeElement,
  writeRoot,
} from './write.ts';

const XML = 'http://www.w3.org/XML/1998/namespace';

/** Any text that XML can express. */
const text = fc
  .string({ unit: 'binary' })
  .map((any) => any.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\p{Cs}]/gu, '\t'));
const nasty = fc
  .array(fc.constantFrom('&', '<', '>', '"', "'", ']]>', '\t', '\r', '\n', '\r\n', '\ufeff', '&amp;', '\u00a0', ' '))
  .map((parts) => parts.join(''));
const content = fc.oneof(text, nasty);
const name = fc.constantFrom('a', 'body', 'x-1', 'é', '_', 'n.m');
const namespace = fc.constantFrom('', XML, 'urn:a', "urn:'&<b>", 'jabber:server:dialback', ...CONTENT_NAMESPACES);

const { tree } = fc.letrec<{ tree: XmlElement; node: XmlNode }>((tie) => ({
  node: fc.oneof({ weight: 2, arbitrary: content }, { weight: 1, arbitrary: tie('tree') }),
  tree: fc.record({
    name,
    namespace,
    attributes: fc.uniqueArray(fc.record({ name, namespace, value: content }), {
      maxLength: 4,
      selector: (attribute) => `${attribute.namespace} ${attribute.name}`,
    }),
    children: fc.array(tie('node'), { maxLength: 4 }),
  }),
}));

/** As a reader would see it: neighboring texts are one, empty ones none. */
function normal(root: XmlElement): XmlElement {
  const children: XmlNode[] = [];
  for (const child of root.children) {
    const last = children.at(-1);
    if (typeof child !== 'string') children.push(normal(child));
    else if (typeof last === 'string') children[children.length - 1] = last + child;
    else if (child !== '') children.push(child);
  }
  return { ...root, children };
}

describe('writeElement', () => {
  it('R-47: whoever reads what was written has the same tree, whatever is in scope', () => {
    fc.assert(
      fc.property(tree, namespace, fc.boolean(), (root, defaultNamespace, usePrefixes) => {
        fc.pre(defaultNamespace !== XML);
        const prefixes = usePrefixes
          ? new Map([...STREAM_PREFIXES, ['ns1', 'urn:a'], ['s', 'jabber:server']])
          : new Map<string, string>();
        const xml = writeElement(root, defaultNamespace, prefixes);
        expect(parseElement(xml, { defaultNamespace, prefixes })).toEqual(normal(root));
        expect(xml).not.toMatch(/<s:/u);
      }),
      { numRuns: 2000 },
    );
  });

  it('the tree of any stanza survives being written and read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), (seed) => {
        const read = stanzaIn(wildStanza(seed), WILD_HEADER).tree();
        const again = stanzaIn(writeElement(read, 'jabber:server')).tree();
        expect(again).toEqual(read);
      }),
      { numRuns: 500 },
    );
  });

  it('declares namespaces only where they change', () => {
    const message = element(
      'message',
      'jabber:server',
      { to: 'a' },
      element('body', 'jabber:server', {}, 'x'),
      element(
        'forwarded',
        'urn:xmpp:forward:0',
        {},
        element('message', 'jabber:client'),
        element('delay', 'urn:xmpp:forward:0'),
      ),
      element('none', ''),
    );
    expect(writeElement(message, 'jabber:server')).toBe(
      "<message to='a'><body>x</body><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/><delay/></forwarded><none xmlns=''/></message>",
    );
    expect(writeElement(element('message', 'jabber:server'))).toBe("<message xmlns='jabber:server'/>");
  });

  it('S-04, D-10: with the prefixes of our header, dialback and stream elements have theirs', () => {
    const result = element('result', 'jabber:server:dialback', { from: 'coluc.com', to: 'vngtp.lab' }, 'key');
    expect(writeElement(result, 'jabber:server', STREAM_PREFIXES)).toBe(
      "<db:result from='coluc.com' to='vngtp.lab'>key</db:result>",
    );
    const features = element('features', 'http://etherx.jabber.org/streams', {}, element('starttls', 'urn:x'));
    expect(writeElement(features, 'jabber:server', STREAM_PREFIXES)).toBe(
      "<stream:features><starttls xmlns='urn:x'/></stream:features>",
    );
  });

  it('attributes in a namespace get a prefix that is not taken', () => {
    const root: XmlElement = {
      name: 'a',
      namespace: '',
      attributes: [
        { name: 'b', namespace: 'urn:1', value: '1' },
        { name: 'c', namespace: 'urn:2', value: '2' },
        { name: 'd', namespace: 'urn:1', value: '3' },
        { name: 'e', namespace: 'urn:0', value: '4' },
      ],
      children: [],
    };
    expect(writeElement(root, '', new Map([['ns1', 'urn:0']]))).toBe(
      "<a xmlns:ns2='urn:1' xmlns:ns3='urn:2' ns2:b='1' ns3:c='2' ns2:d='3' ns1:e='4'/>",
    );
  });

  it('a namespace declaration as an attribute is a bug of ours', () => {
    const root: XmlElement = {
      name: 'a',
      namespace: '',
      attributes: [{ name: 'b', namespace: 'http://www.w3.org/2000/xmlns/', value: '' }],
      children: [],
    };
    expect(() => writeElement(root)).toThrow(TypeError);
  });

  it('R-47: nothing that XML cannot express is written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (any) => {
        const xml = writeElement(element('a', 'urn:a', { b: any }, any));
        expect(eventsOf(HEADER + xml).map(({ type }) => type)).toEqual(['root', 'element']);
      }),
    );
    expect(escapeText('a\0b\ud800c\uffff')).toBe('a\ufffdb\ufffdc\ufffd');
  });
});

describe('writeRoot', () => {
  it('writes the header with everything it declared', () => {
    const roots = [
      HEADER,
      `<stream xmlns='http://etherx.jabber.org/streams' xml:lang='de' to='&lt;'>`,
      '<a>',
      `<x:a xmlns:x='u' x:b=''>`,
    ];
    for (const header of roots) {
      const [event] = eventsOf(header);
      if (event?.type !== 'root') throw new Error('no root');
      const root: XmlRoot = { ...event.root, prefixes: new Map(Object.entries(event.prefixes)) };
      expect(eventsOf(writeRoot(root))).toEqual([event]);
    }
  });
});

describe('escaping', () => {
  it('R-47: white space in attributes and carriage returns in text survive', () => {
    expect(escapeAttribute(`a\tb\nc\rd<>&'"`)).toBe('a&#9;b&#10;c&#13;d&lt;&gt;&amp;&apos;&quot;');
    expect(escapeText(`a\tb\nc\rd<>&'"]]>`)).toBe(`a\tb\nc&#13;d&lt;&gt;&amp;'"]]&gt;`);
  });
});

describe('element and its accessors', () => {
  const iq = element(
    'iq',
    'jabber:server',
    { type: 'get', to: undefined, 'xml:lang': 'de' },
    'a',
    element('query', 'urn:1', { n: '1' }),
    undefined,
    'b',
    element('query', 'urn:2', { n: '2' }),
    element('query', 'urn:2', { n: '3' }),
  );

  it('leaves out what is undefined', () => {
    expect(iq.attributes).toEqual([
      { name: 'type', namespace: '', value: 'get' },
      { name: 'lang', namespace: XML, value: 'de' },
    ]);
    expect(iq.children).toHaveLength(5);
    expect(element('a', '')).toEqual({ name: 'a', namespace: '', attributes: [], children: [] });
  });

  it('finds children, texts and attributes', () => {
    expect(childOf(iq, 'query', 'urn:2')).toMatchObject({ attributes: [{ value: '2' }] });
    expect(childOf(iq, 'query', 'urn:3')).toBeUndefined();
    expect(childOf(iq, 'queri', 'urn:1')).toBeUndefined();
    expect(textOf(iq)).toBe('ab');
    expect(attributeOf(iq, 'type')).toBe('get');
    expect(attributeOf(iq, 'lang')).toBeUndefined();
    expect(attributeOf(iq, 'lang', XML)).toBe('de');
  });

  it.each(['', '1a', 'a b', 'a:b', '-a', 'a>', "a'", '\u0300', 'a\u00d7', '×'])('%j is refused as a name', (bad) => {
    expect(() => element(bad, '')).toThrow(TypeError);
    expect(() => element('a', '', { [bad]: '' })).toThrow(TypeError);
  });

  it.each(['a', '_', 'é', 'a-.1', 'a\u00b7\u0300', '\u{10000}'])('%j is accepted as a name', (good) => {
    expect(element(good, '').name).toBe(good);
  });
});
