import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { LinkWorld } from './link-world.ts';

const PAGE = path.resolve(import.meta.dirname, '../../docs/reference/link-protocol.md');

const SM = "xmlns='urn:xmpp:sm:3'";
const CORE_HEADER = `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='core-1' to='edge-1' version='1.0'>`;

describe('transcripts of the Link', () => {
  test('a first connection, a stanza each way and its acknowledgement, a break, and the session resumed', async () => {
    const world = new LinkWorld();
    const wire = world.dial();
    world.core.send('one');
    world.edge.send('two');
    world.clock.advance(50);
    world.transcript.says('the connection breaks before c2 has arrived; c3 and e2 are offered while the Link is down');
    wire.breakAfter('C', 0, 'told');
    world.core.send('three');
    world.clock.settle();
    world.core.send('four');
    world.edge.send('five');
    world.dial();
    world.clock.advance(50);
    expect(world.edge.arrived).toEqual(['c1', 'c2', 'c3']);
    expect(world.core.arrived).toEqual(['e1', 'e2']);
    expect(world.core.established).toEqual([false, true]);
    const transcript = world.transcript.toString();
    await expect(transcript).toMatchFileSnapshot('./transcripts/link-resumed.txt');
    expect(readFileSync(PAGE, 'utf8')).toContain(transcript);
  });

  test('the Edge was killed: the session is gone, c2 is in doubt, c3 was never written and is sent', async () => {
    const world = new LinkWorld();
    const wire = world.dial();
    world.core.send('one');
    world.clock.advance(50);
    wire.breakAfter('C', 0, 'told');
    world.core.send('two');
    world.clock.settle();
    world.core.send('three');
    world.transcript.says('the Edge is killed and starts again');
    world.edge.restart();
    world.dial();
    world.clock.advance(50);
    expect(world.edge.arrived).toEqual(['c1', 'c3']);
    expect(world.core.inDoubt).toEqual(['c2']);
    await expect(world.transcript.toString()).toMatchFileSnapshot('./transcripts/link-edge-killed.txt');
  });

  test('the Edge gave the session up and remembers its count: nothing of the Core is in doubt', async () => {
    const world = new LinkWorld();
    const wire = world.dial();
    world.core.send('one');
    wire.breakAfter('C', 0, 'told');
    world.core.send('two');
    world.clock.settle();
    world.transcript.says('the Edge has held the session for as long as it holds one');
    world.edge.giveUp();
    world.dial();
    world.clock.advance(50);
    expect(world.edge.arrived).toEqual(['c1', 'c2']);
    expect(world.core.inDoubt).toEqual([]);
    await expect(world.transcript.toString()).toMatchFileSnapshot('./transcripts/link-given-up.txt');
  });

  test('the Core was killed: it asks for a new session, and the Edge begins one', async () => {
    const world = new LinkWorld();
    const wire = world.dial();
    world.clock.settle();
    wire.breakAfter('S', 0, 'silent');
    world.edge.send('one');
    world.transcript.says('the Core is killed and starts again; the Edge has not noticed');
    world.core.restart();
    world.edge.send('two');
    world.dial();
    world.edge.send('three');
    world.clock.advance(50);
    expect(world.core.arrived).toEqual(['e3']);
    expect(world.edge.inDoubt).toEqual(['e1', 'e2']);
    await expect(world.transcript.toString()).toMatchFileSnapshot('./transcripts/link-core-killed.txt');
  });

  test('a second connection takes the place of one that seems alive, and what comes late on the first counts no more', async () => {
    const world = new LinkWorld();
    const first = world.dialedByRaw();
    first.say(CORE_HEADER);
    first.say(`<enable ${SM} resume='true'/><r ${SM}/>`);
    first.say("<message from='eva@coluc.com' to='jan@vngtp.lab' id='c1'/>");
    world.transcript.says('the Core dials again; c2 is under way on the first connection still');
    const second = world.dialedByRaw();
    second.say(CORE_HEADER);
    expect(second.say(`<resume ${SM} previd='id-2' h='0'/>`)).toBe(`<resumed ${SM} previd='id-2' h='1'/>`);
    first.say("<message from='eva@coluc.com' to='jan@vngtp.lab' id='c2'/>");
    second.say("<message from='eva@coluc.com' to='jan@vngtp.lab' id='c2'/>");
    expect(second.say(`<r ${SM}/>`)).toBe(`<a ${SM} h='2'/>`);
    expect(world.edge.arrived).toEqual(['c1', 'c2']);
    expect(world.edge.established).toEqual([false, true]);
    expect(world.edge.connections[0]?.side.ended).toMatchObject({ by: 'us', condition: 'conflict' });
    await expect(world.transcript.toString()).toMatchFileSnapshot('./transcripts/link-replaced.txt');
  });

  test('an Edge of another version', async () => {
    const world = new LinkWorld();
    const raw = world.dialRaw();
    raw.say(
      `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='edge-1' to='core-1' id='x' version='1.0'><stream:features><sm xmlns='urn:xmpp:sm:3'/><link xmlns='urn:fedway:link:1' version='2'/></stream:features>`,
    );
    expect(world.core.connections[0]?.side.ended).toMatchObject({ by: 'us', condition: 'unsupported-feature' });
    await expect(world.transcript.toString()).toMatchFileSnapshot('./transcripts/link-version.txt');
  });
});
