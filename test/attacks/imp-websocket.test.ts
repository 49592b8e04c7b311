import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../support/until.ts';
import { type ImpGround, impUnderAttack } from './imp-ground.ts';
import { DOMAIN, FRAMING } from './imp-words.ts';

const ground = impUnderAttack({ network: 168, users: ['web'] });

const OPEN = `<open ${FRAMING} to='${DOMAIN}' version='1.0'/>`;

async function web(
  here: ImpGround,
  headers: Record<string, string> = {},
  path = '/ws',
  protocols = ['xmpp'],
): Promise<WebSocket> {
  const socket = new WebSocket(`wss://${here.address}:${here.ports.web}${path}`, protocols, {
    rejectUnauthorized: false,
    localAddress: here.from(66),
    headers,
    perMessageDeflate: false,
  });
  socket.on('error', () => undefined);
  await once(socket, 'open');
  return socket;
}

describe('the WebSocket', () => {
  it('what is no WebSocket, or not for us, is turned away and told', async () => {
    const here = ground();
    const mark = here.log.mark();
    for (const path of ['/', '/../../etc/passwd', '/ws/../ws', '/%2e%2e/ws', '/.well-known/../../data/imp.db']) {
      const wire = await here.secured('web', here.from(66));
      wire.send(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      const text = await wire.end();
      expect([path, text]).toEqual([path, expect.stringMatching(/^HTTP\/1\.1 4\d\d /) as string]);
      expect(text).not.toContain('SQLite');
    }
    for (const request of [
      'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n',
      'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
      `GET /ws HTTP/1.1\r\nHost: x\r\n${'X-A: b\r\n'.repeat(3_000)}\r\n`,
      'POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n',
      '\u0000\u0001garbage\r\n\r\n',
    ]) {
      const wire = await here.secured('web', here.from(66));
      wire.send(request);
      expect((await wire.end()).split(' ')[1] ?? '400').toMatch(/^4/);
    }
    await here.told('client-websocket-refused', mark);
  }, 30_000);

  it('binary, huge, many fragments of one byte, compressed, pings without end, a cross-origin page: one connection ends, others do not notice', async () => {
    const here = ground();
    const before = here.memory();
    await here.during(async () => {
      const binary = await web(here);
      binary.send(Buffer.from(OPEN));
      expect((await once(binary, 'close'))[0]).toBe(1003);
      const huge = await web(here);
      huge.send('x'.repeat(20_000_000));
      await once(huge, 'close');
      const fragments = await web(here);
      for (let n = 0; n < 20_000; n++) fragments.send('<', { fin: false });
      fragments.send(' ', { fin: true });
      await once(fragments, 'close');
      const notFramed = await web(here);
      notFramed.send(`${OPEN}${OPEN}`);
      await once(notFramed, 'close');
      const many = await web(here);
      for (let n = 0; n < 2_000; n++) many.send('<');
      await once(many, 'close');
      const pings = await web(here);
      for (let n = 0; n < 50_000; n++) pings.ping('x'.repeat(100));
      await here.served();
      pings.terminate();
      const page = await web(here, { Origin: 'https://evil.example' });
      let text = '';
      page.on('message', (data: Buffer) => (text += data.toString()));
      page.send(OPEN);
      await until(
        () => text.includes('</stream:features>'),
        'a page from elsewhere has to authenticate like everybody',
      );
      page.send('<presence xmlns="jabber:client"/>');
      await once(page, 'close');
      expect(text).not.toContain('<success');
    });
    expect(await here.growth(before, 150)).toBeLessThan(150);
  }, 60_000);

  it('reserved bits and continuation frames out of nowhere end the connection', async () => {
    const here = ground();
    for (const frame of [
      [0xc1, 0x81, 0, 0, 0, 0, 0x3c],
      [0x80, 0x81, 0, 0, 0, 0, 0x3c],
      [0x81, 0x01, 0x3c],
      [0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      [0x8f, 0x80, 0, 0, 0, 0],
    ]) {
      const wire = await here.secured('web', here.from(66));
      wire.send(
        'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n',
      );
      await wire.expect('\r\n\r\n');
      wire.send(Buffer.from(frame));
      await wire.end();
      expect(wire.text).not.toContain('<open');
    }
  });
});
