import { NS } from '../../protocol/namespaces.ts';
import { attributeOf, childOf } from '../../protocol/xml/write.ts';
import type { ArchivedMessage } from '../archive/store.ts';
import { delayOf } from '../delay.ts';
import { stanzaIdOf } from '../stanza-ids.ts';
import { unsigned } from './archived-sender.ts';
import { isArchived } from './config.ts';
import type { Room } from './room.ts';

/** Makes the history of a room from what its archive has, oldest first (XEP-0045 §7.2.13). */
export function recall(room: Room, messages: readonly ArchivedMessage[]): void {
  if (!isArchived(room.config)) return;
  for (const { id, time, stanza } of messages) {
    // §7.2.15: former subjects are not part of the history.
    if (childOf(stanza, 'body', NS.client) === undefined && childOf(stanza, 'subject', NS.client) !== undefined)
      continue;
    const from = attributeOf(stanza, 'from') ?? '';
    const stamp = stanzaIdOf(room.text, id);
    const message = unsigned(stanza);
    const late = { ...message, children: [...message.children, stamp, delayOf(room.text, time)] };
    room.history.add({
      nick: from.startsWith(`${room.text}/`) ? from.slice(room.text.length + 1) : undefined,
      element: late,
      at: time,
    });
  }
}
