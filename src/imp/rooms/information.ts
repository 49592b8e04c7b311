import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, element, textOf } from '../../protocol/xml/write.ts';
import { type FormField, writeForm } from '../forms/data-form.ts';
import type { Packet } from '../packet.ts';
import { isArchived } from './config.ts';
import { MUC } from './namespaces.ts';
import type { Room } from './room.ts';
import { resultOf } from './stanzas.ts';
import type { Turn } from './turn.ts';

/** What every room can, and with it the service (XEP-0421 §2: all rooms have occupant ids). */
export const ROOM_FEATURES: readonly string[] = [
  MUC.discoInfo,
  MUC.discoItems,
  MUC.join,
  MUC.stableId,
  MUC.occupantId,
  MUC.ping,
];

/** What a room is, to anybody who knows its address (XEP-0045 §6.4). */
export function informAboutRoom(room: Room, turn: Turn, packet: Packet, query: XmlElement): void {
  const node = attributeOf(query, 'node');
  // §7.12, §18.1.1: nicknames are not reserved here, and all traffic is allowed.
  if (node === MUC.traffic)
    return turn.refuse(packet, { condition: 'service-unavailable', text: 'All extensions are passed on.' });
  if (node === 'x-roomuser-item')
    return turn.refuse(packet, { condition: 'feature-not-implemented', text: 'Nicknames are not reserved here.' });
  if (node !== undefined) return turn.refuse(packet, { condition: 'item-not-found', text: 'There is no such node.' });
  const { config } = room;
  const features = [
    ...ROOM_FEATURES,
    MUC.selfPing,
    MUC.stanzaId,
    ...(isArchived(config) ? [MUC.archive, MUC.archiveExtended] : []),
    config.password === undefined ? 'muc_unsecured' : 'muc_passwordprotected',
    config.public ? 'muc_public' : 'muc_hidden',
    config.persistent ? 'muc_persistent' : 'muc_temporary',
    config.membersOnly ? 'muc_membersonly' : 'muc_open',
    config.moderated ? 'muc_moderated' : 'muc_unmoderated',
    config.whois === 'anyone' ? 'muc_nonanonymous' : 'muc_semianonymous',
  ];
  turn.send(
    resultOf(
      packet,
      element(
        'query',
        MUC.discoInfo,
        {},
        element('identity', MUC.discoInfo, { category: 'conference', type: 'text', name: nameOf(room) }),
        ...features.map((feature) => element('feature', MUC.discoInfo, { var: feature })),
        details(room),
      ),
    ),
  );
}

/** §6.5: who is in a room is known to those who are in it. */
export function listNobody(packet: Packet): Packet {
  return resultOf(packet, element('query', MUC.discoItems));
}

/** The title of a room, or what its address is called. */
export function nameOf(room: Room): string {
  return room.config.title === '' ? (room.address.local ?? '') : room.config.title;
}

/** §6.4: the form with what else is known (XEP-0128). */
function details(room: Room): XmlElement {
  const { config, subject } = room;
  const [text] = subject?.texts ?? [];
  const isClosed = config.membersOnly || config.password !== undefined;
  const fields: readonly FormField[] = [
    { name: 'muc#roominfo_description', label: 'Description', values: [config.description] },
    { name: 'muc#roominfo_lang', label: 'Language of the discussion', values: [config.language] },
    { name: 'muc#roominfo_occupants', label: 'Number of occupants', values: [room.occupants.size.toString()] },
    {
      name: 'muc#roominfo_subject',
      label: 'Subject',
      // What only some may enter is about what only they know.
      values: [text === undefined || typeof text === 'string' || isClosed ? '' : textOf(text)],
    },
    {
      name: 'muc#roomconfig_changesubject',
      label: 'Participants can change the subject',
      type: 'boolean',
      values: [config.changeSubject ? '1' : '0'],
    },
    { name: 'muc#maxhistoryfetch', label: 'Messages shown to whoever enters', values: [config.history.toString()] },
    {
      name: 'muc#roomconfig_allowinvites',
      label: 'Members can invite',
      type: 'boolean',
      values: [config.allowInvites ? '1' : '0'],
    },
  ];
  return writeForm('result', MUC.roomInfo, fields);
}
