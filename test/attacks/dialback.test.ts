import { describe, expect, it } from 'vitest';
import { DIALBACK_SECRET } from '../support/box.ts';
import {
  acceptSecured,
  answerVerify,
  authoritative,
  dialback,
  dialbackKey,
  errorIn,
  FEATURES,
  openSecured,
  type VerifyAnswer,
} from '../support/peer-streams.ts';
import { PeerServer, type Wire } from '../support/raw-peer.ts';
import { told, underAttack } from './under-attack.ts';

const here = underAttack({ network: 45 });

const REFUSED = /^(not-authorized|invalid-from|none)$/;

function result(from: string, to = 'coluc.com', content = 'some-key'): string {
  return `<db:result from='${from}' to='${to}'>${content}</db:result>`;
}

/** A stream inside TLS without a certificate: only dialback can authorize it. */
async function anonymous(from: string): Promise<{ wire: Wire; id: string }> {
  const wire = await here().box.connect();
  return { wire, id: await openSecured(wire, { from, to: 'coluc.com' }) };
}

/** Sends a stanza that must not pass; how the stream ended. */
async function refusedStanza(wire: Wire, from: string): Promise<string> {
  wire.send(`<message from='x@${from}' to='eva@coluc.com'><body>in</body></message>`);
  return errorIn(await wire.end());
}

/** What the initiating server is told when its authoritative server answers like this. */
async function answeredWith(answer: VerifyAnswer): Promise<{ wire: Wire; domain: string; xml: string; took: number }> {
  const partner = await here().partner(() => undefined);
  partner.server.script = authoritative(partner.domain, partner.certificate, answer);
  const { wire } = await anonymous(partner.domain);
  const started = performance.now();
  wire.send(result(partner.domain));
  const xml = await wire.expect(/<db:result[^>]*(?:\/>|>.*?<\/db:result>)/s);
  return { wire, domain: partner.domain, xml, took: performance.now() - started };
}

describe('as receiving server, with an authoritative server that answers', () => {
  it.each<{ answer: VerifyAnswer }>([{ answer: 'invalid' }, { answer: 'twice' }])(
    'D-38: $answer ends the stream',
    async ({ answer }) => {
      const { wire, xml, took } = await answeredWith(answer);
      expect(xml).toContain("type='invalid'");
      expect(await wire.end()).toBe('</stream:stream>');
      expect(took).toBeLessThan(1_000);
    },
  );

  it.each<{ answer: VerifyAnswer; condition: string; within: number }>([
    { answer: 'error', condition: 'remote-server-not-found', within: 1_000 },
    { answer: 'item-not-found', condition: 'remote-server-not-found', within: 1_000 },
    { answer: 'host-unknown', condition: 'remote-server-not-found', within: 1_000 },
    { answer: 'close', condition: 'remote-server-timeout', within: 1_000 },
    { answer: 'reset', condition: 'remote-server-timeout', within: 1_000 },
    { answer: 'silent', condition: 'remote-server-timeout', within: 2_500 },
    { answer: 'wrong-id', condition: 'remote-server-timeout', within: 2_500 },
    { answer: 'wrong-pair', condition: 'remote-server-timeout', within: 2_500 },
    { answer: 'swapped', condition: 'remote-server-timeout', within: 2_500 },
    { answer: 'result', condition: 'remote-server-timeout', within: 2_500 },
  ])('D-36, D-44, D-45: $answer is $condition, and authorizes nobody', async ({ answer, condition, within }) => {
    const { wire, domain, xml, took } = await answeredWith(answer);
    expect(xml).toContain("type='error'");
    expect(xml).toContain(`<${condition} `);
    expect(took).toBeLessThan(within);
    expect(await refusedStanza(wire, domain)).toMatch(REFUSED);
  });

  it('D-37: valid authorizes exactly that pair of domains on exactly that stream', async () => {
    const partner = await here().partner(() => undefined);
    partner.server.script = authoritative(partner.domain, partner.certificate, 'valid');
    const [{ wire }, other] = [await anonymous(partner.domain), await anonymous(partner.domain)];
    wire.send(result(partner.domain));
    expect(await wire.expect(/<db:result[^>]*>/)).toContain("type='valid'");
    wire.send(`<message from='x@${partner.domain}' to='eva@coluc.com' id='valid'/>`);
    expect(await here().box.home.wire.expect(/<message[^>]*\/>/)).toContain("id='valid'");
    expect(await refusedStanza(other.wire, partner.domain)).toMatch(REFUSED);
    wire.send(`<message from='x@muc.${partner.domain}' to='eva@coluc.com'/>`);
    expect(errorIn(await wire.end())).toBe('invalid-from');
  });

  it('D-34: the question never goes back over the stream that caused it', async () => {
    const partner = await here().partner(() => undefined);
    const { wire } = await anonymous(partner.domain);
    wire.send(result(partner.domain));
    await wire.expect(/<db:result[^>]*type='error'/, 6_000);
    expect(wire.text).not.toContain('db:verify');
    wire.destroy();
  });

  it('D-36: an answer on the stream of the initiating server, which was not asked, authorizes nobody', async () => {
    const partner = await here().partner(() => undefined);
    const { wire, id } = await anonymous(partner.domain);
    wire.send(result(partner.domain));
    wire.send(`<db:verify from='${partner.domain}' to='coluc.com' id='${id}' type='valid'/>`);
    expect(await refusedStanza(wire, partner.domain)).toMatch(REFUSED);
  });

  it('an authoritative server that writes without end is cut off', async () => {
    const partner = await here().partner(() => undefined);
    partner.server.script = async (wire) => {
      await acceptSecured(wire, { from: partner.domain }, partner.certificate, FEATURES.dialback);
      await dialback(wire, 'verify');
      for (let count = 0; count < 200 && !wire.ended; count++) {
        wire.send(`<db:verify from='${partner.domain}' to='coluc.com' id='no' type='valid'/>`.repeat(50));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const { wire } = await anonymous(partner.domain);
    wire.send(result(partner.domain));
    expect(await wire.expect('</db:result>')).toContain("type='error'");
    wire.destroy();
  });
});

describe('as receiving server, refusals that cause no traffic (D-30)', () => {
  it.each([
    { name: 'D-31: a target that is not ours', from: 'quiet1.lab', to: 'other.lab', condition: 'item-not-found' },
    { name: 'D-44: our own domain as sender', from: 'coluc.com', to: 'coluc.com', condition: 'not-acceptable' },
    {
      name: 'D-44: our other domain as sender',
      from: 'conference.coluc.com',
      to: 'coluc.com',
      condition: 'not-acceptable',
    },
    { name: 'our own domain in capitals', from: 'COLUC.com', to: 'coluc.com', condition: 'not-acceptable' },
    { name: 'D-11: no key', from: 'quiet2.lab', to: 'coluc.com', content: '', condition: 'bad-request' },
  ])('$name', async ({ from, to, condition, content }) => {
    const { wire } = await anonymous('quiet.lab');
    wire.send(result(from, to, content));
    expect(await wire.expect('</db:result>')).toContain(`<${condition} `);
    expect(
      here()
        .box.dns.asked()
        .filter((each) => each.includes('quiet')),
    ).toEqual([]);
    wire.destroy();
  });

  it.each([
    { name: 'D-48, V-01: a db:result that answers', xml: "<db:result from='DOMAIN' to='coluc.com' type='valid'/>" },
    {
      name: 'D-60, V-01: a db:verify that answers',
      xml: "<db:verify from='DOMAIN' to='coluc.com' id='1' type='valid'/>",
    },
    { name: 'D-13: a type that does not exist', xml: "<db:result from='DOMAIN' to='coluc.com' type='true'/>" },
    { name: 'D-11: no from', xml: "<db:result to='coluc.com'>k</db:result>" },
    { name: 'D-08: a space in from', xml: "<db:result from='DOMAIN x' to='coluc.com'>k</db:result>" },
  ])('$name authorizes nobody', async ({ xml }) => {
    const domain = here().freshDomain();
    const { wire } = await anonymous(domain);
    wire.send(xml.replace('DOMAIN', domain));
    expect(await refusedStanza(wire, domain)).toMatch(REFUSED);
    expect(
      here()
        .box.dns.asked()
        .filter((each) => each.includes(domain)),
    ).toEqual([]);
  });

  it('D-11: three that cannot be read end the stream', async () => {
    const { wire } = await anonymous(here().freshDomain());
    wire.send("<db:result to='coluc.com'>k</db:result>".repeat(3));
    expect(errorIn(await wire.end())).toBe('improper-addressing');
  });

  it('D-52: a flood of pairs is refused at 16, and ends the stream', async () => {
    const { box } = here();
    const { wire } = await anonymous('flood.lab');
    const asked = box.dns.asked().length;
    for (let n = 0; n < 200; n++) {
      box.dns.script('SRV', `_xmpp-server._tcp.n${n}.flood.lab`, { silent: true });
      wire.send(result(`n${n}.flood.lab`));
    }
    expect(errorIn(await wire.end())).toBe('policy-violation');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(box.dns.asked().length - asked).toBeLessThanOrEqual(16 * 4);
  });
});

describe('as receiving server, where the domain of the peer leads somewhere it must not (V-37)', () => {
  it.each([
    { name: 'D-44: nowhere', records: () => undefined, condition: 'remote-server-not-found' },
    {
      name: 'N-41, V-24: to ourselves',
      records: (name: string) =>
        here().box.dns.srv(name, [0, 0, here().box.port, 'us.lab']).a('us.lab', here().box.address),
      condition: 'remote-server-not-found|not-acceptable',
    },
    {
      name: 'N-39: to Redis',
      records: (name: string) => here().box.dns.srv(name, [0, 0, 6379, 'r.lab']).a('r.lab', here().box.peerAddress(3)),
      condition: 'remote-server-not-found',
    },
    {
      name: 'N-39: to SMTP',
      records: (name: string) => here().box.dns.srv(name, [0, 0, 25, 'r.lab']),
      condition: 'remote-server-not-found',
    },
    {
      name: 'N-38: to a link-local address',
      records: (name: string) => here().box.dns.srv(name, [0, 0, 5269, 'll.lab']).a('ll.lab', '169.254.169.254'),
      condition: 'remote-server-not-found',
    },
    {
      name: 'N-38: to a private address',
      records: (name: string) => here().box.dns.srv(name, [0, 0, 5269, 'p.lab']).a('p.lab', '10.0.0.1'),
      condition: 'remote-server-not-found',
    },
    {
      name: 'N-38: to 0.0.0.0',
      records: (name: string) => here().box.dns.srv(name, [0, 0, 5269, 'z.lab']).a('z.lab', '0.0.0.0'),
      condition: 'remote-server-not-found',
    },
    {
      name: 'N-38: to an IPv4 address in IPv6',
      records: (name: string) => here().box.dns.srv(name, [0, 0, 5269, 'm.lab']).aaaa('m.lab', '::ffff:10.0.0.1'),
      condition: 'remote-server-not-found',
    },
    {
      name: 'D-44: to a closed port',
      records: (name: string) =>
        here().box.dns.srv(name, [0, 0, 59_999, 'c.lab']).a('c.lab', here().box.peerAddress(3)),
      condition: 'remote-connection-failed',
    },
    {
      name: 'the target "."',
      records: (name: string) => here().box.dns.srv(name, [0, 0, 0, '.']),
      condition: 'remote-server-not-found',
    },
  ])('$name', async ({ records, condition }) => {
    const domain = here().freshDomain();
    records(domain);
    const { wire } = await anonymous(domain);
    const started = performance.now();
    wire.send(result(domain));
    const answer = await wire.expect('</db:result>');
    expect(answer).toMatch(new RegExp(`<(${condition}) `));
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(await refusedStanza(wire, domain)).toMatch(REFUSED);
  });

  it('D-53, V-38: 500 SRV records of an attacker cause a bounded number of connections', async () => {
    const ground = here();
    const victim = await PeerServer.listen(ground.box.peerAddress(9), (wire) => wire.reset());
    const domain = ground.freshDomain();
    for (let n = 0; n < 100; n++)
      ground.box.dns.srv(domain, [n, 0, victim.port, `v${n}.lab`]).a(`v${n}.lab`, victim.address);
    const { wire } = await anonymous(domain);
    wire.send(result(domain));
    await wire.expect('</db:result>');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(victim.wires.length).toBeLessThanOrEqual(32);
    wire.destroy();
    await victim[Symbol.asyncDispose]();
  });
});

/** Asks whether a key is ours; the answer's type, or its error. */
async function verified(from: string, to: string, id: string, content: string): Promise<string> {
  const { wire } = await anonymous(here().freshDomain());
  wire.send(`<db:verify from='${from}' to='${to}' id='${id}'>${content}</db:verify>`);
  const answer = await wire.expect(/<db:verify[^>]*(?:\/>|>.*?<\/db:verify>)/s);
  wire.destroy();
  return /type='error'/.test(answer)
    ? (/<error[^>]*><([a-z-]+)/.exec(answer)?.[1] ?? '')
    : (/type='([^']*)'/.exec(answer)?.[1] ?? '');
}

/** The key we make for a stream to `to`. */
function ours(to: string, id: string): string {
  return dialbackKey(DIALBACK_SECRET, to, 'coluc.com', id);
}

describe('as authoritative server', () => {
  it('D-01: our own key is valid', async () => {
    expect(await verified('vngtp.lab', 'coluc.com', 'id1', ours('vngtp.lab', 'id1'))).toBe('valid');
  });

  it.each([
    { name: 'V-23, D-08: for another receiving server', from: 'evil.lab', to: 'coluc.com', id: 'id1' },
    { name: 'for another stream', from: 'vngtp.lab', to: 'coluc.com', id: 'id2' },
    { name: 'for another domain of ours', from: 'vngtp.lab', to: 'conference.coluc.com', id: 'id1' },
    { name: 'for an empty id', from: 'vngtp.lab', to: 'coluc.com', id: '' },
  ])('a key of ours $name is not valid', async ({ from, to, id }) => {
    expect(await verified(from, to, id, ours('vngtp.lab', 'id1'))).not.toBe('valid');
  });

  it.each([
    { name: 'a key made with another secret', content: dialbackKey('a wrong secret', 'vngtp.lab', 'coluc.com', 'id1') },
    { name: 'a cut key', content: ours('vngtp.lab', 'id1').slice(0, 63) },
    { name: 'a key with more behind it', content: `${ours('vngtp.lab', 'id1')}0` },
    { name: 'letters outside ASCII', content: '\u0430'.repeat(64) },
  ])('$name is invalid', async ({ content }) => {
    expect(await verified('vngtp.lab', 'coluc.com', 'id1', content)).toBe('invalid');
  });

  it('D-55: a domain that is not ours is item-not-found', async () => {
    expect(await verified('vngtp.lab', 'other.lab', 'id1', 'x')).toBe('item-not-found');
  });

  it('D-59: an answer of valid authorizes nothing', async () => {
    const domain = here().freshDomain();
    const { wire } = await anonymous(domain);
    wire.send(
      `<db:verify from='${domain}' to='coluc.com' id='a'>${dialbackKey(DIALBACK_SECRET, domain, 'coluc.com', 'a')}</db:verify>`,
    );
    expect(await wire.expect(/<db:verify[^>]*>/)).toContain("type='valid'");
    expect(await refusedStanza(wire, domain)).toMatch(REFUSED);
  });

  it('D-62: the secret never reaches the log, nor does a key that was expected and not sent', () => {
    const log = here().box.log.lines.join('\n');
    expect(log).not.toContain(DIALBACK_SECRET);
    expect(log).not.toContain(ours('vngtp.lab', 'id2'));
  });
});

it('a verification outlives neither the stream that asked nor its time', async () => {
  const ground = here();
  const mark = ground.box.log.mark();
  const partner = await ground.partner(() => undefined);
  const asked = Promise.withResolvers<Wire>();
  partner.server.script = async (wire) => {
    await acceptSecured(wire, { from: partner.domain }, partner.certificate, FEATURES.dialback);
    const element = await dialback(wire, 'verify');
    asked.resolve(wire);
    await new Promise((resolve) => setTimeout(resolve, 200));
    answerVerify(wire, element, 'valid');
  };
  const { wire } = await anonymous(partner.domain);
  wire.send(result(partner.domain));
  await (await asked.promise).expect('').catch(() => undefined);
  wire.reset();
  await (await asked.promise).end(1_500);
  expect(await ground.ended(wire, mark)).toMatch(told('reset'));
});
