import type { Jid } from '../jid/jid.ts';
import { readJid } from '../jid/prepare.ts';
import { NS } from '../namespaces.ts';
import { semanticFault } from '../stream/semantics.ts';
import type { Stanza, XmlElement } from '../xml/types.ts';

/** Whether a client may write this as its address: not at all, its full address, or its bare one (RFC 6120 §8.1.2.1). */
export function isOwnAddress(from: string | undefined, session: Jid): boolean {
  if (from === undefined) return true;
  const jid = readJid(from);
  if (jid === undefined || jid.local !== session.local || jid.domain !== session.domain) return false;
  return jid.resource === undefined || jid.resource === session.resource;
}

/** What is wrong with a stanza, so that nobody can handle it; `undefined` for most. It deserves a bad-request (RFC 6120 §8.2.3). */
export function stanzaFault(stanza: Stanza, tree: XmlElement): string | undefined {
  const fault = semanticFault(stanza);
  if (fault !== undefined || stanza.kind !== 'iq') return fault;
  const children = tree.children.filter((child) => typeof child !== 'string').length;
  if ((stanza.type === 'get' || stanza.type === 'set') && children !== 1) return 'a request has exactly one child';
  return stanza.type === 'result' && children > 1 ? 'a result has at most one child' : undefined;
}

/** Whether a stanza may be answered with an error: one that is itself an answer may not (RFC 6120 §8.3.1). */
export function isAnswerable({ type }: Stanza): boolean {
  return type !== 'error' && type !== 'result';
}

/** The stanza with the language of its stream, if it has none itself: it leaves that stream (RFC 6120 §4.7.4). */
export function inLanguage(tree: XmlElement, language: string | undefined): XmlElement {
  if (language === undefined) return tree;
  if (tree.attributes.some(({ name, namespace }) => name === 'lang' && namespace === NS.xml)) return tree;
  return { ...tree, attributes: [...tree.attributes, { name: 'lang', namespace: NS.xml, value: language }] };
}
