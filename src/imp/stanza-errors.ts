import { printJid } from '../protocol/jid/print.ts';
import { NS } from '../protocol/namespaces.ts';
import { unanswerable } from '../protocol/stream/bounce.ts';
import { OUR_LANGUAGE } from '../protocol/stream/language.ts';
import { type StanzaErrorCondition, type StanzaErrorType, usualType } from '../protocol/stream/stanza-error.ts';
import type { XmlElement } from '../protocol/xml/types.ts';
import { attributeOf, element } from '../protocol/xml/write.ts';
import type { Packet } from './packet.ts';

/** What a sender is told in answer to a stanza (RFC 6120 §8.3). */
export interface PacketError {
  readonly condition: StanzaErrorCondition;
  /** In place of the one that is usual for the condition. */
  readonly type?: StanzaErrorType | undefined;
  /** For a person. */
  readonly text?: string | undefined;
  /** An application-specific condition beside it. */
  readonly application?: XmlElement | undefined;
  /** Who says so, when that is another than the error is from. */
  readonly by?: string | undefined;
}

/**
 * The error that answers a packet: the addresses change places, kind and id stay, the payload is not repeated (RFC 6120 §8.3.1). `undefined`: it is an error or
 * a result itself, which are never answered with one.
 */
export function errorAnswer(
  packet: Packet,
  { condition, type, text, application, by }: PacketError,
): Packet | undefined {
  const { kind, from, to, element: stanza } = packet;
  const addresses = { from: printJid(to), to: printJid(from) };
  if (unanswerable({ kind, type: attributeOf(stanza, 'type'), ...addresses }) !== undefined) return undefined;
  const words = text === undefined ? undefined : element('text', NS.stanzaErrors, { 'xml:lang': OUR_LANGUAGE }, text);
  const error = element(
    'error',
    NS.client,
    { type: type ?? usualType(condition), by },
    element(condition, NS.stanzaErrors),
    words,
    application,
  );
  const attributes = { type: 'error', id: attributeOf(stanza, 'id'), ...addresses };
  return { kind, from: to, to: from, element: element(kind, NS.client, attributes, error) };
}
