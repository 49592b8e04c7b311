import { NS } from '../namespaces.ts';
import type { XmlElement } from '../xml/types.ts';
import { attributeOf, escapeAttribute } from '../xml/write.ts';
import type { StanzaErrorCondition } from './stanza-error.ts';

/** The elements of XEP-0198, as Links and streams of clients have them. `location` is never given: whoever resumes comes to the same address. */
export const REQUEST = `<r xmlns='${NS.streamManagement}'/>`;

export function writeAcknowledgement(h: number): string {
  return `<a xmlns='${NS.streamManagement}' h='${h}'/>`;
}

/** `holdMs`: how long we keep our side of a session without a connection. */
export function writeEnable(holdMs: number): string {
  return `<enable xmlns='${NS.streamManagement}' resume='true' max='${seconds(holdMs)}'/>`;
}

/** `undefined` instead of an id: the session cannot be resumed. */
export function writeEnabled(id: string | undefined, holdMs: number): string {
  if (id === undefined) return `<enabled xmlns='${NS.streamManagement}'/>`;
  return `<enabled xmlns='${NS.streamManagement}' id='${escapeAttribute(id)}' resume='true' max='${seconds(holdMs)}'/>`;
}

export function writeResume(previous: string, h: number): string {
  return `<resume xmlns='${NS.streamManagement}' previd='${escapeAttribute(previous)}' h='${h}'/>`;
}

export function writeResumed(previous: string, h: number): string {
  return `<resumed xmlns='${NS.streamManagement}' previd='${escapeAttribute(previous)}' h='${h}'/>`;
}

/** Without a condition: there is no such session (any more). `h`: what was handled of it, if that is known (XEP-0198 §5). */
export function writeFailed(h: number | undefined, condition: StanzaErrorCondition = 'item-not-found'): string {
  const handled = h === undefined ? '' : ` h='${h}'`;
  return `<failed xmlns='${NS.streamManagement}'${handled}><${condition} xmlns='${NS.stanzaErrors}'/></failed>`;
}

/** The condition that goes with the stream error undefined-condition (XEP-0198 §4). */
export function writeHandledTooHigh(h: number, sent: number): string {
  return `<handled-count-too-high xmlns='${NS.streamManagement}' h='${h}' send-count='${sent}'/>`;
}

/** The `h` of an element, an xs:unsignedInt; `undefined` when it is missing, `'malformed'` when it is none. */
export function handledIn(element: XmlElement): number | undefined | 'malformed' {
  const text = attributeOf(element, 'h');
  if (text === undefined) return undefined;
  const h = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return h <= 0xffff_ffff ? h : 'malformed';
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}
