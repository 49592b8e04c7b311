import { bytesLeftOut, prefixOf, XML_LIMIT } from './escape.ts';

/** Elements whose content is never shown: credentials (XEP-0114 §3) and what users write to each other. */
const MASKED = /<((?:[^\s<>/:'"=]+:)?(?:handshake|message|presence|iq|body|auth))(?=[\s/>])/gu;
const EXTERNAL = /\smechanism\s*=\s*(['"])EXTERNAL\1/u;

/**
 * XML as a log may show it: cut to `XML_LIMIT`, and the content of component handshakes and stanzas masked; also that of a SASL
 * `<auth/>` with any mechanism but EXTERNAL (a client that mistakes us for its server sends a password there, EXTERNAL carries only
 * a domain).
 *
 * Takes XML that was parsed or written by us. Masking reaches from a start tag to the last end tag of the same name, so that no
 * content (CDATA that looks like an end tag, say) brings a secret back; masking too much is the safe side.
 */
export function showableXml(xml: string): string {
  const shown = prefixOf(xml, XML_LIMIT);
  return masked(shown) + bytesLeftOut(xml, shown.length);
}

function masked(xml: string): string {
  let result = '';
  let done = 0;
  for (const match of xml.matchAll(MASKED)) {
    if (match.index < done) continue;
    const name = match[1] ?? '';
    const start = endOfTag(xml, match.index + match[0].length);
    const tag = xml.slice(match.index, start);
    if (tag.endsWith('/>') || (/(?:^|:)auth$/u.test(name) && EXTERNAL.test(tag))) continue;
    const closing = xml.lastIndexOf(`</${name}`);
    const end = closing >= start ? closing : xml.length;
    if (end > start) {
      result += `${xml.slice(done, start)}[${Buffer.byteLength(xml.slice(start, end))} bytes masked]`;
      done = end;
    }
  }
  return result + xml.slice(done);
}

/** Where the tag ends that `from` is inside of: after its `>`, which may also stand in a quoted attribute value. */
function endOfTag(xml: string, from: number): number {
  let quote = '';
  for (let index = from; index < xml.length; index++) {
    const character = xml.charAt(index);
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") {
      quote = character;
    } else if (character === '>') {
      return index + 1;
    }
  }
  return xml.length;
}
