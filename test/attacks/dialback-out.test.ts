import { describe, expect, it } from 'vitest';
import { DIALBACK_SECRET } from '../support/box.ts';
import { acceptSecured, dialback, dialbackKey, FEATURES } from '../support/peer-streams.ts';
import { type Partner, underAttack } from './under-attack.ts';

const here = underAttack({ network: 50 });
/** The keys fedway sent, each beside the one it should be. */
const keys: [sent: string, expected: string][] = [];

/** A server that answers our db:result like this. */
async function answering(answer: string): Promise<Partner> {
  const partner = await here().partner(() => undefined);
  partner.server.script = async (wire) => {
    await acceptSecured(wire, { from: partner.domain }, partner.certificate, FEATURES.dialback);
    const asked = await dialback(wire, 'result');
    keys.push([asked.key, dialbackKey(DIALBACK_SECRET, partner.domain, 'coluc.com', 'a-stream-of-the-test')]);
    wire.send(answer.replaceAll('DOMAIN', partner.domain));
  };
  here().sendTo(partner.domain);
  return partner;
}

describe('as initiating server', () => {
  it('D-22: valid lets the stanzas out', async () => {
    const partner = await answering("<db:result from='DOMAIN' to='coluc.com' type='valid'/>");
    await expect.poll(() => partner.server.wires[0]?.text ?? '').toContain('<body>hello</body>');
  });

  it.each<{ name: string; answer: string; bounce: RegExp }>([
    {
      name: 'D-23: invalid',
      answer: "<db:result from='DOMAIN' to='coluc.com' type='invalid'/>",
      bounce: /^internal-server-error$/,
    },
    {
      name: 'D-24: an error',
      answer: "<db:result from='DOMAIN' to='coluc.com' type='error'/>",
      bounce: /^remote-server-timeout$/,
    },
    {
      name: 'D-21: invalid, then valid',
      answer:
        "<db:result from='DOMAIN' to='coluc.com' type='invalid'/><db:result from='DOMAIN' to='coluc.com' type='valid'/>",
      bounce: /^internal-server-error$/,
    },
    {
      name: 'D-20: valid of another domain',
      answer: "<db:result from='other.lab' to='coluc.com' type='valid'/>",
      bounce: /^remote-server-timeout$/,
    },
    {
      name: 'D-20: valid for another domain of ours',
      answer: "<db:result from='DOMAIN' to='conference.coluc.com' type='valid'/>",
      bounce: /^remote-server-timeout$/,
    },
    {
      name: 'D-20: valid the wrong way round',
      answer: "<db:result from='coluc.com' to='DOMAIN' type='valid'/>",
      bounce: /^remote-server-timeout$/,
    },
    {
      name: 'V-01: db:verify valid',
      answer: "<db:verify from='DOMAIN' to='coluc.com' id='a-stream-of-the-test' type='valid'/>",
      bounce: /^remote-server-timeout$/,
    },
    { name: 'D-46: nothing', answer: ' ', bounce: /^remote-server-timeout$/ },
  ])('$name: nothing is sent, and the home is told', async ({ answer, bounce }) => {
    const mark = here().box.log.mark();
    const partner = await answering(answer);
    expect((await here().bounce(partner.domain)).condition).toMatch(bounce);
    expect(await here().endedTo(partner.domain, mark)).not.toBe('');
    expect(partner.server.wires[0]?.text ?? '').not.toContain('<body>');
  });

  it('D-01: every key was made as XEP-0185 says', () => {
    expect(keys.length).toBeGreaterThan(0);
    for (const [sent, expected] of keys) expect(sent).toBe(expected);
  });

  it('D-18: the key is bound to the id inside TLS', async () => {
    const ground = here();
    const partner = await ground.partner(() => undefined);
    const sent: string[] = [];
    partner.server.script = async (wire) => {
      await wire.expect(/<stream:stream[^>]*>/);
      wire.send(
        `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' from='${partner.domain}' id='outer' version='1.0'>${FEATURES.startTls}`,
      );
      await wire.expect(/<starttls[^>]*>/);
      wire.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      await wire.startTls('server', { certificate: partner.certificate });
      await wire.expect(/<stream:stream[^>]*>/);
      wire.send(
        `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' from='${partner.domain}' id='inner' version='1.0'>${FEATURES.dialback}`,
      );
      sent.push((await dialback(wire, 'result')).key);
      wire.reset();
    };
    ground.sendTo(partner.domain);
    await ground.bounce(partner.domain);
    expect(sent).toEqual([dialbackKey(DIALBACK_SECRET, partner.domain, 'coluc.com', 'inner')]);
  });
});
