import { isIPv4 } from 'node:net';
import { type Domain, parseDomain, toAscii } from '../protocol/jid/domain.ts';

/** What the inside is told; replaced as a whole when the configuration changes. */
export interface SteeringSettings {
  /** fedway's inside addresses. */
  readonly answer: readonly string[];
  /** fedway's inside S2S port. */
  readonly port: number;
  /** Seconds that the inside may remember an answer. */
  readonly ttl: number;
  /** Our own domains and further zones: they and every name below them are not steered. */
  readonly keep: readonly Domain[];
}

/** The answer to a question about a foreign domain. All names are in A-labels, without a final dot. */
export type Steered =
  /** The domain's S2S servers are at fedway: one SRV record that names the domain itself, and its addresses beside it. */
  | { readonly steer: 'srv'; readonly domain: string; readonly addresses: readonly string[] }
  /** The domain is at fedway. */
  | { readonly steer: 'addresses'; readonly addresses: readonly string[] }
  /** The domain is steered and has nothing of this kind. */
  | { readonly steer: 'no-data'; readonly domain: string };

/** Reverse look-ups, and the names of this machine (RFC 6761 §6.3). */
const NEVER_FOREIGN = ['arpa', 'localhost'];

/**
 * Decides one question of the inside.
 *
 * A question does not say what it is for. A server asks for `_xmpp-server._tcp.<domain>` only for S2S; but the addresses it asks for
 * next (or instead: ejabberd asks the C library, other servers ask when there is no SRV record) look like those of any HTTP
 * request. So **every name of at least two labels that is not kept is a foreign domain**, and all of it is answered here: SRV
 * and addresses lead to fedway, nothing else exists. What the inside server must reach otherwise (an HTTP upload service, an
 * LDAP server) is listed in `keep`. Names of one label (`localhost`, names of containers) and reverse look-ups are never steered.
 *
 * The SRV record's target is the foreign domain itself: whoever resolves the target asks here again and gets fedway's address,
 * so no other name is needed that each resolver on the way would have to know.
 *
 * `_xmpps-server._tcp` does not exist: a server that finds it opens TLS first, where STARTTLS is spoken.
 *
 * @param name as it was asked for, without a final dot
 * @returns `undefined` for what is not about a foreign domain: the rest, refused or forwarded
 */
export function steer(name: string, type: string, settings: SteeringSettings): Steered | undefined {
  const labels = name.split('.');
  const first = labels.findIndex((label) => !label.startsWith('_'));
  if (first === -1) return undefined;
  const service = labels.slice(0, first).join('.').toLowerCase();
  const domain = parseDomain(labels.slice(first).join('.'));
  if (domain === undefined || !isForeign(domain, settings.keep)) return undefined;

  const ascii = toAscii(domain);
  if (service === '_xmpp-server._tcp' && type === 'SRV') {
    return { steer: 'srv', domain: ascii, addresses: settings.answer };
  }
  if (service === '' && (type === 'A' || type === 'AAAA')) {
    const addresses = settings.answer.filter((address) => isIPv4(address) === (type === 'A'));
    if (addresses.length > 0) return { steer: 'addresses', addresses };
  }
  return { steer: 'no-data', domain: ascii };
}

function isForeign(domain: Domain, keep: readonly Domain[]): boolean {
  return (
    domain.includes('.') && ![...NEVER_FOREIGN, ...keep].some((zone) => domain === zone || domain.endsWith(`.${zone}`))
  );
}
