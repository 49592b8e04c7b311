import { expect, test } from 'vitest';
import { Client, ClientWorld, chat } from '../client-world.ts';

test('a client logs in: STARTTLS, SCRAM, a resource, stream management, a message each way, the end', async () => {
  const world = new ClientWorld();
  const client = world.connect('plain');
  client.open();
  client.startTls();
  client.open();
  client.scram('juliet', 'pencil');
  client.open();
  client.bind('balcony');
  client.enable();
  client.say("<message to='romeo@example.com' type='chat'><body>Wherefore art thou?</body></message>");
  world.session('juliet@example.com/balcony').send(chat('I take thee at thy word'));
  world.clock.advance(1000);
  client.acknowledge(1);
  client.say("<r xmlns='urn:xmpp:sm:3'/>");
  client.say('</stream:stream>');
  expect(world.told.at(-1)).toBe('ended juliet@example.com/balcony');
  await expect(world.transcript.toString()).toMatchFileSnapshot('./client.txt');
});

test('a connection breaks; the client comes back and goes on where it was', async () => {
  const world = new ClientWorld();
  const first = world.login();
  const id = first.enable();
  const session = world.session('juliet@example.com/balcony');
  session.send(chat('one'));
  first.acknowledge(1);
  session.send(chat('two'));
  world.transcript.says('the connection breaks before "two" is acknowledged; "three" comes while nobody is there');
  first.breakOff();
  session.send(chat('three'));
  const second = world.connect();
  second.authenticate();
  second.resume(id, 1);
  world.session('juliet@example.com/balcony').send(chat('four'));
  world.clock.settle();
  second.acknowledge(4);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./client-resumed.txt');
  expect(world.told).toEqual(['opened juliet@example.com/balcony']);
});

test('a client with the wrong password, three times', async () => {
  const world = new ClientWorld({ brake: { failed: () => 500 } });
  const client: Client = world.connect();
  client.open();
  for (let attempt = 0; attempt < 3; attempt++) {
    client.plain('juliet', 'pincel');
    world.clock.advance(500);
  }
  expect(client.side.ended).toMatchObject({ by: 'us', condition: 'policy-violation' });
  await expect(world.transcript.toString()).toMatchFileSnapshot('./client-refused.txt');
});
