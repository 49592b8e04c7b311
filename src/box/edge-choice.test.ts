import { describe, expect, test } from 'vitest';
import { LinkPeerDouble } from '../../test/support/link-peer-double.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import { EdgeChoice } from './edge-choice.ts';

function pair(target: string): StreamPair {
  return { sender: 'coluc.com' as Domain, target: target as Domain };
}

const MANY = Array.from({ length: 200 }, (_, index) => pair(`partner${index}.lab`));

function choiceAmong(
  edges: LinkPeerDouble[],
  admits: (edge: string, target: string) => boolean = () => true,
): EdgeChoice {
  return new EdgeChoice({
    edges: () => edges,
    admits: ({ name }, { target }) => admits(name, target),
  });
}

describe('which Edge a pair leaves by', () => {
  test('without an Edge there is none', () => {
    expect(choiceAmong([]).edgeFor(pair('vngtp.lab'))).toBeUndefined();
  });

  test('pairs spread over the Edges, and each sticks to its own', () => {
    const edges = [new LinkPeerDouble('edge-1'), new LinkPeerDouble('edge-2')];
    const choice = choiceAmong(edges);
    const first = MANY.map((each) => choice.edgeFor(each));
    expect(new Set(first).size).toBe(2);
    expect(MANY.map((each) => choice.edgeFor({ ...each }))).toEqual(first);
  });

  test('a short break moves nothing, because another way would change the order', () => {
    const edges = [new LinkPeerDouble('edge-1'), new LinkPeerDouble('edge-2')];
    const choice = choiceAmong(edges);
    const first = MANY.map((each) => choice.edgeFor(each));
    edges[0]?.break(false);
    expect(MANY.map((each) => choice.edgeFor(each))).toEqual(first);
  });

  test('a pair that is new while a Link is broken takes an Edge that is up', () => {
    const [down, up] = [new LinkPeerDouble('edge-1'), new LinkPeerDouble('edge-2')];
    const choice = choiceAmong([down, up]);
    down.break(false);
    expect(new Set(MANY.map((each) => choice.edgeFor(each)))).toEqual(new Set([up]));
  });

  test('when an Edge is gone for good its pairs move, and the others stay', () => {
    const [gone, stays] = [new LinkPeerDouble('edge-1'), new LinkPeerDouble('edge-2')];
    const choice = choiceAmong([gone, stays]);
    for (const each of MANY) choice.edgeFor(each);
    expect(choice.countOf(gone)).toBeGreaterThan(0);
    gone.break(true);
    for (const each of MANY) expect(choice.edgeFor(each)).toBe(stays);
    expect(choice.countOf(stays)).toBe(MANY.length);
  });

  test('with every Edge gone one of them is left to say why', () => {
    const only = new LinkPeerDouble('edge-1');
    only.break(true);
    expect(choiceAmong([only]).edgeFor(pair('vngtp.lab'))).toBe(only);
  });

  test('an Edge whose settings do not admit the pair is not chosen', () => {
    const [strict, open] = [new LinkPeerDouble('edge-1'), new LinkPeerDouble('edge-2')];
    const choice = choiceAmong([strict, open], (edge) => edge === 'edge-2');
    for (const each of MANY) expect(choice.edgeFor(each)).toBe(open);
  });

  test('a pair moves when its Edge does not admit it any more', () => {
    const edges = [new LinkPeerDouble('edge-1'), new LinkPeerDouble('edge-2')];
    let denied = '';
    const choice = choiceAmong(edges, (edge) => edge !== denied);
    const former = choice.edgeFor(pair('vngtp.lab'));
    denied = former?.name ?? '';
    choice.reconsider();
    const now = choice.edgeFor(pair('vngtp.lab'));
    expect(now).toBeDefined();
    expect(now).not.toBe(former);
  });

  test('an Edge that is no longer paired is forgotten', () => {
    const edges = [new LinkPeerDouble('edge-1'), new LinkPeerDouble('edge-2')];
    const choice = choiceAmong(edges);
    for (const each of MANY) choice.edgeFor(each);
    const [gone] = edges.splice(0, 1);
    choice.reconsider();
    expect(gone === undefined ? -1 : choice.countOf(gone)).toBe(0);
    expect(choice.edgeFor(pair('partner1.lab'))).toBe(edges[0]);
  });
});
