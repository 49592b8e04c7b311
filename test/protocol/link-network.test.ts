import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LinkWorld } from './link-world.ts';

/** What happens on the way, in this order. */
type Step =
  | { readonly do: 'send'; readonly who: 'core' | 'edge'; readonly stanzas: number }
  | { readonly do: 'break'; readonly from: 'C' | 'S'; readonly after: number; readonly how: 'told' | 'silent' }
  | { readonly do: 'wait'; readonly milliseconds: number }
  /** The Core dials although it has a connection. */
  | { readonly do: 'dial' }
  | { readonly do: 'restart' | 'give up'; readonly who: 'core' | 'edge' };

const send = fc.record({
  do: fc.constant('send' as const),
  who: fc.constantFrom('core' as const, 'edge' as const),
  stanzas: fc.integer({ min: 1, max: 12 }),
});
const cut = fc.record({
  do: fc.constant('break' as const),
  from: fc.constantFrom('C' as const, 'S' as const),
  after: fc.integer({ min: 0, max: 900 }),
  how: fc.constantFrom('told' as const, 'told' as const, 'silent' as const),
});
const wait = fc.record({
  do: fc.constant('wait' as const),
  milliseconds: fc.constantFrom(0, 1, 5, 15, 21, 60, 200, 70_000),
});
const dial = fc.constant({ do: 'dial' as const });
const restart = fc.record({
  do: fc.constant('restart' as const),
  who: fc.constantFrom('core' as const, 'edge' as const),
});

/** Pieces of a few bytes, so that a stanza arrives in many. */
const cutting = fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined });

function inPieces(size: number | undefined): ((bytes: Uint8Array) => readonly Uint8Array[]) | undefined {
  if (size === undefined) return undefined;
  return (bytes) => {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    return pieces;
  };
}

function worldWith(piece: number | undefined, latencyMs: number): LinkWorld {
  const cutter = inPieces(piece);
  const world = new LinkWorld({ latencyMs, ...(cutter === undefined ? {} : { cut: cutter }) });
  world.redials = true;
  world.dial();
  return world;
}

function perform(world: LinkWorld, steps: readonly Step[]): void {
  for (const step of steps) {
    switch (step.do) {
      case 'send':
        for (let i = 0; i < step.stanzas; i++) world[step.who].send();
        break;
      case 'break':
        world.wire?.breakAfter(step.from, step.after, step.how);
        break;
      case 'wait':
        world.clock.advance(step.milliseconds);
        break;
      case 'dial':
        world.dial();
        break;
      case 'give up':
        world[step.who].giveUp();
        break;
      case 'restart':
        world[step.who].restart();
        if (step.who === 'core') world.clock.after(50, () => world.redial());
    }
  }
  // From here on nothing breaks any more, and everything has the time that it takes.
  world.clock.advance(200_000);
  world.wire?.breakAfter('C', Number.MAX_SAFE_INTEGER, 'told');
  world.wire?.breakAfter('S', Number.MAX_SAFE_INTEGER, 'told');
  world.clock.advance(200_000);
}

/** The numbers of ids, which are given in the order of sending. */
function numbers(ids: readonly string[]): readonly number[] {
  return ids.map((id) => Number(id.slice(1)));
}

function isAscending(list: readonly number[]): boolean {
  return list.every((number, index) => index === 0 || number > (list[index - 1] ?? 0));
}

describe('a Link over a network that breaks', () => {
  test('after any byte, any number of times, half-open or told, dialed anew while it lives: what arrives is what was sent, in both directions at once', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof({ weight: 4, arbitrary: send }, { weight: 3, arbitrary: cut }, { weight: 3, arbitrary: wait }, dial),
          {
            minLength: 3,
            maxLength: 40,
          },
        ),
        cutting,
        fc.constantFrom(0, 3, 25),
        (steps, piece, latency) => {
          const world = worldWith(piece, latency);
          perform(world, steps);
          expect(world.edge.arrived).toEqual(world.core.sent);
          expect(world.core.arrived).toEqual(world.edge.sent);
          expect([world.core.inDoubt, world.edge.inDoubt]).toEqual([[], []]);
          expect(world.core.session.waiting).toMatchObject({ stanzas: 0, bytes: 0 });
          expect(world.edge.session.waiting).toMatchObject({ stanzas: 0, bytes: 0 });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('and boxes that are killed or give up: nothing arrives twice or out of order, and what did not arrive is accounted for', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            { weight: 4, arbitrary: send },
            { weight: 2, arbitrary: cut },
            { weight: 3, arbitrary: wait },
            dial,
            restart,
          ),
          { minLength: 3, maxLength: 40 },
        ),
        cutting,
        fc.constantFrom(0, 3, 25),
        (steps, piece, latency) => {
          const world = worldWith(piece, latency);
          perform(world, steps);
          for (const [from, to] of [
            [world.core, world.edge],
            [world.edge, world.core],
          ] as const) {
            expect(isAscending(numbers(to.arrived))).toBe(true);
            expect(isAscending(numbers(from.inDoubt))).toBe(true);
            expect(new Set([...to.arrived, ...from.inDoubt, ...from.bounced, ...from.died])).toEqual(
              new Set(from.sent),
            );
            // What was given up as never written has arrived nowhere, and each was handed out once.
            expect(from.bounced.filter((id) => to.arrived.includes(id))).toEqual([]);
            const out = [...from.inDoubt, ...from.bounced, ...from.died];
            expect(new Set(out).size).toBe(out.length);
            expect(from.session.waiting.stanzas).toBe(0);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('after every single byte of a conversation in turn, on either side', () => {
    for (const from of ['C', 'S'] as const) {
      for (let after = 0; after < 1_200; after += 1) {
        const world = new LinkWorld({ latencyMs: 2 });
        world.redials = true;
        for (let i = 0; i < 3; i++) {
          world.core.send();
          world.edge.send();
        }
        world.dial().breakAfter(from, after, 'told');
        world.clock.advance(30);
        for (let i = 0; i < 3; i++) {
          world.core.send();
          world.edge.send();
        }
        world.clock.advance(1_000);
        expect(world.edge.arrived).toEqual(world.core.sent);
        expect(world.core.arrived).toEqual(world.edge.sent);
      }
    }
  });
});
