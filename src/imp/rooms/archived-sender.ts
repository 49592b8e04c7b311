import { NS } from '../../protocol/namespaces.ts';
import type { XmlElement, XmlNode } from '../../protocol/xml/types.ts';
import { attributeOf, element } from '../../protocol/xml/write.ts';
import { MUC } from './namespaces.ts';
import { userElement } from './presences.ts';

/** Who really sent an archived message, as it is written down. It never leaves the node, and what comes in with this name is dropped. */
export const SENDER = 'urn:fedway:rooms:sender';

/**
 * A message for the archive with the address of its sender. To be used only while everybody in the room knows it (a non-anonymous room): what was said
 * under a nickname stays so, whatever the room becomes.
 */
export function signed(message: XmlElement, sender: string): XmlElement {
  return { ...message, children: [...message.children, element('sender', SENDER, { jid: sender })] };
}

/** A message from the archive without the address of its sender. */
export function unsigned(message: XmlElement): XmlElement {
  return { ...message, children: message.children.filter((child) => !isSender(child)) };
}

/**
 * A `<result/>` of the archive for whoever may know addresses, or may not: then the address is told as the room does in presence (XEP-0313 §6.1.2, "MUC
 * Archives").
 */
export function shown(result: XmlElement, seesAddresses: boolean): XmlElement {
  const isMessage = result.name === 'message' && result.namespace === NS.client;
  const children = result.children.flatMap((child): readonly XmlNode[] => {
    if (typeof child === 'string') return [child];
    if (!isMessage) return [shown(child, seesAddresses)];
    if (!isSender(child)) return [child];
    return seesAddresses ? [userElement(element('item', MUC.user, { jid: attributeOf(child, 'jid') }))] : [];
  });
  return { ...result, children };
}

function isSender(child: XmlNode): boolean {
  return typeof child !== 'string' && child.namespace === SENDER;
}
