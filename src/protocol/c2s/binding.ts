import type { Jid } from '../jid/jid.ts';
import { printJid } from '../jid/print.ts';
import { NS } from '../namespaces.ts';
import { OUR_LANGUAGE } from '../stream/language.ts';
import { type StanzaErrorCondition, usualType } from '../stream/stanza-error.ts';
import type { Stanza, XmlElement } from '../xml/types.ts';
import { childOf, element, escapeAttribute, escapeText, textOf } from '../xml/write.ts';

/** A request to bind a resource (RFC 6120 §7.6, §7.7). */
export interface BindRequest {
  readonly id: string;
  /** As the client wrote it; `undefined`: the server is to choose. */
  readonly resource: string | undefined;
}

/** Whether a stanza is a request to bind a resource; `undefined`: it is something else. */
export function readBind(stanza: Stanza): BindRequest | undefined {
  const bind = requestOf(stanza, 'bind', NS.bind);
  if (bind === undefined || stanza.id === undefined) return undefined;
  const wanted = childOf(bind, 'resource', NS.bind);
  const resource = wanted === undefined ? '' : textOf(wanted);
  return { id: stanza.id, resource: resource === '' ? undefined : resource };
}

/** Whether a stanza is the session request of RFC 3921 §3, which clients of that time make. */
export function isSessionRequest(stanza: Stanza): boolean {
  return requestOf(stanza, 'session', NS.session) !== undefined;
}

export function writeBound(id: string, address: Jid): string {
  return `<iq type='result' id='${escapeAttribute(id)}'><bind xmlns='${NS.bind}'><jid>${escapeText(printJid(address))}</jid></bind></iq>`;
}

/** An empty result, in `jabber:client`. */
export function resultFor(stanza: Stanza): XmlElement {
  return element('iq', NS.client, { type: 'result', id: stanza.id });
}

/** An error of the server itself in answer to a stanza (RFC 6120 §8.3), in `jabber:client`. */
export function refusalOf(stanza: Stanza, condition: StanzaErrorCondition, text: string): XmlElement {
  const words = element('text', NS.stanzaErrors, { 'xml:lang': OUR_LANGUAGE }, text);
  const error = element('error', NS.client, { type: usualType(condition) }, element(condition, NS.stanzaErrors), words);
  return element(stanza.kind, NS.client, { type: 'error', id: stanza.id }, error);
}

function requestOf(stanza: Stanza, name: string, namespace: string): XmlElement | undefined {
  if (stanza.kind !== 'iq' || stanza.type !== 'set' || stanza.id === undefined || stanza.id === '') return undefined;
  return childOf(stanza.tree(), name, namespace);
}
