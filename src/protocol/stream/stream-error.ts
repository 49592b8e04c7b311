import { NS } from '../namespaces.ts';
import type { XmlElement } from '../xml/types.ts';
import { escapeText, textOf } from '../xml/write.ts';
import { OUR_LANGUAGE } from './language.ts';

/** All conditions of RFC 6120 §4.9.3. */
export const STREAM_ERROR_CONDITIONS = [
  'bad-format',
  'bad-namespace-prefix',
  'conflict',
  'connection-timeout',
  'host-gone',
  'host-unknown',
  'improper-addressing',
  'internal-server-error',
  'invalid-from',
  'invalid-namespace',
  'invalid-xml',
  'not-authorized',
  'not-well-formed',
  'policy-violation',
  'remote-connection-failed',
  'reset',
  'resource-constraint',
  'restricted-xml',
  'see-other-host',
  'system-shutdown',
  'undefined-condition',
  'unsupported-encoding',
  'unsupported-feature',
  'unsupported-stanza-type',
  'unsupported-version',
] as const;

export type StreamErrorCondition = (typeof STREAM_ERROR_CONDITIONS)[number];

/** A stream error as it was read or is to be written. */
export interface StreamError {
  readonly condition: StreamErrorCondition;
  readonly text: string | undefined;
}

const CONDITIONS: ReadonlySet<string> = new Set(STREAM_ERROR_CONDITIONS);

/** COMPAT(servers before RFC 6120): the names RFC 3920 had (checklist E-07). */
const FORMER_NAMES: ReadonlyMap<string, StreamErrorCondition> = new Map([
  ['xml-not-well-formed', 'not-well-formed'],
  ['invalid-id', 'not-authorized'],
]);

/** `<stream:error>` and the closing tag, which always follows it (RFC 6120 §4.9.1.1). `application` is a condition of XEP-0205 or the like. */
export function writeStreamError(error: StreamError, application = ''): string {
  const text =
    error.text === undefined
      ? ''
      : `<text xmlns='${NS.streamErrors}' xml:lang='${OUR_LANGUAGE}'>${escapeText(error.text)}</text>`;
  return `<stream:error><${error.condition} xmlns='${NS.streamErrors}'/>${text}${application}</stream:error></stream:stream>`;
}

/** Reads a `<stream:error>`; an unknown, missing or foreign condition is undefined-condition (RFC 6120 §4.9.2). */
export function readStreamError(element: XmlElement): StreamError {
  let condition: StreamErrorCondition = 'undefined-condition';
  let text: string | undefined;
  for (const child of element.children) {
    if (typeof child === 'string' || child.namespace !== NS.streamErrors) continue;
    if (child.name === 'text') text ??= textOf(child);
    else if (isCondition(child.name)) condition = child.name;
    else condition = FORMER_NAMES.get(child.name) ?? condition;
  }
  return { condition, text };
}

/** Whether trying the same target in the same way again soon can help (checklist E-09). */
export function isTransient(condition: StreamErrorCondition): boolean {
  switch (condition) {
    case 'conflict':
    case 'connection-timeout':
    case 'internal-server-error':
    case 'remote-connection-failed':
    case 'reset':
    case 'resource-constraint':
    case 'system-shutdown':
      return true;
    default:
      return false;
  }
}

function isCondition(name: string): name is StreamErrorCondition {
  return CONDITIONS.has(name);
}
