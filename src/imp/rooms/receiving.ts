import { bareOf, printJid } from '../../protocol/jid/print.ts';
import { attributeOf } from '../../protocol/xml/write.ts';
import { elementsIn } from '../elements.ts';
import type { Packet } from '../packet.ts';
import { administrate } from './administration.ts';
import { isArchived } from './config.ts';
import { arrive } from './entering.ts';
import { informAboutRoom, listNobody } from './information.ts';
import { decline, declineIn, invitationsIn, invite } from './inviting.ts';
import { isGhostly, leave, removeGhost } from './leaving.ts';
import { broadcast, passError, whisper } from './messages.ts';
import { MUC } from './namespaces.ts';
import { own } from './ownership.ts';
import { relayAnswer, relayRequest } from './relaying.ts';
import type { Room } from './room.ts';
import { isAtLeast } from './standing.ts';
import { resultOf } from './stanzas.ts';
import type { Turn } from './turn.ts';
import { receiveVoiceForm, voiceFormIn } from './voice-requests.ts';

/** What a room does about a stanza to it or to an occupant of it. `askArchive` answers questions to its archive, which the room has admitted. */
export function receiveAt(room: Room, turn: Turn, packet: Packet, askArchive: (packet: Packet) => void): void {
  switch (packet.kind) {
    case 'presence':
      return receivePresence(room, turn, packet);
    case 'message':
      return receiveMessage(room, turn, packet);
    case 'iq':
      return receiveIq(room, turn, packet, askArchive);
  }
}

/** XEP-0045 §17.3: without a type it enters or changes, unavailable it leaves; nothing else does either. */
function receivePresence(room: Room, turn: Turn, packet: Packet): void {
  switch (attributeOf(packet.element, 'type')) {
    case undefined:
      return arrive(room, turn, packet);
    case 'unavailable':
      return leave(room, turn, packet);
    case 'error':
      if (isGhostly(packet.element)) removeGhost(room, turn, packet);
      return;
    default:
      return;
  }
}

function receiveMessage(room: Room, turn: Turn, packet: Packet): void {
  const { resource: nick } = packet.to;
  const type = attributeOf(packet.element, 'type');
  if (type === 'error') {
    // §18.1.2: whoever cannot be reached is a ghost; other errors are for whoever sent a private message.
    if (isGhostly(packet.element)) removeGhost(room, turn, packet);
    else if (nick !== undefined) passError(room, turn, packet, nick);
    return;
  }
  if (nick !== undefined) return whisper(room, turn, packet, nick);
  if (type === 'groupchat') return broadcast(room, turn, packet);
  const invitations = invitationsIn(packet.element);
  if (invitations.length > 0) return invite(room, turn, packet, invitations);
  const declined = declineIn(packet.element);
  if (declined !== undefined) return decline(room, turn, packet, declined);
  const form = voiceFormIn(packet.element);
  if (form !== undefined) return receiveVoiceForm(room, turn, packet, form);
  // §17.2
  turn.refuse(packet, { condition: 'bad-request', text: 'Messages to a room are of the type "groupchat".' });
}

function receiveIq(room: Room, turn: Turn, packet: Packet, askArchive: (packet: Packet) => void): void {
  const { resource: nick } = packet.to;
  const type = attributeOf(packet.element, 'type');
  if (type === 'result' || type === 'error') {
    if (nick !== undefined) relayAnswer(room, turn, packet);
    return;
  }
  if (type !== 'get' && type !== 'set')
    return turn.refuse(packet, { condition: 'bad-request', text: 'There is no such type of IQ.' });
  if (nick !== undefined) return relayRequest(room, turn, packet, nick);
  const [payload] = elementsIn(packet.element);
  if (payload === undefined) return turn.refuse(packet, { condition: 'bad-request', text: 'The request is empty.' });
  // §10.1.1: a room that is not configured is there for its owner alone.
  if (room.locked && room.affiliations.of(packet.from) !== 'owner')
    return turn.refuse(packet, { condition: 'item-not-found', text: 'There is no such room.' });
  switch (payload.namespace) {
    case MUC.admin:
      return administrate(room, turn, packet, payload);
    case MUC.owner:
      return own(room, turn, packet, payload);
    case MUC.archive:
      if (!isArchived(room.config)) break;
      return mayAskArchive(room, packet)
        ? askArchive(packet)
        : turn.refuse(packet, { condition: 'forbidden', text: 'The archive is for those who may enter the room.' });
    default:
      break;
  }
  if (type === 'get') {
    switch (payload.namespace) {
      case MUC.discoInfo:
        return informAboutRoom(room, turn, packet, payload);
      case MUC.discoItems:
        return turn.send(listNobody(packet));
      case MUC.ping:
        return turn.send(resultOf(packet));
      default:
        break;
    }
  }
  turn.refuse(packet, { condition: 'service-unavailable', text: 'The room does not offer this.' });
}

/**
 * XEP-0313 §6.1.2: the archive is for whoever may enter. A password cannot be asked for here, and to be a member of an open room costs nothing: without
 * being in the room only those read who are on its lists.
 */
function mayAskArchive(room: Room, { from }: Packet): boolean {
  const affiliation = room.affiliations.of(from);
  if (affiliation === 'outcast') return false;
  return isAtLeast(affiliation, 'member') || room.occupants.ofUser(printJid(bareOf(from))).length > 0;
}
