import { bareOf, printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, writeElement } from '../../protocol/xml/write.ts';
import { elementsIn } from '../elements.ts';
import type { Packet } from '../packet.ts';
import { NOT_HERE } from './messages.ts';
import { MUC } from './namespaces.ts';
import { shownSession } from './occupants.ts';
import type { Room } from './room.ts';
import { packetOf, resultOf } from './stanzas.ts';
import type { Turn } from './turn.ts';

/** What an account answers and not its clients: vCards (XEP-0054, XEP-0292) and avatars (XEP-0084). */
const OF_THE_ACCOUNT: ReadonlySet<string> = new Set([
  'vcard-temp',
  'urn:ietf:params:xml:ns:vcard-4.0',
  'http://jabber.org/protocol/pubsub',
]);

/**
 * An IQ request from one occupant to another (XEP-0045 §17.4): it is passed on under the address in the room and an id of the room's, so that neither side
 * learns the real address of the other.
 */
export function relayRequest(room: Room, turn: Turn, packet: Packet, nick: string): void {
  const asker = room.occupants.of(packet.from);
  // XEP-0410 §3.3: this is how a client learns that it is not in the room any more.
  if (asker === undefined) return turn.refuse(packet, NOT_HERE);
  const target = room.occupants.named(nick);
  const [payload] = elementsIn(packet.element);
  if (target === undefined)
    return turn.refuse(packet, { condition: 'item-not-found', text: 'Nobody has this nickname.' });
  if (payload === undefined) return turn.refuse(packet, { condition: 'bad-request', text: 'The request is empty.' });
  // XEP-0410 §3.3: a ping to oneself is answered here.
  if (target === asker && isPing(packet, payload)) return turn.send(resultOf(packet));
  if (writeElement(payload).length > room.limits.message)
    return turn.refuse(packet, { condition: 'policy-violation', text: 'The request is too long for this room.' });
  const isForAccount = attributeOf(packet.element, 'type') === 'get' && OF_THE_ACCOUNT.has(payload.namespace);
  const id = turn.newId();
  const waits = room.messageFlow.take(asker.bare, turn.now)
    ? room.relays.add(id, {
        asker: packet.from,
        id: attributeOf(packet.element, 'id'),
        asked: packet.to,
        answerer: target.bare,
        at: turn.now,
      })
    : 'full';
  if (waits === 'full')
    return turn.refuse(packet, {
      condition: 'resource-constraint',
      text: 'This is more than the room takes; wait a little.',
    });
  const to = isForAccount ? target.user : shownSession(target).address;
  turn.send(packetOf('iq', room.at(asker.nick), to, { id, type: attributeOf(packet.element, 'type') }, payload));
}

/** The answer to such a request; one that nobody waits for is dropped. */
export function relayAnswer(room: Room, turn: Turn, packet: Packet): void {
  const relayed = room.relays.take(attributeOf(packet.element, 'id') ?? '', printJid(bareOf(packet.from)));
  if (relayed === undefined || room.occupants.of(relayed.asker) === undefined) return;
  const attributes = { id: relayed.id, type: attributeOf(packet.element, 'type') };
  turn.send(packetOf('iq', relayed.asked, relayed.asker, attributes, ...packet.element.children.map(withoutBy)));
}

function isPing(packet: Packet, payload: XmlElement): boolean {
  return attributeOf(packet.element, 'type') === 'get' && payload.name === 'ping' && payload.namespace === MUC.ping;
}

/** An error can say who made it: that would be the real address. */
function withoutBy(child: XmlElement | string): XmlElement | string {
  if (typeof child === 'string' || child.name !== 'error') return child;
  return { ...child, attributes: child.attributes.filter(({ name }) => name !== 'by') };
}
