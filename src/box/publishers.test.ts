import { beforeEach, describe, expect, test, vi } from 'vitest';
import { KeptKeeper } from '../../test/support/kept-keeper.ts';
import type { Ledger } from '../axl/ledger.ts';
import type { RouterView } from '../axl/router-view.ts';
import type { PublisherSettings } from '../config/live/settings.ts';
import { Secret } from '../config/secret.ts';
import type { Note } from '../protocol/notes.ts';
import { type NamedEdge, namedEdge } from './edge-names.ts';
import type { RouterFacts } from './home-components.ts';
import { Publishers } from './publishers.ts';

const ONE = 'cm-2_s2scp-1.edge-1-coluc-com';
const TWO = 'cm-2_s2scp-1.edge-2-coluc-com';

function settings(more: Partial<PublisherSettings> = {}): PublisherSettings {
  return {
    name: 'cups',
    address: { host: 'cups.coluc.com', port: 8443 },
    user: 'axl',
    password: new Secret('hunter2'),
    tls: 'verify',
    version: 'auto',
    ...more,
  };
}

let configured: readonly PublisherSettings[] = [];
let edges: readonly NamedEdge[] | undefined = [];
let routers: readonly RouterFacts[] = [];
let now = 1_000_000;
let restarted = 0;
/** A keeper is done with its first round as soon as it is made. */
let isFast = true;
const notes: Note[] = [];
const keepers: KeptKeeper[] = [];
const recorded = new Map<string, readonly string[]>();
const ledger: Ledger = {
  ours: (name) => recorded.get(name) ?? [],
  record: (name, cpIds) => recorded.set(name, cpIds),
};

beforeEach(() => {
  configured = [settings()];
  edges = [namedEdge('edge-1', 'edge-1.coluc.com', true)];
  routers = [];
  now = 1_000_000;
  restarted = 0;
  isFast = true;
  notes.length = 0;
  keepers.length = 0;
  recorded.clear();
});

async function running(): Promise<Publishers> {
  const publishers = new Publishers({
    notes: (note) => notes.push(note),
    ledger,
    publishers: () => configured,
    authorities: () => [],
    edges: () => edges,
    routers: () => routers,
    routerRestarted: () => {
      restarted += 1;
    },
    now: () => now,
    keep: (given, ports) => {
      const keeper = new KeptKeeper(given, ports, isFast);
      keepers.push(keeper);
      return keeper;
    },
  });
  await publishers.start();
  return publishers;
}

function only(): KeptKeeper {
  const [keeper] = keepers;
  if (keeper === undefined) throw new Error('no publisher is kept');
  return keeper;
}

const raised = (publishers: Publishers): readonly number[] => publishers.raised().map(({ id }) => id);

describe('what a publisher is told', () => {
  test('the component of every Edge that federates, each once; it follows the Edges', async () => {
    const publishers = await running();
    edges = [
      namedEdge('edge-1', 'edge-1.coluc.com', true),
      namedEdge('edge-2', 'edge-2.coluc.com', true),
      namedEdge('edge-3', 'edge-3.coluc.com', false),
    ];
    publishers.settingsChanged();
    edges = [namedEdge('edge-1', 'edge-1.coluc.com', false)];
    publishers.settingsChanged();
    expect(only().wanted).toEqual([[ONE], [ONE, TWO], []]);
    expect(only().settings).toEqual({
      name: 'cups',
      host: 'cups.coluc.com',
      port: 8443,
      user: 'axl',
      password: 'hunter2',
      tls: 'verify',
      version: 'auto',
      authorities: [],
    });
  });

  test('as long as no Edge has said what it is, nothing is known, and nothing is removed', async () => {
    edges = undefined;
    const publishers = await running();
    edges = [];
    publishers.sweep();
    expect(only().wanted).toEqual([undefined, []]);
  });

  test('the rows stay when the box goes down', async () => {
    const publishers = await running();
    publishers.shutdown();
    publishers.settingsChanged();
    publishers.sweep();
    expect([only().stopped, only().wanted]).toEqual([true, [[ONE]]]);
  });
});

describe('a publisher whose configuration changes', () => {
  test('another password: the former client ends, the rows stay, the next one begins at once', async () => {
    const publishers = await running();
    configured = [settings({ password: new Secret('correct horse') })];
    publishers.settingsChanged();
    expect(keepers.map(({ stopped, wanted }) => [stopped, wanted])).toEqual([
      [true, [[ONE]]],
      [false, [[ONE]]],
    ]);
    publishers.settingsChanged();
    expect(keepers).toHaveLength(2);
  });

  test('another address: first our rows are removed from the former one, then the next one is told', async () => {
    const publishers = await running();
    const held = Promise.withResolvers<undefined>();
    only().held = held.promise;
    configured = [settings({ address: { host: 'other.coluc.com', port: 8443 } })];
    publishers.settingsChanged();
    expect([only().wanted, only().stopped, keepers.length]).toEqual([[[ONE], []], false, 1]);
    held.resolve(undefined);
    await vi.waitFor(() => expect(keepers).toHaveLength(2));
    expect([only().stopped, keepers[1]?.settings.host, keepers[1]?.wanted]).toEqual([true, 'other.coluc.com', [[ONE]]]);
  });

  test('removed: our rows are removed first; that is told', async () => {
    const publishers = await running();
    configured = [];
    publishers.settingsChanged();
    await vi.waitFor(() => expect(only().stopped).toBe(true));
    expect(only().wanted).toEqual([[ONE], []]);
    expect(notes).toContainEqual({ note: 'publisher-left', publisher: 'cups', left: [] });
    expect(publishers.status()).toEqual([]);
  });

  test('removed while it cannot be reached: it is given up after a while, and what may still be there is told', async () => {
    vi.useFakeTimers();
    try {
      const publishers = await running();
      only().failure = { code: 'refused', sentence: 'Nothing listens.', cause: 'It is down.', cure: 'Start it.' };
      only().held = new Promise(() => undefined);
      configured = [];
      publishers.settingsChanged();
      await vi.advanceTimersByTimeAsync(29_000);
      expect(only().stopped).toBe(false);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(only().stopped).toBe(true);
      expect(notes).toContainEqual({ note: 'publisher-left', publisher: 'cups', left: [ONE] });
    } finally {
      vi.useRealTimers();
    }
  });

  test('without its password it is not asked, which is told in status and as an alarm, and ends with the password', async () => {
    configured = [settings({ password: undefined })];
    const publishers = await running();
    expect(keepers).toEqual([]);
    expect(publishers.status()).toMatchObject([
      { name: 'cups', address: 'cups.coluc.com:8443', state: 'incomplete', missing: ['password'], rows: [] },
    ]);
    expect(raised(publishers)).toEqual([25024]);
    configured = [settings()];
    publishers.settingsChanged();
    expect([raised(publishers), only().wanted]).toEqual([[], [[ONE]]]);
  });
});

describe('alarms', () => {
  const failure = { code: 'credentials', sentence: 'HTTP 401.', cause: 'The password.', cure: 'Another.' } as const;
  const well: RouterView = { restartNeeded: false, foreignBounces: 0, federation: 'off' };

  test('a publisher that cannot be told raises one, and ends it when it can', async () => {
    const publishers = await running();
    only().tell({ failure });
    const cure = 'Another (fedway config set publishers.cups.password -, then fedway publisher refresh cups).';
    expect(publishers.raised()).toMatchObject([
      { id: 25023, about: 'cups', detail: 'HTTP 401.', cure, since: 1_000_000 },
    ]);
    expect(publishers.status()).toMatchObject([{ failure: { cure } }]);
    now += 60_000;
    only().tell({ failure: undefined });
    expect(raised(publishers)).toEqual([]);
    expect(notes.map(({ note }) => note)).toEqual(['alarm-raised', 'alarm-cleared']);
  });

  test('another password leaves the alarms as they are until it was tried: one that is wrong as well is the same alarm', async () => {
    const publishers = await running();
    only().tell({ router: { ...well, restartNeeded: true, federation: 'on' }, lastSuccess: now });
    only().tell({ failure, router: undefined });
    const before = publishers.raised();
    expect(before.map(({ id }) => id)).toEqual([25023, 25024, 90001]);
    notes.length = 0;
    isFast = false;
    configured = [settings({ password: new Secret('wrong as well') })];
    publishers.settingsChanged();
    now += 5_000;
    publishers.sweep();
    expect(publishers.status()).toMatchObject([{ state: 'unknown', failure: undefined }]);
    keepers[1]?.tell({ failure });
    expect([keepers.length, notes, publishers.raised()]).toEqual([2, [], before]);
    keepers[1]?.tell({ failure: undefined, router: well, lastSuccess: now });
    expect([raised(publishers), restarted]).toEqual([[], 1]);
  });

  test('another address: the failure stays until the other server was asked, and what the former one said of its router ends then', async () => {
    const publishers = await running();
    only().tell({ router: { ...well, restartNeeded: true, federation: 'on' }, lastSuccess: now });
    recorded.clear();
    isFast = false;
    configured = [settings({ address: { host: 'other.coluc.com', port: 8443 } })];
    publishers.settingsChanged();
    expect(raised(publishers)).toEqual([25024, 90001]);
    keepers[1]?.tell({ failure });
    expect(raised(publishers)).toEqual([25023]);
  });

  test('what is wrong at a server stays an alarm while it cannot be asked, until an answer says otherwise', async () => {
    const publishers = await running();
    only().tell({ router: { ...well, foreignBounces: 5, federation: 'on' }, lastSuccess: now });
    only().tell({ router: { ...well, foreignBounces: 6, federation: 'on' }, lastSuccess: now + 1_000 });
    expect(raised(publishers)).toEqual([25024, 90002]);
    only().tell({ failure, router: undefined });
    now += 3_600_000;
    publishers.sweep();
    expect(raised(publishers)).toEqual([25023, 25024, 90002]);
    only().tell({ failure: undefined, lastSuccess: now });
    expect(raised(publishers)).toEqual([25024, 90002]);
    only().tell({ router: { ...well, foreignBounces: 6 }, lastSuccess: now });
    expect(raised(publishers)).toEqual([]);
  });

  test('a router that was restarted: the alarm is over, and the components connect at once', async () => {
    const publishers = await running();
    only().tell({ router: { ...well, restartNeeded: true }, lastSuccess: now });
    expect([raised(publishers), restarted]).toEqual([[90001], 0]);
    only().tell({ failure, router: undefined });
    expect(restarted).toBe(0);
    only().tell({ failure: undefined, router: well });
    expect([raised(publishers), restarted]).toEqual([[], 1]);
  });

  test('a router that bounces while an Edge federates, until it has been quiet for a while', async () => {
    const publishers = await running();
    only().tell({ router: { ...well, foreignBounces: 5 }, lastSuccess: now });
    expect(raised(publishers)).toEqual([]);
    only().tell({ router: { ...well, foreignBounces: 6 }, lastSuccess: now + 1_000 });
    expect(raised(publishers)).toEqual([90002]);
    only().tell({ lastSuccess: now + 302_000 });
    expect(raised(publishers)).toEqual([]);
  });

  test('a server that federates by itself, until the next look at it finds that it is over', async () => {
    const publishers = await running();
    only().tell({ router: { ...well, federation: 'on' }, lastSuccess: now });
    expect(raised(publishers)).toEqual([25024]);
    only().tell({ router: well, lastSuccess: now });
    expect(raised(publishers)).toEqual([]);
  });

  test('what the router said before our row was in its table raises nothing: the row may be what it has read', async () => {
    edges = [namedEdge('edge-1', 'edge-1.coluc.com', false)];
    const publishers = await running();
    only().tell({ router: { ...well, restartNeeded: true } });
    only().isBehind = true;
    edges = [namedEdge('edge-1', 'edge-1.coluc.com', true)];
    publishers.look();
    publishers.settingsChanged();
    expect(raised(publishers)).toEqual([]);
    only().tell({ isBehind: false, router: well });
    expect(notes.filter(({ note }) => note === 'alarm-raised')).toEqual([]);
    only().tell({ router: { ...well, restartNeeded: true } });
    expect(raised(publishers)).toEqual([90001]);
  });

  test('a router that has to be restarted goes on having to while another Edge is told, or nothing can be', async () => {
    const publishers = await running();
    only().tell({ router: { ...well, restartNeeded: true } });
    only().isBehind = true;
    edges = [...(edges ?? []), namedEdge('edge-2', 'edge-2.coluc.com', true)];
    publishers.settingsChanged();
    only().tell({ failure, router: undefined });
    expect(raised(publishers)).toEqual([25023, 90001]);
    only().tell({ failure: undefined, isBehind: false, router: { ...well, restartNeeded: true } });
    expect(notes.map(({ note }) => note)).toEqual(['alarm-raised', 'alarm-raised', 'alarm-cleared']);
    edges = [];
    publishers.settingsChanged();
    expect(raised(publishers)).toEqual([]);
  });

  test('a connection to a router that is gone becomes one by time alone', async () => {
    const connection = { name: ONE, isUp: false, since: now, because: 'connection refused', isUnknown: false };
    routers = [{ homes: ['coluc.com'], connections: [connection] }];
    const publishers = await running();
    expect(raised(publishers)).toEqual([]);
    now += 15_000;
    publishers.sweep();
    expect(raised(publishers)).toEqual([90004]);
    routers = [{ homes: ['coluc.com'], connections: [{ ...connection, isUp: true }] }];
    publishers.look();
    expect(raised(publishers)).toEqual([]);
  });
});

describe('refresh', () => {
  test('one, or all of them; who is not there is refused with those who are', async () => {
    configured = [settings(), settings({ name: 'second', address: { host: 'second.coluc.com', port: 8443 } })];
    const { operations } = await running();
    expect(await operations.refresh('second')).toMatchObject({ refreshed: [{ name: 'second', state: 'ok' }] });
    expect(keepers.map(({ refreshed }) => refreshed)).toEqual([0, 1]);
    expect(await operations.refresh(undefined)).toMatchObject({ refreshed: [{ name: 'cups' }, { name: 'second' }] });
    expect(await operations.refresh('third')).toEqual({
      refused: 'There is no publisher called third. There are: cups, second.',
    });
    configured = [];
    expect(await operations.refresh(undefined)).toEqual({
      refused: 'There is no publisher. Name one: fedway config set publishers.NAME.address HOST.',
    });
  });
});
