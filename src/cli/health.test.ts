import { describe, expect, test } from 'vitest';
import { edge, link, NOON } from '../../test/cli/stand-in-operations.ts';
import type { BoxStatus } from '../box/operations.ts';
import { allProblems, inAWord, problemsOf } from './health.ts';

const DAY = 86_400_000;

function wrong(status: BoxStatus): readonly string[] {
  return problemsOf(status, NOON).map(({ what }) => what);
}

/** An Edge whose Link has a certificate that ends then. */
function until(certificateUntil: number): BoxStatus {
  return edge({ links: [link({ certificateUntil })] });
}

describe('what is wrong with a box', () => {
  test('nothing, when all is as it was set up, federation off included', () => {
    expect(problemsOf(edge(), NOON)).toEqual([]);
    expect(problemsOf(edge({ role: 'single', links: [] }), NOON)).toEqual([]);
    const off = edge({ federation: { on: false, detail: 'federation is switched off' } });
    expect(problemsOf(off, NOON)).toEqual([]);
    expect(inAWord(edge(), NOON)).toBe('Federating');
    expect(inAWord(off, NOON)).toBe('Federation is off');
  });

  test.each([
    ['edge', 'down', 'connection reset', 'The Link to core-1 is down: connection reset.'],
    ['core', 'down', undefined, 'The Link to core-1 is down.'],
    ['core', 'down', 'It said goodbye.', 'The Link to core-1 is down: It said goodbye.'],
    ['edge', 'never connected', undefined, 'core-1 is paired and has never connected.'],
    ['core', 'never connected', 'no route', 'core-1 is paired and has never connected: no route.'],
    ['core', 'revoked', undefined, 'This Core is paired with no Edge, so nothing reaches the world.'],
  ] as const)('on an %s a Link that is %s', (role, state, because, what) => {
    const [problem, ...more] = problemsOf(edge({ role, links: [link({ state, because })] }), NOON);
    expect(problem).toMatchObject({ box: 'edge-1', what });
    expect(problem?.cure).toMatch(/\.$/);
    expect(more).toEqual([]);
  });

  test('a Core that one of its Edges has revoked says so; an Edge that has revoked a Core wanted that', () => {
    const links = [link(), link({ name: 'other', state: 'revoked' })];
    expect(wrong(edge({ role: 'core', links }))).toEqual(['The Edge other has revoked this Core.']);
    expect(wrong(edge({ role: 'edge', links }))).toEqual([]);
  });

  test('no Link at all, with the way to one', () => {
    expect(problemsOf(edge({ links: [] }), NOON)[0]?.cure).toContain('fedway link invite');
    expect(problemsOf(edge({ role: 'core', links: [] }), NOON)[0]?.cure).toContain('fedway link join');
  });

  test('a certificate of a Link that is not renewed: from a week before its end on', () => {
    expect(wrong(until(NOON + 7 * DAY + 1))).toEqual([]);
    expect(wrong(until(NOON + 7 * DAY))).toEqual([
      'The certificate of the Link to core-1 ends at 2026-10-08T12:00:00Z and has not been renewed.',
    ]);
    expect(wrong(until(NOON))).toEqual([
      'The certificate of the Link to core-1 has ended at 2026-10-01T12:00:00Z and has not been renewed.',
    ]);
  });

  test('a server inside that cannot be reached, once; partners that cannot be are none of ours', () => {
    const pair = { sender: 'vngtp.lab', target: 'coluc.com', state: 'bounce', queued: 0 } as const;
    const pairs = [
      { ...pair, side: 'home' },
      { ...pair, side: 'home', sender: 'a.lab' },
      { ...pair, side: 'foreign', target: 'gone.lab' },
    ] as const;
    expect(wrong(edge({ pairs }))).toEqual([
      'The server inside of coluc.com cannot be reached; what is sent to it bounces.',
    ]);
  });

  test('of several problems the first is said, and how many there are more', () => {
    const status = edge({ links: [link({ state: 'down' }), link({ name: 'core-2', state: 'down' })] });
    expect(inAWord(status, NOON)).toBe('The Link to core-1 is down. (and 1 more)');
  });

  test('problems of linked boxes are theirs', () => {
    const status = edge({ others: [edge({ name: 'core-1', role: 'core', links: [] })] });
    expect(problemsOf(status, NOON)).toEqual([]);
    expect(allProblems(status, NOON).map(({ box }) => box)).toEqual(['core-1']);
  });
});
