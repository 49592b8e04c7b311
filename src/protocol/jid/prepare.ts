import { type Jid, parseJid } from './jid.ts';

/** Octets in UTF-8 of a part (RFC 7622 §3.1). */
const PART_OCTETS = 1023;

/** PRECIS IdentifierClass (RFC 8264 §4.2): letters, digits, marks and printable ASCII. */
const IDENTIFIER = /^[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}\u0021-\u007E]+$/u;
/** Not in a localpart (RFC 7622 §3.3.1). */
const NOT_IN_LOCAL = /["&'/:<>@]/;
/** PRECIS FreeformClass (RFC 8264 §4.3) leaves out controls, and what Unicode has not assigned or keeps private. */
const NOT_FREEFORM = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/u;
/** Full-width and half-width forms, which the UsernameCaseMapped profile maps (RFC 8265 §3.3.2). */
const WIDTHS = /[\uFF01-\uFFEE\u3000]/gu;

const utf8 = new TextEncoder();

/**
 * A localpart as RFC 7622 §3.3 compares it: the UsernameCaseMapped profile (RFC 8265 §3.3), so that `Alice` and `alice` are one user.
 *
 * @returns `undefined` for what is no localpart. Never throws; idempotent.
 */
export function prepareLocal(text: string): string | undefined {
  const mapped = text
    .replaceAll(WIDTHS, (wide) => wide.normalize('NFKC'))
    .toLowerCase()
    .normalize('NFC');
  if (!fits(mapped) || !IDENTIFIER.test(mapped) || NOT_IN_LOCAL.test(mapped)) return undefined;
  // RFC 8264 §9.17: characters with a compatibility equivalent are not in the IdentifierClass.
  return mapped.normalize('NFKC') === mapped ? mapped : undefined;
}

/**
 * A resourcepart as RFC 7622 §3.4 compares it: the OpaqueString profile (RFC 8265 §4.2).
 *
 * @returns `undefined` for what is no resource. Never throws; idempotent.
 */
export function prepareResource(text: string): string | undefined {
  const mapped = text.replaceAll(/\p{Zs}/gu, ' ').normalize('NFC');
  return fits(mapped) && !NOT_FREEFORM.test(mapped) ? mapped : undefined;
}

/** An address whose parts are all in the form that is compared; `undefined` when one cannot be. */
export function prepareJid({ local, domain, resource }: Jid): Jid | undefined {
  const preparedLocal = local === undefined ? undefined : prepareLocal(local);
  const preparedResource = resource === undefined ? undefined : prepareResource(resource);
  if (
    (local !== undefined && preparedLocal === undefined) ||
    (resource !== undefined && preparedResource === undefined)
  )
    return undefined;
  return { local: preparedLocal, domain, resource: preparedResource };
}

/** An address that somebody wrote, in the form that is compared; `undefined` for what is none. Never throws. */
export function readJid(text: string): Jid | undefined {
  const jid = parseJid(text);
  return jid === undefined ? undefined : prepareJid(jid);
}

function fits(part: string): boolean {
  return part !== '' && utf8.encode(part).length <= PART_OCTETS;
}
