import { NS } from '../namespaces.ts';
import type { XmlElement } from '../xml/types.ts';
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

/** What a peer's `<stream:features/>` means to an initiating server. Voluntary features that we do not know are left out (checklist S-49). */
export interface ReceivedFeatures {
  readonly startTls: boolean;
  readonly external: boolean;
  /** Mechanisms other than EXTERNAL, for the log: fedway uses none of them (checklist C-51). */
  readonly otherMechanisms: readonly string[];
  readonly dialback: boolean;
  /** Whether dialback errors leave the stream open (XEP-0220 §2.4.2). */
  readonly dialbackErrors: boolean;
}

/** Reads `<stream:features/>`. */
export function readFeatures(features: XmlElement): ReceivedFeatures {
  const mechanisms: string[] = [];
  for (const child of childOf(features, 'mechanisms', NS.sasl)?.children ?? []) {
    if (typeof child !== 'string' && child.name === 'mechanism') mechanisms.push(textOf(child).trim().toUpperCase());
  }
  const dialback = childOf(features, 'dialback', NS.dialbackFeature);
  return {
    startTls: childOf(features, 'starttls', NS.tls) !== undefined,
    external: mechanisms.includes('EXTERNAL'),
    otherMechanisms: mechanisms.filter((each) => each !== 'EXTERNAL'),
    dialback: dialback !== undefined,
    dialbackErrors: dialback !== undefined && childOf(dialback, 'errors', NS.dialbackFeature) !== undefined,
  };
}
