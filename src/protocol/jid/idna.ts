import { toASCII, toUnicode } from 'tr46';

/**
 * Internationalized domain names (IDNA2008, RFC 5890 to 5893), prepared as RFC 7622 §3.2 asks: case and width mapped, NFC, U-labels.
 *
 * tr46 brings the tables and the rules of UTS #46, which is more permissive than IDNA2008: it maps look-alikes to ASCII, drops
 * invisible characters and lets symbols pass. What it would map in that way is refused here.
 */

const RULES = {
  checkHyphens: true,
  checkBidi: true,
  checkJoiners: true,
  useSTD3ASCIIRules: true,
  transitionalProcessing: false,
} as const;

/** A domain in both forms. */
interface InternationalName {
  readonly unicode: string;
  readonly ascii: string;
}

/** Code points that RFC 5892 §2.6 lists as exceptions: valid although their category is not one of letters, marks and digits. */
const EXCEPTIONS = '\\u00B7\\u0375\\u05F3\\u05F4\\u06FD\\u06FE\\u0F0B\\u3007\\u30FB';

/**
 * What may be written: letters of either case, marks, digits, hyphen, joiners (their context is checked by tr46). RFC 5892 §2.1.
 * Of the dots only the ASCII one, so that a name has the labels everybody sees, whatever U+3002 and U+FF0E are mapped to.
 */
const WRITABLE = new RegExp(`^[-.\\p{L}\\p{Mn}\\p{Mc}\\p{Nd}\\u200C\\u200D${EXCEPTIONS}]*$`, 'u');

/** What a prepared name consists of: RFC 5892 §2.1 without the unstable upper case. */
const PREPARED = new RegExp(`^[-.\\p{Ll}\\p{Lo}\\p{Lm}\\p{Mn}\\p{Mc}\\p{Nd}\\u200C\\u200D${EXCEPTIONS}]*$`, 'u');

/** RFC 5892 §2.6, the disallowed exceptions, and §2.9, old Hangul jamo. */
const DISALLOWED =
  /[\u{302E}-\u{302F}\u{640}\u{7FA}\u{3031}-\u{3035}\u{303B}\u{1100}-\u{11FF}\u{A960}-\u{A97F}\u{D7B0}-\u{D7FF}]/u;

/** RFC 5892 §2.3: characters nobody sees. The two joiners have rules of their own. */
const INVISIBLE = /(?![\u200C\u200D])\p{Default_Ignorable_Code_Point}/u;

/**
 * Prepares a domain that has at least one non-ASCII character or A-label.
 *
 * @returns both forms, or `undefined` when IDNA2008 does not allow the name. Never throws.
 */
export function prepareInternational(text: string): InternationalName | undefined {
  if (!text.isWellFormed() || !WRITABLE.test(text) || INVISIBLE.test(text)) return undefined;

  const unicode = toUnicode(text, RULES);
  if (unicode.error || !PREPARED.test(unicode.domain) || DISALLOWED.test(unicode.domain)) return undefined;
  const ascii = toASCII(unicode.domain, { ...RULES, verifyDNSLength: true });
  if (ascii === null) return undefined;

  const written = text.split('.');
  const labels = unicode.domain.split('.');
  const encoded = ascii.split('.');
  const faithful = labels.every((label, index) => {
    const source = written[index] ?? '';
    if (!contextAllows(label)) return false;
    // A label that was not written in ASCII is never an ASCII name: full-width letters, the Kelvin sign.
    if (!isAscii(source)) return !isAscii(label);
    // An A-label must be the one and only encoding of its U-label (RFC 5891 §5.4).
    return source.toLowerCase() === encoded[index];
  });
  return faithful ? { unicode: unicode.domain, ascii } : undefined;
}

export function isAscii(text: string): boolean {
  return /^[\0-\x7F]*$/.test(text);
}

/** The contextual rules of RFC 5892, Appendix A.3 to A.9; those of the joiners (A.1, A.2) are tr46's. */
function contextAllows(label: string): boolean {
  if (isAscii(label)) return true;
  return (
    // A.3 MIDDLE DOT: between two l, for Catalan.
    !/(?<!l)\u00B7|\u00B7(?!l)/u.test(label) &&
    // A.4 GREEK LOWER NUMERAL SIGN: before Greek.
    !/\u0375(?!\p{Script=Greek})/u.test(label) &&
    // A.5, A.6 HEBREW GERESH, GERSHAYIM: after Hebrew.
    !/(?<!\p{Script=Hebrew})[\u05F3\u05F4]/u.test(label) &&
    // A.7 KATAKANA MIDDLE DOT: in a label with Hiragana, Katakana or Han.
    !(label.includes('\u30FB') && !/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(label)) &&
    // A.8, A.9: the two kinds of Arabic digits are not mixed.
    !(/[\u0660-\u0669]/u.test(label) && /[\u06F0-\u06F9]/u.test(label))
  );
}
