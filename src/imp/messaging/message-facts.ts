import type { Jid } from '../../protocol/jid/jid.ts';
import { NS } from '../../protocol/namespaces.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { childOf, element } from '../../protocol/xml/write.ts';
import { without } from '../elements.ts';
import { isStanzaIdBy, stanzaIdOf } from '../stanza-ids.ts';
import { bareText } from './addresses.ts';
import { IM } from './namespaces.ts';
import { typeOf } from './stanzas.ts';

export type MessageType = 'chat' | 'error' | 'groupchat' | 'headline' | 'normal';

/** RFC 6121 §5.2.2: what is not known is `normal`. */
export function messageType(message: XmlElement): MessageType {
  const type = typeOf(message);
  return type === 'chat' || type === 'error' || type === 'groupchat' || type === 'headline' ? type : 'normal';
}

/** A hint of XEP-0334. */
function hasHint(message: XmlElement, hint: 'no-copy' | 'no-store' | 'store'): boolean {
  return childOf(message, hint, IM.hints) !== undefined;
}

/** Whether a message says something, rather than only what its sender is doing (XEP-0160 §3). */
export function saysSomething(message: XmlElement): boolean {
  return childOf(message, 'body', NS.client) !== undefined || hasHint(message, 'store') || isInvitation(message);
}

/** Whether it waits for somebody who is not there (RFC 6121 §8.5.2.2.1, XEP-0160 §3, XEP-0334 §4.3). */
export function isForLater(message: XmlElement): boolean {
  const type = messageType(message);
  return (type === 'chat' || type === 'normal') && saysSomething(message) && !hasHint(message, 'no-store');
}

/** A private message of somebody in a room (XEP-0045 §7.5): for the one client that is there under that nick. */
export function isPrivateMessage(message: XmlElement, from: Jid): boolean {
  return from.resource !== undefined && childOf(message, 'x', IM.mucUser) !== undefined && !isInvitation(message);
}

/** XEP-0280 §6.1: what belongs to a conversation, and was not asked to stay with one client. */
export function isForCarbons(message: XmlElement): boolean {
  const type = messageType(message);
  if (type !== 'chat' && !(type === 'normal' && saysSomething(message))) return false;
  return childOf(message, 'private', IM.carbons) === undefined && !hasHint(message, 'no-copy');
}

/** Without the mark that has done its work (XEP-0280 §9). */
export function withoutPrivate(message: XmlElement): XmlElement {
  return without(message, ({ name, namespace }) => name === 'private' && namespace === IM.carbons);
}

/** Without ids that somebody else has given in the name of `by` (XEP-0359 §5). */
export function withoutForgedIds(message: XmlElement, by: Jid): XmlElement {
  return without(message, (child) => isStanzaIdBy(child, bareText(by)));
}

/** The id that the message has in an archive (XEP-0359 §3). */
export function stamped(message: XmlElement, by: Jid, id: string | undefined): XmlElement {
  if (id === undefined) return message;
  return { ...message, children: [...message.children, stanzaIdOf(bareText(by), id)] };
}

/** A copy for another client of the account (XEP-0280 §7.1, §8.1). */
export function carbonOf(message: XmlElement, way: 'received' | 'sent', self: Jid): XmlElement {
  const copy = element(way, IM.carbons, {}, element('forwarded', IM.forward, {}, message));
  return element('message', NS.client, { from: bareText(self), type: typeOf(message) }, copy);
}

/** XEP-0045 §7.8.2, XEP-0249. */
function isInvitation(message: XmlElement): boolean {
  const user = childOf(message, 'x', IM.mucUser);
  if (user !== undefined && childOf(user, 'invite', IM.mucUser) !== undefined) return true;
  return childOf(message, 'x', IM.invitation) !== undefined;
}
