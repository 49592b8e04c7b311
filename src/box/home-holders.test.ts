import { describe, expect, test } from 'vitest';
import { LinkPeerDouble } from '../../test/support/link-peer-double.ts';
import type { LinkPeer } from '../link/types.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import { HomeHolders } from './home-holders.ts';

const COLUC = 'coluc.com' as Domain;
const OTHER = 'other.org' as Domain;

function holders(
  ours: readonly Domain[] = [COLUC, OTHER],
  paired: readonly LinkPeer[] = [],
): {
  table: HomeHolders;
  judged: (readonly [string, readonly string[], readonly string[]])[];
} {
  const judged: (readonly [string, readonly string[], readonly string[]])[] = [];
  const table = new HomeHolders({
    isOurs: (home) => ours.includes(home),
    paired: () => paired,
    judged: (peer: LinkPeer, { accepted, refused }) =>
      void judged.push([peer.name, accepted, refused.map(({ domain, because }) => `${domain}: ${because}`)]),
  });
  return { table, judged };
}

describe('which Core serves which home', () => {
  test('a Core gets the homes it announces', () => {
    const { table, judged } = holders();
    const core = new LinkPeerDouble('core-1');
    table.announce(core, [COLUC]);
    expect(table.holderOf(COLUC)).toBe(core);
    expect(table.holderOf(OTHER)).toBeUndefined();
    expect(judged).toEqual([['core-1', [COLUC], []]]);
  });

  test('two Cores share the homes of an Edge, each its own', () => {
    const { table } = holders();
    const [first, second] = [new LinkPeerDouble('core-1'), new LinkPeerDouble('core-2')];
    table.announce(first, [COLUC]);
    table.announce(second, [OTHER]);
    expect(table.holderOf(COLUC)).toBe(first);
    expect(table.holderOf(OTHER)).toBe(second);
  });

  test('a home that another Core serves is refused, and the holder keeps it', () => {
    const { table, judged } = holders();
    const [first, second] = [new LinkPeerDouble('core-1'), new LinkPeerDouble('core-2')];
    table.announce(first, [COLUC]);
    table.announce(second, [COLUC]);
    expect(table.holderOf(COLUC)).toBe(first);
    expect(judged.at(-1)).toEqual(['core-2', [], ['coluc.com: it is served by core-1 already']]);
  });

  test('a domain that is no home of the Edge is refused with the cure', () => {
    const { table, judged } = holders([COLUC]);
    table.announce(new LinkPeerDouble('core-1'), ['evil.example', 'not a domain']);
    expect(judged.at(-1)?.[2]).toEqual([
      "evil.example: it is not among the Edge's homes; add it, with a certificate, to the Edge's boot file",
      'not a domain: it is not a domain',
    ]);
    expect(table.holderOf('evil.example' as Domain)).toBeUndefined();
  });

  test('a Core that was invited for some homes gets no others', () => {
    const { table, judged } = holders();
    table.announce(new LinkPeerDouble('core-1', [OTHER]), [COLUC, OTHER]);
    expect(judged.at(-1)).toEqual([
      'core-1',
      [OTHER],
      ['coluc.com: the invitation does not permit it; invite the Core with this domain'],
    ]);
  });

  test('a short break of the Link moves nothing', () => {
    const { table } = holders();
    const [first, second] = [new LinkPeerDouble('core-1'), new LinkPeerDouble('core-2')];
    table.announce(first, [COLUC]);
    table.announce(second, [COLUC]);
    first.break(false);
    expect(table.holderOf(COLUC)).toBe(first);
  });

  test('when the holder is gone for good, another Core that announced the home takes over and is told', () => {
    const { table, judged } = holders();
    const [first, second] = [new LinkPeerDouble('core-1'), new LinkPeerDouble('core-2')];
    table.announce(first, [COLUC]);
    table.announce(second, [COLUC]);
    first.break(true);
    expect(table.holderOf(COLUC)).toBe(second);
    expect(judged.at(-1)).toEqual(['core-2', [COLUC], []]);
  });

  test('a holder that is gone without a successor stays the one who says why', () => {
    const { table } = holders();
    const only = new LinkPeerDouble('core-1');
    table.announce(only, [COLUC]);
    only.break(true);
    expect(table.holderOf(COLUC)).toBe(only);
  });

  test('after the end of a pairing its homes are free', () => {
    const { table } = holders();
    const [first, second] = [new LinkPeerDouble('core-1'), new LinkPeerDouble('core-2')];
    table.announce(first, [COLUC]);
    table.announce(second, [COLUC]);
    table.forget(first);
    expect(table.holderOf(COLUC)).toBe(second);
  });

  test('before anything is announced, stanzas wait for the one Core that may serve the home', () => {
    const [first, second] = [new LinkPeerDouble('core-1', [COLUC]), new LinkPeerDouble('core-2', [OTHER])];
    const { table } = holders([COLUC, OTHER], [first, second]);
    expect(table.holderOf(COLUC)).toBe(first);
    expect(table.holderOf(OTHER)).toBe(second);
    expect(table.holderOf('evil.example' as Domain)).toBeUndefined();
  });

  test('with two Cores that could be meant nobody is guessed', () => {
    const { table } = holders([COLUC], [new LinkPeerDouble('core-1'), new LinkPeerDouble('core-2')]);
    expect(table.holderOf(COLUC)).toBeUndefined();
  });

  test('a Core that announced other homes is not expected for this one', () => {
    const core = new LinkPeerDouble('core-1');
    const { table } = holders([COLUC, OTHER], [core]);
    table.announce(core, [OTHER]);
    expect(table.holderOf(COLUC)).toBeUndefined();
  });

  test('a new announcement replaces the former', () => {
    const { table } = holders();
    const core = new LinkPeerDouble('core-1');
    table.announce(core, [COLUC, OTHER]);
    table.announce(core, [OTHER]);
    expect(table.homesOf(core)).toEqual([OTHER]);
  });
});
