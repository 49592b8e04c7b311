import type { StreamEnd } from '../end.ts';
import type { StanzaErrorCondition } from '../stream/stanza-error.ts';

/**
 * What the initiating server is told when its authoritative server could not be asked, or did not say whether the key is good
 * (XEP-0220 §2.5; the table under D-44 of the checklist). `end` is how the connection to the authoritative server ended.
 */
export function verifyFailure(end: StreamEnd): StanzaErrorCondition {
  switch (end.by) {
    case 'network':
      if (end.stage === 'dns') return 'remote-server-timeout';
      return end.stage === 'tcp' || end.stage === 'tls' ? 'remote-connection-failed' : 'remote-server-not-found';
    case 'them':
      return end.condition === 'host-unknown' || end.condition === 'host-gone'
        ? 'remote-server-not-found'
        : 'remote-server-timeout';
    // XEP-0220 §2.5: whatever error the authoritative server answers with, the initiating one has no server that speaks for it.
    case 'dialback':
      return end.failure.answer === 'error' ? 'remote-server-not-found' : 'remote-server-timeout';
    // It is there, and there is no connection with it that is secure enough.
    case 'policy':
    case 'authentication':
      return 'remote-connection-failed';
    case 'us':
    case 'timeout':
    case 'link':
    case 'close':
    case 'disconnect':
      return 'remote-server-timeout';
  }
}
