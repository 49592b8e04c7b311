import { isLanguageTag } from '../xml/language.ts';

/** The language fedway writes its texts in. */
export const OUR_LANGUAGE = 'en';

/**
 * The language to answer in (RFC 6120 §4.7.4). We have texts in one language only, so a peer that asks for it, in whatever spelling, is
 * answered in its own; whoever asks for another, or with something that is no language tag (checklist S-38), in ours.
 */
export function answerLanguage(requested: string | undefined): string {
  return requested !== undefined && requested.toLowerCase() === OUR_LANGUAGE && isLanguageTag(requested)
    ? requested
    : OUR_LANGUAGE;
}
