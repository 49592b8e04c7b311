import { describe, expect, it } from 'vitest';
import {
  acceptAuthenticated,
  acceptSecured,
  answerHeader,
  authenticated,
  errorIn,
  FEATURES,
  header,
} from '../support/peer-streams.ts';
import { PeerServer, type Wire } from '../support/raw-peer.ts';
import { told, underAttack } from './under-attack.ts';

const here = underAttack({ network: 44, moreHomes: [['second.example']] });

/** A stream authenticated as a fresh domain. */
async function partner(): Promise<{ wire: Wire; domain: string; mark: number }> {
  const domain = here().freshDomain();
  const mark = here().box.log.mark();
  return { wire: await authenticated(here().box, domain), domain, mark };
}

describe('addresses that a partner has no right to', () => {
  it.each<{ name: string; from: (domain: string) => string; error: RegExp }>([
    { name: 'another domain', from: () => 'x@evil.lab', error: /^invalid-from$/ },
    { name: 'a domain below', from: (domain) => `x@muc.${domain}`, error: /^invalid-from$/ },
    { name: 'the domain above', from: () => 'x@lab', error: /^invalid-from$/ },
    { name: 'our domain', from: () => 'eva@coluc.com', error: /^invalid-from$/ },
    { name: 'our domain in capitals', from: () => 'eva@COLUC.COM', error: /^invalid-from$/ },
    { name: 'its domain as local part', from: (domain) => `${domain}@evil.lab`, error: /^invalid-from$/ },
    { name: 'its domain as resource', from: (domain) => `evil.lab/${domain}`, error: /^invalid-from$/ },
    {
      name: 'its domain behind two @',
      from: (domain) => `x@evil.lab@${domain}`,
      error: /^(invalid-from|improper-addressing)$/,
    },
    { name: 'its domain with more behind', from: (domain) => `x@${domain}.evil.lab`, error: /^invalid-from$/ },
    {
      name: 'a Cyrillic letter',
      from: (domain) => `x@${domain.replace('e', '\u0435')}`,
      error: /^(invalid-from|improper-addressing)$/,
    },
    { name: 'nothing', from: () => '', error: /^(invalid-from|improper-addressing)$/ },
    { name: 'a slash', from: () => '/', error: /^(invalid-from|improper-addressing)$/ },
    { name: 'an @', from: () => '@', error: /^(invalid-from|improper-addressing)$/ },
    {
      name: '4,000 letters',
      from: (domain) => `${'x'.repeat(4_000)}@${domain}`,
      error: /^(invalid-from|improper-addressing)$/,
    },
  ])('R-04: from $name', async ({ from, error }) => {
    const { wire, domain, mark } = await partner();
    wire.send(`<message from='${from(domain)}' to='eva@coluc.com'><body>spoofed</body></message>`);
    const condition = errorIn(await wire.end());
    expect(condition).toMatch(error);
    expect(await here().ended(wire, mark)).toMatch(told(condition));
  });

  it.each([
    { name: 'without from', xml: "<message to='eva@coluc.com'/>", error: 'improper-addressing' },
    {
      name: 'X-20: with from in another namespace',
      xml: "<message xmlns:x='urn:x' x:from='a@FROM' to='eva@coluc.com'/>",
      error: 'improper-addressing',
    },
    { name: 'without to', xml: "<message from='a@FROM'/>", error: 'improper-addressing' },
    { name: 'with an empty to', xml: "<message from='a@FROM' to=''/>", error: 'improper-addressing' },
    {
      name: 'V-11: open relay, to another partner',
      xml: "<message from='a@FROM' to='h@healthy.lab'/>",
      error: 'host-unknown',
    },
    { name: 'open relay, to itself', xml: "<message from='a@FROM' to='b@FROM'/>", error: 'host-unknown' },
    { name: 'to a domain below ours', xml: "<message from='a@FROM' to='b@www.coluc.com'/>", error: 'host-unknown' },
    {
      name: 'to our domain as local part',
      xml: "<message from='a@FROM' to='coluc.com@healthy.lab'/>",
      error: 'host-unknown',
    },
    {
      name: 'to our domain as resource',
      xml: "<message from='a@FROM' to='healthy.lab/coluc.com'/>",
      error: 'host-unknown',
    },
    { name: 'to an address that is none', xml: "<message from='a@FROM' to='eva@'/>", error: 'improper-addressing' },
    {
      name: 'X-15: of clients',
      xml: "<iq xmlns='jabber:client' type='get' id='1' from='a@FROM' to='eva@coluc.com'/>",
      error: 'invalid-namespace',
    },
    {
      name: 'of components',
      xml: "<iq xmlns='jabber:component:accept' type='get' id='1' from='a@FROM' to='eva@coluc.com'/>",
      error: 'invalid-namespace',
    },
  ])('a stanza $name', async ({ xml, error }) => {
    const { wire, domain, mark } = await partner();
    wire.send(xml.replaceAll('FROM', domain));
    expect(errorIn(await wire.end())).toBe(error);
    expect(await here().ended(wire, mark)).toMatch(told(error));
  });

  it('V-15: of a stanza inside a stanza, in any disguise, only the outer one is routed', async () => {
    const { wire, domain } = await partner();
    const inner =
      "<message xmlns='jabber:server' from='eva@coluc.com' to='boss@coluc.com'><body>inner</body></message>";
    wire.send(
      `<message from='a@${domain}' to='eva@coluc.com' id='outer'>${inner}<body><![CDATA[${inner}]]></body>` +
        `<forwarded xmlns='urn:xmpp:forward:0'>${inner.replace('jabber:server', 'jabber:client')}</forwarded></message>`,
    );
    const received = await here().box.home.wire.expect('</forwarded></message>');
    expect(received.startsWith('<message ')).toBe(true);
    expect(received).toContain("id='outer'");
    wire.destroy();
  });

  it('R-42: what a stanza relies on of the header is declared where it goes', async () => {
    const domain = here().freshDomain();
    const wire = await authenticated(here().box, domain);
    wire.send(`<message from='a@${domain}' to='eva@coluc.com'><db:x><stream:y/></db:x></message>`);
    const received = await here().box.home.wire.expect('</message>');
    expect(received).toContain("xmlns:db='jabber:server:dialback'");
    expect(received).not.toContain('jabber:server"');
    wire.destroy();
  });

  it('id, xml:lang and text arrive as they were, and cannot leave their attribute', async () => {
    const { wire, domain } = await partner();
    wire.send(
      `<message from='a@${domain}' to='eva@coluc.com' id="a'/&gt;&lt;iq&#10;x" xml:lang='en&quot;&apos;'><body>&lt;/message&gt;</body></message>`,
    );
    const received = await here().box.home.wire.expect('</message>');
    expect(received.match(/</g)).toHaveLength(4);
    expect(received).toMatch(/id=(["'])a(?:'|&apos;|&#39;)\/(?:&gt;|>)&lt;iq(?:&#10;|&#xA;)x\1/i);
    wire.destroy();
  });

  it('J-04: its own domain in capitals is its own', async () => {
    const { wire, domain } = await partner();
    wire.send(`<message from='a@${domain.toUpperCase()}' to='eva@COLUC.com' id='caps'/>`);
    expect(await here().box.home.wire.expect(/<message[^>]*\/>/)).toContain("id='caps'");
    wire.destroy();
  });
});

const LIMIT = 262_144;
/** A stanza of so many octets. */
const sized = (domain: string, octets: number): string => {
  const open = `<message from='a@${domain}' to='eva@coluc.com'><body>`;
  const close = '</body></message>';
  return open + 'x'.repeat(octets - open.length - close.length) + close;
};

describe('sizes', () => {
  it('X-26: a stanza of exactly the limit passes', async () => {
    const { wire, domain } = await partner();
    wire.send(sized(domain, LIMIT));
    expect((await here().box.home.wire.expect('</message>')).length).toBeGreaterThanOrEqual(LIMIT);
    wire.destroy();
  });

  it('X-26: a stanza of one octet more ends the stream', async () => {
    const { wire, domain } = await partner();
    wire.send(sized(domain, LIMIT + 1));
    const received = await wire.end();
    expect(errorIn(received)).toBe('policy-violation');
    expect(received).toContain('<stanza-too-big ');
  });

  it('a stanza that never ends is cut off at the limit, and nothing of it is relayed', async () => {
    const { wire, domain } = await partner();
    wire.send(`<message from='a@${domain}' to='eva@coluc.com'><body>`);
    for (let sent = 0; sent < 40 && !wire.ended; sent++) wire.send('x'.repeat(10_000));
    expect(errorIn(await wire.end())).toBe('policy-violation');
  });
});

describe('answers that nobody may wait for', () => {
  it('R-36: errors and results are never bounced, whatever they are about', async () => {
    const ground = here();
    const mark = ground.box.log.mark();
    // Nobody is reached by this name; what the home sends there fails.
    const domain = ground.freshDomain();
    ground.box.home.send(
      `<message type='error' from='eva@coluc.com' to='a@${domain}'/><iq type='result' id='1' from='eva@coluc.com' to='a@${domain}'/>` +
        `<iq type='error' id='2' from='eva@coluc.com' to='a@${domain}'/><presence type='error' from='eva@coluc.com' to='a@${domain}'/>`,
    );
    await expect.poll(() => ground.box.log.since(mark).filter((each) => each.code === 'dropped').length).toBe(4);
  });

  it('R-51: the home cannot be made to send to itself through us', async () => {
    const ground = here();
    ground.box.home.send("<message from='eva@coluc.com' to='x@second.example' id='self'/>");
    expect(await ground.box.home.wire.expect(/<message[^>]*type='error'.*?<\/message>/s)).toContain(
      '<remote-server-not-found ',
    );
  });
});

describe('features that fedway does not have', () => {
  it.each([
    { name: 'M: an acknowledgement flood', xml: "<a xmlns='urn:xmpp:sm:3' h='4294967295'/>" },
    { name: 'M: requests', xml: "<r xmlns='urn:xmpp:sm:3'/>" },
    { name: 'M: resumption of another session', xml: "<resume xmlns='urn:xmpp:sm:3' previd='x' h='-1'/>" },
    { name: 'B: bidi after authentication', xml: "<bidi xmlns='urn:xmpp:bidi'/>" },
    {
      name: 'T-14: compression',
      xml: "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>",
    },
    { name: 'features', xml: FEATURES.external },
  ])('$name is ignored a few times, then ends the stream', async ({ xml }) => {
    const { wire } = await partner();
    wire.send(xml.repeat(30));
    const received = await wire.end();
    expect(errorIn(received)).toBe('unsupported-stanza-type');
    expect(received).toMatch(/^<stream:error>/);
  });
});

describe('servers that we dialed and that want more', () => {
  it('E-38: see-other-host leads nowhere, inside least of all', async () => {
    const ground = here();
    const inside = await PeerServer.listen(`127.${ground.box.plan.network}.0.2`, () => undefined);
    const target = await ground.partner(() => undefined);
    target.server.script = async (wire) => {
      await wire.expect(/<stream:stream[^>]*>/);
      wire.send(
        `${header({ from: target.domain, id: 'x' })}<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>${inside.address}:${inside.port}</see-other-host></stream:error></stream:stream>`,
      );
    };
    ground.sendTo(target.domain);
    expect((await ground.bounce(target.domain)).condition).toMatch(/^remote-server/);
    expect(inside.wires).toHaveLength(0);
    await inside[Symbol.asyncDispose]();
  });

  it('stanzas from a server that we opened a stream to go nowhere', async () => {
    const ground = here();
    const target = await ground.partner(() => undefined);
    target.server.script = async (wire) => {
      await acceptAuthenticated(wire, { from: target.domain }, target.certificate);
      await wire.expect('</message>');
      wire.send(`<message from='a@${target.domain}' to='eva@coluc.com'><body>back</body></message>`);
    };
    ground.sendTo(target.domain);
    await expect.poll(() => target.server.wires.length).toBe(1);
    expect(errorIn((await target.server.wires[0]?.end()) ?? '')).toBe('not-authorized');
  });

  it('C-55: a server that goes on asking gets one answer, an abort, and the end', async () => {
    const ground = here();
    const target = await ground.partner(() => undefined);
    const challenge = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>eA==</challenge>";
    target.server.script = async (wire) => {
      await acceptSecured(wire, { from: target.domain }, target.certificate, FEATURES.external);
      await wire.expect('</auth>');
      wire.send(challenge.repeat(50));
    };
    ground.sendTo(target.domain);
    expect((await ground.bounce(target.domain)).condition).toMatch(/^(remote-server|not-a)/);
    const received = (await target.server.wires[0]?.end()) ?? '';
    expect(received.match(/<response/g)).toHaveLength(1);
    expect(received).toContain('<abort ');
  });

  it('T-10: what was offered before TLS is forgotten', async () => {
    const ground = here();
    const target = await ground.partner(() => undefined);
    target.server.script = async (wire) => {
      await answerHeader(
        wire,
        { from: target.domain },
        FEATURES.startTls.replace('<starttls', "<bidi xmlns='urn:xmpp:features:bidi'/><starttls"),
      );
      await wire.expect(/<starttls[^>]*>/);
      wire.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      await wire.startTls('server', { certificate: target.certificate });
      await answerHeader(wire, { from: target.domain }, FEATURES.dialback);
    };
    ground.sendTo(target.domain);
    await expect.poll(() => target.server.wires[0]?.text ?? '').toContain('<db:result');
    expect(target.server.wires[0]?.text).not.toContain('bidi');
    target.server.wires[0]?.reset();
    await ground.bounce(target.domain);
  });

  it('T-12, V-21: STARTTLS that somebody stripped from the features is asked for nevertheless, and without it nothing is sent', async () => {
    const ground = here();
    const target = await ground.partner(() => undefined);
    target.server.script = async (wire) => {
      await answerHeader(wire, { from: target.domain }, FEATURES.dialback);
      await wire.expect(/<starttls[^>]*>/);
      wire.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
    };
    ground.sendTo(target.domain);
    expect((await ground.bounce(target.domain)).condition).toMatch(/^remote-server/);
    expect(await target.server.wires[0]?.end()).not.toContain('db:result');
  });

  it('T-05: plaintext behind <proceed/> ends the connection', async () => {
    const ground = here();
    const mark = ground.box.log.mark();
    const target = await ground.partner(() => undefined);
    target.server.script = async (wire) => {
      await answerHeader(wire, { from: target.domain }, FEATURES.startTls);
      await wire.expect(/<starttls[^>]*>/);
      wire.send(
        `<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${header({ from: target.domain, id: 'y' })}${FEATURES.dialback}`,
      );
    };
    ground.sendTo(target.domain);
    await ground.bounce(target.domain);
    expect(await ground.endedTo(target.domain, mark)).toMatch(told('TLS'));
    expect(await target.server.wires[0]?.end()).not.toContain('db:result');
  });
});
