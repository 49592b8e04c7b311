import type { Domain } from '../../protocol/jid/domain.ts';
import { type Jid, parseJid } from '../../protocol/jid/jid.ts';
import { prepareJid, readJid } from '../../protocol/jid/prepare.ts';
import { printJid } from '../../protocol/jid/print.ts';
import { NS } from '../../protocol/namespaces.ts';
import { rescoped } from '../../protocol/stream/written-stanza.ts';
import type { Stanza, XmlElement } from '../../protocol/xml/types.ts';
import type { Packet } from '../packet.ts';
import type { PacketError } from '../stanza-errors.ts';

/** What becomes of a stanza from outside: it is let in, answered with an error, or refused without a word. `refused` is for our log. */
export type Arrival =
  | { readonly packet: Packet }
  | { readonly packet: Packet; readonly answer: PacketError }
  | { readonly refused: string };

/**
 * Judges a stanza that a component has brought. Its stream is not believed: the sender must not be one of ours, and the addressee must.
 *
 * @param isLocal whether a domain is one of ours
 */
export function arrivalOf(stanza: Stanza, isLocal: (domain: Domain) => boolean): Arrival {
  const from = readJid(stanza.from ?? '');
  if (from === undefined) return { refused: "its 'from' is not an address" };
  if (isLocal(from.domain)) return { refused: `its 'from' is in ${from.domain}, which is ours` };
  const written = stanza.to === undefined ? undefined : parseJid(stanza.to);
  if (written === undefined) return { refused: "its 'to' is not an address" };
  const to = prepareJid(written);
  // RFC 6120 §8.3.3.8. The answer bears the address as it was written, by which the sender knows it.
  if (to === undefined)
    return { packet: packetOf(stanza, from, written), answer: { condition: 'jid-malformed', text: MALFORMED } };
  const packet = packetOf(stanza, from, to);
  // RFC 6120 §10.4: this node is no relay.
  if (!isLocal(to.domain)) return { packet, answer: { condition: 'item-not-found', text: NOT_OURS } };
  return { packet };
}

const MALFORMED = "The stanza's 'to' is not an address.";
const NOT_OURS = 'This domain is not served here.';

function packetOf(stanza: Stanza, from: Jid, to: Jid): Packet {
  const element = rescoped(stanza.tree(), NS.client);
  return { kind: stanza.kind, from, to, element: readdressed(element, printJid(from), printJid(to)) };
}

function readdressed(element: XmlElement, from: string, to: string): XmlElement {
  const attributes = element.attributes.map((attribute) => {
    if (attribute.namespace !== '') return attribute;
    if (attribute.name === 'from') return { ...attribute, value: from };
    return attribute.name === 'to' ? { ...attribute, value: to } : attribute;
  });
  return { ...element, attributes };
}
