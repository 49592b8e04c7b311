import { NS } from '../namespaces.ts';
import type { XmlElement, XmlNode } from '../xml/types.ts';
import { childOf, textOf } from '../xml/write.ts';

/** What a receiving server offers at one point of the negotiation. */
export interface OfferedFeatures {
  readonly startTls: 'no' | 'offered' | 'required';
  readonly external: boolean;
  readonly dialback: boolean;
}

/** Our `<stream:features/>`. While TLS is required it is alone (RFC 6120 §5.3.1); `<mechanisms/>` is never empty (checklist C-32). */
export function writeFeatures(offered: OfferedFeatures): string {
  let xml = '';
  if (offered.startTls === 'required') xml += `<starttls xmlns='${NS.tls}'><required/></starttls>`;
  if (offered.startTls === 'offered') xml += `<starttls xmlns='${NS.tls}'/>`;
  if (offered.external) xml += `<mechanisms xmlns='${NS.sasl}'><mechanism>EXTERNAL</mechanism></mechanisms>`;
  if (offered.dialback) xml += `<dialback xmlns='${NS.dialbackFeature}'><errors/></dialback>`;
  return xml === '' ? '<stream:features/>' : `<stream:features>${xml}</stream:features>`;
}

/** What a peer's `<stream:features/>` means to an initiating server. */
export interface ReceivedFeatures {
  readonly startTls: 'no' | 'offered' | 'required';
  /** EXTERNAL is the one mechanism between servers; others are not looked at (checklist C-51). */
  readonly external: boolean;
  readonly dialback: boolean;
  /** The name of a feature that we do not know and that must be negotiated (RFC 6120 §4.3.2); voluntary ones are left out. */
  readonly unknownRequired: string | undefined;
}

/** Reads `<stream:features/>`. */
export function readFeatures(features: XmlElement): ReceivedFeatures {
  const startTls = childOf(features, 'starttls', NS.tls);
  return {
    startTls: startTls === undefined ? 'no' : isRequired(startTls) ? 'required' : 'offered',
    external: childOf(features, 'mechanisms', NS.sasl)?.children.some(isExternal) ?? false,
    dialback: childOf(features, 'dialback', NS.dialbackFeature) !== undefined,
    unknownRequired: features.children.find(isUnknownAndRequired)?.name,
  };
}

function isExternal(child: XmlNode): boolean {
  return (
    typeof child !== 'string' &&
    child.name === 'mechanism' &&
    child.namespace === NS.sasl &&
    textOf(child).trim() === 'EXTERNAL'
  );
}

/** RFC 6120 §4.3.2: a feature says that it must be negotiated by a `<required/>` of its own namespace. */
function isRequired(feature: XmlElement): boolean {
  return childOf(feature, 'required', feature.namespace) !== undefined;
}

const KNOWN: ReadonlySet<string> = new Set([NS.tls, NS.sasl, NS.dialbackFeature]);

function isUnknownAndRequired(child: XmlNode): child is XmlElement {
  return typeof child !== 'string' && !KNOWN.has(child.namespace) && isRequired(child);
}
