import { describe, expect, test } from 'vitest';
import type { StreamEnd } from '../protocol/end.ts';
import { STREAM_ERROR_CONDITIONS } from '../protocol/stream/stream-error.ts';
import { explain, severityOfEnd } from './explain.ts';

const ENDS: readonly StreamEnd[] = [
  ...STREAM_ERROR_CONDITIONS.flatMap((condition): StreamEnd[] => [
    { by: 'us', condition },
    { by: 'them', condition, text: 'in their words' },
  ]),
  { by: 'dialback', failure: { answer: 'invalid' } },
  { by: 'dialback', failure: { answer: 'error', condition: 'remote-server-not-found' } },
  { by: 'dialback', failure: { answer: 'error', condition: undefined } },
  { by: 'dialback', failure: { answer: 'none' } },
  ...(['idna', 'dns', 'no-service', 'tcp', 'tls'] as const).map(
    (stage): StreamEnd => ({ by: 'network', stage, detail: 'the detail.' }),
  ),
  { by: 'policy', because: 'TLS is required' },
  { by: 'authentication', because: 'the certificate has expired' },
  { by: 'timeout', waitingFor: 'the stream header' },
  { by: 'link', detail: 'the Link to edge-1 is down' },
  { by: 'link', detail: 'the Link to edge-1 is down', inDoubt: true },
  { by: 'close' },
  { by: 'disconnect' },
  { by: 'disconnect', detail: 'ECONNRESET' },
];

describe('explain', () => {
  test('gives complete sentences for every end', () => {
    for (const end of ENDS) {
      for (const direction of ['in', 'out'] as const) {
        const { cause, cure } = explain(end, direction);
        expect(cause).toMatch(/^[A-Z].*\.$/);
        expect(cause).not.toMatch(/undefined(?!-condition)|\.\./);
        expect(cure ?? 'Nothing.').toMatch(/^[A-Za-z].*\.$/);
      }
    }
  });

  test('says what to do about everything that a warning is written for', () => {
    const unanswered = ENDS.filter((end) => severityOfEnd(end) === 'warning' && explain(end).cure === undefined);
    expect(unanswered).toEqual([]);
  });

  test('keeps the details that an administrator needs', () => {
    expect(explain({ by: 'network', stage: 'tcp', detail: '10.0.0.1:5269 refused' }).cause).toContain(
      '10.0.0.1:5269 refused',
    );
    expect(explain({ by: 'them', condition: 'policy-violation', text: 'TLS first' }).cause).toContain('"TLS first"');
    expect(explain({ by: 'dialback', failure: { answer: 'error', condition: 'item-not-found' } }).cause).toContain(
      'item-not-found',
    );
  });

  test('dialback: whose key it is depends on who opened the stream', () => {
    for (const answer of ['invalid', 'none'] as const) {
      const end: StreamEnd = { by: 'dialback', failure: { answer } };
      expect(explain(end, 'out').cause).toContain('our dialback key');
      expect(explain(end, 'in').cause).toContain('authoritative server');
      expect(explain(end, 'in').cure).not.toBe(explain(end, 'out').cure);
    }
  });

  test("tells a peer's stream error from our own", () => {
    const ours = explain({ by: 'us', condition: 'host-unknown' });
    const theirs = explain({ by: 'them', condition: 'host-unknown' });
    expect(ours.cause).toMatch(/^We sent/);
    expect(theirs.cause).toMatch(/^The peer sent/);
    expect(ours.cure).not.toBe(theirs.cure);
  });

  test('words of the peer cannot leave their quotes', () => {
    expect(explain({ by: 'them', condition: 'reset', text: 'a". Fine. "' }).cause).toContain(`"a'. Fine. '"`);
  });
});

test('severityOfEnd: what both sides do in normal operation is no warning', () => {
  expect(severityOfEnd({ by: 'close' })).toBe('info');
  expect(severityOfEnd({ by: 'them', condition: 'system-shutdown' })).toBe('info');
  expect(severityOfEnd({ by: 'them', condition: 'not-authorized' })).toBe('warning');
  expect(severityOfEnd({ by: 'timeout', waitingFor: 'x' })).toBe('warning');
});
