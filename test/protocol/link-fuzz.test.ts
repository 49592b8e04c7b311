import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LinkSession } from '../../src/protocol/link/session.ts';
import type { StreamEvent } from '../../src/protocol/stream/actions.ts';
import {
  asking,
  connected,
  dialed,
  dialing,
  type Ends,
  enabled,
  FEATURES,
  greeted,
  header,
  stanza,
} from './link-ends.ts';

/** Each end in each phase that a peer can bring it into. */
const PHASES: readonly (readonly [string, () => Ends])[] = [
  ['the accepting end before the header', connected],
  ['the accepting end before a session', greeted],
  ['the accepting end with a session', enabled],
  ['the dialing end before the header', dialing],
  ['the dialing end that asks', asking],
  ['the dialing end that resumes', () => asking(new LinkSession({ id: 's', handled: 1, acknowledged: 1 }))],
  ['the dialing end with a session', dialed],
];

const element = fc
  .tuple(
    fc.constantFrom(
      ...'r a enable enabled resume resumed failed homes told change part revoked link features'.split(' '),
    ),
    fc.constantFrom('urn:xmpp:sm:3', 'urn:fedway:link:1', 'http://etherx.jabber.org/streams', 'urn:x'),
    fc.constantFrom('', " h='0'", " h='1'", " h='4294967295'", " h='x'", " previd='s' h='1'", " id='s'"),
    fc.constantFrom('', '{}', '{"domains":[]}', '[', '<x/>'),
  )
  .map(([name, namespace, attributes, content]) => `<${name} xmlns='${namespace}'${attributes}>${content}</${name}>`);

const event = fc.constantFrom<StreamEvent>(
  { type: 'timer', timer: 'header' },
  { type: 'timer', timer: 'negotiation' },
  { type: 'timer', timer: 'acknowledge' },
  { type: 'timer', timer: 'quiet' },
  { type: 'timer', timer: 'close' },
  { type: 'close', why: 'idle' },
  { type: 'close', why: 'replaced' },
  { type: 'close', why: 'shutdown' },
  { type: 'policy-changed' },
  { type: 'not-secured', detail: 'x' },
  { type: 'link-message', message: { is: 'revoked' } },
  { type: 'disconnected' },
);

describe.each(PHASES)('%s', (_, begin) => {
  test('arbitrary bytes, elements, stanzas and events: no throw, one end, and a session that still adds up', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: element },
      { weight: 2, arbitrary: event },
      fc.uint8Array({ maxLength: 30 }),
      fc.constantFrom(stanza('x'), '<message/>', '</stream:stream>', FEATURES, header('core-1', 'edge-1')),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const { world, raw, side } = begin();
        for (const each of steps) {
          if (typeof each === 'string' || each instanceof Uint8Array) raw.say(each);
          else side.handle(each);
          world.core.send();
          world.edge.send();
        }
        world.clock.advance(600_000);
        expect(side.ended).toBeDefined();
        expect(side.written.match(/<stream:error>/g)?.length ?? 0).toBeLessThanOrEqual(1);
        for (const { session } of [world.core, world.edge]) {
          expect(session.isOpen).toBe(false);
          expect(session.neverWritten).toBeGreaterThanOrEqual(0);
          expect(session.neverWritten).toBeLessThanOrEqual(session.waiting.stanzas);
        }
      }),
      { numRuns: 150 },
    );
  });
});
