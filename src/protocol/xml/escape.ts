// Lone surrogates, and what XML 1.0 §2.2 [2] does not permit, not even as a reference.
// oxlint-disable-next-line no-misleading-character-class
const NOT_A_CHARACTER = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\p{Cs}]/gu;
const IN_TEXT = /[&<>\r]/gu;
const IN_ATTRIBUTE = /[&<>"'\t\n\r]/gu;

const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/**
 * Character data. A carriage return becomes a reference, otherwise it would be read as a line feed (XML 1.0 §2.11); characters
 * that XML cannot express become U+FFFD, so that what is written can always be read.
 */
export function escapeText(text: string): string {
  return escape(text, IN_TEXT);
}

/**
 * An attribute value, for either kind of quotation marks. Tab, line feed and carriage return become references, otherwise they
 * would be read as spaces (XML 1.0 §3.3.3); characters that XML cannot express become U+FFFD.
 */
export function escapeAttribute(value: string): string {
  return escape(value, IN_ATTRIBUTE);
}

function escape(text: string, special: RegExp): string {
  return text.replace(NOT_A_CHARACTER, '\u{fffd}').replace(special, (character) => REFERENCES[character] ?? character);
}
