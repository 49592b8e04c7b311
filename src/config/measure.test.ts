import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LONGEST_DURATION, parseDuration, parseSize } from './measure.ts';

describe('parseDuration', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['24d', LONGEST_DURATION],
    ['30 s', 30_000],
    ['0s', 0],
    ['0', 0],
    [0, 0],
  ])('%j is %d ms', (written, expected) => {
    expect(parseDuration(written)).toEqual({ value: expected });
  });

  test.each([30, '30', 1.5, '1.5s', '-1s', '', 's', '1h30m', '25d', '9999999999s', true, '30S', '３s'])(
    '%j is refused with a cure',
    (written) => {
      expect(parseDuration(written)).toEqual({
        reason: expect.stringMatching(/^\S.*[^.]$/) as string,
        cure: expect.stringMatching(/\.$/) as string,
      });
    },
  );

  test('no duration is longer than a timer of Node can hold', () => {
    expect(LONGEST_DURATION).toBeLessThan(2 ** 31);
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('ms', 's', 'm', 'h', 'd'), (count, unit) => {
        const parsed = parseDuration(`${count}${unit}`);
        return !('value' in parsed) || (parsed.value >= 0 && parsed.value <= LONGEST_DURATION);
      }),
    );
  });
});

describe('parseSize', () => {
  test.each([
    [262_144, 262_144],
    ['262144', 262_144],
    ['10000B', 10_000],
    ['256KiB', 262_144],
    ['1 MiB', 1_048_576],
    ['1GiB', 1_073_741_824],
  ])('%j is %d bytes', (written, expected) => {
    expect(parseSize(written)).toEqual({ value: expected });
  });

  test.each([
    ['1MB', '1MiB'],
    ['256k', '256KiB'],
    ['2g', '2GiB'],
  ])('%j proposes %j', (written, proposed) => {
    expect(parseSize(written)).toMatchObject({ cure: expect.stringContaining(`"${proposed}"`) as string });
  });

  test.each([-1, 1.5, '1.5MiB', 'lots', '', true, '9999999999999', '999999999999GiB', '1TiB'])(
    '%j is refused',
    (written) => {
      expect(parseSize(written)).toHaveProperty('reason');
    },
  );
});
