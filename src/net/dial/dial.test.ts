import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Domain, parseDomain } from '../../protocol/jid/domain.ts';
import type { Note } from '../../protocol/notes.ts';
import type { Endpoint, NoEndpoint } from '../dns/targets.ts';
import { type Dialed, type DialFailure, type DialOptions, dial } from './dial.ts';

const vngtp = parseDomain('vngtp.lab') as Domain;
const never = new AbortController().signal;

let servers: Server[];
let accepted: Socket[];
let dialed: Socket[];
let notes: Note[];
let port: number;

beforeEach(async () => {
  servers = [];
  accepted = [];
  dialed = [];
  notes = [];
  port = 0;
  await listen('127.0.0.1');
});

afterEach(async () => {
  for (const socket of [...accepted, ...dialed]) socket.destroy();
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
});

/** Listens on the port that all servers of a test share. */
async function listen(address: string): Promise<void> {
  const server = createServer((socket) => accepted.push(socket));
  server.listen(port, address);
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  servers.push(server);
}

/** A resolver that knows these addresses: one array per target. */
function resolverOf(
  targets: readonly (readonly string[])[],
  end?: NoEndpoint,
): DialOptions['resolver'] & { asked: number } {
  const resolver = {
    asked: 0,
    async *targets(): AsyncGenerator<Endpoint, NoEndpoint | undefined> {
      for (const addresses of targets) {
        resolver.asked++;
        yield { host: `h${resolver.asked}.lab`, port, addresses, method: 'SRV', directTls: false };
      }
      return end;
    },
  };
  return resolver;
}

function run(
  targets: readonly (readonly string[])[],
  options: Partial<DialOptions> = {},
): AsyncGenerator<Dialed, DialFailure> {
  return dial(vngtp, {
    resolver: resolverOf(targets),
    notes: (note) => notes.push(note),
    subject: {},
    signal: never,
    directTls: true,
    ...options,
  });
}

async function connection(run: AsyncGenerator<Dialed, DialFailure>): Promise<Dialed> {
  const next = await run.next();
  if (next.done === true) throw new Error(next.value.detail);
  dialed.push(next.value.socket);
  return next.value;
}

/** Sockets that never connect, for addresses that never answer. */
function deaf(...addresses: readonly string[]): Pick<DialOptions, 'connect'> & { readonly opened: Socket[] } {
  const opened: Socket[] = [];
  return {
    opened,
    connect: (options) => {
      const socket = new Socket();
      opened.push(socket);
      return addresses.includes(options.host ?? '') ? socket : socket.connect(options);
    },
  };
}

describe('a connection', () => {
  test('is handed over connected, paused and unread', async () => {
    const { socket, endpoint, address } = await connection(run([['127.0.0.1']]));
    expect(address).toBe('127.0.0.1');
    expect(endpoint).toMatchObject({ host: 'h1.lab', method: 'SRV' });
    expect([socket.pending, socket.isPaused(), socket.listenerCount('data'), socket.bytesRead]).toEqual([
      false,
      true,
      0,
      0,
    ]);
    while (accepted.length === 0) await setImmediate();
    accepted[0]?.write('<stream:stream>');
    const [chunk] = (await once(socket.resume(), 'data')) as [Buffer];
    expect(chunk.toString()).toBe('<stream:stream>');
    expect(notes).toMatchObject([
      { note: 'connecting', host: 'h1.lab', address: `127.0.0.1:${port}` },
      { note: 'connected', address: `127.0.0.1:${port}` },
    ]);
  });

  test('leaves from the configured local address of its family', async () => {
    const { socket } = await connection(run([['127.0.0.1']], { dialFrom: ['::1', '127.0.0.77'] }));
    expect(socket.localAddress).toBe('127.0.0.77');
  });

  test('that dies before anybody listens does not end the process', async () => {
    const { socket } = await connection(run([['127.0.0.1']]));
    while (accepted.length === 0) await setImmediate();
    accepted[0]?.resetAndDestroy();
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('the next address', () => {
  test('N-21: is tried at once when one has failed', async () => {
    const { address } = await connection(run([['127.0.0.2', '127.0.0.3', '127.0.0.1']], { stagger: 60_000 }));
    expect(address).toBe('127.0.0.1');
    expect(notes.filter((note) => note.note === 'connect-failed')).toEqual([
      { note: 'connect-failed', address: `127.0.0.2:${port}`, detail: `connection refused by 127.0.0.2:${port}` },
      { note: 'connect-failed', address: `127.0.0.3:${port}`, detail: `connection refused by 127.0.0.3:${port}` },
    ]);
  });

  test('N-21: is tried beside the first after the stagger; the loser is destroyed without a byte', async () => {
    const { opened, ...silent } = deaf('127.0.0.9');
    const { address } = await connection(run([['127.0.0.9', '127.0.0.1']], { ...silent, stagger: 10 }));
    expect(address).toBe('127.0.0.1');
    expect(opened.map((socket) => [socket.destroyed, socket.bytesWritten])).toEqual([
      [true, 0],
      [false, 0],
    ]);
    expect(notes.some((note) => note.note === 'connect-failed')).toBe(false);
  });

  test('N-23: is tried when one has not answered in time', async () => {
    const silent = deaf('127.0.0.9');
    const going = run([['127.0.0.9'], ['127.0.0.1']], { ...silent, connectTimeout: 20, stagger: 60_000 });
    expect((await connection(going)).endpoint.host).toBe('h2.lab');
    expect(notes).toContainEqual({
      note: 'connect-failed',
      address: `127.0.0.9:${port}`,
      detail: `no answer from 127.0.0.9:${port} within 0.02 s`,
    });
    expect(silent.opened[0]?.destroyed).toBe(true);
  });

  test('N-05, N-22: every address that did not fail is given before the next target, on request', async () => {
    await listen('127.0.0.2');
    await listen('127.0.0.3');
    const resolver = resolverOf([['127.0.0.1', '127.0.0.9', '127.0.0.2'], ['127.0.0.3']]);
    const going = run([], { resolver, ...deaf(), stagger: 60_000 });
    const given: string[] = [];
    for (let n = 0; n < 2; n++) given.push((await connection(going)).address);
    expect(given).toEqual(['127.0.0.1', '127.0.0.2']);
    expect(resolver.asked).toBe(1);
    expect((await connection(going)).address).toBe('127.0.0.3');
    const end = await going.next();
    expect(end).toEqual({ done: true, value: { stage: 'tcp', detail: `connection refused by 127.0.0.9:${port}` } });
  });

  test('N-22: an address that lost the race is tried again when the winner was no good', async () => {
    const slow = new Socket();
    let attempts = 0;
    const connect: DialOptions['connect'] = (options) =>
      options.host === '127.0.0.2' && attempts++ === 0 ? slow : new Socket().connect(options);
    await listen('127.0.0.2');
    const going = run([['127.0.0.2', '127.0.0.1']], { connect, stagger: 10 });
    expect((await connection(going)).address).toBe('127.0.0.1');
    expect(slow.destroyed).toBe(true);
    expect((await connection(going)).address).toBe('127.0.0.2');
  });
});

describe('failure', () => {
  test('N-06: names what was tried', async () => {
    const tried = await run([['127.0.0.2'], ['127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6', '127.0.0.7']]).next();
    expect(tried).toEqual({
      done: true,
      value: {
        stage: 'tcp',
        detail: [2, 3, 4, 5].map((n) => `connection refused by 127.0.0.${n}:${port}`).join('; ') + '; and 2 more',
      },
    });
  });

  test('of a domain without endpoints is passed on', async () => {
    const end = { stage: 'no-service', detail: 'vngtp.lab does not exist in DNS' } as const;
    const tried = await run([], { resolver: resolverOf([], end) }).next();
    expect(tried).toEqual({ done: true, value: end });
  });

  test('names the local address that this machine does not have', async () => {
    const tried = await run([['127.0.0.1']], { dialFrom: ['192.0.2.1'] }).next();
    expect(tried.value).toMatchObject({
      detail: `the local address is not one of this machine, going to 127.0.0.1:${port}`,
    });
  });

  test('after connections that all were given says that nothing is left', async () => {
    const going = run([['127.0.0.1']]);
    await connection(going);
    expect((await going.next()).value).toEqual({ stage: 'tcp', detail: 'no other address of vngtp.lab is left' });
  });
});

describe('abort', () => {
  test('during a race destroys every attempt and ends the look-up', async () => {
    const { opened, ...silent } = deaf('127.0.0.8', '127.0.0.9');
    const controller = new AbortController();
    let ended = false;
    const resolver: DialOptions['resolver'] = {
      async *targets() {
        try {
          yield { host: 'h.lab', port, addresses: ['127.0.0.8', '127.0.0.9'], method: 'SRV', directTls: false };
        } finally {
          ended = true;
        }
        return undefined;
      },
    };
    const next = run([], { resolver, ...silent, signal: controller.signal, stagger: 1 }).next();
    while (opened.length < 2) await setImmediate();
    const reason = new Error('no longer wanted');
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(opened.map((socket) => socket.destroyed)).toEqual([true, true]);
    expect(ended).toBe(true);
  });

  test('before a race connects to nobody', async () => {
    const { opened, ...silent } = deaf('127.0.0.9');
    const controller = new AbortController();
    controller.abort();
    await expect(run([['127.0.0.9']], { ...silent, signal: controller.signal }).next()).rejects.toThrow('aborted');
    expect(opened).toEqual([]);
  });

  test('in the moment of success destroys the connection that nobody gets', async () => {
    const controller = new AbortController();
    const opened: Socket[] = [];
    const connect: DialOptions['connect'] = (options) => {
      const socket = new Socket();
      opened.push(socket);
      socket.prependListener('connect', () => queueMicrotask(() => controller.abort()));
      return socket.connect(options);
    };
    await expect(run([['127.0.0.1']], { connect, signal: controller.signal }).next()).rejects.toThrow('aborted');
    expect(opened.map((socket) => socket.destroyed)).toEqual([true]);
  });
});
