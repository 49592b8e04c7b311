import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { XML_LIMIT } from './escape.ts';
import { showableXml } from './redact.ts';

const SECRET = 'c4bd3a1f';

describe('showableXml', () => {
  test.each([
    `<handshake>${SECRET}</handshake>`,
    `<handshake xmlns='jabber:component:accept'>${SECRET}</handshake>`,
    `<c:handshake xmlns:c='jabber:component:accept' a='>'>${SECRET}</c:handshake >`,
    `<handshake><![CDATA[</handshake>${SECRET}]]></handshake>`,
    `<handshake>${SECRET}`,
    `<x><handshake/><handshake>${SECRET}</handshake></x>`,
    `<x><body>hello</body><handshake>${SECRET}</handshake></x>`,
    `<message from='a@coluc.com' to='b@vngtp.lab'><body>${SECRET}</body></message>`,
    `<message><subject>${SECRET}</subject><html><body><p>${SECRET}</p></body></html></message>`,
    `<iq type='set'><query xmlns='jabber:iq:auth'><password>${SECRET}</password></query></iq>`,
    `<presence><status>${SECRET}</status></presence>`,
    `<forwarded xmlns='urn:xmpp:forward:0'><message><body>${SECRET}</body></message></forwarded>`,
    `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${SECRET}</auth>`,
    `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${SECRET}</auth>`,
  ])('masks the content of %s', (xml) => {
    const shown = showableXml(xml);
    expect(shown).not.toContain(SECRET);
    expect(shown).toMatch(/\[\d+ bytes masked\]/);
  });

  test.each([
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>Y29sdWMuY29t</auth>",
    "<db:result from='coluc.com' to='vngtp.lab'>d780f198ac34a6dbd795fcdaf8762eaf52ea9b03</db:result>",
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
    "<message from='a@coluc.com'/>",
    '<handshake/>',
    '<messages>not a stanza</messages>',
    "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
  ])('leaves %s as it is', (xml) => {
    expect(showableXml(xml)).toBe(xml);
  });

  test('keeps the start tag and says how much is masked', () => {
    expect(showableXml("<message to='b@vngtp.lab'><body>hello</body></message>")).toBe(
      "<message to='b@vngtp.lab'>[18 bytes masked]</message>",
    );
  });

  test('masks wherever the cut of a long element falls', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), (shift) => {
        const filler = 'x'.repeat(XML_LIMIT - shift);
        expect(showableXml(`<a>${filler}<handshake>${SECRET}</handshake></a>`)).not.toContain(SECRET.slice(0, 3));
      }),
    );
  });

  test('whatever else an element holds, the content of a handshake in it is masked', () => {
    const piece = fc.constantFrom(
      '<a>',
      '</a>',
      '<body>',
      '</body>',
      '<handshake/>',
      'text',
      "<b x='1'/>",
      '<![CDATA[<]]>',
    );
    fc.assert(
      fc.property(fc.array(piece), fc.array(piece), (before, after) => {
        const xml = `${before.join('')}<handshake>${SECRET}</handshake>${after.join('')}`;
        expect(showableXml(xml)).not.toContain(SECRET);
      }),
    );
  });
});
