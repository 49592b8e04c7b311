/** One piece of bad XML, as a first-level element of a stream, and how the stream ends for it. */
export interface IllFormed {
  readonly name: string;
  readonly bytes: string | Uint8Array;
  /** The stream error that must follow. */
  readonly error: RegExp;
  /** Only once stanzas are expected. */
  readonly authenticated?: true;
}

const NOT_WELL_FORMED = /^not-well-formed$/;
const RESTRICTED = /^restricted-xml$/;
const ENCODING = /^unsupported-encoding$/;
const TOO_MUCH = /^policy-violation$/;

const open = "<a xmlns='urn:test'>";
const inText = (...bytes: number[]): Uint8Array =>
  Buffer.concat([Buffer.from(open), Buffer.from(bytes), Buffer.from('</a>')]);
const laughs = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('');

/** Ill-formed XML of every kind (attacks, class 1; checklist X-01 to X-33). */
export const ILL_FORMED: readonly IllFormed[] = [
  { name: 'X-05: a DOCTYPE', bytes: '<!DOCTYPE a>', error: RESTRICTED },
  { name: 'X-05: nested entities', bytes: `<!DOCTYPE a [<!ENTITY l0 "ha">${laughs}]><a>&l9;</a>`, error: RESTRICTED },
  {
    name: 'X-25: an external entity',
    bytes: '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    error: RESTRICTED,
  },
  { name: 'X-06: an entity nobody declared', bytes: `${open}&x;</a>`, error: /^(restricted-xml|not-well-formed)$/ },
  { name: 'X-03: a comment', bytes: '<!-- hello -->', error: RESTRICTED },
  { name: 'X-03: a comment inside an element', bytes: `${open}<!-- hello --></a>`, error: RESTRICTED },
  { name: 'X-04: a processing instruction', bytes: '<?php exit ?>', error: RESTRICTED },
  { name: 'X-04: a processing instruction inside an element', bytes: `${open}<?php exit ?></a>`, error: RESTRICTED },
  {
    name: 'X-08: an XML declaration in the middle',
    bytes: "<?xml version='1.0'?>",
    error: /^(not-well-formed|restricted-xml)$/,
  },
  { name: 'X-01: mismatched tags', bytes: `${open}<b></a></b>`, error: NOT_WELL_FORMED },
  { name: 'X-01: a closing tag without an opening one', bytes: '</a>', error: NOT_WELL_FORMED },
  { name: 'X-01: text between elements', bytes: 'hello', error: NOT_WELL_FORMED },
  { name: 'X-01: a duplicate attribute', bytes: "<a xmlns='urn:test' b='1' b='2'/>", error: NOT_WELL_FORMED },
  {
    name: 'X-02: an attribute duplicate by its namespace',
    bytes: "<a xmlns='urn:test' xmlns:p='urn:1' xmlns:q='urn:1' p:b='1' q:b='2'/>",
    error: NOT_WELL_FORMED,
  },
  { name: 'X-02: an undeclared prefix', bytes: '<p:a/>', error: /^(not-well-formed|bad-namespace-prefix)$/ },
  {
    name: 'X-02: an undeclared prefix of an attribute',
    bytes: "<a xmlns='urn:test' p:b='1'/>",
    error: /^(not-well-formed|bad-namespace-prefix)$/,
  },
  { name: 'X-02: a prefix that is taken away', bytes: "<a xmlns='urn:test' xmlns:db=''/>", error: NOT_WELL_FORMED },
  { name: 'X-02: xml rebound', bytes: "<a xmlns='urn:test' xmlns:xml='urn:evil'/>", error: NOT_WELL_FORMED },
  { name: 'X-02: xmlns rebound', bytes: "<a xmlns='urn:test' xmlns:xmlns='urn:evil'/>", error: NOT_WELL_FORMED },
  {
    name: 'X-02: another prefix for the namespace of xmlns',
    bytes: "<a xmlns='urn:test' xmlns:p='http://www.w3.org/2000/xmlns/'/>",
    error: NOT_WELL_FORMED,
  },
  { name: 'X-02: two colons in a name', bytes: "<db:a:b xmlns='urn:test'/>", error: NOT_WELL_FORMED },
  { name: 'X-01: ]]> in text', bytes: `${open}]]></a>`, error: NOT_WELL_FORMED },
  { name: 'X-01: < in an attribute', bytes: "<a xmlns='urn:test' b='<'/>", error: NOT_WELL_FORMED },
  { name: 'X-01: & alone', bytes: `${open}a & b</a>`, error: NOT_WELL_FORMED },
  { name: 'X-01: an attribute without quotes', bytes: "<a xmlns='urn:test' b=1/>", error: NOT_WELL_FORMED },
  { name: 'X-01: an attribute without a value', bytes: "<a xmlns='urn:test' b/>", error: NOT_WELL_FORMED },
  { name: 'X-33: a name that starts with a digit', bytes: '<1a/>', error: NOT_WELL_FORMED },
  { name: 'X-33: a name that starts with -', bytes: "<a xmlns='urn:test' -b='1'/>", error: NOT_WELL_FORMED },
  { name: 'X-12: a reference to NUL', bytes: `${open}&#0;</a>`, error: NOT_WELL_FORMED },
  { name: 'X-12: a reference to a surrogate', bytes: `${open}&#xD800;</a>`, error: NOT_WELL_FORMED },
  { name: 'X-12: a reference to U+FFFF', bytes: `${open}&#xFFFF;</a>`, error: NOT_WELL_FORMED },
  { name: 'X-12: a reference beyond Unicode', bytes: `${open}&#x110000;</a>`, error: NOT_WELL_FORMED },
  { name: 'X-12: NUL', bytes: inText(0), error: NOT_WELL_FORMED },
  { name: 'X-12: an escape character', bytes: inText(0x1b), error: NOT_WELL_FORMED },
  { name: 'X-12: U+FFFE', bytes: inText(0xef, 0xbf, 0xbe), error: NOT_WELL_FORMED },
  { name: 'X-10: a lone continuation octet', bytes: inText(0x80), error: ENCODING },
  { name: 'X-10: an overlong NUL', bytes: inText(0xc0, 0x80), error: ENCODING },
  { name: 'X-10: an overlong of three octets', bytes: inText(0xe0, 0x80, 0x80), error: ENCODING },
  { name: 'X-10: a surrogate in UTF-8', bytes: inText(0xed, 0xa0, 0x80), error: ENCODING },
  { name: 'X-10: beyond U+10FFFF', bytes: inText(0xf4, 0x90, 0x80, 0x80), error: ENCODING },
  { name: 'X-10: a cut character before a tag', bytes: inText(0xe2, 0x82), error: ENCODING },
  { name: 'X-10: an octet that UTF-8 never has', bytes: inText(0xff), error: ENCODING },
  { name: 'X-29: 5,000 nested elements', bytes: open + '<b>'.repeat(5_000), error: TOO_MUCH },
  {
    name: 'X-30: 5,000 attributes',
    bytes: `<a xmlns='urn:test' ${Array.from({ length: 5_000 }, (_, n) => `b${n}='1'`).join(' ')}/>`,
    error: TOO_MUCH,
  },
  {
    name: 'X-30: 5,000 namespaces',
    bytes: `<a xmlns='urn:test' ${Array.from({ length: 5_000 }, (_, n) => `xmlns:b${n}='urn:${n}'`).join(' ')}/>`,
    error: TOO_MUCH,
  },
  { name: 'X-30: an endless name', bytes: `<${'a'.repeat(300_000)}`, error: TOO_MUCH },
  { name: 'X-30: an endless attribute', bytes: `<a xmlns='urn:test' b='${'x'.repeat(300_000)}`, error: TOO_MUCH },
  { name: 'X-26: endless text', bytes: open + 'x'.repeat(300_000), error: TOO_MUCH },
  { name: 'X-26: an endless tag', bytes: `<a xmlns='urn:test'${' '.repeat(300_000)}`, error: TOO_MUCH },
  { name: 'X-26: an endless CDATA section', bytes: `${open}<![CDATA[${'x'.repeat(300_000)}`, error: TOO_MUCH },
  { name: 'X-31: endless references', bytes: open + '&#65;'.repeat(60_000), error: TOO_MUCH },
  { name: 'X-30: endless children', bytes: open + '<b/>'.repeat(75_000), error: TOO_MUCH },
  { name: 'X-28: endless white space', bytes: ' '.repeat(300_000), error: TOO_MUCH },
  {
    name: 'V-40: attributes named __proto__ and constructor',
    bytes: "<a xmlns='urn:test' __proto__='1' constructor='2' toString='3'><b/></c>",
    error: NOT_WELL_FORMED,
  },
  {
    name: 'X-15: a stanza of clients',
    bytes: "<message xmlns='jabber:client' from='x@vngtp.lab' to='eva@coluc.com'/>",
    error: /^invalid-namespace$/,
    authenticated: true,
  },
  {
    name: 'X-16: a stanza with a prefix',
    bytes: "<p:message xmlns:p='jabber:server' from='x@vngtp.lab' to='eva@coluc.com'/>",
    error: /^bad-namespace-prefix$/,
    authenticated: true,
  },
  {
    name: 'X-19: a namespace that only looks like the one of stanzas',
    bytes: "<message xmlns='jabber:server message' from='x@vngtp.lab' to='eva@coluc.com'/>".repeat(11),
    error: /^(unsupported-stanza-type|invalid-namespace)$/,
    authenticated: true,
  },
];
