import type { StanzaErrorCondition } from '../../protocol/stream/stanza-error.ts';
import { type Affiliation, isAtLeast, type Role, type Standing } from './standing.ts';

/** Whether a request is granted, and with what condition it is refused. */
export type Verdict = 'granted' | Extract<StanzaErrorCondition, 'forbidden' | 'not-allowed' | 'conflict'>;

/**
 * Whether `actor` may give `target` another role (XEP-0045 §5.1.3, §8.2 to §8.5, §9.6 to §9.8). `none` is a kick.
 *
 * An admin or owner is a moderator by that fact, in the room or not.
 */
export function roleChange(actor: Standing, target: Standing, to: Role): Verdict {
  const isAdmin = isAtLeast(actor.affiliation, 'admin');
  // §8: whoever is no moderator is refused with forbidden.
  if (actor.role !== 'moderator' && !isAdmin) return 'forbidden';
  if (to === target.role) return 'granted';
  switch (to) {
    case 'moderator':
      // §9.6, §9: moderators are made by admins.
      return isAdmin ? 'granted' : 'forbidden';
    case 'none':
      // §8.2: nobody is kicked by a lower affiliation; §5.1.3: a moderator is kicked by an admin or owner.
      if (!isAtLeast(actor.affiliation, target.affiliation)) return 'not-allowed';
      return target.role === 'moderator' && !isAdmin ? 'not-allowed' : 'granted';
    case 'participant':
      return target.role === 'moderator' ? demotion(isAdmin, target.affiliation) : 'granted';
    case 'visitor':
      if (target.role === 'moderator') return demotion(isAdmin, target.affiliation);
      return revocation(actor.affiliation, target.affiliation);
  }
}

/** §9.7: moderators are unmade by admins, and never an admin or owner. */
function demotion(isAdmin: boolean, target: Affiliation): Verdict {
  if (isAtLeast(target, 'admin')) return 'not-allowed';
  return isAdmin ? 'granted' : 'forbidden';
}

/**
 * §8.4: voice is not taken from an admin or owner by anyone, nor from somebody whose affiliation is at or above the moderator's. Who has none is below
 * every moderator: otherwise the unaffiliated ones, whom §5.1.1 gives the privilege, would have it over nobody.
 */
function revocation(actor: Affiliation, target: Affiliation): Verdict {
  if (isAtLeast(target, 'admin')) return 'not-allowed';
  return target !== 'none' && isAtLeast(target, actor) ? 'not-allowed' : 'granted';
}

/** A change of somebody's affiliation, by a bare address. */
export interface AffiliationChange {
  readonly actor: Affiliation;
  /** What it is now. */
  readonly from: Affiliation;
  readonly to: Affiliation;
  /** The actor's own. */
  readonly isOwn: boolean;
  /** There is no other owner. */
  readonly isLastOwner: boolean;
}

/** Whether an affiliation may be changed (XEP-0045 §5.2.2, §9.1 to §9.5, §10.3 to §10.8). */
export function affiliationChange({ actor, from, to, isOwn, isLastOwner }: AffiliationChange): Verdict {
  if (!isAtLeast(actor, 'admin')) return 'forbidden';
  // §9.1: nobody bans himself.
  if (isOwn && to === 'outcast') return 'conflict';
  if (actor === 'owner') return from === 'owner' && to !== 'owner' && isLastOwner ? 'conflict' : 'granted';
  if (from === to) return 'granted';
  // §9.1: an owner is not banned by an admin, nor is another admin (§5.2.2).
  if (to === 'outcast' && isAtLeast(from, 'admin')) return 'not-allowed';
  // §10.5, §10.8: the lists of owners and admins are the owners'.
  return isAtLeast(from, 'admin') || isAtLeast(to, 'admin') ? 'forbidden' : 'granted';
}

/**
 * Whether a list of affiliations is shown (XEP-0045 §9.2, §9.5, §10.5, §10.8). In a room where everybody's address is known the lists of members, admins
 * and owners are for all members; the ban list is for admins.
 */
export function mayListAffiliation(actor: Affiliation, list: Affiliation, isAnonymous: boolean): Verdict {
  switch (list) {
    case 'owner':
    case 'admin':
      return actor === 'owner' || (!isAnonymous && isAtLeast(actor, 'member')) ? 'granted' : 'forbidden';
    case 'member':
      return isAtLeast(actor, isAnonymous ? 'admin' : 'member') ? 'granted' : 'forbidden';
    case 'outcast':
    case 'none':
      return isAtLeast(actor, 'admin') ? 'granted' : 'forbidden';
  }
}

/** Whether a list of roles is shown: voice to moderators (XEP-0045 §8.5), moderators to admins (§9.8). */
export function mayListRole(actor: Standing, list: Role): Verdict {
  if (isAtLeast(actor.affiliation, 'admin')) return 'granted';
  return actor.role === 'moderator' && list !== 'moderator' ? 'granted' : 'forbidden';
}
