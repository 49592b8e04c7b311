import { NS } from '../namespaces.ts';
import type { XmlElement } from '../xml/types.ts';
import { escapeText } from '../xml/write.ts';
import { OUR_LANGUAGE } from './language.ts';

/**
 * The defined conditions of stanza errors (RFC 6120 §8.3.3). `remote-connection-failed` is not among RFC 6120's: XEP-0220 §2.5 defines it
 * for dialback errors.
 */
export const STANZA_ERROR_CONDITIONS = [
  'bad-request',
  'conflict',
  'feature-not-implemented',
  'forbidden',
  'gone',
  'internal-server-error',
  'item-not-found',
  'jid-malformed',
  'not-acceptable',
  'not-allowed',
  'not-authorized',
  'policy-violation',
  'recipient-unavailable',
  'redirect',
  'registration-required',
  'remote-connection-failed',
  'remote-server-not-found',
  'remote-server-timeout',
  'resource-constraint',
  'service-unavailable',
  'subscription-required',
  'undefined-condition',
  'unexpected-request',
] as const;

export type StanzaErrorCondition = (typeof STANZA_ERROR_CONDITIONS)[number];

/** The error types of RFC 6120 §8.3.2 that fedway uses. */
export type StanzaErrorType = 'auth' | 'cancel' | 'modify' | 'wait';

/** What a sender is told about a stanza that goes nowhere. */
export interface StanzaError {
  readonly condition: StanzaErrorCondition;
  readonly type: StanzaErrorType;
  readonly text: string | undefined;
}

const CONDITIONS: ReadonlySet<string> = new Set(STANZA_ERROR_CONDITIONS);

/** The type that XEP-0220 §2.5 and RFC 6120 §8.3.3 give a condition when nothing better is known. */
export function usualType(condition: StanzaErrorCondition): StanzaErrorType {
  switch (condition) {
    case 'bad-request':
    case 'jid-malformed':
    case 'not-acceptable':
    case 'policy-violation':
      return 'modify';
    case 'forbidden':
    case 'not-authorized':
    case 'registration-required':
    case 'subscription-required':
      return 'auth';
    case 'remote-server-timeout':
    case 'resource-constraint':
    case 'recipient-unavailable':
      return 'wait';
    default:
      return 'cancel';
  }
}

/** The `<error/>` child, without a namespace of its own: it takes the content namespace it is written into. */
export function writeStanzaError(condition: StanzaErrorCondition, text?: string): string {
  const words =
    text === undefined ? '' : `<text xmlns='${NS.stanzaErrors}' xml:lang='${OUR_LANGUAGE}'>${escapeText(text)}</text>`;
  return `<error type='${usualType(condition)}'><${condition} xmlns='${NS.stanzaErrors}'/>${words}</error>`;
}

/** The condition of an `<error/>`; what is unknown or missing is undefined-condition (RFC 6120 §8.3.2). */
export function readStanzaError(error: XmlElement): StanzaErrorCondition {
  for (const child of error.children) {
    if (typeof child !== 'string' && child.namespace === NS.stanzaErrors && isCondition(child.name)) return child.name;
  }
  return 'undefined-condition';
}

function isCondition(name: string): name is StanzaErrorCondition {
  return CONDITIONS.has(name);
}
