import { printJid } from '../../protocol/jid/print.ts';
import { NS } from '../../protocol/namespaces.ts';
import { bounceOf, unanswerable } from '../../protocol/stream/bounce.ts';
import { type StanzaErrorCondition, usualType } from '../../protocol/stream/stanza-error.ts';
import { rescoped } from '../../protocol/stream/written-stanza.ts';
import { attributeOf } from '../../protocol/xml/write.ts';
import type { Packet } from '../packet.ts';

/** What a packet's sender is told: a condition of RFC 6120 §8.3.3, and words for a person. */
export interface Refusal {
  readonly condition: StanzaErrorCondition;
  readonly text: string;
}

/** The error that answers a packet (RFC 6120 §8.3.1); `undefined`: an error or a result, which is never answered with an error. */
export function errorFor(packet: Packet, { condition, text }: Refusal): Packet | undefined {
  const { kind, element } = packet;
  const from = printJid(packet.from);
  const to = printJid(packet.to);
  if (unanswerable({ kind, type: attributeOf(element, 'type'), from, to }) !== undefined) return undefined;
  const error = { condition, type: usualType(condition), text };
  const bounce = bounceOf({ kind, from, to, id: attributeOf(element, 'id') }, error, undefined);
  return { kind, from: packet.to, to: packet.from, element: rescoped(bounce, NS.client) };
}
