import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { WILD_HEADER, wildStanza } from '../../../test/support/wild-xml.ts';
import { bytesOf, describeStanza, HEADER, stanzaIn, textOfBytes } from '../../../test/support/xml-events.ts';
import { AUTHENTICATED_LIMITS, CONTENT_NAMESPACES } from './limits.ts';
import { parseElement } from './parse.ts';
import { XmlReader } from './reader.ts';
import type { ContentNamespace, StanzaScope, XmlAttribute, XmlElement } from './types.ts';

const XML = 'http://www.w3.org/XML/1998/namespace';
const SERVER: StanzaScope = { contentNamespace: 'jabber:server' };
const COMPONENT: StanzaScope = { contentNamespace: 'jabber:component:accept' };

function rendered(xml: string, scope: StanzaScope, header?: string): string {
  return textOfBytes(stanzaIn(xml, header).render(scope));
}

function headerWith(attributes: string): string {
  return HEADER.replace(' version', ` ${attributes} version`);
}

const forwarded = (namespace: string): string =>
  `<message><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='${namespace}'><body>x</body></message></forwarded></message>`;

const renderedBody = (xml: string): string => rendered(`<message><body>${xml}</body></message>`, SERVER).slice(15, -17);

describe('the envelope', () => {
  it('has the attributes of the stanza, unescaped, and undefined for those it lacks', () => {
    const xml = `<iq type='set' to="a&amp;b@coluc.com/&lt;" id='&#x6A;' from='vngtp.lab'><query to='no' xml:lang='de'/></iq>`;
    expect(describeStanza(stanzaIn(xml))).toMatchObject({
      kind: 'iq',
      from: 'vngtp.lab',
      to: 'a&b@coluc.com/<',
      id: 'j',
      type: 'set',
      lang: undefined,
      fromDomain: 'vngtp.lab',
      toDomain: 'coluc.com',
      size: xml.length,
    });
    expect(describeStanza(stanzaIn(`<presence xml:lang='de'/>`))).toMatchObject({
      kind: 'presence',
      from: undefined,
      to: undefined,
      id: undefined,
      type: undefined,
      lang: 'de',
      fromDomain: undefined,
      toDomain: undefined,
    });
  });

  it('attributes that only resemble the known ones are others', () => {
    const xml = "<message fr0m='1' tp='2' ie='3' it='4' typf='5' xml:lamg='6' xmlnt='7' formx='8'/>";
    const { from, to, id, type, lang } = stanzaIn(xml);
    expect([from, to, id, type, lang]).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it.each([
    ['vngtp.lab', 'vngtp.lab'],
    ['jan@vngtp.lab', 'vngtp.lab'],
    ['jan@vngtp.lab/a@b/c', 'vngtp.lab'],
    ['vngtp.lab/a@b', 'vngtp.lab'],
    ['a@b@c', 'b@c'],
    ['VNGTP.Lab', 'VNGTP.Lab'],
    ['@x', 'x'],
    ['/x', ''],
    ['', ''],
    ['jan&apos;s@vngtp.lab/&#x2F;', 'vngtp.lab'],
    ['j&amp;j@b\u00fccher.example', 'b\u00fccher.example'],
    ['jan@b\u00fccher.example', 'b\u00fccher.example'],
    ['a&#x40;b/c&#x2F;', 'b'],
  ])('the domain of %j is %j', (jid, domain) => {
    const stanza = stanzaIn(`<message from='${jid}' to='${jid}'/>`);
    expect([stanza.fromDomain, stanza.toDomain]).toEqual([domain, domain]);
  });

  it('is one object, filled anew for every stanza; a copy stays what it was', () => {
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
    const chunk = bytesOf(`${HEADER}<message from='a@b'><body>1</body></message><iq from='c@d' xml:lang='de'/>`);
    reader.push(chunk);
    reader.next();
    const first = reader.next();
    if (first?.type !== 'stanza') throw new Error('no stanza');
    const copy = first.stanza.keep();
    const before = describeStanza(copy);
    const second = reader.next();
    expect(second?.type === 'stanza' && second.stanza).toBe(first.stanza);
    expect(first.stanza.fromDomain).toBe('d');
    chunk.fill(0);
    expect(describeStanza(copy)).toEqual(before);
    expect(describeStanza(copy.keep())).toEqual(before);
  });
});

describe('render', () => {
  it('a stanza that needs no change is a view of the chunk', () => {
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
    const xml = `<message from='a@b' xml:space='default'><body>x</body><x xmlns='urn:x' xmlns:p='urn:p' p:y=''/></message>`;
    const chunk = bytesOf(HEADER + xml);
    reader.push(chunk);
    reader.next();
    const event = reader.next();
    if (event?.type !== 'stanza') throw new Error('no stanza');
    for (const contentNamespace of CONTENT_NAMESPACES) {
      const view = event.stanza.render({ contentNamespace, from: 'a@b' });
      expect(view.buffer).toBe(chunk.buffer);
      expect(textOfBytes(view)).toBe(xml);
    }
  });

  it('a stanza that came in pieces is not overwritten by what follows', () => {
    const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
    reader.push(bytesOf(HEADER));
    reader.next();
    const views: Uint8Array[] = [];
    const sent: string[] = [];
    for (let i = 0; i < 200; i++) {
      const xml = `<message id='${i}'><body>${'x'.repeat(i)}</body></message>`;
      sent.push(xml);
      for (const part of [xml.slice(0, 7), xml.slice(7, 20), `${xml.slice(20)}<me`]) {
        reader.push(bytesOf(i > 0 && part.startsWith('<messag') ? part.slice(3) : part));
        const event = reader.next();
        if (event?.type === 'stanza') views.push(event.stanza.render(SERVER));
      }
    }
    expect(views.map(textOfBytes)).toEqual(sent);
  });

  it('R-41: the content namespace is re-scoped, in both directions', () => {
    const xml = '<message><body>x</body></message>';
    expect(rendered(xml, COMPONENT)).toBe(xml);
    expect(rendered(xml, SERVER, HEADER.replace('jabber:server', 'jabber:component:accept'))).toBe(xml);
  });

  it('R-41: a declaration on the stanza is taken away where it would be wrong', () => {
    const xml = `<message to='a' xmlns='jabber:server' id='1'><body xml:lang='de'>x</body></message>`;
    expect(rendered(xml, COMPONENT)).toBe("<message to='a' id='1'><body xml:lang='de'>x</body></message>");
    expect(rendered(xml, SERVER)).toBe(xml);
    expect(rendered("<iq xmlns = 'jabber:ser&#118;er'/>", COMPONENT)).toBe('<iq/>');
  });

  it('R-41: declarations inside the stanza are taken away too', () => {
    const xml = `<message><body xmlns='jabber:server'>x</body><error><text xmlns='jabber:server'/></error></message>`;
    expect(rendered(xml, COMPONENT)).toBe('<message><body>x</body><error><text/></error></message>');
    expect(rendered(xml, SERVER)).toBe(xml);
  });

  it('R-41: what is inside a payload of another namespace keeps its namespace', () => {
    expect(rendered(forwarded('jabber:client'), COMPONENT)).toBe(forwarded('jabber:client'));
    expect(rendered(forwarded('jabber:server'), COMPONENT)).toBe(forwarded('jabber:server'));
    expect(rendered("<message><x:x xmlns:x='urn:x'><body/></x:x></message>", COMPONENT)).toBe(
      "<message><x:x xmlns:x='urn:x'><body xmlns='jabber:server'/></x:x></message>",
    );
  });

  it('R-42: prefixes declared on the header are declared on the stanza, only those in use', () => {
    const header = headerWith(`xmlns:x='jabber:x:data' xmlns:y='urn:&apos;y&apos;'`);
    expect(rendered("<message><x:x/><x:y y:a=''/></message>", SERVER, header)).toBe(
      "<message xmlns:x='jabber:x:data' xmlns:y='urn:&apos;y&apos;'><x:x/><x:y y:a=''/></message>",
    );
    expect(rendered("<message><x:x xmlns:x='urn:own'/></message>", SERVER, header)).toBe(
      "<message><x:x xmlns:x='urn:own'/></message>",
    );
    expect(rendered("<message x:a=''/>", SERVER, header)).toBe("<message x:a='' xmlns:x='jabber:x:data'/>");
    expect(rendered("<message x:a='' xmlns='jabber:server' >1</message>", COMPONENT, header)).toBe(
      "<message x:a='' xmlns:x='jabber:x:data'>1</message>",
    );
  });

  it('R-43, R-44: prefixes, order and references of a payload stay', () => {
    const payload = `<sig:data xmlns:sig='urn:x' b = "1" sig:a='&#x9;'> &#13;\n<sig:x/></sig:data >`;
    expect(rendered(`<message>${payload}</message>`, COMPONENT)).toBe(`<message>${payload}</message>`);
    expect(rendered(`<message><![CDATA[]]>${payload}</message>`, COMPONENT)).toBe(
      `<message><sig:data xmlns:sig='urn:x' b = "1" sig:a='&#x9;'> &#13;\n<sig:x/></sig:data></message>`,
    );
  });

  it('R-46: CDATA sections become text', () => {
    expect(rendered('<message><body>a<![CDATA[<b>&]]&\r\n>]]>c</body></message>', SERVER)).toBe(
      '<message><body>a&lt;b&gt;&amp;]]&amp;\n&gt;c</body></message>',
    );
  });

  it('R-46: without the sections, what was on both sides of them is no "]]>" and no line end', () => {
    expect(renderedBody(']]<![CDATA[]]>>')).toBe(']]&gt;');
    expect(renderedBody(']<![CDATA[]]>]><![CDATA[]]>')).toBe(']&#93;>');
    expect(renderedBody('<![CDATA[]]]]>>')).toBe(']]&gt;');
    expect(renderedBody('\r<![CDATA[]]>\n')).toBe('\r&#10;');
    expect(renderedBody('\r<![CDATA[\n\n]]>')).toBe('\r&#10;\n');
  });

  it('R-46: an element in a content namespace is written without prefix', () => {
    expect(rendered("<message><p:body xmlns:p='jabber:server' xmlns='urn:y'>x<y/></p:body></message>", SERVER)).toBe(
      "<message><body xmlns:p='jabber:server'>x<y xmlns='urn:y'/></body></message>",
    );
    expect(rendered("<message><p:body xmlns:p='jabber:component:accept'/></message>", COMPONENT)).toBe(
      "<message><body xmlns:p='jabber:component:accept'/></message>",
    );
    expect(rendered("<message><p:body xmlns:p='jabber:client'/></message>", SERVER)).toBe(
      "<message><body xmlns='jabber:client' xmlns:p='jabber:client'/></message>",
    );
  });

  it('a default namespace declared for names in text stays', () => {
    const xml = "<message><x:x xmlns:x='urn:x' xmlns='urn:d'><![CDATA[q]]></x:x></message>";
    expect(rendered(xml, SERVER)).toBe("<message><x:x xmlns='urn:d' xmlns:x='urn:x'>q</x:x></message>");
  });

  it('R-45: the language of the header is added where the stanza has none', () => {
    const header = headerWith(`xml:lang='de'`);
    expect(rendered('<message><body/></message>', SERVER, header)).toBe("<message xml:lang='de'><body/></message>");
    expect(rendered('<message/>', SERVER, header)).toBe("<message xml:lang='de'/>");
    expect(rendered("<message a='b' ></message>", SERVER, header)).toBe("<message a='b'  xml:lang='de'></message>");
    expect(rendered("<message xml:lang='en'/>", SERVER, header)).toBe("<message xml:lang='en'/>");
    expect(rendered("<message xml:lang=''/>", SERVER, header)).toBe("<message xml:lang=''/>");
    expect(rendered("<message xmlns='jabber:server'><db:x/></message>", COMPONENT, header)).toBe(
      "<message xmlns:db='jabber:server:dialback' xml:lang='de'><db:x/></message>",
    );
  });

  it('S-38, R-45: a language that is no language tag is not added', () => {
    for (const language of ['en-US.UTF-8', '', 'a'.repeat(5000), "x'y"]) {
      const header = headerWith(`xml:lang="${language}"`);
      expect(rendered('<message/>', SERVER, header)).toBe('<message/>');
    }
  });

  it('addresses are replaced in their place, or added, escaped', () => {
    const xml = `<message id='1' from="a@b" to='c@d'><body from='x'/></message>`;
    expect(rendered(xml, { ...SERVER, from: 'e@f', to: "g'<@h" })).toBe(
      `<message id='1' from='e@f' to='g&apos;&lt;@h'><body from='x'/></message>`,
    );
    expect(rendered(xml, { ...COMPONENT, from: 'a@b', to: 'x' })).toBe(
      `<message id='1' from='a@b' to='x'><body from='x'/></message>`,
    );
    expect(rendered("<message xmlns:p='u' p:to='1'/>", { ...SERVER, from: 'a', to: 'b' })).toBe(
      "<message xmlns:p='u' p:to='1' from='a' to='b'/>",
    );
    expect(rendered(`<iq to='&#x61;'><![CDATA[<]]></iq>`, { ...SERVER, to: 'a' })).toBe(`<iq to='a'>&lt;</iq>`);
  });

  it('a large stanza is rendered whole', () => {
    const body = 'x'.repeat(100_000);
    expect(rendered(`<message>${body}</message>`, SERVER, headerWith(`xml:lang='de'`))).toBe(
      `<message xml:lang='de'>${body}</message>`,
    );
    const cdata = `<message>${'<![CDATA[<]]>'.repeat(5000)}</message>`;
    expect(rendered(cdata, SERVER)).toBe(`<message>${'&lt;'.repeat(5000)}</message>`);
    expect(rendered(`<message><![CDATA[${'<\u00fc'.repeat(5000)}]]>\u00e9</message>`, SERVER)).toBe(
      `<message>${'&lt;\u00fc'.repeat(5000)}\u00e9</message>`,
    );
  });
});

/** What `render` must mean: the content namespace of the stanza and of what is in it directly below is replaced. */
function rescoped(element: XmlElement, to: ContentNamespace, inContent = true): XmlElement {
  const isContent = inContent && element.namespace === 'jabber:server';
  return {
    ...element,
    namespace: isContent ? to : element.namespace,
    children: element.children.map((child) => (typeof child === 'string' ? child : rescoped(child, to, isContent))),
  };
}

function withLanguage(element: XmlElement, language: string): XmlElement {
  const has = element.attributes.some(({ name, namespace }) => name === 'lang' && namespace === XML);
  const added: XmlAttribute = { name: 'lang', namespace: XML, value: language };
  return has ? element : { ...element, attributes: [...element.attributes, added] };
}

/** Names with their prefixes, as saxes sees them. */
function prefixedElements(xml: string): { readonly uri: string; readonly prefix: string }[] {
  const found: { readonly uri: string; readonly prefix: string }[] = [];
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ uri, prefix }) => found.push({ uri, prefix }));
  parser.write(xml).close();
  return found;
}

describe('render, as a property of any stanza', () => {
  it('R-41, R-42, R-44, R-45, R-46: the output stands alone and means the same, re-scoped', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0 }),
        fc.constantFrom(...CONTENT_NAMESPACES),
        fc.boolean(),
        (seed, contentNamespace, hasLanguage) => {
          const xml = wildStanza(seed);
          const header = hasLanguage ? WILD_HEADER.replace('>', ` xml:lang='de'>`) : WILD_HEADER;
          const stanza = stanzaIn(xml, header);
          const output = textOfBytes(stanza.render({ contentNamespace }));
          const expected = rescoped(stanza.tree(), contentNamespace);
          const context = { defaultNamespace: contentNamespace, prefixes: new Map<string, string>() };
          expect(parseElement(output, context)).toEqual(hasLanguage ? withLanguage(expected, 'de') : expected);
          expect(output).not.toContain('<![CDATA[');
          const elements = prefixedElements(`<r xmlns='${contentNamespace}'>${output}</r>`);
          const content = elements.filter(({ uri }) => CONTENT_NAMESPACES.some((name) => name === uri));
          expect(content.filter(({ prefix }) => prefix !== '')).toEqual([]);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('a stanza and its copy render the same, addresses replaced', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), fc.string({ unit: 'binary' }), (seed, address) => {
        const stanza = stanzaIn(wildStanza(seed), WILD_HEADER);
        const scope: StanzaScope = { ...COMPONENT, from: address };
        const output = textOfBytes(stanza.render(scope));
        expect(textOfBytes(stanza.keep().render(scope))).toBe(output);
        const tree = parseElement(output, { defaultNamespace: COMPONENT.contentNamespace, prefixes: new Map() });
        const from = tree.attributes.find(({ name, namespace }) => name === 'from' && namespace === '')?.value;
        expect(from).toBe(address.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\p{Cs}]/gu, '\ufffd'));
      }),
      { numRuns: 500 },
    );
  });
});

describe('wellAddressed', () => {
  it.each([
    ['a@b/c', true],
    ['b', true],
    ['b/c d', true],
    ['@b', false],
    ['b/', false],
    ['a b@c', false],
    ['\u00fc@b', true],
    ['a\uff20x@b', false],
    [`${'a'.repeat(1023)}@b/${'c'.repeat(1023)}`, true],
    [`${'a'.repeat(1024)}@b`, false],
    [`b/${'c'.repeat(1024)}`, false],
  ])('J-13: %j in either address: %s', (address, expected) => {
    expect(stanzaIn(`<message from='${address}' to='b'/>`).wellAddressed).toBe(expected);
    expect(stanzaIn(`<message to='${address}'/>`).wellAddressed).toBe(expected);
    expect(
      stanzaIn(`<message to='&#x${(address.codePointAt(0) ?? 0).toString(16)};${address.slice(1)}'/>`).wellAddressed,
    ).toBe(expected);
  });

  it('a stanza without addresses is well addressed', () => {
    expect(stanzaIn('<message/>').wellAddressed).toBe(true);
  });
});
