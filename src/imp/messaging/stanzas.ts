import type { Jid } from '../../protocol/jid/jid.ts';
import { printJid } from '../../protocol/jid/print.ts';
import { NS } from '../../protocol/namespaces.ts';
import type { StanzaErrorCondition, StanzaErrorType } from '../../protocol/stream/stanza-error.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, element } from '../../protocol/xml/write.ts';
import type { Packet } from '../packet.ts';
import { errorAnswer } from '../stanza-errors.ts';

/** A stanza error to be (RFC 6120 §8.3). */
export interface Refusal {
  readonly error: StanzaErrorCondition;
  /** In place of the one that is usual for the condition. */
  readonly type?: StanzaErrorType;
  readonly text?: string;
  /** An application-specific condition beside it. */
  readonly application?: XmlElement;
}

/** Nobody is there, or nobody for this sender: both read the same, so that no account is found by asking (RFC 6121 §11.3). */
export const UNAVAILABLE: Refusal = { error: 'service-unavailable' };

/** The attribute `type`. */
export function typeOf(stanza: XmlElement): string | undefined {
  return attributeOf(stanza, 'type');
}

/** The stanza with these addresses in place of those it had; `undefined`: with none. */
export function addressed(stanza: XmlElement, from: Jid | undefined, to: Jid | undefined): XmlElement {
  const attributes = stanza.attributes.filter(
    ({ name, namespace }) => namespace !== '' || (name !== 'from' && name !== 'to'),
  );
  if (from !== undefined) attributes.push({ name: 'from', namespace: '', value: printJid(from) });
  if (to !== undefined) attributes.push({ name: 'to', namespace: '', value: printJid(to) });
  return { ...stanza, attributes };
}

/** A packet whose element bears the addresses. */
export function packetOf(kind: Packet['kind'], from: Jid, to: Jid, stanza: XmlElement): Packet {
  return { kind, from, to, element: addressed(stanza, from, to) };
}

/** A presence of our own without anything inside but what is given. */
export function presenceOf(type: string | undefined, ...children: readonly XmlElement[]): XmlElement {
  return element('presence', NS.client, { type }, ...children);
}

/** The result of an IQ request (RFC 6120 §8.2.3). */
export function resultTo(request: Packet, payload: XmlElement | undefined): Packet {
  const answer = element('iq', NS.client, { type: 'result', id: attributeOf(request.element, 'id') }, payload);
  return packetOf('iq', request.to, request.from, answer);
}

/** The error that answers a packet; `undefined` for an error or a result, which are never answered with one (RFC 6120 §8.3.1). */
export function errorTo(packet: Packet, refusal: Refusal): Packet | undefined {
  const { error, ...rest } = refusal;
  return errorAnswer(packet, { condition: error, ...rest });
}
