import { isAscii, prepareInternational } from './idna.ts';

declare const prepared: unique symbol;

/**
 * A domain in prepared form: RFC 7622 §3.2 (lower case, U-labels, no trailing dot). Two domains are the same exactly when
 * their prepared forms are the same string; this form also goes on the wire and into dialback keys.
 */
export type Domain = string & { readonly [prepared]: true };

/** Longer than any domain whose A-label form fits into DNS; longer texts are refused unread. */
const LONGEST_TEXT = 1024;

/** Prepared forms are remembered for so many non-ASCII texts; the oldest goes first. */
const REMEMBERED = 2048;

const ASCII_LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

const preparedForms = new Map<string, { readonly domain: Domain; readonly ascii: string } | undefined>();

/**
 * Prepares a domain for comparison, the wire, and routing (RFC 7622 §3.2).
 *
 * One trailing dot is removed; upper case, A-labels and non-NFC forms are accepted and converted. ASCII names may have `_` in a
 * label (SRV-like names occur). IP literals are refused, and with them every name whose last label is a number: libraries
 * take `127.1` or `0x7f.1` for addresses.
 *
 * @returns `undefined` for what is no domain. Total, idempotent, never throws.
 */
export function parseDomain(text: string): Domain | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  const lower = isAscii(name) ? name.toLowerCase() : undefined;
  if (lower !== undefined && !hasALabel(lower)) return isAsciiDomain(lower) ? (lower as Domain) : undefined;
  return international(lower ?? name)?.domain;
}

/** The A-label form (RFC 5890 §2.3.2.1): for DNS questions, SNI and certificate names. */
export function toAscii(domain: Domain): string {
  if (isAscii(domain)) return domain;
  const form = international(domain);
  if (form === undefined) throw new TypeError('not a prepared domain');
  return form.ascii;
}

/** Whether `domain` is a sub-domain of `suffix`, at any depth; a domain is not below itself. */
export function isBelow(domain: Domain, suffix: Domain): boolean {
  return domain.length > suffix.length && domain.endsWith(suffix) && domain[domain.length - suffix.length - 1] === '.';
}

/** RFC 1035 §2.3.4 (lengths), RFC 5891 §4.2.3.1 (hyphens). */
function isAsciiDomain(name: string): boolean {
  if (name.length > 253) return false;
  if (endsInNumber(name)) return false;
  return name.split('.').every((label) => ASCII_LABEL.test(label) && label.slice(2, 4) !== '--');
}

function endsInNumber(ascii: string): boolean {
  return /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/.test(ascii);
}

function hasALabel(name: string): boolean {
  return name.startsWith('xn--') || name.includes('.xn--');
}

function international(name: string): { readonly domain: Domain; readonly ascii: string } | undefined {
  if (preparedForms.has(name)) return preparedForms.get(name);
  const both = prepareInternational(name);
  const form =
    both === undefined || endsInNumber(both.ascii) ? undefined : { domain: both.unicode as Domain, ascii: both.ascii };
  if (preparedForms.size >= REMEMBERED) {
    for (const oldest of preparedForms.keys()) {
      preparedForms.delete(oldest);
      break;
    }
  }
  preparedForms.set(name, form);
  return form;
}
