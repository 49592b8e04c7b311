import { expect, test } from 'vitest';
import { Shares } from './shares.ts';

test('an account may take some time at once; beyond it all of its sessions rest, and no others', () => {
  const shares = new Shares();
  shares.took('juliet', 150, 0, 0);
  expect(shares.restOf('juliet', 0)).toBe(0);
  shares.took('juliet', 0, 2_000, 0);
  expect([shares.restOf('juliet', 0), shares.restOf('romeo', 0)]).toEqual([200, 0]);
  expect([shares.restOf('juliet', 100), shares.restOf('juliet', 200)]).toEqual([100, 0]);
});

test('whoever rests has no more than before, and the account that took something longest ago is forgotten', () => {
  const shares = new Shares();
  shares.took('juliet', 200, 0, 0);
  shares.took('juliet', 201, 0, 3_600_000);
  expect(shares.restOf('juliet', 3_600_000)).toBe(4);
  for (let n = 0; n < 10_000; n++) shares.took(`user-${n}`, 1_000, 0, 3_600_000);
  expect([shares.restOf('juliet', 3_600_000), shares.restOf('user-0', 3_600_000)]).toEqual([0, 3_200]);
});
