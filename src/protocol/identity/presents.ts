import { type Domain, parseDomain, toAscii } from '../jid/domain.ts';
import type { PeerCertificate, PresentedName } from './facts.ts';
import { printable } from './printable.ts';

/** Whether a certificate proves a domain; `because` is a sentence for the log. */
export type Presentation = { readonly proven: true } | { readonly proven: false; readonly because: string };

/** RFC 9525 §6.3 and DNS limits: ASCII labels, no trailing dot; not a lone `_`. */
const LABEL = /^(?!_+$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const LONGEST_NAME = 253;

/** RFC 6120 §13.7.1.2.1: the service of a server-to-server SRV-ID, compared without regard to case. */
const SERVICE = '_xmpp-server.';

const NAMES_TOLD = 8;
const KIND = { dns: 'DNS', srv: 'SRVName', xmpp: 'XmppAddr' } as const;

/**
 * Does the certificate prove that the peer is `domain` at the time `now` (Unix milliseconds)? The path must hold, the
 * certificate must be in its period, and one of its names must fit (RFC 6120 §13.7.2, RFC 9525 §6).
 */
export function presents(certificate: PeerCertificate, domain: Domain, now: number): Presentation {
  if (certificate.untrusted !== undefined) return unproven(certificate.untrusted);
  if (now < certificate.notBefore) {
    return unproven(`the certificate is not valid before ${instant(certificate.notBefore)}`);
  }
  if (now > certificate.notAfter) return unproven(`the certificate expired on ${instant(certificate.notAfter)}`);
  if (matches(certificate.names, domain)) return { proven: true };
  return unproven(`the certificate presents ${told(certificate.names)}; not ${shown(domain)}`);
}

/** Whether one of the names stands for the domain; they are alternatives (RFC 9525 §6.2). */
export function matches(names: readonly PresentedName[], domain: Domain): boolean {
  const reference = toAscii(domain);
  return names.some(({ kind, value }) => {
    if (kind === 'dns') return dnsNameFits(value, reference);
    if (kind === 'srv') {
      return (
        lowerAscii(value.slice(0, SERVICE.length)) === SERVICE && dnsNameFits(value.slice(SERVICE.length), reference)
      );
    }
    // RFC 6120 §13.7.1.4: a bare domain, prepared like any other; parseDomain refuses localparts, resources and wildcards.
    return parseDomain(value) === domain;
  });
}

/** RFC 9525 §6.3: label by label in A-label form; `*` only as the whole left-most label, for exactly one label. */
function dnsNameFits(presented: string, reference: string): boolean {
  if (presented.length > LONGEST_NAME) return false;
  const name = lowerAscii(presented);
  const wildcard = name.startsWith('*.');
  const labels = (wildcard ? name.slice(2) : name).split('.');
  if (!labels.every((label) => LABEL.test(label))) return false;
  if (!wildcard) return name === reference;
  // RFC 9525 §7.1: a wildcard directly below a top-level domain would stand for strangers.
  if (labels.length < 2) return false;
  const dot = reference.indexOf('.');
  return dot > 0 && reference.slice(dot + 1) === labels.join('.');
}

/** `toLowerCase` maps some other letters to ASCII ones (U+212A KELVIN SIGN is `k`); a name is compared by its own octets. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function unproven(because: string): Presentation {
  return { proven: false, because };
}

function told(names: readonly PresentedName[]): string {
  if (names.length === 0) return 'no DNS, SRV or XMPP name';
  const some = names.slice(0, NAMES_TOLD).map((name) => `${KIND[name.kind]}:${printable(name.value)}`);
  const more = names.length - some.length;
  return `only ${some.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function shown(domain: Domain): string {
  const ascii = toAscii(domain);
  return ascii === domain ? domain : `${domain} (${ascii})`;
}

function instant(time: number): string {
  return Number.isFinite(new Date(time).getTime()) ? new Date(time).toISOString() : 'an impossible date';
}
