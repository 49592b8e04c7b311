import { prepareResource } from '../jid/prepare.ts';

/** The most octets that a password may have in UTF-8. Whoever sends more is not read on: key derivation is work that strangers may ask for. */
export const LONGEST_PASSWORD = 1023;

/**
 * A password in the form that keys are derived from: the OpaqueString profile of PRECIS (RFC 8265 §4.2), which has taken the place of SASLprep
 * (RFC 4013) that RFC 5802 §2.2 names. Everybody who derives or compares must prepare first, or `é` typed on one keyboard is not `é` typed on another.
 *
 * @returns `undefined` for what is no password: empty, longer than `LONGEST_PASSWORD`, or with characters that the profile excludes. Never throws; idempotent.
 */
export function preparePassword(text: string): string | undefined {
  // RFC 7622 §3.4 prepares a resource by the very same profile, under the same bound.
  return prepareResource(text);
}
