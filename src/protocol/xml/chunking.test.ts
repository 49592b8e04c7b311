import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WILD_HEADER, wildStanza } from '../../../test/support/wild-xml.ts';
import { bytesOf, eventsByteByByte, eventsOf } from '../../../test/support/xml-events.ts';
import { UNAUTHENTICATED_LIMITS } from './limits.ts';
import type { XmlLimits } from './types.ts';

const TIGHT: XmlLimits = {
  header: 300,
  element: 600,
  depth: 4,
  attributes: 4,
  name: 8,
  elements: 6,
  whitespace: 5,
  prefixes: 5,
};

/** Stanzas with white space between them, changed in a few places: with what markup is made of, or any byte, or cut out. */
const streams = fc
  .record({
    seeds: fc.array(fc.integer({ min: 0 }), { minLength: 1, maxLength: 4 }),
    changes: fc.array(
      fc.record({
        place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        byte: fc.oneof(fc.constantFrom(...bytesOf('<>&;\'"= /:!?-[]#xa1\n\t\r')), fc.nat(255)),
        remove: fc.nat(2),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ seeds, changes }) => {
    const xml = `<?xml version='1.0'?>${WILD_HEADER}${seeds.map(wildStanza).join(' \n')}</stream:stream>`;
    const bytes = [...bytesOf(xml)];
    for (const { place, byte, remove } of changes) bytes.splice(Math.floor(place * bytes.length), remove, byte);
    return Uint8Array.from(bytes);
  });

describe('events depend on the bytes alone', () => {
  it('X-11, X-23: cut anywhere, and byte by byte, well-formed or not, the events are the same', () => {
    fc.assert(
      fc.property(
        streams,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
        fc.constantFrom(undefined, UNAUTHENTICATED_LIMITS, TIGHT),
        (bytes, places, limits) => {
          const whole = eventsOf(bytes, [], limits);
          const cuts = places.map((place) => Math.floor(place * bytes.length)).toSorted((a, b) => a - b);
          expect(eventsOf(bytes, cuts, limits)).toEqual(whole);
          expect(eventsByteByByte(bytes, limits)).toEqual(whole);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('the events of a beginning are a beginning of the events', () => {
    fc.assert(
      fc.property(streams, fc.double({ min: 0, max: 1, noNaN: true }), (bytes, place) => {
        const whole = eventsOf(bytes);
        const part = eventsOf(bytes.slice(0, Math.floor(place * bytes.length)));
        expect(whole.slice(0, part.length)).toEqual(part);
      }),
      { numRuns: 500 },
    );
  });

  it('any bytes end in a fault, a footer or in waiting, never in an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, inStream) => {
        const bytes = inStream ? Uint8Array.from([...bytesOf(WILD_HEADER), ...noise]) : noise;
        expect(eventsByteByByte(bytes)).toEqual(eventsOf(bytes));
      }),
      { numRuns: 1000 },
    );
  });
});
