/**
 * Text that others wrote, made safe to show: it cannot end a line, move a cursor, change the direction of writing or hide.
 *
 * Everything Unicode calls "other" (control, format, surrogate, private use, unassigned) and the two line separators are replaced;
 * that covers C0 and C1 controls, ANSI escapes, bidirectional overrides and isolates, zero-width characters, the byte order mark
 * and tag characters.
 */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const UNSAFE_OR_BACKSLASH = /[\p{C}\p{Zl}\p{Zp}\\]/gu;
const HAS_UNSAFE_OR_BACKSLASH = /[\p{C}\p{Zl}\p{Zp}\\]/u;

/** UTF-16 units of one value that are shown; what is longer is cut. */
export const TEXT_LIMIT = 512;
/** The same for XML, which is what somebody reads a log at level `verbose` for. */
export const XML_LIMIT = 4096;

/**
 * Cuts a text that is longer than `limit` UTF-16 units, never through a character, and says how many bytes (of UTF-8) are left
 * out: `abc...(1234 bytes left out)`.
 */
export function cut(text: string, limit: number): string {
  const shown = prefixOf(text, limit);
  return shown + bytesLeftOut(text, shown.length);
}

/** The first `limit` UTF-16 units, one less where the limit would cut a surrogate pair. */
export function prefixOf(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit);
}

/** What `cut` puts behind the first `shown` UTF-16 units of a text; nothing when that is all of it. */
export function bytesLeftOut(text: string, shown: number): string {
  return shown >= text.length ? '' : `...(${Buffer.byteLength(text.slice(shown))} bytes left out)`;
}

/** Escapes with backslashes; the backslash itself is doubled, so that what is shown is unambiguous. */
export function visible(text: string): string {
  return HAS_UNSAFE_OR_BACKSLASH.test(text) ? text.replace(UNSAFE_OR_BACKSLASH, backslashed) : text;
}

/** `visible`, and double quotes are escaped too: fit to stand between double quotes. */
export function visibleInQuotes(text: string): string {
  return visible(text).replaceAll('"', '\\"');
}

/** One line of JSON in which unsafe characters are written as `\uXXXX`: what a reader decodes is still the original text. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, inUnits);
}

function backslashed(character: string): string {
  switch (character) {
    case '\\':
      return '\\\\';
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    default:
      return inUnits(character);
  }
}

/** `\uXXXX` for each UTF-16 unit, which is how JSON writes it. */
function inUnits(character: string): string {
  let escaped = '';
  for (let index = 0; index < character.length; index++) {
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}
