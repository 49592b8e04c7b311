import { expect, test } from 'vitest';
import { STREAM_ERROR_CONDITIONS, type StreamErrorCondition } from '../../../src/protocol/stream/stream-error.ts';
import { World } from '../world.ts';
import { DIALBACK, features, header, message } from '../xml.ts';

test('S-42, S-43: the closing handshake: the one says goodbye, the other finishes its sentence', async () => {
  const world = new World();
  const coluc = world.server({ domains: ['coluc.com'] });
  world.server({ domains: ['vngtp.lab'] });
  const { client, server, wire } = coluc.open('vngtp.lab');
  world.transcript.says('the receiving server closes; a stanza is still on its way');
  server?.handle({ type: 'close', why: 'replaced' });
  wire.send('C', message('eva@coluc.com', 'jan@vngtp.lab'));
  world.clock.settle();
  expect(world.delivered).toHaveLength(1);
  expect([client.ended, server?.ended]).toEqual([{ by: 'close' }, { by: 'close' }]);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./closing.txt');
});

test('S-42: the other does not answer: after the time-out only TCP ends', async () => {
  const world = new World();
  const coluc = world.server({ domains: ['coluc.com'] });
  world.point('vngtp.lab', 'raw');
  const { raw, client } = coluc.open('vngtp.lab');
  raw?.say(header({ id: 'a' }) + features(DIALBACK));
  raw?.say("<db:result from='vngtp.lab' to='coluc.com' type='valid'/>");
  client.handle({ type: 'close', why: 'idle' });
  world.clock.advance(4_999);
  expect(client.ended).toBeUndefined();
  world.clock.advance(1);
  expect(client.ended).toEqual({ by: 'close' });
  await expect(world.transcript.toString()).toMatchFileSnapshot('./closing-alone.txt');
});

test('S-57: the box goes down: both kinds of streams say so', async () => {
  const world = new World();
  const coluc = world.server({ domains: ['coluc.com'] });
  world.server({ domains: ['vngtp.lab'] });
  const { client, server } = coluc.open('vngtp.lab');
  server?.handle({ type: 'close', why: 'shutdown' });
  world.clock.settle();
  expect(client.ended).toMatchObject({ by: 'them', condition: 'system-shutdown' });
  await expect(world.transcript.toString()).toMatchFileSnapshot('./shutdown.txt');
});

/** How a peer provokes each of the errors that a receiving server of ours sends, after its own header and our features. */
const PROVOCATIONS: Partial<Record<StreamErrorCondition, string>> = {
  'bad-format': "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
  'bad-namespace-prefix': "<p:message xmlns:p='jabber:server' from='a@vngtp.lab' to='b@coluc.com'/>",
  'improper-addressing': '<db:result>k</db:result><db:result>k</db:result><db:result>k</db:result>',
  'invalid-namespace': "<message xmlns='jabber:client' from='a@vngtp.lab' to='b@coluc.com'/>",
  'not-authorized': message('a@vngtp.lab', 'b@coluc.com'),
  'not-well-formed': '<a></b>',
  'policy-violation': `<a>${'<b/>'.repeat(40)}</a>`,
  'restricted-xml': '<!-- hello -->',
  'unsupported-encoding': '<a>\u0000</a>',
  'unsupported-stanza-type': "<greeting xmlns='urn:example:greeting'/>",
};

test('E-01: each stream error of ours, in one conversation each', async () => {
  const world = new World();
  const coluc = world.server({ domains: ['coluc.com'] });
  for (const [condition, provocation] of Object.entries(PROVOCATIONS)) {
    world.transcript.says(condition);
    const { raw, side } = coluc.connectedByRaw();
    raw.say(header({ from: 'vngtp.lab', to: 'coluc.com' }));
    if (condition === 'unsupported-encoding') raw.say(Uint8Array.of(0x3c, 0x61, 0x3e, 0xc0, 0x80));
    else raw.say(provocation);
    expect(side.ended).toMatchObject({ by: 'us', condition });
    expect(side.written).toMatch(/<\/stream:error><\/stream:stream>$/);
  }
  await expect(world.transcript.toString()).toMatchFileSnapshot('./stream-errors-sent.txt');
});

test.each(STREAM_ERROR_CONDITIONS)(
  'E-05, E-08: %s, received while dialback waits, ends the stream and refuses the pair',
  (condition) => {
    const world = new World();
    const coluc = world.server({ domains: ['coluc.com'] });
    world.point('vngtp.lab', 'raw');
    const { raw, client } = coluc.open('vngtp.lab');
    raw?.say(header({ id: 'a' }) + features(DIALBACK));
    const answer = raw?.say(
      `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`,
    );
    expect(answer).toBe('</stream:stream>');
    expect(client.ended).toEqual({ by: 'them', condition });
    expect(client.refused).toEqual([
      { pair: { sender: 'coluc.com', target: 'vngtp.lab' }, because: { by: 'them', condition } },
    ]);
  },
);
