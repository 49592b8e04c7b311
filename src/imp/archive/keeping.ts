import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf } from '../../protocol/xml/write.ts';
import { elementsIn, without } from '../elements.ts';
import { isStanzaIdBy } from '../stanza-ids.ts';

const CLIENT = 'jabber:client';
/** XEP-0334 §4. */
const HINTS = 'urn:xmpp:hints';
/** XEP-0045: what a room adds. */
const MUC_USER = 'http://jabber.org/protocol/muc#user';

/**
 * Payloads for which a message without body is part of a conversation: receipts (XEP-0184), chat markers (XEP-0333), encrypted content (XEP-0380),
 * invitations to rooms (XEP-0045 §7.8, XEP-0249), reactions (XEP-0444), corrections and retractions that have no body (XEP-0424).
 */
const CONVERSATION: ReadonlySet<string> = new Set([
  'urn:xmpp:receipts',
  'urn:xmpp:chat-markers:0',
  'urn:xmpp:eme:0',
  'eu.siacs.conversations.axolotl',
  'urn:xmpp:omemo:2',
  'jabber:x:conference',
  'urn:xmpp:reactions:0',
  'urn:xmpp:message-retract:1',
]);

/** What carries a message that is archived already: results of an archive (XEP-0313) and carbons (XEP-0280, whose `<private/>` is no such thing). */
const COPIES: ReadonlySet<string> = new Set([
  'result urn:xmpp:mam:2',
  'received urn:xmpp:carbons:2',
  'sent urn:xmpp:carbons:2',
]);

/** Whether a message belongs into the archive of a user (XEP-0313, "User Archives"; hints: XEP-0334 §4). */
export function isKeptForUser(message: XmlElement): boolean {
  const type = attributeOf(message, 'type');
  // RFC 6121 §5.2.2: a type that nobody knows is "normal". Rooms have archives of their own.
  if (type === 'error' || type === 'groupchat' || type === 'headline') return false;
  return isKept(message, () => elementsIn(message).some(isPartOfConversation));
}

/** Whether a message belongs into the archive of a room: what has a body, and changes of the subject (XEP-0313, "MUC Archives"). */
export function isKeptForRoom(message: XmlElement): boolean {
  if (attributeOf(message, 'type') !== 'groupchat') return false;
  return isKept(
    message,
    () =>
      childOf(message, 'subject', CLIENT) !== undefined ||
      elementsIn(message).some((child) => CONVERSATION.has(child.namespace)),
  );
}

/** A message as the archive of a user has it: an id that claims to be ours and is not would mislead clients (XEP-0359 §6). */
export function asKeptForUser(message: XmlElement, account: string): XmlElement {
  return without(message, (child) => isStanzaIdBy(child, account));
}

/** A message as the archive of a room has it: without `to`, and without what only the room may say (XEP-0313, "MUC Archives"). */
export function asKeptForRoom(message: XmlElement, room: string): XmlElement {
  const { attributes, ...rest } = without(
    asKeptForUser(message, room),
    (child) => child.name === 'x' && child.namespace === MUC_USER,
  );
  return { ...rest, attributes: attributes.filter(({ name, namespace }) => name !== 'to' || namespace !== '') };
}

function isKept(message: XmlElement, isOtherwiseWorthIt: () => boolean): boolean {
  const hint = (name: string) => childOf(message, name, HINTS) !== undefined;
  if (hint('no-store') || hint('no-permanent-store')) return false;
  if (elementsIn(message).some(({ name, namespace }) => COPIES.has(`${name} ${namespace}`))) return false;
  return hint('store') || childOf(message, 'body', CLIENT) !== undefined || isOtherwiseWorthIt();
}

function isPartOfConversation({ name, namespace, children }: XmlElement): boolean {
  if (namespace === MUC_USER) {
    return children.some((child) => typeof child !== 'string' && child.name === 'invite');
  }
  // XEP-0184 §5.4: a message that does nothing but ask for a receipt says nothing.
  return CONVERSATION.has(namespace) && !(namespace === 'urn:xmpp:receipts' && name === 'request');
}
