import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { Cores } from '../../src/link/cores.ts';
import { Edges } from '../../src/link/edges.ts';
import { writeJoinRequest } from '../../src/link/join-messages.ts';
import { readToken, writeToken } from '../../src/link/token.ts';
import { newKeyPair } from '../../src/net/tls/issue.ts';
import { Clock, CoreBox, connected, EdgeBox, message, PAIR, untilTrue } from '../support/link-boxes.ts';
import { LinkProxy } from '../support/link-proxy.ts';

const DAY = 86_400_000;

/** What somebody hears on the Link port who speaks TLS with these options, sends this, and waits for the end. */
async function said(
  port: number,
  options: { readonly alpn?: string; readonly key?: string; readonly cert?: string; readonly minVersion?: 'TLSv1.2' },
  send = '',
): Promise<string> {
  const { alpn, key, cert } = options;
  const socket = connect({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
    ...(key === undefined || cert === undefined ? {} : { key, cert }),
    ...(options.minVersion === undefined ? {} : { maxVersion: options.minVersion }),
  });
  let heard = '';
  socket.on('data', (bytes) => (heard += String(bytes)));
  socket.on('error', (error: NodeJS.ErrnoException) => (heard += `[${error.code ?? error.message}]`));
  socket.on('secureConnect', () => socket.write(send));
  // Not `once`, which takes an error for the end.
  await new Promise((resolve) => socket.on('close', resolve));
  return heard;
}

describe('a token', () => {
  it('is good once; whoever comes second is refused, and the log of the Edge says why', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    await using other = await CoreBox.start({ name: 'core-2' });
    const token = await edge.token();
    await core.join(token);
    const refused = await other.dialers.join(token);
    expect(refused).toMatchObject({ refused: expect.stringContaining('Ask for a new invitation') as string });
    expect(edge.recorder.noted('link-join-refused')).toMatchObject([
      { because: 'the token for core-1 was used already; a token is good once' },
    ]);
    expect(other.dialers.peers()).toEqual([]);
    expect(edge.listener.peers()).toHaveLength(1);
  });

  it('that has ended is refused by the Core itself, and by an Edge whose clock is ahead, with both times', async () => {
    await using edge = await EdgeBox.start();
    await using late = await CoreBox.start({ clock: Object.assign(new Clock(), { ahead: 120_000 }) });
    await using core = await CoreBox.start();
    const token = await edge.token();
    const refused = await late.dialers.join(token);
    const times = /was valid until \d{4}-\S+Z, and the clock .{4,20} says \d{4}-\S+Z/;
    expect(refused).toMatchObject({ refused: expect.stringMatching(times) as string });
    edge.clock.ahead = 120_000;
    expect(await core.dialers.join(token)).toHaveProperty('refused');
    expect(edge.recorder.noted('link-join-refused')[0]?.because).toMatch(times);
  });

  it('that was made up is refused, with the very answer that a used one gets', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    const token = await edge.token();
    const invitation = readToken(token);
    if ('refused' in invitation) throw new Error(invitation.refused);
    const madeUp = await core.dialers.join(writeToken({ ...invitation, secret: 'x'.repeat(43) }));
    await core.join(token);
    await using other = await CoreBox.start({ name: 'core-2' });
    expect(await other.dialers.join(token)).toEqual(madeUp);
    expect(edge.recorder.noted('link-join-refused')[0]?.because).toContain('not one of this Edge');
  });

  it('of another Edge is not even shown to whoever answers at the address', async () => {
    await using edge = await EdgeBox.start();
    await using other = await EdgeBox.start();
    await using core = await CoreBox.start();
    const [server, authority] = ['server.pem', 'authority.pem'].map((file) =>
      readFileSync(join(other.folder, file), 'utf8'),
    );
    let heard = '';
    const impostor = createServer(
      { key: server, cert: `${server}${authority}`, ALPNProtocols: ['fedway-join/1'] },
      (socket) => socket.on('data', (bytes) => (heard += String(bytes))),
    );
    impostor.listen(0, '127.0.0.1');
    await once(impostor, 'listening');
    const { port } = impostor.address() as AddressInfo;
    const refused = await core.dialers.join(await edge.token('core-1', port));
    expect(refused).toMatchObject({ refused: expect.stringContaining('is not the Edge that made it') as string });
    const closed = once(impostor, 'close');
    impostor.close();
    await closed;
    expect(heard).toBe('');
    // It is still good for its own Edge.
    expect(edge.recorder.noted('link-join-refused')).toEqual([]);
  });

  it('is refused where nobody listens, and what is no token at all, with the cure', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    const token = await edge.token();
    await edge.kill();
    expect(await core.dialers.join(token)).toMatchObject({
      refused: expect.stringMatching(/connection refused by 127\.0\.0\.1:\d+\. Check that the firewall/) as string,
    });
    expect(await core.dialers.join('hello')).toMatchObject({ refused: expect.stringContaining('no token') as string });
    expect(await core.dialers.join(token.slice(0, -5))).toMatchObject({
      refused: 'The token is damaged: copy it again, whole and in one line.',
    });
  });

  it('leaves no secret on the Edge, and files that nobody else can read', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    const token = await edge.token();
    const invitation = readToken(token);
    if ('refused' in invitation) throw new Error(invitation.refused);
    await core.join(token);
    expect(readFileSync(join(edge.folder, 'cores.json'), 'utf8')).not.toContain(invitation.secret);
    for (const file of ['cores.json', 'authority.pem', 'server.pem', 'identity.json'])
      expect([file, statSync(join(edge.folder, file)).mode & 0o777]).toEqual([file, 0o600]);
    expect(statSync(join(core.folder, 'edges.json')).mode & 0o777).toBe(0o600);
    expect(JSON.stringify([edge.recorder.notes, core.recorder.notes])).not.toContain(invitation.secret);
  });

  it('cannot be tried without end from one address', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    const { publicKey } = await newKeyPair();
    const request = writeJoinRequest({
      secret: 'y'.repeat(43),
      core: { id: 'not-a-core-of-ours', name: 'core-9' },
      publicKey,
    });
    const answers = [];
    for (let attempt = 0; attempt < 11; attempt++)
      answers.push(await said(edge.port, { alpn: 'fedway-join/1' }, request));
    expect(new Set(answers)).toEqual(new Set(['{"refused":true}\n']));
    // Even a good token has to wait now, and is not used up.
    expect(await core.dialers.join(await edge.token())).toHaveProperty('refused');
    expect(edge.recorder.noted('link-join-refused').at(-1)?.because).toContain('the token was not looked at');
  });
});

describe('names', () => {
  it('of Cores are unique on an Edge, and one box has one name', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    await using namesake = await CoreBox.start();
    await core.join(await edge.token('core-1'));
    expect(await namesake.dialers.join(await edge.token('core-1'))).toHaveProperty('refused');
    expect(edge.recorder.noted('link-join-refused').at(-1)?.because).toContain('another box is paired as core-1');
    expect(await core.dialers.join(await edge.token('core-2'))).toHaveProperty('refused');
    expect(edge.recorder.noted('link-join-refused').at(-1)?.because).toContain('is paired as core-1 already');
    expect(edge.listener.peers().map(({ name }) => name)).toEqual(['core-1']);
  });

  it('of Edges are unique on a Core', async () => {
    await using edge = await EdgeBox.start();
    await using namesake = await EdgeBox.start();
    await using core = await CoreBox.start();
    await core.join(await edge.token());
    expect(await core.dialers.join(await namesake.token())).toMatchObject({
      refused: expect.stringContaining('Another Edge is called edge-1 here already') as string,
    });
  });

  it('of a name that joins again take the place of the former pairing, and the Link goes on', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    await connected(edge, core);
    const peer = edge.core;
    await core.join(await edge.token());
    await untilTrue(() => core.recorder.ups.length === 2 && core.edge.isUp);
    core.edge.offer(message('m'), PAIR);
    await untilTrue(() => edge.recorder.delivered.length === 1);
    expect(edge.listener.peers()).toEqual([peer]);
    expect(core.recorder.undelivered).toEqual([]);
  });

  it('one Core has Links with several Edges, and one Edge with several Cores', async () => {
    await using one = await EdgeBox.start({ name: 'edge-1' });
    await using two = await EdgeBox.start({ name: 'edge-2' });
    await using core = await CoreBox.start({ name: 'core-1' });
    await using other = await CoreBox.start({ name: 'core-2' });
    for (const edge of [one, two]) {
      await core.join(await edge.token('core-1'));
      await other.join(await edge.token('core-2'));
    }
    await untilTrue(() => [...core.dialers.peers(), ...other.dialers.peers()].every(({ isUp }) => isUp));
    for (const [index, peer] of core.dialers.peers().entries()) peer.offer(message(`c${index}`), PAIR);
    await untilTrue(() => one.recorder.delivered.length === 1 && two.recorder.delivered.length === 1);
    expect([one.recorder.delivered, two.recorder.delivered]).toEqual([['c0'], ['c1']]);
    expect(one.listener.peers().map(({ name }) => name)).toEqual(['core-1', 'core-2']);
  });
});

describe('revocation', () => {
  it('on the Edge ends the connection in the same tick, returns what waits, and the Core knows and does not hammer', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    await using proxy = await LinkProxy.start(() => edge.port);
    await connected(edge, core, proxy.port);
    const peer = edge.core;
    proxy.swallow();
    peer.offer(message('waits'), PAIR);
    const revoking = edge.listener.revoke('core-1');
    expect([peer.isUp, peer.isUsable, edge.recorder.gone]).toEqual([false, false, ['core-1']]);
    expect(edge.recorder.undelivered).toMatchObject([{ id: 'waits', end: { by: 'link' } }]);
    expect(await revoking).toEqual({ revoked: 'core-1' });
    expect(edge.listener.peers()).toEqual([]);
    expect(peer.offer(message('late'), PAIR)).toMatchObject({ refused: { by: 'link' } });
  });

  it('on the Edge while the Link is up: the Core hears it on the Link', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    await using proxy = await LinkProxy.start(() => edge.port);
    await connected(edge, core, proxy.port);
    await edge.listener.revoke('core-1');
    await untilTrue(() => core.edge.facts.state === 'revoked');
    expect(core.edge.facts.because).toBe('revoked by edge-1');
    expect(core.edge.offer(message('late'), PAIR)).toMatchObject({ refused: { by: 'link' } });
    expect(core.recorder.noted('link-revoked')).toMatchObject([{ box: 'edge-1', by: 'them' }]);
    await untilTrue(() => core.dialers.connections === 0);
    // It has back-offs of 50 ms for everything else.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(proxy.accepted).toBe(2);
  });

  it('on the Edge while the Core is away: the Core is told when it comes, remembers it, and can join again', async () => {
    await using edge = await EdgeBox.start();
    await using first = await CoreBox.start();
    await connected(edge, first);
    await first.kill();
    await untilTrue(() => !edge.core.isUp);
    await edge.listener.revoke('core-1');
    await using second = await CoreBox.start({ folder: first.folder });
    await untilTrue(() => second.edge.facts.state === 'revoked');
    expect(edge.recorder.noted('link-refused')[0]?.because).toContain('its pairing was revoked');
    await second.kill();
    await using third = await CoreBox.start({ folder: first.folder });
    expect(third.edge.facts).toMatchObject({ state: 'revoked', because: 'revoked by edge-1' });
    await third.join(await edge.token());
    await untilTrue(() => third.edge.isUp);
    expect(third.edge.isUsable).toBe(true);
  });

  it('on the Core forgets the Edge and tells it', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    await connected(edge, core);
    expect(await core.dialers.revoke('edge-1')).toEqual({ revoked: 'edge-1' });
    expect(core.dialers.peers()).toEqual([]);
    await untilTrue(() => edge.listener.peers().length === 0);
    expect(edge.recorder.gone).toEqual(['core-1']);
    expect(edge.recorder.noted('link-revoked')).toMatchObject([{ box: 'core-1', by: 'them' }]);
    expect(await core.dialers.revoke('edge-1')).toHaveProperty('refused');
    expect(await edge.listener.revoke('core-1')).toHaveProperty('refused');
  });
});

describe('certificates', () => {
  it('of the Core is renewed over the Link at two thirds of its life, and the Link is not touched', async () => {
    const clock = new Clock();
    await using edge = await EdgeBox.start({ clock });
    await using core = await CoreBox.start({ clock });
    await using proxy = await LinkProxy.start(() => edge.port);
    await connected(edge, core, proxy.port);
    const former = core.edge.facts.certificateUntil ?? 0;
    clock.ahead = 59 * DAY;
    core.dialers.checkCertificates();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(core.edge.facts.certificateUntil).toBe(former);
    clock.ahead = 61 * DAY;
    core.dialers.checkCertificates();
    await untilTrue(() => core.edge.facts.certificateUntil !== former);
    expect(core.edge.facts.certificateUntil).toBeGreaterThan(former + 55 * DAY);
    expect(core.recorder.downs).toEqual([]);
    expect(edge.recorder.noted('link-certificate-renewed')).toMatchObject([{ box: 'core-1' }]);
    // Until the new key has been seen, the former one counts too; then it does no more.
    const keys = (): number | undefined => {
      const cores = Cores.open(join(edge.folder, 'cores.json'));
      return 'problem' in cores ? undefined : cores.all[0]?.keys.length;
    };
    expect(keys()).toBe(2);
    proxy.cut();
    await untilTrue(() => core.edge.facts.resumed === 1);
    expect(keys()).toBe(1);
  });

  it('of the Edge renews itself: new handshakes get the new one, the Link is not touched', async () => {
    const clock = new Clock();
    await using edge = await EdgeBox.start({ clock });
    await using core = await CoreBox.start({ clock });
    await using proxy = await LinkProxy.start(() => edge.port);
    await connected(edge, core, proxy.port);
    const former = readFileSync(join(edge.folder, 'server.pem'), 'utf8');
    clock.ahead = 61 * DAY;
    await edge.listener.checkCertificates();
    expect(readFileSync(join(edge.folder, 'server.pem'), 'utf8')).not.toBe(former);
    expect(core.recorder.downs).toEqual([]);
    // Beyond the end of the former one, which the Core would refuse.
    core.dialers.checkCertificates();
    await untilTrue(() => core.recorder.noted('link-certificate-renewed').length === 1);
    clock.ahead = 95 * DAY;
    proxy.cut();
    await untilTrue(() => core.edge.facts.resumed === 1);
  });

  it('of a Core that was away for too long is refused with both times and the cure, on both boxes', async () => {
    const clock = new Clock();
    await using edge = await EdgeBox.start({ clock });
    await using first = await CoreBox.start();
    await connected(edge, first);
    await first.kill();
    clock.ahead = 100 * DAY;
    await edge.listener.checkCertificates();
    await using second = await CoreBox.start({ folder: first.folder, clock });
    await untilTrue(() => second.edge.facts.because !== undefined);
    expect(second.edge.facts.because).toMatch(
      /the certificate was valid until \S+Z, and the clock that judged it says \S+Z; correct the clock of this box if that is wrong, else join edge-1 again/,
    );
    await second.join(await edge.token());
    await untilTrue(() => second.edge.isUp);
  });

  it('a clock of the Edge that jumps: the Core is refused with both times, and let in when it is right again', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    await using proxy = await LinkProxy.start(() => edge.port);
    await connected(edge, core, proxy.port);
    edge.clock.ahead = 100 * DAY;
    proxy.cut();
    await untilTrue(() => core.recorder.noted('link-unreachable').length > 0);
    const both = /the certificate was valid until \S+Z, and the clock that judged it says \S+Z/;
    expect(core.recorder.noted('link-unreachable')[0]?.detail).toMatch(both);
    expect(edge.recorder.noted('link-refused')[0]).toMatchObject({
      because: expect.stringMatching(both) as string,
      box: 'core-1',
    });
    edge.clock.ahead = 0;
    await untilTrue(() => core.edge.isUp);
    expect(core.edge.facts.resumed).toBe(1);
  });

  it('of an Edge that was set up anew is not believed, whatever it is called', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    await connected(edge, core);
    const { port } = edge;
    await edge.kill();
    await using impostor = await EdgeBox.start({ port });
    await untilTrue(() =>
      core.recorder.noted('link-unreachable').some(({ detail }) => detail.includes('not the Edge')),
    );
    expect(impostor.listener.peers()).toEqual([]);
    expect(core.edge.isUp).toBe(false);
  });

  it('of a Core does not pass for that of an Edge, nor the other way round', async () => {
    await using edge = await EdgeBox.start();
    await using core = await CoreBox.start();
    await connected(edge, core);
    const pem = readFileSync(join(edge.folder, 'server.pem'), 'utf8');
    const heard = await said(edge.port, { alpn: 'fedway-link/1', key: pem, cert: pem });
    expect(heard).toBe('');
    expect(edge.recorder.noted('link-refused').at(-1)?.because).toBe('its certificate is not for a Core');
  });
});

describe('strangers', () => {
  it('are told nothing: without a certificate, with one of their own, with another protocol, with an older TLS', async () => {
    await using edge = await EdgeBox.start();
    await using other = await EdgeBox.start();
    await using core = await CoreBox.start();
    await connected(other, core);
    const edges = Edges.open(join(core.folder, 'edges.json'));
    const [own] = 'problem' in edges ? [] : edges.all;
    if (own === undefined) throw new Error('the Core has no pairing');
    expect(await said(edge.port, { alpn: 'fedway-link/1' })).toBe('');
    expect(await said(edge.port, { alpn: 'fedway-link/1', key: own.key, cert: own.chain })).toBe('');
    expect(await said(edge.port, {})).toBe('');
    expect(await said(edge.port, { alpn: 'h2' })).toMatch(/^\[ERR_SSL/);
    expect(await said(edge.port, { alpn: 'fedway-link/1', minVersion: 'TLSv1.2' })).toMatch(/^\[ERR_SSL/);
    expect(edge.recorder.noted('link-refused').map(({ because }) => because)).toEqual([
      'it showed no certificate',
      expect.stringContaining('among the trusted authorities'),
      'the other end does not speak the protocol of a Link',
      expect.any(String),
      expect.any(String),
    ]);
  });

  it('that flood the port take places of strangers only: a Core that is connected notices nothing, one that comes back gets in', async () => {
    await using edge = await EdgeBox.start({
      limits: { strangers: 20, perAddress: 8 },
      timing: { handshake: 400 },
    });
    await using core = await CoreBox.start();
    await using proxy = await LinkProxy.start(() => edge.port);
    await connected(edge, core, proxy.port);
    const flood = Array.from({ length: 40 }, () => {
      const socket = connectTcp(edge.port, '127.0.0.1');
      socket.on('error', () => undefined);
      return socket;
    });
    await untilTrue(() => edge.recorder.noted('link-refused').length >= 32);
    core.edge.offer(message('m'), PAIR);
    await untilTrue(() => edge.recorder.delivered.length === 1);
    proxy.cut();
    // They have 400 ms for a handshake; then there is room again.
    await untilTrue(() => core.edge.facts.resumed === 1);
    for (const socket of flood) socket.destroy();
    expect(edge.recorder.undelivered).toEqual([]);
  });

  it('that begin a request to join and never end it are given up', async () => {
    await using edge = await EdgeBox.start({ timing: { handshake: 200 } });
    expect(await said(edge.port, { alpn: 'fedway-join/1' }, '{"join":1')).toBe('{"refused":true}\n');
    expect(await said(edge.port, { alpn: 'fedway-join/1' }, 'x'.repeat(100_000))).toBe('{"refused":true}\n');
    await untilTrue(() => edge.listener.connections === 0);
  });
});
