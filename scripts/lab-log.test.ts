import { expect, test } from 'vitest';
import { isTelling, parseLogLine } from './lab-log.ts';

const TIME = '2026-11-22T18:00:00.000Z';

test('a line with an element is taken apart into pair, sentence and element', () => {
  const line = `${TIME} INFO  coluc.com > vngtp.lab        34a9b60c8 s2s.dialback Initiating: sent the dialback key to vngtp.lab; it has 30 seconds to answer. timeout_seconds=30 xml="<db:result from='coluc.com' to='vngtp.lab'>d7</db:result>" peer=127.20.0.152:5269`;
  expect(parseLogLine(line)).toEqual({
    level: 'INFO',
    pair: 'coluc.com > vngtp.lab',
    module: 's2s.dialback',
    sentence: 'Initiating: sent the dialback key to vngtp.lab; it has 30 seconds to answer.',
    xml: `<db:result from='coluc.com' to='vngtp.lab'>d7</db:result>`,
    home: false,
  });
});

test('a line about the server inside, without a pair, says so', () => {
  const line = `${TIME} INFO  -                            34a9b60c8 s2s.tls      The stream with the server inside is encrypted. side=home peer=127.20.0.101:41234`;
  expect(parseLogLine(line)).toMatchObject({
    pair: '-',
    sentence: 'The stream with the server inside is encrypted.',
    home: true,
  });
});

test('what is not a line of the log is not taken for one', () => {
  expect(parseLogLine('(node:1) Warning: something')).toBeUndefined();
});

test('the story tells of warnings and dialback, not of the opening and closing of streams', () => {
  const step = { pair: '-', sentence: 'x', xml: undefined, home: false };
  expect(isTelling({ ...step, level: 'INFO', module: 's2s.dialback' })).toBe(true);
  expect(isTelling({ ...step, level: 'WARN', module: 's2s.stream' })).toBe(true);
  expect(isTelling({ ...step, level: 'INFO', module: 's2s.stream' })).toBe(false);
  expect(isTelling({ ...step, level: 'DEBUG', module: 's2s.dialback' })).toBe(false);
});
