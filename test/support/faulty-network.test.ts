import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultyNetwork, type Place } from './faulty-network.ts';
import { until } from './until.ts';

/** A server that keeps what it gets. */
class Sink {
  readonly sockets: Socket[] = [];
  readonly server: Server;
  text = '';
  ends = 0;
  errors = 0;

  constructor() {
    this.server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('data', (bytes) => (this.text += String(bytes)));
      socket.on('end', () => (this.ends += 1));
      socket.on('error', () => (this.errors += 1));
    });
  }
}

let sink: Sink;
let proxy: FaultyNetwork;

beforeEach(async () => {
  sink = new Sink();
  sink.server.listen(0, '127.0.0.1');
  await once(sink.server, 'listening');
  const { port } = sink.server.address() as { port: number };
  proxy = await FaultyNetwork.listen('127.0.0.1', { address: '127.0.0.1', port });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  for (const socket of sink.sockets) socket.destroy();
  sink.server.close();
});

async function dial(place: Place): Promise<{ readonly socket: Socket; readonly fate: () => string }> {
  const socket = connect(place.port, place.address);
  let fate = 'open';
  socket.on('end', () => (fate = 'FIN'));
  socket.on('error', ({ code }: NodeJS.ErrnoException) => (fate = code ?? 'error'));
  socket.resume();
  await once(socket, 'connect');
  return { socket, fate: () => fate };
}

test('bytes pass, and so does the end', async () => {
  const { socket } = await dial(proxy);
  socket.end('there');
  await until(() => sink.ends === 1, 'the end');
  expect(sink.text).toBe('there');
});

test.each([
  ['fin', 'FIN', { ends: 1, errors: 0 }],
  ['rst', 'ECONNRESET', { ends: 0, errors: 1 }],
] as const)('a cut with %s is seen as such on both sides, after exactly so many bytes', async (how, seen, expected) => {
  const { socket, fate } = await dial(proxy);
  await until(() => proxy.open === 1, 'the connection');
  proxy.cutAfter('client', 7, how);
  socket.write('0123456789');
  await until(() => fate() === seen && sink.ends + sink.errors > 0, 'the cut', 5_000, fate);
  expect(sink.text).toBe('0123456');
  expect(sink).toMatchObject(expected);
  await until(() => proxy.open === 0, 'the network forgets the connection');
});

test('a frozen connection carries nothing, not even an end; a new one works, and after the thaw the rest comes', async () => {
  const { socket } = await dial(proxy);
  await until(() => proxy.open === 1, 'the connection');
  proxy.freeze();
  socket.write('stuck ');
  const other = await dial(proxy);
  other.socket.write('new ');
  await until(() => sink.text === 'new ', 'the new connection works');
  proxy.thaw();
  await until(() => sink.text === 'new stuck ', 'what was stuck');
  proxy.freeze();
  socket.destroy();
  other.socket.destroy();
  await until(() => socket.destroyed && other.socket.destroyed, 'both are gone');
  expect(sink.ends + sink.errors).toBe(0);
});

test('who connects while it refuses is refused, and afterwards admitted', async () => {
  await proxy.refuse();
  await expect(dial(proxy)).rejects.toThrow('ECONNREFUSED');
  await proxy.admit();
  const next = proxy.next();
  const { socket } = await dial(proxy);
  await next;
  socket.write('in');
  await until(() => sink.text === 'in', 'the bytes');
});

test('a delay holds bytes back and keeps their order', async () => {
  proxy.delayMs = 30;
  const { socket } = await dial(proxy);
  const began = performance.now();
  for (const piece of ['one ', 'two ', 'three']) socket.write(piece);
  await until(() => sink.text === 'one two three', 'the bytes');
  expect(performance.now() - began).toBeGreaterThanOrEqual(29);
});
