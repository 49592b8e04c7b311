/** XEP-0045 §5.2: what lasts, by bare address; from the least to the most powerful. */
export const AFFILIATIONS = ['outcast', 'none', 'member', 'admin', 'owner'] as const;
export type Affiliation = (typeof AFFILIATIONS)[number];

/** XEP-0045 §5.1: what an occupant is during a visit; from the least to the most powerful. */
export const ROLES = ['none', 'visitor', 'participant', 'moderator'] as const;
export type Role = (typeof ROLES)[number];

/** What somebody is in a room. */
export interface Standing {
  readonly affiliation: Affiliation;
  readonly role: Role;
}

export function isAffiliation(text: string | undefined): text is Affiliation {
  return AFFILIATIONS.some((affiliation) => affiliation === text);
}

export function isRole(text: string | undefined): text is Role {
  return ROLES.some((role) => role === text);
}

/** Whether an affiliation has all the privileges of another (XEP-0045 §5.2.1). */
export function isAtLeast(affiliation: Affiliation, floor: Affiliation): boolean {
  return AFFILIATIONS.indexOf(affiliation) >= AFFILIATIONS.indexOf(floor);
}

/** The same of roles (XEP-0045 §5.1.1). */
export function hasRole(role: Role, floor: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(floor);
}

/** The role of whoever enters (XEP-0045 §5.1.2); `none`: entry is not permitted. */
export function initialRole(
  affiliation: Affiliation,
  { moderated, membersOnly }: { readonly moderated: boolean; readonly membersOnly: boolean },
): Role {
  switch (affiliation) {
    case 'outcast':
      return 'none';
    case 'none':
      if (membersOnly) return 'none';
      return moderated ? 'visitor' : 'participant';
    case 'member':
      return 'participant';
    case 'admin':
    case 'owner':
      return 'moderator';
  }
}

/**
 * The role of an occupant whose affiliation has changed (XEP-0045 §5.1.3): what an affiliation brings is gained with it; what it brought is lost with it,
 * and a role that somebody was given besides stays.
 */
export function roleAfter(
  role: Role,
  from: Affiliation,
  to: Affiliation,
  config: { readonly moderated: boolean; readonly membersOnly: boolean },
): Role {
  const usual = initialRole(to, config);
  if (usual === 'none' || isAtLeast(from, 'admin')) return usual;
  return hasRole(usual, role) ? usual : role;
}
