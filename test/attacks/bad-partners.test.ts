import { describe, expect, it } from 'vitest';
import { authority, type Issued, leaf } from '../support/certificates.ts';
import {
  acceptSecured,
  answerHeader,
  auth,
  dialback,
  errorIn,
  FEATURES,
  header,
  openSecured,
  openStream,
  STARTTLS,
} from '../support/peer-streams.ts';
import { PeerServer } from '../support/raw-peer.ts';
import { type Ground, told, underAttack } from './under-attack.ts';

const strict = underAttack({ network: 47, s2s: { authentication: 'external' } });
const lenient = underAttack({ network: 48 });

const other = authority('Another Root');
/** What is wrong with a certificate, and the words for it that the log must have. */
const BAD: readonly { name: string; make: (domain: string, root: Issued) => Issued; because: RegExp }[] = [
  {
    name: 'expired',
    make: (domain, root) =>
      leaf(domain, root, { notBefore: new Date(Date.now() - 9e8), notAfter: new Date(Date.now() - 1e6) }),
    because: /expired/,
  },
  { name: 'for another name', make: (_, root) => leaf('wrong.lab', root), because: /wrong\.lab/ },
  { name: 'self-signed', make: (domain) => leaf(domain), because: /self-signed|issuer|authority|trusted/i },
  {
    name: 'under an authority of the attacker',
    make: (domain) => leaf(domain, other),
    because: /issuer|authority|trusted/i,
  },
];

/** A server that has a certificate, takes EXTERNAL and dialback, and counts stanzas. */
async function server(
  ground: Ground,
  make: (domain: string, root: Issued) => Issued,
): Promise<{ domain: string; server: PeerServer }> {
  const partner = await ground.partner(() => undefined);
  const certificate = make(partner.domain, ground.box.root);
  partner.server.script = async (wire) => {
    await acceptSecured(wire, { from: partner.domain }, certificate, FEATURES.dialback);
    const asked = await dialback(wire, 'result');
    wire.send(`<db:result from='${asked.to}' to='${asked.from}' type='valid'/>`);
  };
  return partner;
}

describe('authentication: external', () => {
  it.each(BAD)(
    'C-28: a server that we dialed, with a certificate that is $name, gets nothing',
    async ({ make, because }) => {
      const ground = strict();
      const mark = ground.box.log.mark();
      const partner = await server(ground, make);
      ground.sendTo(partner.domain);
      expect((await ground.bounce(partner.domain)).condition).toMatch(
        /^(not-authorized|remote-server-timeout|remote-server-not-found)$/,
      );
      const received = (await partner.server.wires[0]?.end()) ?? '';
      expect(received).not.toContain('<message');
      expect(received).not.toContain('db:result');
      expect(await ground.endedTo(partner.domain, mark)).toMatch(because);
    },
  );

  it.each(BAD)(
    'C-34: a server that dialed us, with a certificate that is $name, is told at once',
    async ({ make, because }) => {
      const ground = strict();
      const mark = ground.box.log.mark();
      const from = ground.freshDomain();
      const wire = await ground.box.connect();
      await openStream(wire, { from, to: 'coluc.com' });
      wire.send(STARTTLS);
      await wire.expect(/<proceed[^>]*>/);
      await wire.startTls('client', { certificate: make(from, ground.box.root) });
      wire.send(header({ from, to: 'coluc.com' }));
      const received = await wire.end();
      expect(received).not.toMatch(/EXTERNAL|features:dialback/);
      expect(errorIn(received)).toBe('policy-violation');
      expect(await ground.ended(wire, mark)).toMatch(because);
    },
  );

  it('D-70: db:result is refused although the certificate is good, for another domain than it proves', async () => {
    const ground = strict();
    const from = ground.freshDomain();
    const wire = await ground.box.connect();
    await openSecured(wire, { from, to: 'coluc.com' }, ground.box.certificate(from));
    wire.send("<db:result from='evil.lab' to='coluc.com'>k</db:result>");
    expect(await wire.expect('</db:result>')).toContain('<not-authorized ');
    expect(ground.box.dns.asked().filter((each) => each.includes('evil.lab'))).toEqual([]);
    wire.send(auth(from));
    await wire.expect(/<success[^>]*>/);
    wire.destroy();
  });

  it('a server without TLS gets nothing', async () => {
    const ground = strict();
    const partner = await ground.partner(() => undefined);
    partner.server.script = async (wire) => {
      await answerHeader(wire, { from: partner.domain, version: '' }, '');
    };
    ground.sendTo(partner.domain);
    expect((await ground.bounce(partner.domain)).condition).not.toBe('none');
    expect(await partner.server.wires[0]?.end()).not.toContain('db:result');
  });
});

describe('authentication: either', () => {
  it.each(BAD)('C-35: a certificate that is $name leaves dialback, and the log says so', async ({ make, because }) => {
    const ground = lenient();
    const mark = ground.box.log.mark();
    const from = ground.freshDomain();
    const wire = await ground.box.connect();
    await openStream(wire, { from, to: 'coluc.com' });
    wire.send(STARTTLS);
    await wire.expect(/<proceed[^>]*>/);
    await wire.startTls('client', { certificate: make(from, ground.box.root) });
    wire.send(header({ from, to: 'coluc.com' }));
    const features = await wire.expect('</stream:features>');
    expect(features).not.toContain('EXTERNAL');
    expect(features).toContain('urn:xmpp:features:dialback');
    const line = await ground.box.log.wait(
      (each) => each.code === 'external-not-offered' && each.peer === wire.name,
      mark,
    );
    expect(line.message).toMatch(because);
    wire.destroy();
  });

  it.each(BAD)(
    'C-35: a server that we dialed with a certificate that is $name authenticates us by dialback',
    async ({ make }) => {
      const ground = lenient();
      const partner = await server(ground, make);
      ground.sendTo(partner.domain);
      await expect.poll(() => partner.server.wires[0]?.text ?? '').toContain('<body>hello</body>');
    },
  );
});

describe('DNS that is of no help', () => {
  it.each<{ name: string; records: (ground: Ground, domain: string) => unknown; condition: RegExp; within: number }>([
    {
      name: 'a domain that does not exist',
      records: () => undefined,
      condition: /^remote-server-not-found$/,
      within: 1_000,
    },
    {
      name: 'a domain that says it has no server',
      records: ({ box }, domain) => box.dns.srv(domain, [0, 0, 0, '.']),
      condition: /^remote-server-not-found$/,
      within: 1_000,
    },
    {
      name: 'a server that says SERVFAIL',
      records: ({ box }, domain) => box.dns.script('SRV', `_xmpp-server._tcp.${domain}`, { rcode: 2 }),
      condition: /^remote-server-(timeout|not-found)$/,
      within: 3_000,
    },
    {
      name: 'a server that is silent',
      records: ({ box }, domain) => box.dns.script('SRV', `_xmpp-server._tcp.${domain}`, { silent: true }),
      condition: /^remote-server-(timeout|not-found)$/,
      within: 3_000,
    },
    {
      name: 'a server that takes longer than we wait',
      records: ({ box }, domain) => box.dns.script('SRV', `_xmpp-server._tcp.${domain}`, { delay: 3_000, rcode: 0 }),
      condition: /^remote-server-(timeout|not-found)$/,
      within: 3_000,
    },
    {
      name: 'bytes that are no message',
      records: ({ box }, domain) =>
        box.dns.script('SRV', `_xmpp-server._tcp.${domain}`, { raw: Buffer.alloc(400, 0xc0) }),
      condition: /^remote-server-(timeout|not-found)$/,
      within: 3_000,
    },
    {
      name: 'aliases in a circle',
      records: ({ box }, domain) =>
        box.dns.cname(`_xmpp-server._tcp.${domain}`, `a.${domain}`).cname(`a.${domain}`, `_xmpp-server._tcp.${domain}`),
      condition: /^remote-server-(timeout|not-found)$/,
      within: 3_000,
    },
    {
      name: 'an address of 0.0.0.0',
      records: ({ box }, domain) => box.dns.srv(domain, [0, 0, 5269, `z.${domain}`]).a(`z.${domain}`, '0.0.0.0'),
      condition: /^remote-server-not-found$/,
      within: 1_000,
    },
    {
      name: 'our own listener',
      records: ({ box }, domain) => box.dns.srv(domain, [0, 0, box.port, `z.${domain}`]).a(`z.${domain}`, box.address),
      condition: /^remote-server-not-found$/,
      within: 1_000,
    },
    {
      name: 'a port of another protocol',
      records: ({ box }, domain) => box.dns.srv(domain, [0, 0, 22, `z.${domain}`]),
      condition: /^remote-server-not-found$/,
      within: 1_000,
    },
  ])('$name: the home is told in time', async ({ records, condition, within }) => {
    const ground = lenient();
    const mark = ground.box.log.mark();
    const domain = ground.freshDomain();
    records(ground, domain);
    const started = performance.now();
    ground.sendTo(domain);
    expect((await ground.bounce(domain)).condition).toMatch(condition);
    expect(performance.now() - started).toBeLessThan(within);
    await ground.box.log.wait((each) => each.code === 'lookup-failed' && each.remote === domain, mark);
  });

  it('lies of somebody who cannot see our questions are not believed', async () => {
    const ground = lenient();
    const trap = await PeerServer.listen(ground.box.peerAddress(8), () => undefined);
    const truth = await server(ground, (domain, root) => leaf(domain, root));
    const name = `_xmpp-server._tcp.${truth.domain}`;
    const srv = (port: number, target: string) => ({
      name,
      type: 'SRV' as const,
      ttl: 60,
      data: { priority: 0, weight: 0, port, target },
    });
    ground.box.dns.a('trap.lab', trap.address);
    ground.box.dns.script('SRV', name, {
      liesFirst: [srv(trap.port, 'trap.lab')],
      answers: [srv(truth.server.port, `xmpp.${truth.domain}`)],
    });
    ground.sendTo(truth.domain);
    await expect.poll(() => truth.server.wires[0]?.text ?? '').toContain('<body>hello</body>');
    expect(trap.wires).toHaveLength(0);
    await trap[Symbol.asyncDispose]();
  });
});

describe('connections that cannot be made', () => {
  it('a closed port: the home is told at once, and the next stanza is answered without another attempt', async () => {
    const ground = lenient();
    const mark = ground.box.log.mark();
    const domain = ground.freshDomain();
    ground.box.dns.srv(domain, [0, 0, 59_998, `x.${domain}`]).a(`x.${domain}`, ground.box.peerAddress(4));
    ground.sendTo(domain, 'one');
    expect((await ground.bounce(domain)).condition).toBe('remote-server-timeout');
    ground.sendTo(domain, 'two');
    await ground.bounce(domain);
    await ground.logged();
    const attempts = ground.box.log.since(mark).filter((each) => each.code === 'connecting' && each.remote === domain);
    expect(attempts).toHaveLength(1);
  });

  it('a stream error about our domain reaches the log and the sender', async () => {
    const ground = lenient();
    const mark = ground.box.log.mark();
    const partner = await ground.partner(() => undefined);
    partner.server.script = async (wire) => {
      await wire.expect(/<stream:stream[^>]*>/);
      wire.send(
        `${header({ from: partner.domain, id: 'x' })}<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`,
      );
    };
    ground.sendTo(partner.domain);
    expect((await ground.bounce(partner.domain)).condition).toMatch(/^remote-server-(not-found|timeout)$/);
    expect(await ground.endedTo(partner.domain, mark)).toMatch(told('host-unknown'));
  });
});
