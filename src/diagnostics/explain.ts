import type { StreamEnd } from '../protocol/end.ts';
import type { Severity } from '../protocol/notes.ts';
import type { StreamErrorCondition } from '../protocol/stream/stream-error.ts';
import { ended, quoted } from './row.ts';
import { STREAM_ERROR_MEANINGS } from './stream-errors.ts';

/** A stream end for the administrator of this box, who may know every detail: what happened, and what to do about it. */
export interface Explanation {
  readonly cause: string;
  /** `undefined` when there is nothing to cure. */
  readonly cure: string | undefined;
}

/**
 * The operator's counterpart of `sentenceOf`. Both parts are complete sentences; words of the peer are in quotes.
 *
 * @param direction of the stream: on one that we opened it is we who prove a domain by dialback, on the others the peer.
 */
export function explain(end: StreamEnd, direction: 'in' | 'out' = 'out'): Explanation {
  if (end.by === 'dialback') {
    const condition = end.failure.answer === 'error' ? (end.failure.condition ?? 'an error without a condition') : '';
    const { cause, cure } = DIALBACK[direction][end.failure.answer];
    return { cause: condition === '' ? `${cause}.` : `${cause}: ${condition}.`, cure };
  }
  if (end.by === 'network') {
    return { cause: `${NETWORK[end.stage].cause}: ${ended(end.detail)}`, cure: NETWORK[end.stage].cure };
  }
  if (end.by === 'policy') {
    return {
      cause: `Our policy does not permit it: ${ended(end.because)}`,
      cure: 'If the partner is meant to get through, change that setting.',
    };
  }
  if (end.by === 'authentication') {
    return {
      cause: `Authentication failed: ${ended(end.because)}`,
      cure: 'Trying again does not help: the certificate or the authentication setting of one side has to change.',
    };
  }
  if (end.by === 'timeout') {
    return {
      cause: `Nothing came while waiting for ${ended(end.waitingFor)}`,
      cure: 'If it happens again, look for a firewall or an overloaded server on the way; s2s.timeouts says how long fedway waits.',
    };
  }
  if (end.by === 'link') {
    const doubt = end.inDoubt === true ? ' What was on its way then may have arrived: it is not sent again.' : '';
    return {
      cause: `Edge and Core did not reach each other: ${ended(end.detail)}${doubt}`,
      cure: 'See the lines of the module link, and fedway link list on both boxes: check that the other box runs, and that the firewall lets the Core connect to the Link port of the Edge.',
    };
  }
  if (end.by === 'close') return { cause: 'It was closed in good order.', cure: undefined };
  if (end.by === 'disconnect') {
    return {
      cause:
        end.detail === undefined
          ? 'The TCP connection went away without a word.'
          : `The TCP connection went away: ${ended(end.detail)}`,
      cure: 'If it happens again, look for a restart of the peer, packet loss or a firewall that forgets connections.',
    };
  }
  return explainStreamError(end.by, end.condition, end.text);
}

/** Explains a stream error (RFC 6120 §4.9) that we sent (`us`) or received (`them`). */
export function explainStreamError(
  by: 'us' | 'them',
  condition: StreamErrorCondition,
  text: string | undefined,
): { readonly cause: string; readonly cure: string } {
  const { meaning, whenReceived, whenSent } = STREAM_ERROR_MEANINGS[condition];
  const sender = by === 'us' ? 'We' : 'The peer';
  const says = text === undefined || text === '' ? '' : ` The error says ${quoted(text)}.`;
  return {
    cause: `${sender} sent the stream error ${condition}: ${meaning}.${says}`,
    cure: by === 'us' ? whenSent : whenReceived,
  };
}

/** How urgent an end is: `info` for what belongs to the life of every stream, `warning` for what somebody should look at. */
export function severityOfEnd(end: StreamEnd): Severity {
  if (end.by === 'us' || end.by === 'them') return severityOfCondition(end.condition);
  return end.by === 'close' ? 'info' : 'warning';
}

/** Stream errors that both sides send in normal operation are told as `info`. */
function severityOfCondition(condition: StreamErrorCondition): Severity {
  return condition === 'system-shutdown' || condition === 'reset' || condition === 'conflict' ? 'info' : 'warning';
}

/** Causes without their full stop: the condition of an error may follow. */
const DIALBACK = {
  out: {
    invalid: {
      cause: 'The peer refused our dialback key: the authoritative server that it asked does not know the key',
      cure: 's2s.dialback_secret differs between your boxes, or the SRV records of your domain lead to a server that does not share it.',
    },
    error: {
      cause: 'The peer could not check our dialback key',
      cure: 'To check it, the peer has to reach a server of your domain: check your SRV records, and that port 5269 is open from outside.',
    },
    none: {
      cause: 'The peer did not answer our dialback key in time',
      cure: 'Most often the peer cannot reach a server of your domain to check the key: check your SRV records, and that port 5269 is open from outside.',
    },
  },
  in: {
    invalid: {
      cause: 'The authoritative server says that the dialback key of the peer is not its own',
      cure: 'Somebody pretends to be that domain, or its boxes do not share one dialback secret: tell its administrator.',
    },
    error: {
      cause: 'The dialback key of the peer could not be checked',
      cure: 'The authoritative server could not be asked: check the SRV records of the domain (dig SRV _xmpp-server._tcp.<domain>), and that fedway may connect to port 5269 there.',
    },
    none: {
      cause: 'The authoritative server did not answer in time whether the dialback key is its own',
      cure: 'It is down, or a firewall is on the way: check that fedway may connect to port 5269 there; s2s.timeouts.dialback says how long fedway waits.',
    },
  },
} as const;

const NETWORK = {
  idna: {
    cause: 'The name is no domain',
    cure: 'Nothing to do: whoever wrote the address has to correct it.',
  },
  dns: {
    cause: 'DNS gave no usable answer',
    cure: 'fedway tries again later. If other domains fail too, the DNS servers that fedway uses are down or out of reach: check resolver.servers, or /etc/resolv.conf without it.',
  },
  'no-service': {
    cause: 'The domain has no server that fedway may go to',
    cure: 'Check the spelling of the domain and its records: dig SRV _xmpp-server._tcp.<domain>, and _xmpps-server for direct TLS. A target "." says that it does not federate; a private address is only used when resolver.allow_addresses has it.',
  },
  tcp: {
    cause: 'No connection could be made',
    cure: 'Check that port 5269 is open for outgoing connections, and ask the partner whether its server runs.',
  },
  tls: {
    cause: 'TLS failed',
    cure: 'See what the peer shows: openssl s_client -starttls xmpp-server -xmpphost <domain> -connect <host>:5269, or without -starttls at a port of direct TLS. A certificate that has expired or an old TLS version is the usual reason.',
  },
} as const;
