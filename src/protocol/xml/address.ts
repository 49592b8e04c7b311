import { parseJid } from '../jid/jid.ts';
import { SLASH } from './bytes.ts';
import { decodeUtf8 } from './utf8.ts';

const AT_SIGN = 0x40;

/** Octets of a localpart and of a resource (RFC 7622 §3.1). */
const PART_OCTETS = 1023;

/** RFC 7622 §3.3.1, and controls; what stands escaped in XML does not come here. */
const NOT_IN_LOCAL = new Uint8Array(256);
for (let control = 0; control <= 0x20; control++) NOT_IN_LOCAL[control] = 1;
for (const character of `"&':<>\x7F`) NOT_IN_LOCAL[character.charCodeAt(0)] = 1;

/**
 * Whether what stands around the domain of an address is well-formed (RFC 7622 §3.2 to §3.4): no part is empty or too long, and a
 * localpart has no character that it must not have. [start, end) is an attribute value without references. The domain is not looked at.
 *
 * Asked for every stanza, so the common case, ASCII, is decided on the bytes in one pass.
 */
export function isWellAddressed(bytes: Uint8Array, start: number, end: number): boolean {
  let at = -1;
  let unfit = 0;
  let all = 0;
  let slash = start;
  for (; slash < end; slash++) {
    const byte = bytes[slash] as number;
    if (byte === SLASH) break;
    if (at >= 0) continue;
    if (byte === AT_SIGN) at = slash;
    else {
      unfit |= NOT_IN_LOCAL[byte] as number;
      all |= byte;
    }
  }
  if (slash < end && !isPart(end - slash - 1)) return false;
  if (at < 0) return true;
  if (unfit !== 0 || !isPart(at - start)) return false;
  // Beyond ASCII there are characters that become separators when somebody normalizes them.
  return all < 0x80 || parseJid(`${decodeUtf8(bytes, start, at)}@localpart.example`) !== undefined;
}

/** The same for text, which may be escaped in XML. */
export function isWellAddressedText(address: string): boolean {
  const slash = address.indexOf('/');
  const bare = slash === -1 ? address : address.slice(0, slash);
  const at = bare.indexOf('@');
  const local = at === -1 ? '' : bare.slice(0, at + 1);
  return parseJid(`${local}localpart.example${slash === -1 ? '' : address.slice(slash)}`) !== undefined;
}

function isPart(octets: number): boolean {
  return octets > 0 && octets <= PART_OCTETS;
}
