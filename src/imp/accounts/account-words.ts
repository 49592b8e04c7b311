import { prepareLocal } from '../../protocol/jid/prepare.ts';
import { LONGEST_PASSWORD, preparePassword } from '../../protocol/sasl/password.ts';

/** The fewest characters of a new password (NIST SP 800-63B §5.1.1.2, XEP-0438). */
const SHORTEST_PASSWORD = 8;

/** The prepared name of an account, or why it is none. */
export function accountName(written: string): { readonly name: string } | { readonly refused: string } {
  const name = prepareLocal(written);
  if (name !== undefined) return { name };
  return {
    refused:
      'This is not a user name. A name is the part of an address before the @: letters, digits and signs such as . _ and -, without spaces.',
  };
}

/** The prepared form of a password that somebody chooses, or why it cannot be one. What was typed is never repeated. */
export function newPassword(typed: string): { readonly password: string } | { readonly refused: string } {
  if (typed === '') return { refused: 'The password is empty. Type one.' };
  const password = preparePassword(typed);
  if (password === undefined) {
    return {
      refused: `The password holds control characters, or has more than ${LONGEST_PASSWORD} bytes. Choose one of printable characters.`,
    };
  }
  if (Array.from(password).length < SHORTEST_PASSWORD)
    return { refused: `The password has fewer than ${SHORTEST_PASSWORD} characters. Choose a longer one.` };
  return { password };
}
