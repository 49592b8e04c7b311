import { type Jid, parseJid } from '../../protocol/jid/jid.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';

/** An address that we have written into the database ourselves. Throws a `TypeError` for anything else: the file was damaged or changed by somebody. */
export function storedAddress(text: string): Jid {
  const address = parseJid(text);
  if (address === undefined) throw new TypeError('a stored address is none');
  return address;
}

/** The bare address as text (RFC 7622 §3.1). */
export function bareText(address: Jid): string {
  return printJid(bareOf(address));
}

/** Whether two prepared addresses have the same bare address. */
export function isSameBare(one: Jid, other: Jid): boolean {
  return one.local === other.local && one.domain === other.domain;
}
