import { readJid } from '../protocol/jid/prepare.ts';
import { printJid } from '../protocol/jid/print.ts';
import type { XmlElement } from '../protocol/xml/types.ts';
import { attributeOf, element } from '../protocol/xml/write.ts';
import { elementsIn, without } from './elements.ts';

const DELAY = 'urn:xmpp:delay';

/** XEP-0082 §3.2, DateTime: the fraction of a second may have any length. */
const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9})\d*)?(Z|[+-]\d{2}:\d{2})$/;

/** A point in time as XEP-0082 writes it. `time`: Unix milliseconds. */
export function writeDateTime(time: number): string {
  return new Date(time).toISOString();
}

/** Unix milliseconds, rounded down, of what XEP-0082 §3.2 calls DateTime; `undefined` for anything else. Never throws. */
export function readDateTime(text: string): number | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = '', zone = ''] = match;
  // A day that a month does not have, or an hour that a day does not, would be moved into the next one.
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const utc = Date.parse(`${written}Z`);
  if (!Number.isFinite(utc) || new Date(utc).toISOString().slice(0, 19) !== written) return undefined;
  const offset = zone === 'Z' ? 0 : zoneOffset(zone);
  return offset === undefined ? undefined : utc - offset + Number(fraction.padEnd(3, '0').slice(0, 3));
}

/** What tells that a stanza was late (XEP-0203 §2). `from`: who kept it; `time`: Unix milliseconds since when. */
export function delayOf(from: string | undefined, time: number): XmlElement {
  return element('delay', DELAY, { from, stamp: writeDateTime(time) });
}

/** Whether `from`, a prepared address, has said already that the stanza is late. */
export function isDelayedBy(stanza: XmlElement, from: string): boolean {
  return elementsIn(stanza).some((child) => isDelayBy(child, from));
}

/** The stanza without what says in the name of `from`, a prepared address, that it is late. */
export function withoutDelaysBy(stanza: XmlElement, from: string): XmlElement {
  return without(stanza, (child) => isDelayBy(child, from));
}

/** Whether an element says in the name of `from`, a prepared address, that what it is in is late. */
export function isDelayBy(child: XmlElement, from: string): boolean {
  if (child.name !== 'delay' || child.namespace !== DELAY) return false;
  const keeper = readJid(attributeOf(child, 'from') ?? '');
  return keeper !== undefined && printJid(keeper) === from;
}

/** Milliseconds east of Greenwich. */
function zoneOffset(zone: string): number | undefined {
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
