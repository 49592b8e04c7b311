import type { BootFile } from '../boot-schema.ts';
import type { Reading } from '../schema/place.ts';
import type { Draft } from './draft.ts';

/** What the keys of `s2s` mean together. */
export function checkS2s({ s2s }: Draft<BootFile>, reading: Reading): void {
  if (s2s === undefined) return;
  if (s2s.authentication === 'external' && s2s.tls === 'none') {
    reading.error(
      's2s.authentication',
      'external takes a certificate, and with tls: none nobody shows one',
      'Write "tls: required", or "authentication: dialback".',
    );
  }
  const { trust, timeouts, limits } = s2s;
  if (trust?.system === false && trust.authorities?.length === 0) {
    const reason = 'nobody is trusted to sign the certificates of partners';
    const cure = 'List PEM files in s2s.trust.authorities, or write "system: true".';
    if (s2s.authentication === 'external') reading.error('s2s.trust', reason, cure);
    else reading.warn('s2s.trust', `${reason}: only dialback is left`, cure);
  }
  if (
    timeouts?.dialback !== undefined &&
    timeouts.negotiation !== undefined &&
    timeouts.dialback > timeouts.negotiation
  ) {
    reading.warn(
      's2s.timeouts.dialback',
      'is longer than s2s.timeouts.negotiation, which ends a new stream before',
      'Make negotiation the longer one.',
    );
  }
  if (limits?.connections !== undefined && (limits.connectionsPerAddress ?? 0) > limits.connections) {
    reading.warn(
      's2s.limits.connections_per_address',
      `has no effect: there are never more than ${limits.connections} connections (s2s.limits.connections)`,
      'Make it smaller, so that one address cannot take every connection.',
    );
  }
  if (limits?.stanza !== undefined && limits.queueBytes !== undefined && limits.queueBytes < limits.stanza) {
    reading.warn(
      's2s.limits.queue_bytes',
      `is less than one stanza may have (s2s.limits.stanza, ${limits.stanza} bytes): a large first stanza is always bounced`,
      'Make it at least as large.',
    );
  }
}
