import { expect, test } from 'vitest';
import { componentDomains, componentsOf, namedEdge } from './edge-names.ts';

test('IM&P knows an Edge by its host name, and without one by the name of the box', () => {
  const edges = [
    namedEdge('edge-1', 'eft-xwye-a.coluc.com', true),
    namedEdge('edge-2', undefined, true),
    namedEdge('edge-3', 'off.coluc.com', false),
    namedEdge('edge-4-', undefined, true),
    namedEdge('edge-5', 'EFT-xwye-a.coluc.com', true),
  ];
  const all = ['cm-2_s2scp-1.eft-xwye-a-coluc-com', 'cm-2_s2scp-1.edge-2'];
  expect(componentsOf(edges)).toEqual(all);
  expect(componentDomains(edges)).toEqual(all);
  expect(edges[3]?.component).toEqual({ problem: expect.stringContaining('letters, digits and hyphens') as string });
});
