import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { writeJoinRequest } from '../../src/link/join-messages.ts';
import { readToken } from '../../src/link/token.ts';
import { newKeyPair } from '../../src/net/tls/issue.ts';
import { authority, leaf } from '../support/certificates.ts';
import { Clock, CoreBox, connected, EdgeBox, message, PAIR, untilTrue } from '../support/link-boxes.ts';

/** How long a stanza may take over a Link whatever strangers do at its port. Milliseconds. */
const AT_ONCE = 1_000;

let edge: EdgeBox;
let core: CoreBox;
let numbers = 0;

beforeAll(async () => {
  edge = await EdgeBox.start({ timing: { handshake: 1_500 } });
  core = await CoreBox.start();
  await connected(edge, core);
});

afterAll(async () => {
  await core[Symbol.asyncDispose]();
  await edge[Symbol.asyncDispose]();
});

afterEach(async () => {
  await served();
  assert.deepEqual(edge.recorder.noted('bug'), []);
  await untilTrue(() => edge.listener.connections === 1, 6_000);
  assert.deepEqual(edge.recorder.downs, []);
});

/** The Core that was there before is served at once. */
async function served(): Promise<void> {
  const id = `n${++numbers}`;
  const began = performance.now();
  core.edge.offer(message(id), PAIR);
  await untilTrue(() => edge.recorder.delivered.includes(id));
  expect(performance.now() - began, 'milliseconds a stanza takes').toBeLessThan(AT_ONCE);
}

interface Hello {
  readonly alpn?: string;
  readonly key?: string;
  readonly cert?: string;
  readonly maxVersion?: 'TLSv1.2';
  readonly from?: string;
}

function dial({ alpn, from = '127.0.0.1', ...more }: Hello): TLSSocket {
  const options: ConnectionOptions & { readonly localAddress: string } = {
    host: '127.0.0.1',
    port: edge.port,
    localAddress: from,
    rejectUnauthorized: false,
    ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
    ...more,
  };
  const socket = connect(options);
  socket.on('error', () => undefined);
  return socket;
}

/** What somebody hears who sends this, until the end of the connection. */
async function heard(hello: Hello, send: string | Uint8Array = ''): Promise<string> {
  const socket = dial(hello);
  let said = '';
  socket.on('data', (bytes) => (said += String(bytes)));
  socket.on('secureConnect', () => socket.write(send));
  await new Promise((resolve) => socket.on('close', resolve));
  return said;
}

function raw(from = '127.0.0.1'): Socket {
  const socket = connectTcp({ host: '127.0.0.1', port: edge.port, localAddress: from });
  socket.on('error', () => undefined);
  return socket;
}

const HEADER = `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='x' to='y' version='1.0'>`;

describe('strangers at the Link port', () => {
  it('hear nothing: without ALPN, with another one, with TLS 1.2, in plain text, without a certificate, with one of their own', async () => {
    const root = authority('Evil Root');
    const own = leaf('core-1', root);
    const identity = { key: own.keyPem, cert: own.chainPem };
    const link = { alpn: 'fedway-link/1' };
    expect(await heard({}, HEADER)).toBe('');
    expect(await heard({ alpn: 'xmpp-server' }, HEADER)).toBe('');
    expect(await heard({ ...link, maxVersion: 'TLSv1.2' }, HEADER)).toBe('');
    expect(await heard(link, HEADER)).toBe('');
    expect(await heard({ ...link, ...identity }, HEADER)).toBe('');
    for (const plain of [HEADER, 'GET / HTTP/1.0\r\n\r\n', '\u0016\u0003\u0001\u00ff\u00ff']) {
      const socket = raw();
      let said = '';
      socket.on('data', (bytes: Buffer) => (said += bytes.toString('latin1')));
      socket.write(plain, 'latin1');
      await once(socket, 'close');
      expect(said).not.toMatch(/edge|core|fedway|stream|HTTP/);
    }
  });

  it('a thousand connections from many addresses, silent or slow: few are kept, none for long, the Core is served', async () => {
    const sockets = Array.from({ length: 1_000 }, (_, n) => {
      const socket = raw(`127.0.${1 + (n % 20)}.1`);
      if (n % 2 === 0) socket.write(new Uint8Array([0x16, 0x03, 0x01]));
      return socket;
    });
    for (let n = 0; n < 5; n++) {
      await served();
      expect(edge.listener.connections).toBeLessThanOrEqual(1 + 128);
      await pause(50);
    }
    await untilTrue(() => edge.listener.connections === 1, 8_000);
    for (const socket of sockets) socket.destroy();
    // From an address of its own the Core can come back.
    await using another = await CoreBox.start({ name: 'core-2' });
    await another.join(await edge.token('core-2'));
    await untilTrue(() => another.edge.isUp);
    await edge.listener.revoke('core-2');
    // If its Link was established on this end too, its end was told: that one was asked for.
    const unasked = edge.recorder.downs.splice(0).filter((end) => end.by !== 'link');
    assert.deepEqual(unasked, []);
  }, 20_000);
});

describe('tokens', () => {
  it('used by ten boxes at the same instant: exactly one is paired', async () => {
    const { secret } = invitation(await edge.token('winner'));
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_, n) =>
        heard({ alpn: 'fedway-join/1', from: `127.1.${n}.1` }, await request(secret, `core-number-${n}`)),
      ),
    );
    expect(answers.filter((answer) => answer.includes('CERTIFICATE')).length).toBe(1);
    expect(new Set(answers.filter((answer) => !answer.includes('CERTIFICATE')))).toEqual(
      new Set(['{"refused":true}\n']),
    );
    expect(edge.listener.peers().filter(({ name }) => name === 'winner').length).toBe(1);
    await edge.listener.revoke('winner');
  });

  it('guessed: every answer is the same, and after ten none is looked at, not even the right one', async () => {
    const from = '127.2.0.1';
    const { secret } = invitation(await edge.token('guessed'));
    const lines = [
      'x\n',
      '{}\n',
      '\n',
      '{"join":1}\n',
      `${'x'.repeat(100_000)}\n`,
      'x'.repeat(3_000),
      '\u0000\n',
      await request('A'.repeat(43), 'core-number-1'),
      await request('B'.repeat(43), 'core-number-2'),
      (await request(secret, 'core-number-3')).replace('"join":1', '"join":2'),
      await request(secret, 'core-number-4'),
    ];
    for (const line of lines) expect(await heard({ alpn: 'fedway-join/1', from }, line)).toBe('{"refused":true}\n');
    expect(edge.listener.peers().map(({ name }) => name)).not.toContain('guessed');
  }, 20_000);

  it('a line that never ends, or never comes, ends with the time of the handshake', async () => {
    const began = performance.now();
    const slow = dial({ alpn: 'fedway-join/1', from: '127.3.0.1' });
    const drip = setInterval(() => slow.write('x'), 100);
    let said = '';
    slow.on('data', (bytes) => (said += String(bytes)));
    await once(slow, 'close');
    clearInterval(drip);
    expect(said).toBe('{"refused":true}\n');
    expect(performance.now() - began).toBeLessThan(6_000);
  }, 10_000);

  it('that was withdrawn, or has ended, does not come to life again when a clock is set back', async () => {
    const clock = new Clock();
    await using own = await EdgeBox.start({ clock });
    const withdrawn = await own.token('core-1');
    const second = await own.token('core-1');
    clock.ahead = 120_000;
    const third = await own.token('core-2');
    clock.ahead = -5_000;
    for (const token of [withdrawn, second]) {
      await using late = await CoreBox.start();
      expect(await late.dialers.join(token)).toHaveProperty('refused');
    }
    expect(own.listener.peers()).toEqual([]);
    await using fair = await CoreBox.start();
    await fair.join(third);
    expect(own.listener.peers().map(({ name }) => name)).toEqual(['core-2']);
  });
});

function invitation(token: string): { readonly secret: string } {
  const read = readToken(token);
  if ('refused' in read) throw new Error(read.refused);
  return read;
}

async function request(secret: string, id: string): Promise<string> {
  const { publicKey } = await newKeyPair();
  return writeJoinRequest({ secret, core: { id, name: id }, publicKey });
}
