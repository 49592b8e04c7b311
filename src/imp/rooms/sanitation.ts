import type { XmlElement, XmlNode } from '../../protocol/xml/types.ts';
import { childOf, textOf } from '../../protocol/xml/write.ts';
import { isDelayBy } from '../delay.ts';
import { elementsIn } from '../elements.ts';
import { isStanzaIdBy } from '../stanza-ids.ts';
import { SENDER } from './archived-sender.ts';
import { MUC } from './namespaces.ts';

/** What only a room says of its occupants, or only its occupants to it (XEP-0045 §17.3, XEP-0421 §4). */
const FOR_THE_ROOM: ReadonlySet<string> = new Set([MUC.join, MUC.user, MUC.admin, MUC.owner, MUC.occupantId, SENDER]);

/** What of an occupant's presence the others get to see. */
export function reflectedPresence(presence: XmlElement): readonly XmlNode[] {
  return elementsIn(presence).filter(({ namespace }) => !FOR_THE_ROOM.has(namespace));
}

/**
 * What of an occupant's message the others get to see: nothing that claims to be from the room, such as an id in its archive (XEP-0359 §3) or a time in
 * its history (XEP-0203 §4).
 */
export function reflectedMessage(room: string, message: XmlElement): readonly XmlNode[] {
  return elementsIn(message).filter(
    (child) => !FOR_THE_ROOM.has(child.namespace) && !isStanzaIdBy(child, room) && !isDelayBy(child, room),
  );
}

/** The text of a child, cut to `longest` UTF-16 units; `undefined` when it is not there or empty. */
export function boundedText(parent: XmlElement, name: string, namespace: string, longest: number): string | undefined {
  const child = childOf(parent, name, namespace);
  // A cut can go through a surrogate pair.
  const text = child === undefined ? '' : textOf(child).slice(0, longest).toWellFormed();
  return text === '' ? undefined : text;
}
