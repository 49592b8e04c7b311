import { describe, expect, it } from 'vitest';
import {
  answerHeader,
  auth,
  authenticated,
  dialback,
  errorIn,
  FEATURES,
  header,
  openStream,
  STARTTLS,
} from '../support/peer-streams.ts';
import { told, underAttack } from './under-attack.ts';

const FAILURE = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>";
const optional = underAttack({
  network: 65,
  s2s: { tls: 'optional' },
  partners: {
    rules: [
      { domain: 'none.lab', tls: 'none' },
      { domain: 'denied.lab', federation: 'deny' },
    ],
  },
});

describe('tls: optional', () => {
  it('T-08: STARTTLS on a stream that dialback has authorized is refused', async () => {
    const ground = optional();
    const partner = await ground.partner(() => undefined);
    partner.server.script = async (wire) => {
      await answerHeader(wire, { from: partner.domain }, FEATURES.dialback);
      const { from, to, id } = await dialback(wire, 'verify');
      wire.send(`<db:verify from='${to}' to='${from}' id='${id}' type='valid'/>`);
    };
    const wire = await ground.box.connect();
    await openStream(wire, { from: partner.domain, to: 'coluc.com' });
    wire.send(`<db:result from='${partner.domain}' to='coluc.com'>key</db:result>`);
    expect(await wire.expect(/<db:result[^>]*>/)).toContain("type='valid'");
    wire.send(STARTTLS);
    expect(await wire.end()).toBe(FAILURE);
  });

  it('C-42: EXTERNAL in plaintext is refused', async () => {
    const from = optional().freshDomain();
    const wire = await optional().box.connect();
    await openStream(wire, { from, to: 'coluc.com' });
    wire.send(auth(from));
    expect(await wire.expect('</failure>')).toContain('<encryption-required/>');
    wire.destroy();
  });

  it('a stanza in plaintext, before anything is proven, goes nowhere', async () => {
    const from = optional().freshDomain();
    const wire = await optional().box.connect();
    await openStream(wire, { from, to: 'coluc.com' });
    wire.send(`<message from='a@${from}' to='eva@coluc.com'/>`);
    expect(errorIn(await wire.end())).toBe('not-authorized');
  });

  it('T-13: a server that offers STARTTLS and refuses it gets nothing on that connection', async () => {
    const ground = optional();
    const partner = await ground.partner(() => undefined);
    partner.server.script = async (wire) => {
      await answerHeader(wire, { from: partner.domain }, FEATURES.startTls);
      await wire.expect(/<starttls[^>]*>/);
      wire.send(FAILURE);
    };
    ground.sendTo(partner.domain);
    expect((await ground.bounce(partner.domain)).condition).toMatch(/^remote-server/);
    for (const wire of partner.server.wires) expect(await wire.end()).not.toContain('db:result');
  });

  it('T-34: a handshake that fails is not followed by plaintext', async () => {
    const ground = optional();
    const partner = await ground.partner(() => undefined);
    partner.server.script = async (wire) => {
      await answerHeader(wire, { from: partner.domain }, FEATURES.startTls);
      await wire.expect(/<starttls[^>]*>/);
      wire.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      await new Promise((resolve) => setTimeout(resolve, 50));
      wire.reset();
    };
    ground.sendTo(partner.domain);
    await ground.bounce(partner.domain);
    for (const wire of partner.server.wires) expect(wire.text).not.toContain('db:result');
  });
});

describe('a partner with tls: none', () => {
  it('T-35: STARTTLS is not offered, and refused', async () => {
    const wire = await optional().box.connect();
    wire.send(header({ from: 'none.lab', to: 'coluc.com' }));
    expect(await wire.expect('</stream:features>')).not.toContain('starttls');
    wire.send(STARTTLS);
    expect(await wire.end()).toBe(FAILURE);
  });

  it('a stranger cannot use the rule of another domain to avoid TLS, and then speak as itself', async () => {
    const wire = await optional().box.connect();
    await openStream(wire, { from: 'none.lab', to: 'coluc.com' });
    wire.send("<message from='a@healthy.lab' to='eva@coluc.com'/>");
    expect(errorIn(await wire.end())).toBe('not-authorized');
  });
});

describe('a partner that is not allowed', () => {
  it('is told at the header, and causes no look-up', async () => {
    const mark = optional().box.log.mark();
    const wire = await optional().box.connect();
    wire.send(header({ from: 'denied.lab', to: 'coluc.com' }));
    expect(errorIn(await wire.end())).toBe('policy-violation');
    expect(await optional().ended(wire, mark)).toMatch(told('denied.lab'));
    expect(optional().box.dns.asked()).not.toContain('SRV _xmpp-server._tcp.denied.lab');
  });

  it('cannot come in by db:result on the stream of an allowed one', async () => {
    const wire = await authenticated(optional().box, optional().freshDomain());
    wire.send("<db:result from='denied.lab' to='coluc.com'>key</db:result>");
    expect(await wire.expect('</db:result>')).toContain('<policy-violation ');
    wire.send("<message from='a@denied.lab' to='eva@coluc.com'/>");
    expect(errorIn(await wire.end())).toBe('invalid-from');
  });

  it('gets nothing from the home either', async () => {
    optional().sendTo('denied.lab');
    expect((await optional().bounce('denied.lab')).condition).toBe('not-allowed');
    expect(optional().box.dns.asked()).not.toContain('SRV _xmpp-server._tcp.denied.lab');
  });
});
