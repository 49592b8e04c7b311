import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  drain,
  eventsByteByByte,
  eventsOf,
  faultOf,
  HEADER,
  joined,
} from '../../../test/support/xml-events.ts';
import { AUTHENTICATED_LIMITS, UNAUTHENTICATED_LIMITS } from './limits.ts';
import { XmlReader } from './reader.ts';
import type { XmlLimits } from './types.ts';

const STREAMS = 'http://etherx.jabber.org/streams';
const FOOTER = '</stream:stream>';

/** The types of the events; a fault's condition in its place. */
function types(xml: string | Uint8Array, limits?: XmlLimits): string[] {
  const whole = eventsOf(xml, [], limits);
  expect(eventsByteByByte(xml, limits)).toEqual(whole);
  return whole.map((event) => (event.type === 'fault' ? event.condition : event.type));
}

/** The tree of the only first-level element of a stream. */
function treeOf(xml: string): unknown {
  const found = eventsOf(HEADER + xml)[1];
  return found?.type === 'element' ? found.element : found?.type === 'stanza' ? found.stanza.tree : found;
}

describe('a stream from header to footer', () => {
  it('root, stanzas, other elements and the footer come in the order they were sent', () => {
    const xml = `<?xml version='1.0'?>${HEADER}<db:result/> <message/>\n<presence/><iq/><a xmlns='urn:a'/>${FOOTER}`;
    expect(types(xml)).toEqual(['root', 'element', 'stanza', 'stanza', 'stanza', 'element', 'footer']);
  });

  it('the root has its attributes, prefixes and content namespace', () => {
    const xml = `<stream:stream to='coluc.com' xmlns:db='jabber:server:dialback' xmlns='jabber:server' xml:lang='de' db:x='y&amp;' xmlns:stream="${STREAMS}">`;
    expect(eventsOf(xml)).toEqual([
      {
        type: 'root',
        root: {
          name: 'stream',
          namespace: STREAMS,
          contentNamespace: 'jabber:server',
          attributes: [
            { name: 'to', namespace: '', value: 'coluc.com' },
            { name: 'lang', namespace: 'http://www.w3.org/XML/1998/namespace', value: 'de' },
            { name: 'x', namespace: 'jabber:server:dialback', value: 'y&' },
          ],
        },
        prefixes: { db: 'jabber:server:dialback', stream: STREAMS },
      },
    ]);
  });

  it('S-05: the stream namespace may have any prefix, and the footer must have the same', () => {
    const header = `<foobar:stream xmlns='jabber:server' xmlns:foobar='${STREAMS}'>`;
    expect(types(`${header}<message/></foobar:stream>`)).toEqual(['root', 'stanza', 'footer']);
    expect(types(`${header}<message/></stream:stream>`)).toEqual(['root', 'stanza', 'not-well-formed']);
  });

  it('S-06: below a header without prefix, stanzas declare the content namespace', () => {
    const header = `<stream xmlns='${STREAMS}'>`;
    const xml = `${header}<message xmlns='jabber:server'><body/></message><features/></stream>`;
    expect(types(xml)).toEqual(['root', 'stanza', 'element', 'footer']);
    expect(types(`${header}<message xmlns='jabber:client'/>`)).toEqual(['root', 'invalid-namespace']);
    expect(types(`${header}<message/>`)).toEqual(['root', 'element']);
  });

  it('the content namespace of a header without prefix can be another', () => {
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS, contentNamespace: 'jabber:component:accept' });
    reader.push(bytesOf(`<stream xmlns='${STREAMS}'><message xmlns='jabber:component:accept'/>`));
    expect(drain(reader).map(({ type }) => type)).toEqual(['root', 'stanza']);
  });

  it('X-15: the content namespace comes from the root, whatever it is', () => {
    for (const namespace of ['jabber:server', 'jabber:component:accept', 'jabber:client']) {
      const header = HEADER.replace("'jabber:server'", `'${namespace}'`);
      expect(types(`${header}<message/><iq xmlns='${namespace}'/>`)).toEqual(['root', 'stanza', 'stanza']);
    }
  });

  it('a message in a namespace that is no content namespace is an element like others', () => {
    expect(types(`${HEADER}<message xmlns='urn:x'/><x:iq xmlns:x='urn:x'/><presence xmlns=''/>`)).toEqual([
      'root',
      'element',
      'element',
      'element',
    ]);
  });

  it('X-19: namespaces are compared as exact strings', () => {
    for (const namespace of ['jabber:server ', 'Jabber:server', 'jabber:%73erver', 'jabber:server message']) {
      expect(types(`${HEADER}<message xmlns='${namespace}'/>`)).toEqual(['root', 'element']);
    }
    expect(treeOf(`<message xmlns='jabber:server\nfoo'/>`)).toMatchObject({ namespace: 'jabber:server foo' });
  });

  it('a root that is an empty element is a root and a footer', () => {
    expect(types(`<stream:stream xmlns:stream='${STREAMS}'/>`)).toEqual(['root', 'footer']);
  });

  it('S-43: nothing behind the footer is read', () => {
    expect(types(`${HEADER}${FOOTER}<message/><broken`)).toEqual(['root', 'footer']);
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
    reader.push(bytesOf(`${HEADER}</stream:stream \n><message/>`));
    expect(drain(reader).map(({ type }) => type)).toEqual(['root', 'footer']);
    reader.push(bytesOf('<message/>'));
    expect(reader.next()).toBeUndefined();
    expect(reader.pending).toBe(0);
  });

  it('X-24: nothing behind a fault is read', () => {
    expect(types(`${HEADER}<message></iq><message/>`)).toEqual(['root', 'not-well-formed']);
  });

  it('S-44: a second header is answered as a root, and is the last event', () => {
    expect(types(`${HEADER}<message/>${HEADER}<message/>`)).toEqual(['root', 'stanza', 'root']);
    expect(types(`${HEADER}<stream:stream/><message/>`)).toEqual(['root', 'root']);
  });

  it('a header inside a stanza is an element like others', () => {
    expect(types(`${HEADER}<message><stream:stream/></message>`)).toEqual(['root', 'stanza']);
  });
});

describe('what stands before the root', () => {
  it.each([
    `<?xml version='1.0'?>`,
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<?xml version = '1.0' encoding='utf-8' standalone='yes' ?>`,
    `<?xml\n\tversion='1.0'\r\nstandalone="no"?>`,
    ' \r\n\t',
    `<?xml version='1.0'?>\n\n`,
    '\ufeff',
    `\ufeff<?xml version='1.0'?>`,
  ])('X-08, X-13: %j is accepted', (prolog) => {
    expect(types(`${prolog}${HEADER}${FOOTER}`)).toEqual(['root', 'footer']);
  });
});

describe('XML that is accepted', () => {
  it('X-21: a CDATA section is text', () => {
    expect(treeOf('<a>x<![CDATA[<&>]] ]>]]>y<![CDATA[]]></a>')).toMatchObject({ children: ['x<&>]] ]>y'] });
  });

  it('X-22: quotation marks, white space in tags and references make no difference', () => {
    expect(treeOf(`<a  b = "x'&#x6A;&gt;"\n\tc='"'\r></a\t>`)).toEqual(treeOf(`<a b="x'j>" c='&quot;'/>`));
  });

  it('X-20: attributes with a prefix are other attributes', () => {
    const [, event] = eventsOf(`${HEADER}<message xmlns:x='u' x:from='eve@evil.lab' from='jan@vngtp.lab' x:to='a'/>`);
    expect(event).toMatchObject({
      stanza: { from: 'jan@vngtp.lab', fromDomain: 'vngtp.lab', to: undefined, toDomain: undefined },
    });
  });

  it('references, line ends and white space in values are normalized', () => {
    expect(
      treeOf("<a b=' x\ty\r\nz&#10;&#9;&#xD; '>1\r\n2\r3&#13;&lt;&gt;&amp;&apos;&quot;&#x1F600;</a>"),
    ).toMatchObject({
      attributes: [{ name: 'b', value: ' x y z\n\t\r ' }],
      children: ['1\n2\n3\r<>&\'"\u{1f600}'],
    });
    expect(treeOf('<a><![CDATA[1\r\n2\r3]]></a>')).toMatchObject({ children: ['1\n2\n3'] });
  });

  it('a reference may have any number of leading zeros', () => {
    expect(treeOf(`<a>&#${'0'.repeat(5000)}65;&#x${'0'.repeat(5000)}41;</a>`)).toMatchObject({ children: ['AA'] });
  });

  it('names may be of any script', () => {
    expect(treeOf("<ä xmlns:ñ='urn:ñ' ñ:名='1' a\u00b7\u0300='2' \u{10000}x='3'/>")).toMatchObject({
      name: 'ä',
      attributes: [
        { name: '名', namespace: 'urn:ñ' },
        { name: 'a\u00b7\u0300', namespace: '' },
        { name: '\u{10000}x', namespace: '' },
      ],
    });
  });

  it('X-10, X-11: the last and first characters of each length are characters', () => {
    const text = '\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufdd0\ufffd\u{10000}\u{1fffe}\u{10ffff}\ufeff';
    expect(types(`${HEADER}<a b='${text}'>${text}<![CDATA[${text}]]></a>`)).toEqual(['root', 'element']);
    expect(treeOf(`<a b='${text}'>${text}</a>`)).toMatchObject({ attributes: [{ value: text }], children: [text] });
  });

  it('"]]", "]>" and "]] >" are text', () => {
    expect(treeOf('<a b="]]>">]] ]> ]] > ></a>')).toMatchObject({ children: [']] ]> ]] > >'] });
  });

  it('prefixes are declared anywhere in the tag, hidden, and hide nothing outside', () => {
    const xml = `<p:a p:x='1' xmlns:p='urn:1'><p:b xmlns:p='urn:2'><p:c/></p:b><p:d/></p:a>`;
    expect(treeOf(xml)).toMatchObject({
      namespace: 'urn:1',
      attributes: [{ namespace: 'urn:1' }],
      children: [{ namespace: 'urn:2', children: [{ namespace: 'urn:2' }] }, { namespace: 'urn:1' }],
    });
  });

  it('a default namespace is taken back, and attributes never have it', () => {
    expect(treeOf("<a xmlns='urn:1' x=''><b xmlns=''><c/></b><d/></a>")).toMatchObject({
      namespace: 'urn:1',
      attributes: [{ namespace: '' }],
      children: [{ namespace: '', children: [{ namespace: '' }] }, { namespace: 'urn:1' }],
    });
  });

  it('xml is declared everywhere, and may be declared as what it is', () => {
    const xml = "<xml:a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:space='preserve'><b xml:lang=''/></xml:a>";
    expect(types(HEADER + xml)).toEqual(['root', 'element']);
  });

  it('the same local name in two namespaces is two attributes', () => {
    expect(types(`${HEADER}<a xmlns:p='u' xmlns:q='v' p:b='' q:b='' b=''/>`)).toEqual(['root', 'element']);
    expect(types(`${HEADER}<a xmlns:ab='u' xmlns:cb='v' ab='' cb='' xml:ab='' ba='' bb=''/>`)).toEqual([
      'root',
      'element',
    ]);
  });

  it('V-40: names that objects have are attributes like others', () => {
    const xml = "<a __proto__='1' constructor='2' toString='3' hasOwnProperty='4'/>";
    expect(treeOf(xml)).toMatchObject({ attributes: [{ name: '__proto__' }, {}, {}, {}] });
  });
});

describe('pending bytes and restarts', () => {
  it('T-04: bytes behind an element are pending, white space too', () => {
    const reader = new XmlReader({ limits: UNAUTHENTICATED_LIMITS });
    reader.push(bytesOf(`${HEADER}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/> `));
    reader.next();
    expect(reader.next()?.type).toBe('element');
    expect(reader.pending).toBe(1);
  });

  it('white space behind an element can be dropped, and nothing else', () => {
    for (const [behind, pending] of [
      [' \r\n\t', 0],
      ['\n<a', 2],
      ['a\n', 2],
    ] as const) {
      const reader = new XmlReader({ limits: UNAUTHENTICATED_LIMITS });
      reader.push(bytesOf(`${HEADER}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${behind}`));
      reader.next();
      reader.next();
      reader.dropWhitespace();
      expect(reader.pending).toBe(pending);
    }
  });

  it('T-04: the bytes of half an element are pending', () => {
    const reader = new XmlReader({ limits: UNAUTHENTICATED_LIMITS });
    reader.push(bytesOf(`${HEADER}<a/><aut`));
    drain(reader);
    expect(reader.pending).toBe(4);
    expect(new XmlReader({ limits: UNAUTHENTICATED_LIMITS }).pending).toBe(0);
  });

  it('S-40: after a restart the bytes behind the element are a new stream, and nothing of the old one is known', () => {
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
    const second = `<?xml version='1.0'?><s:stream xmlns='jabber:component:accept' xmlns:s='${STREAMS}'>`;
    reader.push(bytesOf(`${HEADER}<success/>${second}<message/>`));
    reader.next();
    expect(reader.next()?.type).toBe('element');
    reader.restart();
    const seen = drain(reader);
    expect(seen).toMatchObject([{ type: 'root', prefixes: { s: STREAMS } }, { type: 'stanza' }]);
    reader.push(bytesOf('<db:result/>'));
    expect(faultOf(drain(reader))?.condition).toBe('not-well-formed');
  });

  it('S-40: bytes that were looked at but are no event yet belong to the new stream', () => {
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
    reader.push(bytesOf(`${HEADER}<success/>${HEADER.slice(0, 30)}`));
    expect(drain(reader).map(({ type }) => type)).toEqual(['root', 'element']);
    reader.restart();
    reader.push(bytesOf(HEADER.slice(30)));
    expect(drain(reader).map(({ type }) => type)).toEqual(['root']);
  });

  it('a stanza kept before a restart is what it was', () => {
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
    reader.push(bytesOf(`${HEADER.replace('version', "xml:lang='de' version")}<message><db:x/></message>`));
    reader.next();
    const event = reader.next();
    const kept = event?.type === 'stanza' ? event.stanza.keep() : undefined;
    reader.restart();
    reader.push(bytesOf(`<stream xmlns='jabber:client'><message/>`));
    drain(reader);
    const rendered = kept?.render({ contentNamespace: 'jabber:server' });
    expect(new TextDecoder().decode(rendered)).toBe(
      "<message xmlns:db='jabber:server:dialback' xml:lang='de'><db:x/></message>",
    );
  });

  it('an empty chunk changes nothing', () => {
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
    reader.push(new Uint8Array(0));
    expect(reader.next()).toBeUndefined();
    reader.push(bytesOf(HEADER.slice(0, 9)));
    reader.push(new Uint8Array(0));
    reader.push(bytesOf(HEADER.slice(9)));
    expect(reader.next()?.type).toBe('root');
  });

  it('several chunks may be pushed before the first event is asked for', () => {
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
    for (const byte of bytesOf(`${HEADER}<message/><iq/>${FOOTER}`)) reader.push(Uint8Array.of(byte));
    expect(drain(reader).map(({ type }) => type)).toEqual(['root', 'stanza', 'stanza', 'footer']);
  });

  it('X-11: a character may be cut anywhere', () => {
    const xml = joined(
      `${HEADER}<message from='`,
      [0xf0, 0x9f, 0x98, 0x80],
      `@vngtp.lab'>`,
      [0xe2, 0x82, 0xac],
      '</message>',
    );
    const whole = eventsOf(xml);
    expect(whole.map(({ type }) => type)).toEqual(['root', 'stanza']);
    for (let cut = 1; cut < xml.length; cut++) expect(eventsOf(xml, [cut])).toEqual(whole);
  });

  it('an event is there as soon as its last byte is', () => {
    const xml = `${HEADER}<message><body>x</body></message><iq/>${FOOTER}`;
    const ends = [HEADER, '<message><body>x</body></message>', '<iq/>', FOOTER];
    let at = 0;
    for (const [index, part] of ends.entries()) {
      at += part.length;
      expect(eventsOf(xml.slice(0, at - 1))).toHaveLength(index);
      expect(eventsOf(xml.slice(0, at))).toHaveLength(index + 1);
    }
  });
});
