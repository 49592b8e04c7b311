import type { BoxStatus, StreamStatus } from '../box/operations.ts';

/** What a value must look like: its `typeof`, one of some words, a list, or an object with at least these members. */
type Shape = 'string' | 'number' | 'boolean' | Maybe | OneOf | readonly [Shape] | { readonly [name: string]: Shape };
interface Maybe {
  readonly maybe: Shape;
}
interface OneOf {
  readonly oneOf: readonly string[];
}

const text: Maybe = { maybe: 'string' };
const LINK: Shape = {
  name: 'string',
  role: { oneOf: ['edge', 'core'] },
  state: { oneOf: ['up', 'down', 'never connected', 'revoked'] },
  since: 'number',
  because: text,
  peer: text,
  tls: text,
  certificateUntil: { maybe: 'number' },
  homes: ['string'],
  queued: { stanzas: 'number', bytes: 'number' },
  resumed: 'number',
  stanzasIn: 'number',
  stanzasOut: 'number',
  replication: { maybe: { theirs: 'number', held: 'number' } },
};
const ALARM: Shape = {
  id: 'number',
  title: 'string',
  about: 'string',
  what: 'string',
  detail: text,
  cause: 'string',
  cure: 'string',
  since: 'number',
};
const STATUS: Shape = {
  name: 'string',
  role: { oneOf: ['single', 'edge', 'core'] },
  version: 'string',
  since: 'number',
  // A box of before there were alarms has none.
  alarms: { maybe: [ALARM] },
  federation: { on: 'boolean', detail: 'string' },
  homes: [{ domain: 'string', federation: 'boolean', via: 'string' }],
  links: [LINK],
  pairs: [
    {
      side: { oneOf: ['foreign', 'home'] },
      sender: 'string',
      target: 'string',
      state: { oneOf: ['idle', 'queue', 'send', 'bounce'] },
      queued: 'number',
    },
  ],
  counters: { inward: 'number', outward: 'number', bounced: 'number', dropped: 'number' },
  streams: 'number',
};
const STREAM: Shape = {
  box: 'string',
  connection: 'string',
  direction: { oneOf: ['in', 'out'] },
  side: { oneOf: ['foreign', 'home'] },
  local: text,
  remote: text,
  peer: text,
  state: { oneOf: ['pending', 'connected', 'closed'] },
  since: 'number',
  lastStanza: 'number',
  tls: text,
  certificate: text,
  authorized: [{ sender: 'string', target: 'string', by: 'string' }],
  stanzasIn: 'number',
  stanzasOut: 'number',
  bytesIn: 'number',
  bytesOut: 'number',
};

/** What a box says of itself, which may be of before there were alarms. */
export type SaidStatus = Omit<BoxStatus, 'alarms' | 'publishers'> & Partial<Pick<BoxStatus, 'alarms' | 'publishers'>>;

/** Whether what a linked box says of itself can be shown. It may be of another version, or in other hands. */
export function isStatus(value: unknown): value is SaidStatus {
  return fits(value, STATUS);
}

/** The same for a stream. */
export function isStream(value: unknown): value is StreamStatus {
  return fits(value, STREAM);
}

function fits(value: unknown, shape: Shape): boolean {
  if (typeof shape === 'string') return typeof value === shape;
  if (isList(shape)) return Array.isArray(value) && value.every((each) => fits(each, shape[0]));
  if (isMaybe(shape)) return value === undefined || value === null || fits(value, shape.maybe);
  if (isOneOf(shape)) return shape.oneOf.some((word) => word === value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(shape).every(([name, member]) => fits(Reflect.get(value, name), member));
}

function isList(shape: Exclude<Shape, string>): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function isMaybe(shape: object): shape is Maybe {
  return 'maybe' in shape;
}

function isOneOf(shape: object): shape is OneOf {
  return 'oneOf' in shape;
}
