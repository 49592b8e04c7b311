/** RFC 5646 §2.1, `langtag` and `privateuse`; of the grandfathered tags those that begin with `i-`. */
const LANGUAGE_TAG = new RegExp(
  [
    '^(?:',
    '(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})', // language, extended language
    '(?:-[a-z]{4})?', // script
    '(?:-(?:[a-z]{2}|[0-9]{3}))?', // region
    '(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*', // variants
    '(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*', // extensions
    '(?:-x(?:-[a-z0-9]{1,8})+)?', // private use
    '|x(?:-[a-z0-9]{1,8})+',
    '|i-[a-z]{3,8}',
    ')$',
  ].join(''),
  'i', // without u: with it, i takes U+017F for an s and U+212A for a k
);

/** Far above RFC 5646 §4.4.1's 35; a tag of thousands of characters is not copied into every stanza. */
const LONGEST = 64;

/** Whether a value of `xml:lang` is a well-formed language tag (RFC 5646 §2.2.9). Anything else counts as absent (RFC 6120 §4.7.4). */
export function isLanguageTag(tag: string): boolean {
  return tag.length <= LONGEST && LANGUAGE_TAG.test(tag);
}
