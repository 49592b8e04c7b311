import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ANSWER_LIMITS, readAnswer, readRequest } from './read.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const AXL = 'http://www.cisco.com/AXL/API/14.0';

const QUERY = `<soapenv:Envelope xmlns:soapenv="${SOAP}" xmlns:ns="${AXL}">
  <soapenv:Body><ns:executeSQLQuery sequence="1"><sql>select pkid, cp_id from xmpps2snodes</sql></ns:executeSQLQuery></soapenv:Body>
</soapenv:Envelope>`;

const answer = (inside: string): string =>
  `<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv="${SOAP}"><soapenv:Body>${inside}</soapenv:Body></soapenv:Envelope>`;
const fault = (inside: string): string => answer(`<soapenv:Fault>${inside}</soapenv:Fault>`);
const rowsAnswer = (rows: string): string =>
  answer(`<ns:executeSQLQueryResponse xmlns:ns="${AXL}"><return>${rows}</return></ns:executeSQLQueryResponse>`);

describe('a request', () => {
  const request = {
    function: 'executeSQLQuery',
    version: '14.0',
    sequence: '1',
    sql: 'select pkid, cp_id from xmpps2snodes',
  };

  test('is read as the reference has it', () => {
    expect(readRequest(utf8(QUERY))).toEqual({ request });
  });

  test('may have other prefixes, none at all, a byte order mark, a header, CDATA and character references', () => {
    const xml = `\u{feff}<?xml version="1.0" encoding="utf-8"?><Envelope xmlns="${SOAP}"><Header><h xmlns=""/></Header><Body>
      <executeSQLQuery sequence="1" xmlns="${AXL}"><sql>select <![CDATA[pkid, ]]>cp&#95;id from xmpps2snodes</sql></executeSQLQuery></Body></Envelope>`;
    expect(readRequest(utf8(xml))).toEqual({ request });
  });

  test('for a function that is not known is told apart from what is no request', () => {
    expect(readRequest(utf8(QUERY.replaceAll('executeSQLQuery', 'addUser')))).toEqual({
      unknown: { function: 'addUser', version: '14.0' },
    });
  });

  test.each([
    ['another namespace', QUERY.replace(AXL, 'urn:x')],
    ['a version that is none', QUERY.replace(AXL, 'http://www.cisco.com/AXL/API/latest')],
    ['no statement', QUERY.replaceAll('sql>', 'sq>')],
    ['an element in the statement', QUERY.replace('select', '<b/>')],
    ['SOAP 1.2', QUERY.replace(SOAP, 'http://www.w3.org/2003/05/soap-envelope')],
    ['another envelope', QUERY.replace(SOAP, 'urn:x')],
    ['two functions', QUERY.replace('</soapenv:Body>', '<ns:x/></soapenv:Body>')],
    ['two bodies', QUERY.replace('</soapenv:Envelope>', '<soapenv:Body/></soapenv:Envelope>')],
    ['an empty body', QUERY.replace(/<ns:exec.*SQLQuery>/s, '')],
    ['no body', `<e:Envelope xmlns:e="${SOAP}"/>`],
    [
      'a header that must be understood',
      QUERY.replace('<soapenv:Body>', '<soapenv:Header><x soapenv:mustUnderstand="1"/></soapenv:Header><soapenv:Body>'),
    ],
  ])('with %s is refused', (_, xml) => {
    expect(readRequest(utf8(xml))).toHaveProperty('fault');
  });
});

describe('an answer', () => {
  test('with rows keeps columns and their order; an empty return is no rows', () => {
    const rows =
      '<row><pkid>055c13d9-943d-459d-a3c6-af1d1176936d</pkid><cp_id>cm-2_s2scp-1.eft-xwye-a-coluc-com</cp_id></row><row><n/></row>';
    expect(readAnswer(utf8(rowsAnswer(rows)))).toEqual({
      rows: [
        [
          ['pkid', '055c13d9-943d-459d-a3c6-af1d1176936d'],
          ['cp_id', 'cm-2_s2scp-1.eft-xwye-a-coluc-com'],
        ],
        [['n', '']],
      ],
    });
    expect(readAnswer(utf8(rowsAnswer('')))).toEqual({ rows: [] });
  });

  test('with a fault says what is there of it', () => {
    const whole = `<faultcode>soapenv:Client</faultcode><faultstring>no table</faultstring><detail><ns:axlError xmlns:ns="${AXL}"><axlcode>-206</axlcode><axlmessage>The table is not there.</axlmessage><request>executeSQLQuery</request></ns:axlError></detail>`;
    expect(readAnswer(utf8(fault(whole)))).toEqual({
      soapFault: {
        axlcode: -206,
        axlmessage: 'The table is not there.',
        request: 'executeSQLQuery',
        faultstring: 'no table',
      },
    });
    const nothing = { axlcode: undefined, axlmessage: '', request: '', faultstring: '' };
    expect(readAnswer(utf8(fault('')))).toEqual({ soapFault: nothing });
    expect(readAnswer(utf8(fault('<detail><axlError><axlcode>many</axlcode></axlError></detail>')))).toEqual({
      soapFault: nothing,
    });
  });

  test.each([
    ['HTML', '<html><body>Sign in</body></html>'],
    ['no return', answer(`<ns:executeSQLQueryResponse xmlns:ns="${AXL}"/>`)],
    ['another function', answer(`<ns:getUserResponse xmlns:ns="${AXL}"><return/></ns:getUserResponse>`)],
    ['another namespace', answer('<executeSQLQueryResponse><return/></executeSQLQueryResponse>')],
    ['something that is no row', rowsAnswer('<line/>')],
    ['a column with elements', rowsAnswer('<row><a><b/></a></row>')],
    [
      'a number that is none',
      answer(
        `<ns:executeSQLUpdateResponse xmlns:ns="${AXL}"><return><rowsUpdated>-1</rowsUpdated></return></ns:executeSQLUpdateResponse>`,
      ),
    ],
    ['no number', answer(`<ns:executeSQLUpdateResponse xmlns:ns="${AXL}"><return/></ns:executeSQLUpdateResponse>`)],
  ])('with %s is refused', (_, xml) => {
    expect(readAnswer(utf8(xml))).toHaveProperty('fault');
  });
});

describe('what XML here may not have', () => {
  test.each([
    ['nothing', ''],
    ['white space', ' \n '],
    ['a document type', `<!DOCTYPE x>${QUERY}`],
    ['entities of its own', `<!DOCTYPE x [<!ENTITY a "b">]>${QUERY.replace('pkid', '&a;')}`],
    ['an entity from outside', `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>${QUERY.replace('pkid', '&a;')}`],
    ['an unknown entity', QUERY.replace('pkid', '&nbsp;')],
    ['a name of JavaScript as entity', QUERY.replace('pkid', '&constructor;')],
    ['a reference to no character', QUERY.replace('pkid', '&#0;')],
    ['a comment', QUERY.replace('pkid', '<!-- x -->')],
    ['a processing instruction', QUERY.replace('pkid', '<?x y?>')],
    ['XML 1.1', `<?xml version="1.1"?>${QUERY}`],
    ['another encoding', `<?xml version="1.0" encoding="iso-8859-1"?>${QUERY}`],
    ['an unbound prefix', QUERY.replace('<sql>', '<sql x:a="">')],
    ['an attribute twice', QUERY.replace('<sql>', '<sql a="" a="">')],
    ['an open end', QUERY.slice(0, -10)],
    ['something behind', `${QUERY}<x/>`],
    ['a control character', QUERY.replace('pkid', '\u0001')],
  ])('%s', (_, xml) => {
    expect(readRequest(utf8(xml))).toHaveProperty('fault');
  });

  test('bytes that are not UTF-8', () => {
    expect(readRequest(Uint8Array.of(...utf8('<a>'), 0xff, ...utf8('</a>')))).toEqual({
      fault: 'The document is not UTF-8.',
    });
    expect(readRequest(Buffer.from(QUERY, 'utf16le'))).toHaveProperty('fault');
  });

  test('faults say nothing that a peer wrote', () => {
    expect(readRequest(utf8('<evil&secret'))).toEqual({ fault: 'The document is not well-formed XML.' });
  });
});

/** Milliseconds that no refusal takes, on a slow and busy machine. */
const SOON = 2_000;

describe('a bomb is refused before it takes time', () => {
  const most = 1_000_000;
  test.each([
    ['depth', rowsAnswer('<a>'.repeat(20_000)), 'nested'],
    ['depth with namespaces', rowsAnswer('<a xmlns:b="c">'.repeat(20_000)), 'nested'],
    [
      'attributes',
      rowsAnswer(`<row ${Array.from({ length: 100_000 }, (_, i) => `a${i}=""`).join(' ')}/>`),
      'attributes',
    ],
    [
      'declarations',
      rowsAnswer(`<row ${Array.from({ length: 50_000 }, (_, i) => `xmlns:a${i}="b"`).join(' ')}/>`),
      'attributes',
    ],
    ['elements', rowsAnswer('<row/>'.repeat(100_000)), 'elements'],
    ['one text', rowsAnswer(`<row><a>${'x'.repeat(500_000)}</a></row>`), 'text'],
    ['text in pieces', rowsAnswer(`<row><a>${'<![CDATA[xxxxxxxxxx]]>'.repeat(30_000)}</a></row>`), 'text'],
    ['references', rowsAnswer(`<row><a>${'&lt;'.repeat(200_000)}</a></row>`), 'read'],
    [
      'entities',
      `<!DOCTYPE l [${Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('')}]><l>&l9;</l>`,
      'document type',
    ],
    ['a document type without end', `<!DOCTYPE ${'x'.repeat(most)}`, 'not well-formed'],
    ['a name without end', `<${'x'.repeat(most)}`, 'not well-formed'],
    ['a value without end', `<a b="${'x'.repeat(most)}`, 'not well-formed'],
    ['a comment without end', `<!--${'x'.repeat(most)}`, 'not well-formed'],
    ['an entity without end', `<a>&${'x'.repeat(most)}`, 'not well-formed'],
  ])('%s', (_, xml, word) => {
    const since = performance.now();
    const read = readAnswer(utf8(xml));
    expect(performance.now() - since).toBeLessThan(SOON);
    // A text of references is only long, and is read.
    expect('fault' in read ? read.fault : 'read').toContain(word);
  });

  test('50 MB are not looked at', () => {
    const bytes = new Uint8Array(50_000_000).fill(0x20);
    const since = performance.now();
    expect(readAnswer(bytes)).toEqual({ fault: `The document has more than ${ANSWER_LIMITS.bytes} bytes.` });
    expect(performance.now() - since).toBeLessThan(50);
  });
});

describe('whatever the bytes are', () => {
  const seeds = [QUERY, rowsAnswer('<row><a>b</a></row>'), answer('<soapenv:Fault><detail/></soapenv:Fault>')].map(
    utf8,
  );

  test('an envelope with bytes changed, cut out or put in is read or refused, never thrown at', () => {
    const edit = fc.record({
      at: fc.nat(600),
      out: fc.nat(8),
      put: fc.oneof(
        fc.uint8Array({ maxLength: 6 }),
        fc.constantFrom('<', '>', '&', '<!', '<?', ']]>', '<![CDATA[', 'xmlns=""', '/').map(utf8),
      ),
    });
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 4 }), (seed, edits) => {
        let bytes = seed;
        for (const { at, out, put } of edits)
          bytes = Uint8Array.of(...bytes.subarray(0, at), ...put, ...bytes.subarray(at + out));
        const since = performance.now();
        for (const read of [readRequest(bytes), readAnswer(bytes)]) {
          expect(['request', 'unknown', 'fault', 'rows', 'rowsUpdated', 'soapFault']).toContain(Object.keys(read)[0]);
        }
        expect(performance.now() - since).toBeLessThan(SOON);
      }),
      { numRuns: 2_000 },
    );
  });

  test('bytes of chance are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readAnswer(bytes)).toHaveProperty('fault');
      }),
    );
  });
});
