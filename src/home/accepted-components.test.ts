import { describe, expect, it } from 'vitest';
import { socketPair } from '../../test/support/socket-pair.ts';
import { componentHandshake } from '../net/keys/component-keys.ts';
import { StreamDriver } from '../net/s2s/stream-driver.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { PureStream } from '../protocol/stream/actions.ts';
import { AcceptedComponents, type ComponentHome } from './accepted-components.ts';

const HOME = 'coluc.com' as Domain;
const ROOMS = 'conference.coluc.com' as Domain;
const OTHER = 'other.example' as Domain;
const home: ComponentHome = { domains: [HOME, ROOMS], secret: 'first' };
const other: ComponentHome = { domains: [OTHER], secret: 'second' };

/** A connected component; `closed` says whether it was told to go. */
async function connected(
  components: AcceptedComponents,
  name: Domain,
): Promise<{ readonly closed: () => boolean; readonly driver: StreamDriver }> {
  await using pair = await socketPair();
  const events: string[] = [];
  const stream: PureStream = {
    receive: () => [],
    handle: (event) => {
      events.push(event.type);
      return [];
    },
  };
  const driver = new StreamDriver(
    stream,
    pair.receiving,
    {
      startTls: () => Promise.resolve({ failed: 'none here' }),
      verify: () => undefined,
      answer: () => undefined,
      authorized: () => undefined,
      refused: () => undefined,
      ended: () => undefined,
      subject: () => ({}),
    },
    () => undefined,
  );
  components.connect({ sender: name, target: name }, driver);
  return { closed: () => events.includes('close'), driver };
}

describe('a new configuration', () => {
  it.each([
    { what: 'is gone', homes: [other] },
    { what: 'has another secret', homes: [{ ...home, secret: 'third' }, other] },
    { what: 'has other domains', homes: [{ ...home, domains: [HOME] }, other] },
  ])('disconnects the component of a home that $what, and no other', async ({ homes }) => {
    const components = new AcceptedComponents([home, other]);
    const [changed, same] = [await connected(components, HOME), await connected(components, OTHER)];
    components.replaceHomes(homes);
    expect([changed.closed(), same.closed()]).toEqual([true, false]);
  });

  it('lets nobody in any more who sent its header under the former secret', () => {
    const components = new AcceptedComponents([home]);
    const known = components.component(HOME);
    const handshake = componentHandshake('id', home.secret);
    expect(known?.accepts('id', handshake)).toBe(true);
    components.replaceHomes([{ ...home, secret: 'third' }]);
    expect(known?.accepts('id', handshake)).toBe(false);
  });
});

it('two components of one home: each is the way to its own name, and the one that is left to both', async () => {
  const components = new AcceptedComponents([home]);
  await connected(components, HOME);
  const first = components.outletFor(HOME);
  expect(components.outletFor(ROOMS)).toBe(first);
  await connected(components, ROOMS);
  expect(components.outletFor(ROOMS)).not.toBe(first);
});

it('a component that is being closed is no way any more, and does not stand in the way of the next', async () => {
  const components = new AcceptedComponents([home]);
  const { driver } = await connected(components, HOME);
  expect(components.component(HOME)?.connected()).toBe(true);
  driver.handle({ type: 'close', why: 'administrator', reason: 'maintenance' });
  expect([components.outletFor(HOME), components.component(HOME)?.connected()]).toEqual([undefined, false]);
  await connected(components, HOME);
  expect(components.outletFor(HOME)).toBeDefined();
  expect(components.disconnect(driver)).toBeUndefined();
});
