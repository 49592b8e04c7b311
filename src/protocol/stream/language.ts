const TAG = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/;
const LONGEST = 35;

/** The language fedway writes its texts in. */
export const OUR_LANGUAGE = 'en';

/**
 * A well-formed language tag (BCP 47, the shape only), or `undefined`: a peer may send `en-US.UTF-8` or kilobytes, and neither may be
 * echoed or copied into stanzas (checklist S-38).
 */
export function languageTag(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= LONGEST && TAG.test(text) ? text : undefined;
}

/** The language to answer in (RFC 6120 §4.7.4): we have texts in one language only, so the peer's tag decides just its form. */
export function answerLanguage(requested: string | undefined): string {
  const tag = languageTag(requested)?.toLowerCase();
  return tag === OUR_LANGUAGE ? (requested ?? OUR_LANGUAGE) : OUR_LANGUAGE;
}
