import { printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, element } from '../../protocol/xml/write.ts';
import { elementsIn } from '../elements.ts';
import { pageOf, pageRequestIn, RESULT_SETS, writeResultSet } from '../forms/result-set.ts';
import type { Packet } from '../packet.ts';
import { nameOf, ROOM_FEATURES } from './information.ts';
import { MUC } from './namespaces.ts';
import type { Room } from './room.ts';
import { resultOf } from './stanzas.ts';
import type { Turn } from './turn.ts';

/** Rooms on one page of the list. */
const PAGE = 100;

const FEATURES: readonly string[] = [...ROOM_FEATURES, 'muc_rooms', RESULT_SETS, MUC.version];

/** What the service itself does about a stanza (XEP-0045 §6.1 to §6.3): it says what it is, and which rooms there are. */
export function receiveAtService(
  turn: Turn,
  packet: Packet,
  { rooms, version }: { readonly rooms: Iterable<Room>; readonly version: string },
): void {
  if (packet.kind !== 'iq') {
    // Presence to the service is nobody's wish to enter anything.
    if (packet.kind === 'message')
      turn.refuse(packet, { condition: 'service-unavailable', text: 'Messages are sent to a room.' });
    return;
  }
  const [payload] = elementsIn(packet.element);
  if (attributeOf(packet.element, 'type') === 'get' && payload !== undefined) {
    switch (payload.namespace) {
      case MUC.discoInfo:
        return inform(turn, packet, payload);
      case MUC.discoItems:
        return listRooms(turn, packet, payload, rooms);
      case MUC.ping:
        return turn.send(resultOf(packet));
      case MUC.version:
        return turn.send(
          resultOf(
            packet,
            element(
              'query',
              MUC.version,
              {},
              element('name', MUC.version, {}, 'fedway'),
              element('version', MUC.version, {}, version),
            ),
          ),
        );
      default:
        break;
    }
  }
  turn.refuse(packet, { condition: 'service-unavailable', text: 'The service does not offer this.' });
}

function inform(turn: Turn, packet: Packet, query: XmlElement): void {
  if (attributeOf(query, 'node') !== undefined)
    return turn.refuse(packet, { condition: 'item-not-found', text: 'There is no such node.' });
  const identity = element('identity', MUC.discoInfo, { category: 'conference', type: 'text', name: 'Chat rooms' });
  const features = FEATURES.map((feature) => element('feature', MUC.discoInfo, { var: feature }));
  turn.send(resultOf(packet, element('query', MUC.discoInfo, {}, identity, ...features)));
}

/** XEP-0045 §6.3: the public rooms, page by page (XEP-0059). */
function listRooms(turn: Turn, packet: Packet, query: XmlElement, rooms: Iterable<Room>): void {
  const request = pageRequestIn(query);
  if (attributeOf(query, 'node') !== undefined)
    return turn.refuse(packet, { condition: 'item-not-found', text: 'There is no such node.' });
  if (request === 'malformed')
    return turn.refuse(packet, { condition: 'bad-request', text: 'The result set is malformed.' });
  const listed = [...rooms].filter((room) => room.config.public && !room.locked);
  listed.sort((a, b) => (a.text < b.text ? -1 : 1));
  const page = pageOf(listed, (room) => room.text, request, PAGE);
  if (page === 'unknown') return turn.refuse(packet, { condition: 'item-not-found', text: 'There is no such room.' });
  const items = page.items.map((room) =>
    element('item', MUC.discoItems, { jid: printJid(room.address), name: nameOf(room) }),
  );
  const isPart = childOf(query, 'set', RESULT_SETS) !== undefined || page.items.length < listed.length;
  turn.send(
    resultOf(packet, element('query', MUC.discoItems, {}, ...items, isPart ? writeResultSet(page) : undefined)),
  );
}
