import { describe, expect, it } from 'vitest';
import { bytesOf, eventsByteByByte, eventsOf, faultOf, HEADER, joined } from '../../../test/support/xml-events.ts';

type Input = string | Uint8Array;
type Row = readonly [what: string, xml: Input];

/** Inside a message of an open stream. */
const inside = (xml: string): string => `${HEADER}<message>${xml}</message>`;
const insideBytes = (...bytes: readonly number[]): Uint8Array =>
  joined(`${HEADER}<message><body>`, bytes, `</body></message>`);

const NOT_WELL_FORMED: readonly Row[] = [
  ['X-01: mismatched end tag', inside('<body></bod>')],
  ['X-01: end tag that only begins like the start tag', inside('<body></bodyy>')],
  ['X-01: end tags crossed', inside('<a><b></a></b>')],
  ['X-01: end tag with another prefix for the same namespace', inside("<p:a xmlns:p='u' xmlns:q='u'></q:a>")],
  ['X-01: footer that does not match the root', `${HEADER}</stream>`],
  ['X-01: footer with a different local name', `${HEADER}</stream:strea>`],
  ['X-01: end tag before any start tag', '</stream:stream>'],
  ['X-01: attribute twice', inside("<a b='1' b='2'/>")],
  ['X-01: attribute twice with others between', inside("<a b='1' c='' d='' b='1'/>")],
  ['X-01: "<" in an attribute value', inside("<a b='<'/>")],
  ['X-01: ampersand alone in text', inside('a & b')],
  ['X-01: ampersand alone in an attribute value', inside("<a b='x & y'/>")],
  ['X-01: ampersand before the end of a value', inside("<a b='x&'/>")],
  ['X-01: reference without a semicolon', inside('&amp b')],
  ['X-01: empty reference', inside('&;')],
  ['X-01: reference that begins with a digit', inside('&1;')],
  ['X-01: reference with a colon', inside('&a:b;')],
  ['X-01: "]]>" in text', inside('a ]]> b')],
  ['X-01: "]]>" after a CDATA section', inside('<![CDATA[x]]>]]>')],
  ['X-01: text between stanzas', `${HEADER}<presence/>x<presence/>`],
  ['X-01: text after the header', `${HEADER}hello`],
  ['X-01: reference between stanzas', `${HEADER}&#32;<presence/>`],
  ['X-01: CDATA section between stanzas', `${HEADER}<![CDATA[ ]]>`],
  ['X-01: CDATA section before the root', '<![CDATA[ ]]>'],
  ['X-01: attribute without a value', inside('<a b/>')],
  ['X-01: attribute without quotation marks', inside('<a b=c/>')],
  ['X-01: attribute without an equals sign', inside("<a b'c'/>")],
  ['X-01: no white space between attributes', inside("<a b='c'd='e'/>")],
  ['X-01: white space behind "<"', inside('< a/>')],
  ['X-01: white space behind "</"', inside('<a></ a>')],
  ['X-01: white space inside "/>"', inside('<a/ >')],
  ['X-01: attribute in an end tag', inside("<a></a b='c'>")],
  ['X-01: empty tag', inside('<>')],
  ['X-01: empty end tag', inside('<a></>')],
  ['X-01: end tag that is closed at once', inside('<a></a/>')],
  ['X-01: "<" inside a tag', inside('<a <b/>')],
  ['X-01: broken CDATA start', inside('<![CDAT[x]]>')],
  ['X-01: lower-case CDATA start', inside('<![cdata[x]]>')],
  ['X-01: "<!" and something else', inside('<!foo>')],
  ['X-01: half a comment start', inside('<!-x')],
  ['X-02: undeclared element prefix', inside('<p:a/>')],
  ['X-02: undeclared attribute prefix', inside("<a p:b='c'/>")],
  ['X-02: prefix declared only on a sibling', inside("<a xmlns:p='u'/><p:b/>")],
  ['X-02: prefix declared only on a child', inside("<p:a><b xmlns:p='u'/></p:a>")],
  ['X-02: prefix declared to be nothing', inside("<a xmlns:p=''/>")],
  ['X-02: xml declared to be something else', inside("<a xmlns:xml='u'/>")],
  ['X-02: xmlns declared', inside("<a xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>")],
  ['X-02: xmlns declared to be something else', inside("<a xmlns:xmlns='u'/>")],
  ['X-02: another prefix for the xml namespace', inside("<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>")],
  ['X-02: the xml namespace as default', inside("<a xmlns='http://www.w3.org/XML/1998/namespace'/>")],
  [
    'X-02: the xml namespace as default, with a reference',
    inside("<a xmlns='http://www.w3.org/XML/1998/n&#97;mespace'/>"),
  ],
  ['X-02: another prefix for the xmlns namespace', inside("<a xmlns:p='http://www.w3.org/2000/xmlns/'/>")],
  ['X-02: the xmlns namespace as default', inside("<a xmlns='http://www.w3.org/2000/xmlns/'/>")],
  ['X-02: xmlns as the prefix of an element', inside('<xmlns:a/>')],
  ['X-02: the same attribute by two prefixes', inside("<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>")],
  [
    'X-02: the same attribute by two prefixes, with a reference',
    inside("<a xmlns:p='u' xmlns:q='&#117;' p:b='' q:b=''/>"),
  ],
  ['X-02: the same prefix twice', inside("<a xmlns:p='u' xmlns:p='v'/>")],
  ['X-02: two default namespaces', inside("<a xmlns='u' xmlns='v'/>")],
  ['X-02: two colons', inside("<p:a:b xmlns:p='u'/>")],
  ['X-02: two colons in an attribute name', inside("<a xmlns:p='u' p:b:c=''/>")],
  ['X-02: colon first', inside('<:a/>')],
  ['X-02: colon last', inside("<p: xmlns:p='u'/>")],
  ['X-02: empty prefix declaration', inside("<a xmlns:='u'/>")],
  ['X-08: declaration after white space', ` <?xml version='1.0'?>${HEADER}`],
  ['X-08: declaration inside the stream', `${HEADER}<?xml version='1.0'?>`],
  ['X-08: second declaration', `<?xml version='1.0'?><?xml version='1.0'?>${HEADER}`],
  ['X-08: declaration without version', `<?xml encoding='UTF-8'?>${HEADER}`],
  ['X-08: empty declaration', `<?xml?>${HEADER}`],
  ['X-08: version 1.1', `<?xml version='1.1'?>${HEADER}`],
  ['X-08: version with a space', `<?xml version='1.0 '?>${HEADER}`],
  ['X-08: pseudo-attributes in the wrong order', `<?xml encoding='UTF-8' version='1.0'?>${HEADER}`],
  ['X-08: standalone that is neither yes nor no', `<?xml version='1.0' standalone='maybe'?>${HEADER}`],
  ['X-08: unknown pseudo-attribute', `<?xml version='1.0' foo='bar'?>${HEADER}`],
  ['X-08: no white space between pseudo-attributes', `<?xml version='1.0'encoding='UTF-8'?>${HEADER}`],
  ['X-08: declaration that ends like a tag', `<?xml version='1.0'>${HEADER}`],
  ['X-08: markup inside the declaration', `<?xml <a/> ?>${HEADER}`],
  ['X-08: other than ASCII in the declaration', `<?xml version='1.0' é?>${HEADER}`],
  ['X-12: NUL in text', inside('a\0b')],
  ['X-12: control character in text', inside('\x01')],
  ['X-12: escape character in text', inside('\x1b[31m')],
  ['X-12: vertical tab between stanzas', `${HEADER}\x0b`],
  ['X-12: control character in an attribute value', inside("<a b='\x1f'/>")],
  ['X-12: control character in a tag', inside("<a\x00b=''/>")],
  ['X-12: control character in a CDATA section', inside('<![CDATA[\x08]]>')],
  ['X-12: U+FFFE in text', inside('\ufffe')],
  ['X-12: U+FFFF in an attribute value', inside("<a b='\uffff'/>")],
  ['X-12: U+FFFF in a CDATA section', inside('<![CDATA[\uffff]]>')],
  ['X-12: U+FFFE in a name', inside('<a\ufffe/>')],
  ['X-12: reference to NUL', inside('&#0;')],
  ['X-12: reference to a control character', inside('&#x1F;')],
  ['X-12: reference to a surrogate', inside('&#xD800;')],
  ['X-12: reference to the last surrogate', inside('&#57343;')],
  ['X-12: reference to U+FFFE', inside('&#xFFFE;')],
  ['X-12: reference beyond Unicode', inside('&#x110000;')],
  ['X-12: reference far beyond Unicode', inside('&#99999999999999999999;')],
  ['X-12: reference to a control character in a value', inside("<a b='&#1;'/>")],
  ['X-12: reference without digits', inside('&#;')],
  ['X-12: hexadecimal reference without digits', inside('&#x;')],
  ['X-12: decimal reference with a letter', inside('&#1a;')],
  ['X-12: hexadecimal reference with other letters', inside('&#xg;')],
  ['X-12: hexadecimal reference with a capital X', inside('&#X41;')],
  ['X-12: negative reference', inside('&#-1;')],
  ['X-12: reference with other digits', inside('&#\u0661;')],
  ['X-33: element name that begins with a digit', inside('<1a/>')],
  ['X-33: element name that begins with a hyphen', inside('<-a/>')],
  ['X-33: element name that begins with a dot', inside('<.a/>')],
  ['X-33: attribute name that begins with a digit', inside("<a 1b=''/>")],
  ['X-33: local part that begins with a digit', inside("<a xmlns:x='u' x:1a=''/>")],
  ['X-33: local part that begins with a dot', inside("<a xmlns:x='u' x:.=''/>")],
  ['X-33: element name that begins with a combining character', inside('<\u0300a/>')],
  ['X-33: element name with a character of no name', inside('<a\u00d7/>')],
  ['X-33: local part that begins with a middle dot', inside("<p:\u00b7 xmlns:p='u'/>")],
  ['X-33: reference with a name of no name', inside('&\u00d7;')],
  ['X-33: reference with a character of no name inside', inside('&a\u00d7;')],
  ['X-33: exclamation mark in a name', inside('<a!/>')],
  ['S-53: a request of HTTP', 'GET / HTTP/1.1\r\nHost: coluc.com\r\n\r\n'],
  ['S-53: a greeting of SMTP', '220 mail.example ESMTP\r\n'],
  ['S-53: a greeting of SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['S-54: a ClientHello of TLS', joined([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])],
  ['X-13: two byte order marks', `\ufeff\ufeff${HEADER}`],
  ['X-13: byte order mark between stanzas', `${HEADER}\ufeff<presence/>`],
  ['X-13: a character that begins like a byte order mark', `\uff01${HEADER}`],
  ['V-13: a control character in a namespace', inside("<a xmlns='jabber:server\x01message'/>")],
];

const RESTRICTED: readonly Row[] = [
  ['X-03: comment before the header', `<!-- c -->${HEADER}`],
  ['X-03: comment between stanzas', `${HEADER}<!-- c -->`],
  ['X-03: comment inside a stanza', inside('<!-- c -->')],
  ['X-03: comment inside a word', inside('<body>a<!---->b</body>')],
  ['X-04: processing instruction before the header', `<?foo bar?>${HEADER}`],
  ['X-04: style sheet before the header', `<?xml-stylesheet href='a'?>${HEADER}`],
  ['X-04: processing instruction between stanzas', `${HEADER}<?foo?>`],
  ['X-04: processing instruction inside a stanza', inside('<?foo bar?>')],
  ['X-04: processing instruction with a reserved name', inside('<?XML version="1.0"?>')],
  ['X-04: processing instruction with a name that begins with xml', inside('<?xmlfoo?>')],
  ['X-05: DTD without a subset', `<!DOCTYPE stream>${HEADER}`],
  ['X-05: DTD with entities', `<!DOCTYPE a [<!ENTITY lol 'lol'>]>${HEADER}`],
  ['X-05: DTD with an external subset', `<?xml version='1.0'?><!DOCTYPE a SYSTEM 'http://evil.lab/x.dtd'>${HEADER}`],
  ['X-05: DTD between stanzas', `${HEADER}<!DOCTYPE a>`],
  ['X-05: DTD inside a stanza', inside('<!DOCTYPE a>')],
  ['X-05: entity declaration', inside("<!ENTITY a 'b'>")],
  ['X-05: element declaration', inside('<!ELEMENT a EMPTY>')],
  ['X-05: attribute declaration', inside('<!ATTLIST a>')],
  ['X-05: notation declaration', inside('<!NOTATION a>')],
  ['X-06: undefined entity in text', inside('&nbsp;')],
  ['X-06: undefined entity in a value', inside("<a b='&foo;'/>")],
  ['X-06: predefined entity in the wrong case', inside('&AMP;')],
  ['X-06: name that begins like a predefined entity', inside('&ampersand;')],
  ['X-06: name that is the beginning of a predefined entity', inside('&quo;')],
  ['X-06: entity with a name beyond ASCII', inside('&é;')],
  ['X-06: entity with a character beyond ASCII inside its name', inside('&aé;')],
];

const ENCODING: readonly Row[] = [
  ['X-09: UTF-16 declared', `<?xml version='1.0' encoding='UTF-16'?>${HEADER}`],
  ['X-09: ISO-8859-1 declared', `<?xml version="1.0" encoding="ISO-8859-1"?>${HEADER}`],
  ['X-09: US-ASCII declared', `<?xml version='1.0' encoding='US-ASCII'?>${HEADER}`],
  ['X-09: byte order mark of UTF-16, big end first', joined([0xfe, 0xff, 0, 0x3c])],
  ['X-09: byte order mark of UTF-16, little end first', joined([0xff, 0xfe, 0x3c, 0])],
  ['X-09: byte order mark of UTF-32, big end first', joined([0, 0, 0xfe, 0xff])],
  ['X-09: UTF-16 without byte order mark, big end first', joined([0, 0x3c])],
  ['X-09: UTF-16 without byte order mark, little end first', joined([0x3c, 0])],
  ['X-10: lone continuation byte', insideBytes(0x80)],
  ['X-10: C0 80', insideBytes(0xc0, 0x80)],
  ['X-10: C1 BF', insideBytes(0xc1, 0xbf)],
  ['X-10: overlong E0 80 80', insideBytes(0xe0, 0x80, 0x80)],
  ['X-10: overlong E0 9F BF', insideBytes(0xe0, 0x9f, 0xbf)],
  ['X-10: overlong F0 80 80 80', insideBytes(0xf0, 0x80, 0x80, 0x80)],
  ['X-10: overlong F0 8F BF BF', insideBytes(0xf0, 0x8f, 0xbf, 0xbf)],
  ['X-10: surrogate ED A0 80', insideBytes(0xed, 0xa0, 0x80)],
  ['X-10: surrogate ED BF BF', insideBytes(0xed, 0xbf, 0xbf)],
  ['X-10: beyond Unicode, F4 90 80 80', insideBytes(0xf4, 0x90, 0x80, 0x80)],
  ['X-10: F5', insideBytes(0xf5, 0x80, 0x80, 0x80)],
  ['X-10: FF', insideBytes(0xff)],
  ['X-10: two bytes cut short', insideBytes(0xc3)],
  ['X-10: three bytes cut short after two', insideBytes(0xe2, 0x82)],
  ['X-10: four bytes cut short after two', insideBytes(0xf0, 0x9f)],
  ['X-10: four bytes cut short after three', insideBytes(0xf0, 0x9f, 0x98)],
  ['X-10: in an attribute value', joined(`${HEADER}<message from='`, [0xc3, 0x28], `'/>`)],
  ['X-10: in an element name', joined(`${HEADER}<a`, [0xc3, 0x28], `/>`)],
  ['X-10: at the start of an element name', joined(`${HEADER}<`, [0xa9], `/>`)],
  ['X-10: in an attribute name', joined(`${HEADER}<a b`, [0xe9], `=''/>`)],
  ['X-10: at the start of an attribute name', joined(`${HEADER}<a `, [0xe9], `=''/>`)],
  ['X-10: in a CDATA section', joined(`${HEADER}<a><![CDATA[`, [0xe9], `]]></a>`)],
  ['X-10: between stanzas', joined(HEADER, [0x80])],
  ['X-10: before the root', joined(' ', [0x80])],
  ['X-10: after a byte order mark of one byte', joined([0xef, 0x28])],
  ['X-10: in the XML declaration', joined(`<?xml version='1.0' `, [0xa9])],
  ['X-10: in a reference', joined(`${HEADER}<a>&`, [0xff], `;</a>`)],
  ['X-10: in the name of a reference', joined(`${HEADER}<a>&a`, [0xc3, 0x28], `;</a>`)],
  ['X-10: in the digits of a reference', joined(`${HEADER}<a>&#`, [0xff], `;</a>`)],
  ['X-10: behind "<!"', joined(`${HEADER}<a><!`, [0xff])],
  ['X-10: behind "<?"', joined(`${HEADER}<a><?`, [0xff])],
  ['X-10: behind the slash of a tag', joined(`${HEADER}<a/`, [0xff])],
  ['X-10: behind an attribute', joined(`${HEADER}<a b='c'`, [0xff])],
  ['X-10: where an equals sign is due', joined(`${HEADER}<a b `, [0xff])],
  ['X-10: where a value is due', joined(`${HEADER}<a b=`, [0xff])],
  ['X-10: behind the name of an end tag', joined(`${HEADER}<a></a `, [0xff])],
];

const NAMESPACES: readonly (readonly [what: string, condition: string, xml: string])[] = [
  ['X-15: jabber:client', 'invalid-namespace', `${HEADER}<message xmlns='jabber:client'/>`],
  ['X-15: jabber:component:accept', 'invalid-namespace', `${HEADER}<iq xmlns='jabber:component:accept'/>`],
  ['X-15: jabber:client by prefix', 'invalid-namespace', `${HEADER}<c:presence xmlns:c='jabber:client'/>`],
  ['X-15: jabber:client with a reference', 'invalid-namespace', `${HEADER}<message xmlns='jabber:clien&#x74;'/>`],
  ['X-16: prefix', 'bad-namespace-prefix', `${HEADER}<p:message xmlns:p='jabber:server'/>`],
  ['X-16: prefix with a reference', 'bad-namespace-prefix', `${HEADER}<p:iq xmlns:p='jabber:&#115;erver'></p:iq>`],
  [
    'X-16: prefix declared on the root',
    'bad-namespace-prefix',
    `<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:server' xmlns:p='jabber:server'><p:presence/>`,
  ],
];

interface Outcome {
  readonly condition: string | undefined;
  /** Stanzas other than presence: the rows have no other before what is broken, and nothing of that is processed. */
  readonly stanzas: number;
  /** In how many ways the stream is read when it comes whole, cut in two anywhere, and byte by byte: one. */
  readonly readings: number;
}

function outcomeOf(xml: Input): Outcome {
  const whole = eventsOf(xml);
  const readings = new Set([JSON.stringify(whole), JSON.stringify(eventsByteByByte(xml))]);
  const { length } = bytesOf(xml);
  for (let cut = 1; cut < length; cut++) readings.add(JSON.stringify(eventsOf(xml, [cut])));
  const stanzas = whole.filter((event) => event.type === 'stanza' && event.stanza.kind !== 'presence');
  return { condition: faultOf(whole)?.condition, stanzas: stanzas.length, readings: readings.size };
}

function refusedWith(condition: string): Outcome {
  return { condition, stanzas: 0, readings: 1 };
}

describe('ill-formed and restricted input, whole, cut in two anywhere, and byte by byte', () => {
  it.each(NOT_WELL_FORMED)('not-well-formed: %s', (_, xml) => {
    expect(outcomeOf(xml)).toEqual(refusedWith('not-well-formed'));
  });
  it.each(RESTRICTED)('restricted-xml: %s', (_, xml) => {
    expect(outcomeOf(xml)).toEqual(refusedWith('restricted-xml'));
  });
  it.each(ENCODING)('unsupported-encoding: %s', (_, xml) => {
    expect(outcomeOf(xml)).toEqual(refusedWith('unsupported-encoding'));
  });
  it.each(NAMESPACES)('%s ends with %s', (_, condition, xml) => {
    expect(outcomeOf(xml)).toEqual(refusedWith(condition));
  });

  it('the table has at least the 61 inputs of the gate, and no input twice', () => {
    const inputs = [...NOT_WELL_FORMED, ...RESTRICTED, ...ENCODING].map(([, xml]) => String(xml));
    expect(inputs.length).toBeGreaterThanOrEqual(61);
    expect(new Set(inputs).size).toBe(inputs.length);
  });

  it('E-37: a DTD is refused at "<!D", before any of it is read', () => {
    expect(faultOf(eventsOf('<!D'))?.condition).toBe('restricted-xml');
    expect(eventsOf('<!')).toEqual([]);
  });

  it('the fault comes with the byte that proves it: a byte earlier there is none', () => {
    for (const [, xml] of [...NOT_WELL_FORMED, ...RESTRICTED, ...ENCODING]) {
      const bytes = bytesOf(xml);
      const faults = Array.from(bytes.keys(), (end) => faultOf(eventsOf(bytes.slice(0, end + 1))) !== undefined);
      const first = faults.indexOf(true);
      expect(faults.slice(first)).toEqual(faults.slice(first).fill(true));
    }
  });
});
