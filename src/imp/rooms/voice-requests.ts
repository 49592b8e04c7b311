import { printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { type DataForm, type FormField, formIn, readBoolean, valueOf, writeForm } from '../forms/data-form.ts';
import type { Packet } from '../packet.ts';
import { isWithinBounds, NOT_HERE } from './messages.ts';
import { MUC } from './namespaces.ts';
import { shownSession } from './occupants.ts';
import { announce, asPresent, viewersOf } from './presences.ts';
import type { Room } from './room.ts';
import { packetOf } from './stanzas.ts';
import type { Turn } from './turn.ts';

/** The form about voice in a message to the room, if it is one. */
export function voiceFormIn(message: XmlElement): DataForm | undefined {
  const form = formIn(message);
  return form === undefined || form === 'malformed' || form.type !== 'submit' || form.about !== MUC.request
    ? undefined
    : form;
}

/** A visitor asks for voice (XEP-0045 §7.13), or a moderator answers such a request (§8.6). */
export function receiveVoiceForm(room: Room, turn: Turn, packet: Packet, form: DataForm): void {
  const sender = room.occupants.of(packet.from);
  if (sender === undefined) return turn.refuse(packet, NOT_HERE);
  if (!isWithinBounds(room, turn, packet)) return;
  if (form.fields.has('muc#request_allow')) return decide(room, turn, packet, form);
  if (sender.role !== 'visitor' || valueOf(form, 'muc#role') !== 'participant')
    return turn.refuse(packet, { condition: 'bad-request', text: 'Only visitors ask for voice.' });
  const fields: readonly FormField[] = [
    {
      name: 'muc#role',
      type: 'list-single',
      label: 'Requested role',
      values: ['participant'],
      options: [{ value: 'participant' }],
    },
    { name: 'muc#jid', type: 'jid-single', label: 'User', values: [printJid(shownSession(sender).address)] },
    { name: 'muc#roomnick', type: 'text-single', label: 'Nickname', values: [sender.nick] },
    { name: 'muc#request_allow', type: 'boolean', label: 'Grant voice to this person?', values: ['0'] },
  ];
  const request = writeForm('form', MUC.request, fields, {
    title: 'Request for voice',
    instructions: 'Somebody wants to speak in this room.',
  });
  for (const moderator of room.occupants.all().filter(({ role }) => role === 'moderator')) {
    for (const { session } of viewersOf(moderator)) {
      turn.send(packetOf('message', room.address, session.address, { id: turn.newId() }, request));
    }
  }
}

function decide(room: Room, turn: Turn, packet: Packet, form: DataForm): void {
  if (room.standingOf(packet.from).role !== 'moderator')
    return turn.refuse(packet, { condition: 'forbidden', text: 'Only moderators grant voice.' });
  const visitor = room.occupants.named(valueOf(form, 'muc#roomnick') ?? '');
  if (readBoolean(valueOf(form, 'muc#request_allow')) !== true) return;
  // Whoever asked may have gone, or have voice by now; another may have the nickname.
  const asked = valueOf(form, 'muc#jid');
  if (visitor?.role !== 'visitor' || ![...visitor.sessions.keys()].includes(asked ?? '')) return;
  visitor.role = 'participant';
  announce(room, turn, visitor, asPresent(visitor));
}
