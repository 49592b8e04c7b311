import { describe, expect, it } from 'vitest';
import { authority, type Issued, issue, leaf } from '../support/certificates.ts';
import { auth, authenticated, errorIn, header, openSecured, openStream, STARTTLS } from '../support/peer-streams.ts';
import type { Wire } from '../support/raw-peer.ts';
import { underAttack } from './under-attack.ts';

const here = underAttack({ network: 49, moreHomes: [['second.example']] });
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const parts = (): { from: string; to: string } => ({ from: here().freshDomain(), to: 'coluc.com' });

function constrained(): Issued {
  return authority('Constrained', { permitted: [{ dns: 'elsewhere.lab' }] }, here().box.root);
}

/** A secured stream on which EXTERNAL is offered. */
async function offered(): Promise<{ wire: Wire; from: string }> {
  const own = parts();
  const wire = await here().box.connect();
  await openSecured(wire, own, here().box.certificate(own.from));
  return { wire, from: own.from };
}

/** What a peer with a certificate is offered, and what becomes of it when it uses EXTERNAL anyway. */
async function tried(
  certificate: Issued | undefined,
  own: { from: string; to: string },
): Promise<{ wire: Wire; features: string; answer: string }> {
  const wire = await here().box.connect();
  await openStream(wire, own);
  wire.send(STARTTLS);
  await wire.expect(/<proceed[^>]*>/);
  await wire.startTls('client', certificate === undefined ? {} : { certificate });
  wire.send(header(own));
  const features = await wire.expect(/<\/stream:features>/);
  wire.send(auth(own.from));
  return { wire, features, answer: await wire.expect(/<success[^>]*>|<\/failure>/) };
}

describe('SASL EXTERNAL and the certificates it stands on', () => {
  const attacker = authority('Test Root');
  const other = authority('Another Root');
  const old = { notBefore: new Date(Date.now() - 9e8), notAfter: new Date(Date.now() - 1e6) };
  const cases: readonly {
    name: string;
    certificate: (domain: string) => Issued | undefined;
    offered: boolean;
    because?: RegExp;
  }[] = [
    {
      name: 'C-06: a good chain with serverAuth only',
      certificate: (domain) => leaf(domain, here().box.root),
      offered: true,
    },
    {
      name: 'a good chain with clientAuth only',
      certificate: (domain) => leaf(domain, here().box.root, { extendedKeyUsage: ['client'] }),
      offered: true,
    },
    { name: 'C-31: no certificate', certificate: () => undefined, offered: false, because: /no certificate/ },
    {
      name: 'C-03, INVALID_PURPOSE: self-signed with serverAuth only',
      certificate: (domain) => leaf(domain),
      offered: false,
      because: /self-signed|issuer|author/i,
    },
    {
      name: 'C-01, INVALID_PURPOSE: under an authority of the attacker with serverAuth only',
      certificate: (domain) => leaf(domain, other),
      offered: false,
    },
    {
      name: 'C-01: under an authority of the attacker that bears the name of ours',
      certificate: (domain) => leaf(domain, attacker),
      offered: false,
    },
    {
      name: 'C-03: expired',
      certificate: (domain) => leaf(domain, here().box.root, old),
      offered: false,
      because: /expired/,
    },
    {
      name: 'C-03: not yet valid',
      certificate: (domain) => leaf(domain, here().box.root, { notBefore: new Date(Date.now() + 9e7) }),
      offered: false,
    },
    {
      name: 'C-10: for another name',
      certificate: () => leaf('wrong.lab', here().box.root),
      offered: false,
      because: /wrong\.lab/,
    },
    {
      name: 'C-21: with the domain in the common name only',
      certificate: (domain) =>
        issue({ authority: false, subject: domain, extendedKeyUsage: ['server'] }, here().box.root),
      offered: false,
    },
    {
      name: 'C-23, V-39: with a name that prints as two',
      certificate: (domain) => leaf(`evil.lab, DNS:${domain}`, here().box.root),
      offered: false,
    },
    {
      name: 'C-24: with a NUL behind the name',
      certificate: (domain) => leaf(`${domain}\0.evil.lab`, here().box.root),
      offered: false,
    },
    { name: 'C-15: for *', certificate: () => leaf('*', here().box.root), offered: false },
    {
      name: 'C-04: that is an authority itself',
      certificate: (domain) => issue({ authority: true, subject: domain, names: [{ dns: domain }] }, here().box.root),
      offered: false,
    },
    {
      name: 'C-07: for signing code',
      certificate: (domain) => leaf(domain, here().box.root, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.3'] }),
      offered: false,
    },
    {
      name: 'C-01: outside the constraints of its authority',
      certificate: (domain) => leaf(domain, constrained()),
      offered: false,
    },
    {
      name: 'C-01: issued by a leaf',
      certificate: (domain) => leaf(domain, leaf('vngtp.lab', here().box.root)),
      offered: false,
    },
    {
      name: 'T-19: signed with SHA-1',
      certificate: (domain) => leaf(domain, here().box.root, { digest: 'sha1' }),
      offered: false,
    },
  ];
  it.each(cases.filter((each) => each.offered))('accepted: $name', async ({ certificate }) => {
    const own = parts();
    const { wire, features, answer } = await tried(certificate(own.from), own);
    expect(features).toContain('<mechanism>EXTERNAL</mechanism>');
    expect(answer).toContain('<success ');
    await openStream(wire, own);
    wire.send(`<message from='x@${own.from}' to='eva@coluc.com' id='proven'/>`);
    expect(await here().box.home.wire.expect(/<message[^>]*\/>/)).toContain("id='proven'");
    wire.destroy();
  });

  it.each(cases.filter((each) => !each.offered))('not accepted: $name', async ({ certificate, because }) => {
    const own = parts();
    const mark = here().box.log.mark();
    const { wire, features, answer } = await tried(certificate(own.from), own);
    expect(features).not.toContain('EXTERNAL');
    expect(answer).toContain('<not-authorized/>');
    wire.send(`<message from='x@${own.from}' to='eva@coluc.com'><body>in</body></message>`);
    expect(errorIn(await wire.end())).toBe('not-authorized');
    const line = await here().box.log.wait(
      (each) => each.code === 'external-not-offered' && each.peer === wire.name,
      mark,
    );
    expect(line.message).toMatch(because ?? /./);
  });

  it.each([
    { name: 'C-37: another domain', content: Buffer.from('evil.lab').toString('base64'), failure: 'invalid-authzid' },
    {
      name: 'C-36: a domain of ours',
      content: Buffer.from('coluc.com').toString('base64'),
      failure: 'invalid-authzid',
    },
    { name: 'C-36: no domain', content: Buffer.from('a b').toString('base64'), failure: 'invalid-authzid' },
    { name: 'C-36: not UTF-8', content: Buffer.from([0xff, 0xfe]).toString('base64'), failure: 'incorrect-encoding' },
    { name: 'C-40: white space in base64', content: 'ZXZp bC5sYWI=', failure: 'incorrect-encoding' },
    { name: 'C-40: no base64', content: '!!!!', failure: 'incorrect-encoding' },
    { name: 'C-40: without padding', content: 'ZXZpbC5sYWI', failure: 'incorrect-encoding' },
    { name: 'C-40: bits behind the end', content: 'ZXZpbC5sYWJ=', failure: 'incorrect-encoding' },
  ])('authorization identity: $name', async ({ content, failure }) => {
    const { wire, from } = await offered();
    wire.send(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>${content}</auth>`);
    expect(await wire.expect('</failure>')).toContain(`<${failure}/>`);
    wire.send(`<message from='x@${from}' to='eva@coluc.com'/>`);
    expect(errorIn(await wire.end())).toBe('not-authorized');
  });

  it('C-41, C-43, C-47: other mechanisms, abort, responses to nothing; the third failure ends the stream', async () => {
    const { wire } = await offered();
    wire.send(`<auth xmlns='${SASL}' mechanism='PLAIN'>AGEAYg==</auth>`);
    expect(await wire.expect('</failure>')).toContain('<invalid-mechanism/>');
    wire.send(`<abort xmlns='${SASL}'/>`);
    expect(await wire.expect('</failure>')).toContain('<aborted/>');
    wire.send(`<response xmlns='${SASL}'>=</response>`);
    expect(await wire.expect('</failure>')).toContain('<malformed-request/>');
    expect(errorIn(await wire.end())).toBe('policy-violation');
  });

  it('C-45: authentication after authentication ends the stream', async () => {
    const from = here().freshDomain();
    const wire = await authenticated(here().box, from);
    wire.send(auth(from).repeat(20));
    expect(errorIn(await wire.end())).toBe('unsupported-stanza-type');
  });

  it.each([
    { name: 'from', change: { from: 'evil.lab' }, error: 'invalid-from' },
    { name: 'to', change: { to: 'conference.coluc.com' }, error: 'improper-addressing' },
  ])('S-45, V-08: another $name after authentication ends the stream', async ({ change, error }) => {
    const { wire, from } = await offered();
    wire.send(auth(from));
    await wire.expect(/<success[^>]*>/);
    wire.send(header({ from, to: 'coluc.com', ...change }));
    expect(errorIn(await wire.end())).toBe(error);
  });

  it('C-33: EXTERNAL without from and without authorization identity authorizes nobody', async () => {
    const wire = await here().box.connect();
    await openSecured(wire, { to: 'coluc.com' }, here().box.certificate('vngtp.lab'));
    wire.send(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`);
    expect(await wire.expect('</failure>')).toContain('<invalid-authzid/>');
    wire.destroy();
  });

  it('C-26: a certificate for two domains authorizes the one that was asserted', async () => {
    const from = here().freshDomain();
    const wire = await here().box.connect();
    await openSecured(wire, { from, to: 'coluc.com' }, here().box.certificate(from, `*.${from}`));
    wire.send(auth(from));
    await wire.expect(/<success[^>]*>/);
    await openStream(wire, { from, to: 'coluc.com' });
    wire.send(`<message from='x@muc.${from}' to='eva@coluc.com'/>`);
    expect(errorIn(await wire.end())).toBe('invalid-from');
  });
});
