import { printable } from '../../protocol/identity/printable.ts';
import { parseDomain, toAscii } from '../../protocol/jid/domain.ts';
import { type Asn1, isContext, sequenceOf } from './asn1.ts';
import {
  type DistinguishedName,
  type GeneralName,
  hasEmailAddress,
  isWithin,
  readGeneralName,
  SRV_NAME,
  XMPP_ADDR,
} from './general-name.ts';

/** The extension nameConstraints of an authority (RFC 5280 §4.2.1.10). */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** The names of a certificate that constraints apply to. */
export interface NamedSubject {
  readonly subject: DistinguishedName;
  readonly altNames: readonly GeneralName[];
}

/** Reads the extension; `undefined` when it is malformed, empty, or has minimum or maximum: RFC 5280 admits neither. */
export function readNameConstraints(value: Asn1): NameConstraints | undefined {
  const parts = sequenceOf(value);
  if (parts === undefined || parts.length === 0) return undefined;
  const read: { permitted: GeneralName[]; excluded: GeneralName[] } = { permitted: [], excluded: [] };
  for (const part of parts) {
    const list = isContext(part, 0) ? read.permitted : isContext(part, 1) ? read.excluded : undefined;
    if (list === undefined || part.children === undefined) return undefined;
    for (const subtree of part.children) {
      const [base, ...more] = sequenceOf(subtree) ?? [];
      const name = base === undefined || more.length > 0 ? undefined : readGeneralName(base);
      if (name === undefined) return undefined;
      list.push(name);
    }
  }
  return read;
}

/**
 * Which name of a certificate the constraints of an authority above it forbid, as words that complete "its authority does
 * not permit ..."; `undefined` when none. A constraint of a kind that cannot be evaluated forbids every name of its kind.
 *
 * The domains inside SRV-IDs and XmppAddrs count as DNS names: else an authority that may only speak for one domain could
 * prove any other with them (RFC 9525 §7).
 */
export function forbiddenName(constraints: NameConstraints, certificate: NamedSubject): string | undefined {
  for (const subject of subjectsOf(certificate)) {
    const permitted = constraints.permitted.filter((base) => isOfKind(base, subject));
    if (permitted.length > 0 && !permitted.some((base) => isInside(subject, base))) return inWords(subject);
    const excluded = constraints.excluded.filter((base) => isOfKind(base, subject));
    if (excluded.some((base) => mayTouch(subject, base))) return inWords(subject);
  }
  return undefined;
}

/** The names that constraints apply to: subjectAltName, the subject, and the e-mail addresses inside the subject. */
function subjectsOf(certificate: NamedSubject): readonly GeneralName[] {
  const names: GeneralName[] = [...certificate.altNames];
  for (const name of certificate.altNames) {
    if (name.kind !== 'other') continue;
    if (name.type === SRV_NAME) names.push({ kind: 'dns', value: domainOfSrv(name.value ?? '') });
    if (name.type === XMPP_ADDR) names.push({ kind: 'dns', value: domainOfAddress(name.value ?? '') });
  }
  if (certificate.subject.length > 0) names.push({ kind: 'directory', value: certificate.subject });
  if (hasEmailAddress(certificate.subject)) names.push({ kind: 'email', value: '' });
  return names;
}

/** `_xmpp-server.vngtp.lab` speaks for `vngtp.lab` (RFC 4985 §2). */
function domainOfSrv(value: string): string {
  return value.slice(value.indexOf('.') + 1);
}

/** The part between `@` and `/` (RFC 7622 §3.2), prepared as it is for identity; what is no domain proves none. */
function domainOfAddress(value: string): string {
  const [bare = ''] = value.split('/', 1);
  const domain = parseDomain(bare.slice(bare.indexOf('@') + 1));
  return domain === undefined ? '' : toAscii(domain);
}

function isOfKind(base: GeneralName, name: GeneralName): boolean {
  if (base.kind !== name.kind) return false;
  if (base.kind === 'other') return name.kind === 'other' && base.type === name.type;
  return base.kind !== 'unknown' || (name.kind === 'unknown' && base.tag === name.tag);
}

function isInside(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === 'dns' && base.kind === 'dns') return isBelow(name.value, base.value);
  if (name.kind === 'directory' && base.kind === 'directory') return isWithin(name.value, base.value);
  if (name.kind === 'ip' && base.kind === 'ip') return isInNetwork(name.value, base.value);
  // E-mail addresses, URIs and other otherNames are nothing to us: never inside.
  return false;
}

function mayTouch(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === 'dns' && base.kind === 'dns') {
    if (isBelow(name.value, base.value)) return true;
    // A wildcard also stands for names inside a subtree that begins one label below it.
    const wild = name.value.startsWith('*.') ? name.value.slice(2) : undefined;
    return wild !== undefined && isBelow(base.value.replace(/^\./, ''), wild);
  }
  if (name.kind === 'directory' && base.kind === 'directory') return isWithin(name.value, base.value);
  if (name.kind === 'ip' && base.kind === 'ip') {
    return isInNetwork(name.value, base.value) || ![8, 32].includes(base.value.length);
  }
  return true;
}

/** RFC 5280 §4.2.1.10: labels added on the left. A leading dot, as some authorities write it, demands at least one. */
function isBelow(name: string, base: string): boolean {
  const [within, above] = [name.toLowerCase(), base.toLowerCase()];
  if (above === '') return true;
  if (above.startsWith('.')) return within.endsWith(above) && within.length > above.length;
  return within === above || within.endsWith(`.${above}`);
}

/** The base holds an address and a mask of the same length. */
function isInNetwork(address: Uint8Array, base: Uint8Array): boolean {
  if (base.length !== address.length * 2) return false;
  return address.every((octet, at) => {
    const mask = base[address.length + at] ?? 0xff;
    return (octet & mask) === ((base[at] ?? 0) & mask);
  });
}

function inWords(name: GeneralName): string {
  if (name.kind === 'dns') return `DNS names like "${printable(name.value)}"`;
  if (name.kind === 'directory') return 'its subject';
  if (name.kind === 'other') return `names of type ${name.type}`;
  if (name.kind === 'unknown') return `names with the tag ${name.tag}`;
  return { email: 'e-mail addresses', uri: 'URIs', ip: 'IP addresses' }[name.kind];
}
