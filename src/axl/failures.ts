import { printable } from '../protocol/identity/printable.ts';
import type { AxlFault } from './soap/types.ts';

/** Why AXL did not do what it was asked for: one closed list. Whatever a peer wrote in it is not yet fit to be shown. */
export type AxlFailure =
  | { readonly code: 'credentials' }
  | { readonly code: 'role' }
  | { readonly code: 'not-activated' }
  /** `retryAfter`: milliseconds that the server asks us to wait (RFC 9110 §10.2.3). */
  | { readonly code: 'throttled'; readonly retryAfter: number | undefined }
  | { readonly code: 'locked-out'; readonly retryAfter: number | undefined }
  | { readonly code: 'version'; readonly tried: readonly string[] }
  | { readonly code: 'http-status'; readonly status: number }
  | { readonly code: 'duplicate' | 'syntax' | 'unknown-column' | 'unknown-table' | 'fault'; readonly fault: AxlFault }
  | { readonly code: 'refused' | 'name-not-found' | 'name-lookup' }
  | { readonly code: 'unreachable' | 'connection-lost'; readonly detail: string }
  /** `milliseconds`: how long we waited. */
  | { readonly code: 'connect-timeout' | 'answer-timeout'; readonly milliseconds: number }
  | { readonly code: 'tls-expired' | 'tls-not-yet-valid' | 'tls-self-signed' | 'tls-unknown-authority' }
  | { readonly code: 'tls-wrong-name' | 'tls-failed'; readonly detail: string }
  | { readonly code: 'not-axl'; readonly detail: string }
  | { readonly code: 'too-large'; readonly bytes: number }
  /** The server took a change, and the table does not show it. */
  | { readonly code: 'not-kept' }
  /** A fault of ours, e.g. that nothing can be written to our disk. */
  | { readonly code: 'internal' }
  /** We ended it ourselves. */
  | { readonly code: 'stopped' };

export type AxlFailureCode = AxlFailure['code'];
type Of<C extends AxlFailureCode> = Extract<AxlFailure, { readonly code: C }>;

/** A failure for people: plain data. */
export interface AxlProblem {
  /** Stable, for programs. */
  readonly code: AxlFailureCode;
  /** What happened. */
  readonly sentence: string;
  /** Why, as far as that can be known from outside. */
  readonly cause: string;
  /** What an administrator does about it. */
  readonly cure: string;
}

/** The server that a failure is about. */
export interface Asked {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

interface Entry<C extends AxlFailureCode> {
  readonly sentence: (failure: Of<C>, asked: Asked) => string;
  readonly cause: string;
  readonly cure: string;
}

const BUG_CAUSE =
  'The statement does not fit the database of this server: a fault of fedway, or a server that is not an IM and Presence publisher.';
const BUG_CURE =
  'Check that the address is that of an IM and Presence publisher, not of a Unified CM; if it is, report the statement in the log as a fault of fedway.';

/** Every failure with its words. docs/reference/axl.md has the same causes and cures. */
export const AXL_FAILURES: { readonly [C in AxlFailureCode]: Entry<C> } = {
  credentials: {
    sentence: (_, { name, user }) =>
      `${shown(name)} does not accept the AXL user ${shown(user)} with this password (HTTP 401).`,
    cause: 'The user name or the password is wrong, or the account is locked.',
    cure: 'If the account is locked, unlock it on the server. Set the password of the publisher anew, then refresh the publisher.',
  },
  role: {
    sentence: (_, { name, user }) =>
      `${shown(name)} knows the AXL user ${shown(user)} and does not let it use AXL (HTTP 403).`,
    cause: 'The account lacks the role "Standard AXL API Access".',
    cure: 'Give the account that role (User Management, a group with "Standard AXL API Access"), then refresh the publisher.',
  },
  'not-activated': {
    sentence: (_, { name }) => `${shown(name)} has no AXL at /axl/ (HTTP 404).`,
    cause: 'The Cisco AXL Web Service is not activated, or the address is not that of the publisher.',
    cure: 'Activate the Cisco AXL Web Service on the IM and Presence publisher (Cisco Unified Serviceability, Service Activation).',
  },
  throttled: {
    sentence: ({ retryAfter }, { name }) =>
      `${shown(name)} is too busy for AXL (HTTP 503)${retryAfter === undefined ? '' : ` and asks to wait ${seconds(retryAfter)}`}.`,
    cause: 'AXL limits how much is written to the database, or the service is starting.',
    cure: 'Nothing to do: fedway waits and tries again. If it stays, see what else uses AXL on this server.',
  },
  'locked-out': {
    sentence: ({ retryAfter }, { name, user }) =>
      `${shown(name)} hears no login of ${shown(user)} from here (HTTP 429)${retryAfter === undefined ? '' : ` for ${seconds(retryAfter)}`}.`,
    cause: 'Too many wrong passwords were tried, from this machine or for this account.',
    cure: 'Find who tries them (the log of the server), see that the password of the publisher is the right one, and refresh the publisher when the time is over.',
  },
  version: {
    sentence: ({ tried }, { name }) => `${shown(name)} does not speak AXL ${tried.join(', ')} (HTTP 599).`,
    cause: 'The server is older or newer than the versions of the AXL schema that were tried.',
    cure: 'Set the version of the publisher to "auto", or to one that the server has.',
  },
  'http-status': {
    sentence: ({ status }, { name }) => `${shown(name)} answered with HTTP ${status}, without a reason.`,
    cause: 'The AXL service is broken, or something that is not AXL answers at this address.',
    cure: 'Check the address and port, and restart the Cisco AXL Web Service if they are right.',
  },
  duplicate: {
    sentence: ({ fault }, { name }) => `${shown(name)} has this row already: ${words(fault)}`,
    cause: 'The row is in the table already (axlcode -239).',
    cure: 'Nothing to do: fedway takes it as done.',
  },
  syntax: {
    sentence: ({ fault }, { name }) => `${shown(name)} does not understand the statement: ${words(fault)}`,
    cause: BUG_CAUSE,
    cure: BUG_CURE,
  },
  'unknown-column': {
    sentence: ({ fault }, { name }) => `${shown(name)} does not have a column of the statement: ${words(fault)}`,
    cause: BUG_CAUSE,
    cure: BUG_CURE,
  },
  'unknown-table': {
    sentence: ({ fault }, { name }) => `${shown(name)} does not have the table: ${words(fault)}`,
    cause: 'The database is not that of an IM and Presence server, or of a release without this table.',
    cure: 'Check that the address is that of an IM and Presence publisher, not of a Unified CM.',
  },
  fault: {
    sentence: ({ fault }, { name }) => `${shown(name)} refused: ${words(fault)}`,
    cause: 'AXL or the database behind it found a fault; its own words and the axlcode say which.',
    cure: 'Look the axlcode up, and see the log of the Cisco AXL Web Service on the server.',
  },
  refused: {
    sentence: (_, { name, host, port }) =>
      `Nothing listens at ${shown(host)} port ${port}: ${shown(name)} refused the connection.`,
    cause: 'The server does not run, or its Cisco AXL Web Service is not activated, or host or port are wrong.',
    cure: 'Start the server and its service (a node of fedway: systemctl start fedway-imp), or correct the address; AXL is at port 8443.',
  },
  'name-not-found': {
    sentence: (_, { name, host }) => `The host name ${shown(host)} of ${shown(name)} does not exist.`,
    cause: 'The name is misspelled, or the DNS servers of this machine do not know it.',
    cure: 'Correct the address of the publisher, or the DNS settings of this machine.',
  },
  'name-lookup': {
    sentence: (_, { name, host }) => `The host name ${shown(host)} of ${shown(name)} could not be looked up.`,
    cause: 'The DNS servers of this machine do not answer.',
    cure: 'Repair name resolution on this machine; fedway tries again by itself.',
  },
  unreachable: {
    sentence: ({ detail }, { name, host, port }) =>
      `${shown(name)} cannot be reached at ${shown(host)} port ${port}: ${shown(detail)}.`,
    cause: 'There is no path to the server: it is down, or a route or a firewall is in the way.',
    cure: 'Check that the server runs, and that this machine may connect to its port 8443.',
  },
  'connect-timeout': {
    sentence: ({ milliseconds }, { name, host, port }) =>
      `${shown(name)} was not reached at ${shown(host)} port ${port} within ${seconds(milliseconds)}.`,
    cause: 'The server is down, a firewall drops the connection without a word, or TLS does not get ahead.',
    cure: 'Check that the server runs, and that this machine may connect to its port 8443.',
  },
  'answer-timeout': {
    sentence: ({ milliseconds }, { name }) => `${shown(name)} did not answer within ${seconds(milliseconds)}.`,
    cause: 'The server or its database is overloaded or hangs.',
    cure: 'See the load of the publisher and the state of its database; fedway tries again by itself.',
  },
  'connection-lost': {
    sentence: ({ detail }, { name }) => `The connection to ${shown(name)} ended before the answer: ${shown(detail)}.`,
    cause: 'The AXL service was restarted, or something between ends connections.',
    cure: 'Nothing to do when it happens once. If it stays, see the log of the Cisco AXL Web Service and the firewalls between.',
  },
  'tls-expired': {
    sentence: (_, { name }) => `The certificate of ${shown(name)} has expired; nothing was sent.`,
    cause: 'The tomcat certificate of the server, or of an authority above it, is over.',
    cure: 'Renew the tomcat certificate on the server, and check the clock of this machine.',
  },
  'tls-not-yet-valid': {
    sentence: (_, { name }) => `The certificate of ${shown(name)} is not yet valid; nothing was sent.`,
    cause: 'A clock is wrong: that of this machine, or that of the machine where the certificate was made.',
    cure: 'Set the clocks by NTP; if they are right, make the tomcat certificate anew.',
  },
  'tls-self-signed': {
    sentence: (_, { name }) =>
      `The certificate of ${shown(name)} is self-signed and not among the trusted ones; nothing was sent.`,
    cause: 'The server has the tomcat certificate that it was installed with.',
    cure: 'Give that certificate to the publisher as its authority, or have the server get one from an authority that is trusted here.',
  },
  'tls-unknown-authority': {
    sentence: (_, { name }) =>
      `The certificate of ${shown(name)} is from an authority that is not trusted; nothing was sent.`,
    cause:
      'The authority is not among those of the publisher, or the server does not send the intermediate certificates.',
    cure: 'Give the certificate of the authority to the publisher, or load the whole chain as tomcat-trust on the server.',
  },
  'tls-wrong-name': {
    sentence: ({ detail }, { name, host }) =>
      `The certificate of ${shown(name)} is not for ${shown(host)} but for ${shown(detail)}; nothing was sent.`,
    cause: 'The publisher is known here under a name or an address that its certificate does not have.',
    cure: 'Use a name that stands in the certificate as the address of the publisher.',
  },
  'tls-failed': {
    sentence: ({ detail }, { name, host, port }) =>
      `No TLS with ${shown(name)} at ${shown(host)} port ${port}: ${shown(detail)}; nothing was sent.`,
    cause: 'The port is not one of HTTPS, or the server offers no TLS 1.2.',
    cure: 'Check the port (AXL is at 8443), and that the server has TLS 1.2 or later.',
  },
  'not-axl': {
    sentence: ({ detail }, { name }) => `What answers as ${shown(name)} does not speak AXL: ${shown(detail)}`,
    cause: 'Another service, a proxy or a sign-on page answers at this address.',
    cure: 'Check host and port of the publisher; AXL is at port 8443 of the IM and Presence publisher, without a proxy.',
  },
  'too-large': {
    sentence: ({ bytes }, { name }) =>
      `The answer of ${shown(name)} has more than ${bytes.toLocaleString('en-US')} bytes and was not read.`,
    cause: 'The table has many thousand rows, or what answers is not AXL.',
    cure: 'See the table on the server (run sql select count(*) from xmpps2snodes) and check the address of the publisher.',
  },
  'not-kept': {
    sentence: (_, { name }) => `${shown(name)} took the change of xmpps2snodes, and the table does not show it.`,
    cause: 'Somebody else changes the table at the same time, or replication on the server undoes the change.',
    cure: 'See whether another Expressway or Core is responsible for the same Edges, and check database replication (utils dbreplication runtimestate).',
  },
  internal: {
    sentence: (_, { name }) => `fedway failed while it kept the table of ${shown(name)}.`,
    cause: 'A fault of fedway, or its own disk cannot be written to.',
    cure: 'See the line with the code "bug" in the log; check the disk of this machine.',
  },
  stopped: {
    sentence: (_, { name }) => `The request to ${shown(name)} was given up by fedway.`,
    cause: 'fedway stops, or the publisher was changed or removed.',
    cure: 'Nothing to do.',
  },
};

/** A failure in words. */
export function problemOf(failure: AxlFailure, asked: Asked): AxlProblem {
  const { code } = failure;
  // The entry stands under the code of the failure that it takes, which TypeScript cannot see across two uses of `code`.
  const entry = AXL_FAILURES[code] as Entry<AxlFailureCode>;
  return { code, sentence: entry.sentence(failure, asked), cause: entry.cause, cure: entry.cure };
}

/** HTTP's status, where a failure is one of those that a status tells. */
export function statusOf(failure: AxlFailure): number | undefined {
  switch (failure.code) {
    case 'credentials':
      return 401;
    case 'role':
      return 403;
    case 'not-activated':
      return 404;
    case 'throttled':
      return 503;
    case 'locked-out':
      return 429;
    case 'version':
      return 599;
    case 'http-status':
      return failure.status;
    default:
      return undefined;
  }
}

/** Informix's numbers of faults, with or without their sign. */
const FAULTS: ReadonlyMap<number, 'duplicate' | 'syntax' | 'unknown-column' | 'unknown-table'> = new Map([
  [239, 'duplicate'],
  // The same of a unique constraint instead of an index.
  [268, 'duplicate'],
  [201, 'syntax'],
  [217, 'unknown-column'],
  [206, 'unknown-table'],
]);

/** The failure that a SOAP fault is. */
export function failureOfFault(fault: AxlFault): AxlFailure {
  return { code: FAULTS.get(Math.abs(fault.axlcode ?? 0)) ?? 'fault', fault };
}

/** What the server says of a fault, in quotation marks. */
function words({ axlcode, axlmessage, faultstring }: AxlFault): string {
  const text = printable(axlmessage === '' ? faultstring : axlmessage, 300).replaceAll('"', "'");
  return `"${text}"${axlcode === undefined ? '' : ` (axlcode ${axlcode})`}.`;
}

function shown(text: string): string {
  return printable(text, 300);
}

function seconds(milliseconds: number): string {
  return `${Math.ceil(milliseconds / 100) / 10} s`;
}
