/** Everything but visible characters and the plain space: controls, formats (bidi overrides), separators, lone surrogates, private use. */
const UNPRINTABLE = /\p{C}|(?! )\p{Z}/gu;

/**
 * Text that a peer chose, made safe for a log line or a sentence: what cannot be seen is written as `\u{0}`, a backslash as
 * `\\`, and all after `limit` UTF-16 units becomes `...`.
 */
export function printable(text: string, limit = 100): string {
  const cut = text.length > limit ? text.slice(0, limit) : text;
  const shown = cut
    .replaceAll('\\', '\\\\')
    .replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return cut.length < text.length ? `${shown}...` : shown;
}
