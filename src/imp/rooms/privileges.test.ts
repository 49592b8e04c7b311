import { describe, expect, test } from 'vitest';
import { affiliationChange, mayListAffiliation, mayListRole, roleChange } from './privileges.ts';
import { AFFILIATIONS, initialRole, isAffiliation, isRole, ROLES, roleAfter, type Standing } from './standing.ts';

/** g: granted, f: forbidden, n: not-allowed, c: conflict. */
const VERDICTS = { g: 'granted', f: 'forbidden', n: 'not-allowed', c: 'conflict' } as const;

function verdict(letter: string | undefined): string {
  if (letter === 'g' || letter === 'f' || letter === 'n' || letter === 'c') return VERDICTS[letter];
  throw new TypeError(`${letter ?? 'nothing'} is no verdict`);
}

function standing(text: string): Standing {
  const [affiliation, role] = text.split('/');
  if (!isAffiliation(affiliation) || !isRole(role)) throw new TypeError(`${text} is no standing`);
  return { affiliation, role };
}

/** Rows of a table in a text: the first word, and the letters behind it. */
function rows(table: string): readonly (readonly [name: string, letters: readonly string[]])[] {
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', ...letters] = line.trim().split(/\s+/);
      return [name, letters];
    });
}

describe('XEP-0045 §5.1.1, §5.1.3: who may give whom which role', () => {
  // Columns: to none (kick), visitor, participant, moderator.
  const unaffiliatedModerator = `
    none/visitor       g g g f
    none/participant   g g g f
    none/moderator     n f f g
    member/visitor     n g g f
    member/participant n n g f
    member/moderator   n f f g
    admin/moderator    n n n g
    owner/moderator    n n n g`;
  const memberModerator = `
    none/visitor       g g g f
    none/participant   g g g f
    none/moderator     n f f g
    member/visitor     g g g f
    member/participant g n g f
    member/moderator   n f f g
    admin/moderator    n n n g
    owner/moderator    n n n g`;
  const admin = `
    none/visitor       g g g g
    none/participant   g g g g
    none/moderator     g g g g
    member/visitor     g g g g
    member/participant g g g g
    member/moderator   g g g g
    admin/moderator    g n n g
    owner/moderator    n n n g`;
  const owner = admin.replace('owner/moderator    n', 'owner/moderator    g');
  const nobody = admin.replaceAll(/ [gn](?= |$|\n)/g, ' f');

  const actors: readonly (readonly [string, string])[] = [
    ['none/moderator', unaffiliatedModerator],
    ['member/moderator', memberModerator],
    ['admin/moderator', admin],
    ['admin/none', admin],
    ['owner/moderator', owner],
    ['owner/none', owner],
    ...[
      'outcast/none',
      'none/none',
      'none/visitor',
      'none/participant',
      'member/none',
      'member/visitor',
      'member/participant',
    ].map((actor) => [actor, nobody] as const),
  ];
  const cases = actors.flatMap(([actor, table]) =>
    rows(table).flatMap(([target, letters]) =>
      ROLES.map((to, column) => [actor, target, to, verdict(letters[column])] as const),
    ),
  );

  test('the table has all actors, targets and roles', () => {
    expect(cases).toHaveLength(13 * 8 * 4);
  });

  test.each(cases)('%s makes %s a %s: %s', (actor, target, to, expected) => {
    expect(roleChange(standing(actor), standing(target), to)).toBe(expected);
  });
});

describe('XEP-0045 §5.2.1, §5.2.2: who may give whom which affiliation', () => {
  // Columns: to outcast, none, member, admin, owner. Rows: what it is now.
  const nobody = `
    outcast f f f f f
    none    f f f f f
    member  f f f f f
    admin   f f f f f
    owner   f f f f f`;
  const everything = nobody.replaceAll(' f', ' g');
  const admin = `
    outcast g g g f f
    none    g g g f f
    member  g g g f f
    admin   n f f g f
    owner   n f f f g`;
  const tables = [
    ['outcast', 'another', nobody],
    ['none', 'another', nobody],
    ['member', 'another', nobody],
    ['admin', 'another', admin],
    ['owner', 'another', everything],
    ['admin', 'the own', 'admin c f f g f'],
    ['owner', 'the own', 'owner c g g g g'],
    ['owner', 'the last owner', 'owner c c c c g'],
    ['none', 'the own', 'none f f f f f'],
    ['member', 'the own', 'member f f f f f'],
  ] as const;
  const cases = tables.flatMap(([actor, whose, table]) =>
    rows(table).flatMap(([from, letters]) =>
      AFFILIATIONS.map((to, column) => [actor, whose, from, to, verdict(letters[column])] as const),
    ),
  );

  test('the table has all of another, and the own', () => {
    expect(cases).toHaveLength(5 * 5 * 5 + 5 * 5);
  });

  test.each(cases)('%s changes %s affiliation from %s to %s: %s', (actor, whose, from, to, expected) => {
    if (!isAffiliation(from)) throw new TypeError(from);
    const isOwn = whose !== 'another';
    expect(affiliationChange({ actor, from, to, isOwn, isLastOwner: whose === 'the last owner' })).toBe(expected);
  });
});

describe('XEP-0045 §8.5, §9.2, §9.5, §9.8, §10.5, §10.8: who sees which list', () => {
  // Columns: outcast, none, member, admin, owner.
  const anonymous = `
    outcast f f f f f
    none    f f f f f
    member  f f f f f
    admin   g g g f f
    owner   g g g g g`;
  const known = `
    outcast f f f f f
    none    f f f f f
    member  f f g g g
    admin   g g g g g
    owner   g g g g g`;
  const cases = [true, false].flatMap((isAnonymous) =>
    rows(isAnonymous ? anonymous : known).flatMap(([actor, letters]) =>
      AFFILIATIONS.map((list, column) => [actor, list, isAnonymous, verdict(letters[column])] as const),
    ),
  );

  test.each(cases)('%s asks for the list of %s, semi-anonymous %s: %s', (actor, list, isAnonymous, expected) => {
    if (!isAffiliation(actor)) throw new TypeError(actor);
    expect(mayListAffiliation(actor, list, isAnonymous)).toBe(expected);
  });

  test.each([
    ['none/participant', 'participant', 'forbidden'],
    ['none/moderator', 'participant', 'granted'],
    ['none/moderator', 'visitor', 'granted'],
    ['none/moderator', 'moderator', 'forbidden'],
    ['admin/moderator', 'moderator', 'granted'],
    ['owner/none', 'participant', 'granted'],
  ] as const)('%s asks for the list of roles %s: %s', (actor, list, expected) => {
    expect(mayListRole(standing(actor), list)).toBe(expected);
  });
});

describe('XEP-0045 §5.1.2, §5.1.3: roles that come with affiliations', () => {
  test.each([
    // moderated, members-only, then by affiliation from outcast to owner
    [false, false, 'none participant participant moderator moderator'],
    [true, false, 'none visitor participant moderator moderator'],
    [false, true, 'none none participant moderator moderator'],
    [true, true, 'none none participant moderator moderator'],
  ] as const)('moderated %s, members-only %s: %s', (moderated, membersOnly, roles) => {
    expect(AFFILIATIONS.map((each) => initialRole(each, { moderated, membersOnly })).join(' ')).toBe(roles);
  });

  const open = { moderated: false, membersOnly: false };
  const moderated = { moderated: true, membersOnly: false };
  test.each([
    ['participant', 'none', 'admin', open, 'moderator'],
    ['visitor', 'none', 'member', moderated, 'participant'],
    ['moderator', 'none', 'member', open, 'moderator'],
    ['participant', 'member', 'none', moderated, 'participant'],
    ['moderator', 'admin', 'none', moderated, 'visitor'],
    ['moderator', 'owner', 'member', open, 'participant'],
    ['moderator', 'owner', 'admin', open, 'moderator'],
    ['participant', 'member', 'outcast', open, 'none'],
  ] as const)('a %s whose affiliation goes from %s to %s', (role, from, to, config, expected) => {
    expect(roleAfter(role, from, to, config)).toBe(expected);
  });
});
