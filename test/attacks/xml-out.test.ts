import { describe, expect, it } from 'vitest';
import {
  acceptAuthenticated,
  acceptSecured,
  answerHeader,
  errorIn,
  FEATURES,
  header,
} from '../support/peer-streams.ts';
import type { Script } from '../support/raw-peer.ts';
import { ILL_FORMED } from './ill-formed.ts';
import { told, underAttack } from './under-attack.ts';

const here = underAttack({ network: 42 });
const ANYWHERE = ILL_FORMED.filter((each) => each.authenticated !== true);

/** Has fedway dial a server that plays a script; how the stream ended on its side, and the bounce for the home. */
async function dialed(
  script: (domain: string) => Script,
): Promise<{ error: string; sentence: string; bounce: string }> {
  const ground = here();
  const mark = ground.box.log.mark();
  const partner = await ground.partner(() => undefined);
  partner.server.script = script(partner.domain);
  ground.sendTo(partner.domain);
  const bounce = await ground.bounce(partner.domain);
  const [wire] = partner.server.wires;
  const sentence = await ground.endedTo(partner.domain, mark);
  return { error: wire === undefined ? 'none' : errorIn(await wire.end()), sentence, bounce: bounce.condition };
}

describe('ill-formed XML from a server that we dialed, before TLS', () => {
  it.each(ANYWHERE)('$name', async ({ bytes, error }) => {
    const seen = await dialed((domain) => async (wire) => {
      await wire.expect(/<stream:stream[^>]*>/);
      wire.send(header({ from: domain, id: 'x' })).send(bytes);
    });
    expect(seen.error).toMatch(error);
    expect(seen.sentence).toMatch(told(seen.error));
    expect(seen.bounce).toMatch(/^remote-server-(timeout|not-found)$|^internal-server-error$/);
  });
});

describe('ill-formed XML from a server that we dialed, inside TLS', () => {
  it.each(ANYWHERE)('$name', async ({ bytes, error }) => {
    const seen = await dialed((domain) => async (wire) => {
      await acceptSecured(wire, { from: domain }, here().box.certificate(domain), '<stream:features>');
      wire.send('</stream:features>').send(bytes);
    });
    expect(seen.error).toMatch(error);
    expect(seen.sentence).toMatch(told(seen.error));
  });
});

describe('ill-formed XML from a server that has taken our stanza', () => {
  it.each(ANYWHERE)('$name', async ({ bytes, error }) => {
    const ground = here();
    const mark = ground.box.log.mark();
    const partner = await ground.partner(() => undefined);
    partner.server.script = async (wire) => {
      await acceptAuthenticated(wire, { from: partner.domain }, partner.certificate);
      await wire.expect('</message>');
      wire.send(bytes);
    };
    ground.sendTo(partner.domain);
    await expect.poll(() => partner.server.wires.length).toBe(1);
    const [wire] = partner.server.wires;
    expect(errorIn((await wire?.end()) ?? '')).toMatch(error);
    expect(await ground.endedTo(partner.domain, mark)).toMatch(told(errorIn(wire?.text ?? '')));
  });
});

describe('hostile answers to our stream header', () => {
  const ours = header({ from: 'vngtp.lab', id: 'x' });
  it.each([
    { name: 'X-05: a DOCTYPE first', text: `<!DOCTYPE a>${ours}`, error: /^restricted-xml$/ },
    { name: 'S-53: an HTTP server', text: 'HTTP/1.1 400 Bad Request\r\n\r\n', error: /^not-well-formed$/ },
    { name: 'an SSH server', text: 'SSH-2.0-OpenSSH_9.9\r\n', error: /^not-well-formed$/ },
    { name: 'a root that is no stream', text: '<html>', error: /^(bad-format|invalid-namespace)$/ },
    {
      name: 'a stream of a client',
      text: ours.replace('jabber:server', 'jabber:client'),
      error: /^invalid-namespace$/,
    },
    {
      name: 'a second header',
      text: ours + FEATURES.none.slice(0, 0) + ours,
      error: /^(bad-format|not-well-formed|invalid-xml)$/,
    },
    { name: 'an endless header', text: `${ours.slice(0, -1)} x='${'x'.repeat(50_000)}`, error: /^policy-violation$/ },
    { name: 'endless features', text: `${ours}<stream:features>${'<a/>'.repeat(50_000)}`, error: /^policy-violation$/ },
    {
      name: 'C-57: success nobody asked for',
      text: `${ours}<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`,
      error: /^(not-authorized|unsupported-stanza-type)$/,
    },
    {
      name: 'R-05: a stanza',
      text: `${ours}<message from='x@vngtp.lab' to='eva@coluc.com'/>`,
      error: /^not-authorized$/,
    },
    {
      name: 'a challenge nobody asked for',
      text: `${ours}<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>eA==</challenge>`,
      error: /^(not-authorized|unsupported-stanza-type)$/,
    },
    { name: 'an unknown element', text: `${ours}<a xmlns='urn:test'/>`, error: /^unsupported-stanza-type$/ },
    {
      name: 'proceed nobody asked for',
      text: `${ours}<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`,
      error: /^(not-authorized|unsupported-stanza-type)$/,
    },
  ])('$name', async ({ text, error }) => {
    const seen = await dialed(() => async (wire) => {
      await wire.expect(/<stream:stream[^>]*>/);
      wire.send(text);
    });
    expect(seen.error).toMatch(error);
    expect(seen.sentence).toMatch(told(seen.error));
  });
});

/** The script of a server that goes as far as a stage and stops there. */
const until = (stage: string, close: 'silent' | 'reset' | 'fin'): ((domain: string) => Script) => {
  const stopped = (wire: Parameters<Script>[0]): void => {
    if (close === 'reset') wire.reset();
    if (close === 'fin') wire.fin();
  };
  return (domain) => async (wire) => {
    const certificate = here().box.certificate(domain);
    if (stage === 'connection') return stopped(wire);
    if (stage === 'header') {
      await wire.expect(/<stream:stream[^>]*>/);
      wire.send(header({ from: domain, id: 'x' }));
      return stopped(wire);
    }
    if (stage === 'features') {
      await answerHeader(wire, { from: domain }, FEATURES.startTls);
      await wire.expect(/<starttls[^>]*>/);
      return stopped(wire);
    }
    if (stage === 'proceed') {
      await answerHeader(wire, { from: domain }, FEATURES.startTls);
      await wire.expect(/<starttls[^>]*>/);
      wire.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      return stopped(wire);
    }
    if (stage === 'tls') {
      await answerHeader(wire, { from: domain }, FEATURES.startTls);
      await wire.expect(/<starttls[^>]*>/);
      wire.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      await wire.startTls('server', { certificate });
      return stopped(wire);
    }
    if (stage === 'auth') {
      await acceptSecured(wire, { from: domain }, certificate, FEATURES.external);
      await wire.expect('</auth>');
      return stopped(wire);
    }
    if (stage === 'success') {
      await acceptSecured(wire, { from: domain }, certificate, FEATURES.external);
      await wire.expect('</auth>');
      wire.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
      return stopped(wire);
    }
    await acceptSecured(wire, { from: domain }, certificate, FEATURES.dialback);
    await wire.expect('</db:result>');
    return stopped(wire);
  };
};

describe('servers that stop, at every stage of the negotiation', () => {
  const stages = ['connection', 'header', 'features', 'proceed', 'tls', 'auth', 'success', 'db:result'] as const;
  const closes = ['silent', 'reset', 'fin'] as const;

  it('D-27, R-35: silence, a reset or a FIN after any stage is a bounce in time, and a line that says where', async () => {
    const ground = here();
    const mark = ground.box.log.mark();
    const domains: string[] = [];
    for (const stage of stages) {
      for (const close of closes) {
        const partner = await ground.partner(() => undefined);
        partner.server.script = until(stage, close)(partner.domain);
        domains.push(partner.domain);
        ground.sendTo(partner.domain);
      }
    }
    await expect.poll(() => bounced(ground.box.home.received), { timeout: 8_000 }).toEqual(domains.sort());
    ground.box.home.wire.text = '';
    for (const domain of domains) expect(await ground.endedTo(domain, mark)).not.toBe('');
  });
});

/** The domains for which bounces have arrived. */
function bounced(received: string): string[] {
  return [...received.matchAll(/<message(?=[^>]* type='error')[^>]* from='jan@([^']*)'/g)]
    .map(([, domain]) => domain ?? '')
    .sort();
}
