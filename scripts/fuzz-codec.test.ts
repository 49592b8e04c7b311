import { expect, it } from 'vitest';
import { fuzz } from './fuzz-codec.ts';

it('X-01, X-02: of 20,000 mutated streams none is accepted that saxes or libxml2 refuses, and none is read differently', () => {
  const report = fuzz(20_000, 1);
  expect(report.failures).toEqual([]);
  // The gate proves nothing if nearly everything is refused at once.
  expect(report.accepted).toBeGreaterThan(1000);
}, 120_000);
