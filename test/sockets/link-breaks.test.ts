import { expect, it } from 'vitest';
import type { LinkPeer } from '../../src/link/types.ts';
import { CoreBox, connected, EdgeBox, message, PAIR, untilTrue } from '../support/link-boxes.ts';
import { LinkProxy } from '../support/link-proxy.ts';

function ids(count: number, prefix: string): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** Offers stanzas in order and as fast as they are taken, until `done`; returns the ids of those that were taken. */
async function load(peer: LinkPeer, prefix: string, done: () => boolean): Promise<readonly string[]> {
  const taken: string[] = [];
  for (let index = 0; !done(); index++) {
    const id = `${prefix}${index}`;
    const offer = peer.offer(message(id, 'x'.repeat(index % 700)), PAIR);
    if (typeof offer === 'object') throw new Error(`${id} was refused: ${JSON.stringify(offer)}`);
    taken.push(id);
    if (offer === 'held') await peer.room();
    else if (index % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    // While the Link is down stanzas wait: the test must not run into the bound.
    while (!peer.isUp || peer.facts.queued.stanzas > 4_000) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return taken;
}

it('a Link that is cut 100 times under load loses, duplicates and reorders nothing, in either direction', async () => {
  await using edge = await EdgeBox.start();
  await using core = await CoreBox.start();
  await using proxy = await LinkProxy.start(() => edge.port);
  await connected(edge, core, proxy.port);
  let isDone = false;
  const loads = [load(core.edge, 'out', () => isDone), load(edge.core, 'in', () => isDone)];
  for (let cuts = 0; cuts < 100; cuts++) {
    await untilTrue(() => core.edge.isUp && edge.core.isUp);
    const until = performance.now() + Math.random() * 25;
    await untilTrue(() => performance.now() >= until);
    proxy.cut();
    await untilTrue(() => !core.edge.isUp);
  }
  isDone = true;
  const [out = [], inward = []] = await Promise.all(loads);
  await untilTrue(() => core.edge.facts.queued.stanzas === 0 && edge.core.facts.queued.stanzas === 0);
  expect(out.length).toBeGreaterThan(100);
  expect(edge.recorder.delivered).toEqual(out);
  expect(core.recorder.delivered).toEqual(inward);
  expect([edge.recorder.undelivered, core.recorder.undelivered]).toEqual([[], []]);
  expect(core.edge.facts.resumed).toBe(100);
  expect(core.recorder.noted('bug')).toEqual([]);
  expect(edge.recorder.noted('bug')).toEqual([]);
}, 60_000);

it('a half-open connection is noticed by its silence, and the session goes on on the next', async () => {
  await using edge = await EdgeBox.start({ timing: { quiet: 150 } });
  await using core = await CoreBox.start({ timing: { quiet: 150 } });
  await using proxy = await LinkProxy.start(() => edge.port);
  await connected(edge, core, proxy.port);
  proxy.swallow();
  for (const id of ids(10, 'a')) core.edge.offer(message(id), PAIR);
  for (const id of ids(10, 'b')) edge.core.offer(message(id), PAIR);
  await untilTrue(() => edge.recorder.delivered.length === 10 && core.recorder.delivered.length === 10);
  expect(edge.recorder.delivered).toEqual(ids(10, 'a'));
  expect(core.recorder.delivered).toEqual(ids(10, 'b'));
  expect(core.recorder.noted('link-down')[0]?.because).toMatchObject({ by: 'timeout' });
  expect(core.edge.facts.resumed).toBe(1);
});

it('a new connection of a Core takes the place of a former one that nobody has missed yet', async () => {
  // The Edge would wait for minutes; the Core notices at once.
  await using edge = await EdgeBox.start({ timing: { quiet: 600_000 } });
  await using core = await CoreBox.start({ timing: { quiet: 100 } });
  await using proxy = await LinkProxy.start(() => edge.port);
  await connected(edge, core, proxy.port);
  proxy.swallow();
  edge.core.offer(message('waits'), PAIR);
  await untilTrue(() => core.recorder.delivered.length === 1);
  expect(core.recorder.delivered).toEqual(['waits']);
  expect(edge.recorder.ups).toEqual([false, true]);
  // It was never down as far as the Edge could see.
  expect(edge.recorder.downs).toEqual([]);
  expect(edge.core.isUp).toBe(true);
});

it('an Edge that is killed and started again is found by itself; what was in doubt is returned, what was not sent is sent', async () => {
  await using first = await EdgeBox.start();
  await using core = await CoreBox.start();
  await connected(first, core);
  // The Edge takes the first and never says so.
  first.recorder.room = () => new Promise(() => undefined);
  core.edge.offer(message('handled'), PAIR);
  await untilTrue(() => core.edge.facts.queued.stanzas === 0 && first.recorder.delivered.length === 1);
  core.edge.offer(message('in doubt'), PAIR);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const { port, folder, recorder } = first;
  await first.kill();
  await untilTrue(() => !core.edge.isUp);
  core.edge.offer(message('not sent'), PAIR);
  await using second = await EdgeBox.start({ port, folder });
  await untilTrue(() => second.recorder.delivered.length === 1);
  expect(second.recorder.delivered).toEqual(['not sent']);
  expect(recorder.delivered).toEqual(['handled']);
  expect(core.recorder.undelivered).toMatchObject([{ id: 'in doubt', end: { by: 'link', inDoubt: true } }]);
  expect(core.recorder.ups).toEqual([false, false]);
});

it('a Core that is killed comes back with a new session; what the Edge had sent it in vain is returned', async () => {
  await using edge = await EdgeBox.start();
  await using first = await CoreBox.start();
  await connected(edge, first);
  await first.kill();
  for (const id of ids(3, 'm')) edge.core.offer(message(id), PAIR);
  await using second = await CoreBox.start({ folder: first.folder });
  await untilTrue(() => second.recorder.delivered.length + edge.recorder.undelivered.length === 3);
  const returned = edge.recorder.undelivered.map(({ id }) => id);
  expect([...returned, ...second.recorder.delivered]).toEqual(ids(3, 'm'));
});

it('when the Link has been down for the time of hold, what waits is returned with the reason, and then all else at once', async () => {
  await using edge = await EdgeBox.start();
  await using core = await CoreBox.start({ timing: { hold: 300 } });
  await connected(edge, core);
  await edge.kill();
  await untilTrue(() => !core.edge.isUp);
  const all = ids(50, 'm');
  for (const id of all) expect(core.edge.offer(message(id), PAIR)).toBe('taken');
  expect(core.edge.facts.queued.stanzas).toBe(50);
  await untilTrue(() => core.recorder.undelivered.length === 50);
  expect(core.recorder.undelivered.map(({ id }) => id)).toEqual(all);
  const [first] = core.recorder.undelivered;
  expect(first?.end).toMatchObject({ by: 'link' });
  expect(JSON.stringify(first?.end)).toMatch(
    /the Link to edge-1 has been down for 0 seconds: connection refused by 127\.0\.0\.1:\d+/,
  );
  expect(core.edge.isUsable).toBe(false);
  expect(core.edge.offer(message('late'), PAIR)).toEqual({ refused: first?.end });
  expect(core.recorder.noted('link-given-up')).toMatchObject([{ box: 'edge-1', stanzas: 50, inDoubt: 0 }]);
  await using second = await EdgeBox.start({ port: edge.port, folder: edge.folder });
  await untilTrue(() => core.edge.isUp);
  expect(core.edge.isUsable).toBe(true);
  core.edge.offer(message('again'), PAIR);
  await untilTrue(() => second.recorder.delivered.length === 1);
  expect(second.recorder.delivered).toEqual(['again']);
});

it('what waits is bounded in number and in bytes', async () => {
  await using edge = await EdgeBox.start();
  await using core = await CoreBox.start({ timing: { queueStanzas: 5, queueBytes: 2_000 } });
  await connected(edge, core);
  await edge.kill();
  await untilTrue(() => !core.edge.isUp);
  const full = { refused: { by: 'us', condition: 'resource-constraint' } };
  expect(core.edge.offer(message('big', 'x'.repeat(1_700)), PAIR)).toBe('taken');
  expect(core.edge.offer(message('too big', 'x'.repeat(200)), PAIR)).toMatchObject(full);
  for (const id of ids(4, 'm')) core.edge.offer(message(id), PAIR);
  await using small = await CoreBox.start({ folder: core.folder, timing: { queueStanzas: 5 } });
  const offers = ids(7, 's').map((id) => small.edge.offer(message(id), PAIR));
  expect(offers.slice(0, 5)).toEqual(['taken', 'taken', 'taken', 'taken', 'taken']);
  expect(offers.slice(5)).toMatchObject([full, full]);
});

it('who offers more than the other end confirms is asked to wait, and may go on when it has', async () => {
  await using edge = await EdgeBox.start();
  await using core = await CoreBox.start({ timing: { queueStanzas: 20 } });
  await connected(edge, core);
  const { promise, resolve } = Promise.withResolvers<void>();
  // The Edge reads no further than the first stanza.
  edge.recorder.room = () => promise;
  const offers = [];
  core.edge.offer(message('first'), PAIR);
  await untilTrue(() => core.edge.facts.queued.stanzas === 0);
  for (const id of ids(12, 'm')) offers.push(core.edge.offer(message(id), PAIR));
  expect(offers.slice(0, 9)).toEqual(Array.from({ length: 9 }, () => 'taken'));
  expect(offers.slice(9)).toEqual(['held', 'held', 'held']);
  let hasRoom = false;
  const waiting = core.edge.room().then(() => {
    hasRoom = true;
    return undefined;
  });
  await new Promise((next) => setTimeout(next, 50));
  expect(hasRoom).toBe(false);
  resolve();
  await waiting;
  await untilTrue(() => edge.recorder.delivered.length === 13);
  expect(edge.recorder.delivered).toEqual(['first', ...ids(12, 'm')]);
});

it('a box that stops says goodbye and returns what cannot be sent any more', async () => {
  await using edge = await EdgeBox.start();
  await using core = await CoreBox.start();
  await connected(edge, core);
  for (const id of ids(5, 'm')) core.edge.offer(message(id), PAIR);
  core.dialers.shutdown();
  await untilTrue(() => core.dialers.connections === 0);
  expect(edge.recorder.delivered).toEqual(ids(5, 'm'));
  expect(core.recorder.undelivered).toEqual([]);
  expect(edge.recorder.noted('link-down')[0]?.because).toMatchObject({ by: 'them', condition: 'system-shutdown' });
  expect(core.edge.offer(message('late'), PAIR)).toMatchObject({ refused: { condition: 'system-shutdown' } });
});

it('a box that stops while the Link is down returns what waits, at once', async () => {
  await using edge = await EdgeBox.start();
  await using core = await CoreBox.start();
  await connected(edge, core);
  await edge.kill();
  await untilTrue(() => !core.edge.isUp);
  const all = ids(20, 'm');
  for (const id of all) core.edge.offer(message(id), PAIR);
  core.dialers.shutdown();
  expect(core.recorder.undelivered.map(({ id }) => id)).toEqual(all);
});
