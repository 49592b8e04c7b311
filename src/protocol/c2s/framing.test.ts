import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Framer, LARGEST_MESSAGE, unframe } from './framing.ts';

const FRAMING = "xmlns='urn:ietf:params:xml:ns:xmpp-framing'";

function read(message: string): string {
  const unframed = unframe(Buffer.from(message));
  return 'refused' in unframed ? `refused: ${unframed.refused}` : Buffer.from(unframed.xml).toString();
}

describe('what a client sends (RFC 7395 §3.3)', () => {
  test('<open/> is a stream header with the same attributes', () => {
    expect(read(`<open ${FRAMING} version='1.0' to='example.com' xml:lang='it'/>`)).toBe(
      "<stream xmlns='http://etherx.jabber.org/streams' version='1.0' to='example.com' xml:lang='it'>",
    );
  });

  test('an attribute cannot break out of the header that it is written into', () => {
    expect(read(`<open ${FRAMING} to='a&apos;&gt;&lt;evil/>'/>`)).not.toContain('<evil');
  });

  test('<close/> is its end', () => {
    expect(read(`<close ${FRAMING}/>`)).toBe('</stream>');
  });

  test.each(["<message xmlns='jabber:client'><body>hi</body></message>", "<r xmlns='urn:xmpp:sm:3'/>"])(
    '%s stays as it is',
    (message) => {
      expect(read(message)).toBe(message);
    },
  );

  test.each([
    '',
    ' ',
    'hello',
    "<message xmlns='jabber:client'>",
    '</message>',
    '</stream>',
    "<a xmlns='urn:a'/><b xmlns='urn:b'/>",
    "<a xmlns='urn:a'/> ",
    " <a xmlns='urn:a'/>",
    "<a xmlns='urn:a'/>x",
    "<a xmlns='urn:a'/></stream>",
    "<?xml version='1.0'?><a xmlns='urn:a'/>",
    "<!-- x --><a xmlns='urn:a'/>",
    '<stream:features/>',
    "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' to='example.com'>",
    "<stream xmlns='http://etherx.jabber.org/streams'/>",
    `<open ${FRAMING}><x/></open>`,
    `<open ${FRAMING}>x</open>`,
    `<what ${FRAMING}/>`,
    `<open ${FRAMING}/><open ${FRAMING}/>`,
    '\u0000',
  ])('%j is refused', (message) => {
    expect(read(message)).toContain('refused: ');
  });

  test('a stanza that does not say that it is one of a client is none', () => {
    // It goes to the stream as an element that nobody knows there.
    expect(read('<message/>')).toBe('<message/>');
  });

  test('a message is bounded', () => {
    expect(read(`<a xmlns='urn:a'>${'x'.repeat(LARGEST_MESSAGE)}</a>`)).toContain('refused: ');
  });

  test('reading is total, and what is taken is one element: nothing is before or behind it', () => {
    const piece = fc.constantFrom(
      '<a',
      '<b',
      '>',
      '/>',
      '</a>',
      '</b>',
      " xmlns='urn:x'",
      ' ',
      'x',
      '<!--',
      '<![CDATA[',
      ']]>',
      '&lt;',
      '&x;',
      "'",
      '<open',
      ` ${FRAMING}`,
      '\uFEFF',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const message = pieces.join('');
        const unframed = unframe(Buffer.from(message));
        if ('refused' in unframed) return;
        expect(message.startsWith('<') && message.endsWith('>')).toBe(true);
        // Twice the same is two elements, and refused.
        expect(unframe(Buffer.from(message + message))).toHaveProperty('refused');
      }),
      { numRuns: 3000 },
    );
  });

  test('bytes that are no text are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        unframe(bytes);
      }),
    );
    expect(unframe(Uint8Array.of(0xff, 0xfe))).toHaveProperty('refused');
  });
});

describe('what a client gets', () => {
  const HEADER =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='example.com' id='1' version='1.0' xml:lang='en'>";

  test('header, features, a stanza, an error and the end are a message each, complete in itself', () => {
    const written = `${HEADER}<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features><message to='a@b'><body>hi</body></message><stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`;
    expect(new Framer().frame(Buffer.from(written))).toEqual([
      `<open ${FRAMING} from='example.com' id='1' version='1.0' xml:lang='en'/>`,
      "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
      "<message xmlns='jabber:client' to='a@b'><body>hi</body></message>",
      "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
      `<close ${FRAMING}/>`,
    ]);
  });

  test('a new stream after authentication is opened again, in whatever pieces it is written', () => {
    const framer = new Framer();
    framer.frame(Buffer.from(HEADER));
    const messages = framer.frame(Buffer.from(`<success xmlns='urn:x'/>${HEADER}<stream:features/>`));
    expect(messages.map((message) => message.slice(0, 9))).toEqual(['<success ', '<open xml', '<stream:f']);
  });

  test('text that looks like a declaration is only text', () => {
    const framer = new Framer();
    framer.frame(Buffer.from(HEADER));
    expect(framer.frame(Buffer.from("<message><body>&lt;?xml version='1.0'?></body></message>"))).toEqual([
      "<message xmlns='jabber:client'><body>&lt;?xml version='1.0'?&gt;</body></message>",
    ]);
  });
});
