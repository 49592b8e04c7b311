import type { Jid } from '../../protocol/jid/jid.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';
import { NS } from '../../protocol/namespaces.ts';
import type { StanzaErrorCondition, StanzaErrorType } from '../../protocol/stream/stanza-error.ts';
import type { XmlElement, XmlNode } from '../../protocol/xml/types.ts';
import { attributeOf, element } from '../../protocol/xml/write.ts';
import type { Packet } from '../packet.ts';
import { errorAnswer } from '../stanza-errors.ts';

/** The attributes of a stanza besides its addresses. */
export interface StanzaAttributes {
  readonly id?: string | undefined;
  readonly type?: string | undefined;
  readonly 'xml:lang'?: string | undefined;
}

/** A stanza of the room or of one of its occupants. */
export function packetOf(
  kind: Packet['kind'],
  from: Jid,
  to: Jid,
  attributes: StanzaAttributes,
  ...children: readonly (XmlNode | undefined)[]
): Packet {
  return {
    kind,
    from,
    to,
    element: element(kind, NS.client, { from: printJid(from), to: printJid(to), ...attributes }, ...children),
  };
}

/** What of a stanza's attributes is passed on to whoever gets it. */
export function attributesOf(stanza: XmlElement): StanzaAttributes {
  return {
    id: attributeOf(stanza, 'id'),
    type: attributeOf(stanza, 'type'),
    'xml:lang': attributeOf(stanza, 'lang', NS.xml),
  };
}

/** The result of an IQ request. */
export function resultOf(request: Packet, ...payload: readonly (XmlElement | undefined)[]): Packet {
  return packetOf(
    'iq',
    request.to,
    request.from,
    { id: attributeOf(request.element, 'id'), type: 'result' },
    ...payload,
  );
}

/** Why something that was sent to a room is not done. */
export interface Refusal {
  readonly condition: StanzaErrorCondition;
  /** For a person. */
  readonly text: string;
  /** When it is not the one that the condition usually has. */
  readonly type?: StanzaErrorType;
}

/**
 * The error that answers a stanza (RFC 6120 §8.3.1); `undefined`: an error or a result, which is never answered with an error. The room says that it was
 * the one that refused (XEP-0045 §7.2): the error seems to come from an occupant.
 */
export function errorOf(packet: Packet, refusal: Refusal): Packet | undefined {
  return errorAnswer(packet, { ...refusal, by: printJid(bareOf(packet.to)) });
}
