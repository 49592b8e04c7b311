import { expect, test } from 'vitest';
import { acceptingComponent, connectingComponent, World } from '../world.ts';
import { message } from '../xml.ts';

test('P-01, P-02, P-07, P-09: the component handshake, both roles against each other, a message each way', async () => {
  const world = new World();
  world.nextStreamIds.push('3BF96D32');
  const wire = world.wire('component vngtp.lab -> server of coluc.com');
  const server = world.side(acceptingComponent(world, { name: 'vngtp.lab', secret: 'test' }), wire, 'S');
  const component = world.side(
    connectingComponent(world, { name: 'vngtp.lab', homes: ['coluc.com'], secret: 'test' }),
    wire,
    'C',
  );
  server.start();
  component.start();
  world.clock.settle();
  wire.send('S', message('eva@coluc.com', 'jan@vngtp.lab'));
  wire.send('C', message('jan@vngtp.lab', 'eva@coluc.com'));
  world.clock.settle();
  expect(world.delivered).toHaveLength(2);
  await expect(world.transcript.toString()).toMatchFileSnapshot('./component.txt');
});

test('P-04: a component with another secret', async () => {
  const world = new World();
  const wire = world.wire('component vngtp.lab -> server of coluc.com');
  const server = world.side(acceptingComponent(world, { name: 'vngtp.lab', secret: 'test' }), wire, 'S');
  const component = world.side(
    connectingComponent(world, { name: 'vngtp.lab', homes: ['coluc.com'], secret: 'tset' }),
    wire,
    'C',
  );
  server.start();
  component.start();
  world.clock.settle();
  expect(component.ended).toMatchObject({ by: 'them', condition: 'not-authorized' });
  expect(server.ended).toMatchObject({ by: 'us', condition: 'not-authorized' });
  await expect(world.transcript.toString()).toMatchFileSnapshot('./component-refused.txt');
});
