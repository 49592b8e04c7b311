import { expect, test } from 'vitest';
import type { StreamEnd } from '../end.ts';
import { verifyFailure } from './verify-failure.ts';

test.each<[StreamEnd, string]>([
  [{ by: 'network', stage: 'idna', detail: '' }, 'remote-server-not-found'],
  [{ by: 'network', stage: 'no-service', detail: '' }, 'remote-server-not-found'],
  [{ by: 'network', stage: 'dns', detail: '' }, 'remote-server-timeout'],
  [{ by: 'network', stage: 'tcp', detail: '' }, 'remote-connection-failed'],
  [{ by: 'network', stage: 'tls', detail: '' }, 'remote-connection-failed'],
  [{ by: 'policy', because: '' }, 'remote-connection-failed'],
  [{ by: 'authentication', because: '' }, 'remote-connection-failed'],
  [{ by: 'them', condition: 'host-unknown' }, 'remote-server-not-found'],
  [{ by: 'them', condition: 'host-gone' }, 'remote-server-not-found'],
  [{ by: 'them', condition: 'conflict' }, 'remote-server-timeout'],
  [{ by: 'us', condition: 'not-well-formed' }, 'remote-server-timeout'],
  [{ by: 'dialback', failure: { answer: 'error', condition: 'item-not-found' } }, 'remote-server-not-found'],
  [{ by: 'dialback', failure: { answer: 'none' } }, 'remote-server-timeout'],
  [{ by: 'timeout', waitingFor: '' }, 'remote-server-timeout'],
  [{ by: 'close' }, 'remote-server-timeout'],
  [{ by: 'disconnect' }, 'remote-server-timeout'],
])('D-44: %o is told as %s', (end, condition) => {
  expect(verifyFailure(end)).toBe(condition);
});
