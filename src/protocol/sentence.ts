import type { StreamEnd } from './end.ts';

/**
 * A stable name for a stream end: one of a closed list, fit for counters, for searching a log and for a page of the reference
 * manual. Nothing a peer wrote is in it.
 */
export function codeOf(end: StreamEnd): string {
  if (end.by === 'us' || end.by === 'them') return `${end.by}-${end.condition}`;
  if (end.by === 'dialback') return `dialback-${end.failure.answer}`;
  if (end.by === 'network') return `network-${end.stage}`;
  if (end.by === 'link') return end.inDoubt === true ? 'link-in-doubt' : 'link';
  return end.by;
}

/**
 * A stream end in general words, fit to be shown to a user or a foreign server (RFC 6120 §13.10: error texts reveal nothing
 * internal). It is written from the point of view of somebody whose stanza did not arrive: "the remote server" is the one the
 * stanza was for. Neither details nor texts of a peer are in it; an operator finds those in the log.
 */
export function sentenceOf(end: StreamEnd): string {
  if (end.by === 'us') return `The connection to the remote server was closed with the error "${end.condition}".`;
  if (end.by === 'them') return `The remote server closed the connection with the error "${end.condition}".`;
  if (end.by === 'dialback') return DIALBACK_SENTENCES[end.failure.answer];
  if (end.by === 'network') return NETWORK_SENTENCES[end.stage];
  if (end.by === 'link') return LINK_SENTENCES[end.inDoubt === true ? 'inDoubt' : 'down'];
  return SENTENCES[end.by];
}

const SENTENCES = {
  policy: 'A policy does not permit communication between these two domains.',
  authentication: 'The servers of the two domains could not authenticate each other.',
  timeout: 'The remote server did not answer in time.',
  close: 'The connection to the remote server was closed.',
  disconnect: 'The connection to the remote server was lost.',
} as const;

const LINK_SENTENCES = {
  down: 'The federation service of this site is interrupted at the moment.',
  inDoubt: 'The federation service of this site was interrupted; the stanza may have been delivered nevertheless.',
} as const;

const DIALBACK_SENTENCES = {
  invalid: 'The remote server did not accept the proof of the sending domain.',
  error: 'The remote server could not check the proof of the sending domain.',
  none: 'The remote server did not say in time whether it accepts the sending domain.',
} as const;

const NETWORK_SENTENCES = {
  idna: 'The name of the remote domain is not a valid domain name.',
  dns: 'The remote domain could not be looked up at this time.',
  'no-service': 'No server of the remote domain could be found.',
  tcp: 'The remote server could not be reached.',
  tls: 'No secure connection to the remote server could be established.',
} as const;
