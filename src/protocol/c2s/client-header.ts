import type { Domain } from '../jid/domain.ts';
import type { Jid } from '../jid/jid.ts';
import { readJid } from '../jid/prepare.ts';
import { bareOf, printJid } from '../jid/print.ts';
import { NS } from '../namespaces.ts';
import { type RefusedHeader, readInitialHeader, type StreamHeader, writeHeader } from '../stream/header.ts';
import { answerLanguage } from '../stream/language.ts';
import type { XmlRoot } from '../xml/types.ts';
import { attributeOf } from '../xml/write.ts';

/** What the stream header of a client says, checked (RFC 6120 §4.7). */
export interface ClientHeader extends Omit<StreamHeader, 'from' | 'id'> {
  /** Who the client will be, a bare address; until it has authenticated a claim. */
  readonly from: Jid | undefined;
}

/** Reads the header of a client: unlike that of a server its `from` is the address of a user (RFC 6120 §4.7.1). */
export function readClientHeader(root: XmlRoot): ClientHeader | Pick<RefusedHeader, 'refused' | 'text'> {
  const attributes = root.attributes.filter(({ name, namespace }) => name !== 'from' || namespace !== '');
  const read = readInitialHeader({ ...root, attributes }, NS.client);
  if ('refused' in read) return read;
  const from = readUser(attributeOf(root, 'from'));
  if (from === 'malformed')
    return { refused: 'improper-addressing', text: "The stream's 'from' is not the address of a user." };
  return { from, to: read.to, modern: read.modern, lang: read.lang };
}

/** Our answer. RFC 6120 §4.7.2: `to` is what the client says of itself, and is left out if it says nothing. */
export function writeClientHeader(
  domain: Domain,
  to: Jid | undefined,
  id: string,
  language: string | undefined,
): string {
  return writeHeader({
    contentNamespace: NS.client,
    from: domain,
    to: to === undefined ? undefined : printJid(to),
    id,
    lang: answerLanguage(language),
    modern: true,
  });
}

function readUser(text: string | undefined): Jid | undefined | 'malformed' {
  if (text === undefined) return undefined;
  const jid = readJid(text);
  return jid === undefined ? 'malformed' : bareOf(jid);
}
