import { readJid } from '../protocol/jid/prepare.ts';
import { printJid } from '../protocol/jid/print.ts';
import type { XmlElement } from '../protocol/xml/types.ts';
import { attributeOf, element } from '../protocol/xml/write.ts';

/** XEP-0359 §2. */
const STANZA_IDS = 'urn:xmpp:sid:0';

/** The id that `by`, a bare address, has given to a stanza (XEP-0359 §3). */
export function stanzaIdOf(by: string, id: string): XmlElement {
  return element('stanza-id', STANZA_IDS, { by, id });
}

/** Whether an element is an id in the name of `by`, a prepared bare address, however that is written: nobody but `by` may give one (XEP-0359 §5). */
export function isStanzaIdBy(child: XmlElement, by: string): boolean {
  if (child.name !== 'stanza-id' || child.namespace !== STANZA_IDS) return false;
  const giver = readJid(attributeOf(child, 'by') ?? '');
  return giver !== undefined && printJid(giver) === by;
}
