import type { AxlFailure } from './failures.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const FIRST = 2 * SECOND;
const LONGEST = 5 * MINUTE;

/** A role may be given at any time, and asking for it locks nothing. */
const ROLE_FIRST = 30 * SECOND;

/**
 * Wrong passwords lock an account: by the default credential policy of the reference system the third within 30 minutes does. So there are two, and then one in each
 * such time; the cure is a new password, after which the publisher is refreshed anyway.
 */
const CREDENTIALS_FIRST = 30 * SECOND;
const CREDENTIALS_NEXT = 31 * MINUTE;

/**
 * Milliseconds until the next attempt.
 *
 * @param inARow failures of this kind one after the other, this one included
 * @param random from 0 to 1: spreads what was ended by the same cause
 */
export function retryIn(failure: AxlFailure, inARow: number, random: number): number {
  switch (failure.code) {
    case 'credentials':
      return inARow === 1 ? CREDENTIALS_FIRST : CREDENTIALS_NEXT;
    case 'role':
      return doubled(ROLE_FIRST, inARow);
    case 'throttled':
    case 'locked-out':
      return Math.max(failure.retryAfter ?? 0, spread(doubled(FIRST, inARow), random));
    default:
      return spread(doubled(FIRST, inARow), random);
  }
}

/** What is not cured by asking again. */
const PATIENT: ReadonlySet<AxlFailure['code']> = new Set(['credentials', 'role', 'throttled', 'locked-out']);

/** Whether a failure forbids to try again before its time, whatever has changed here. */
export function mustWait(failure: AxlFailure): boolean {
  return PATIENT.has(failure.code);
}

function doubled(first: number, inARow: number): number {
  return Math.min(first * 2 ** Math.min(inARow - 1, 30), LONGEST);
}

/** Between the half of it and all of it. */
function spread(milliseconds: number, random: number): number {
  return (milliseconds * (1 + random)) / 2;
}
