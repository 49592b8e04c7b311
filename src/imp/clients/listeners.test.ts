import { setTimeout as pause } from 'node:timers/promises';
import * as tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import { TestClient } from '../../../test/lab/client.ts';
import {
  authenticated,
  directTls,
  HEADER,
  loggedIn,
  plainAuth,
  SASL,
} from '../../../test/support/client-connections.ts';
import { AUTHORITY, type ClientNode, clientNode, nodeCertificate } from '../../../test/support/client-node.ts';
import { wireTo } from '../../../test/support/raw-peer.ts';
import { scramPlus } from '../../../test/support/scram-plus.ts';
import { until } from '../../../test/support/until.ts';
import { element } from '../../protocol/xml/write.ts';

function login(node: ClientNode, user: 'juliet' | 'romeo', resource: string): Promise<TestClient> {
  const password = user === 'juliet' ? 'pencil' : 'rose';
  const account = `${user}@example.com`;
  return TestClient.login({
    account,
    password,
    host: '127.0.0.1',
    port: node.ports.tcp,
    resource,
    authorities: AUTHORITY.pem,
  });
}

describe('TCP', () => {
  test('two clients talk to each other after STARTTLS and SCRAM', async () => {
    await using node = await clientNode();
    const [juliet, romeo] = await Promise.all([login(node, 'juliet', 'balcony'), login(node, 'romeo', 'garden')]);
    juliet.message('romeo@example.com/garden', 'Wherefore art thou?');
    const heard = await romeo.waitFor('the message', ({ name }) => name === 'message');
    expect(heard.attributes['from']).toBe('juliet@example.com/balcony');
    expect(node.listeners.sessions).toMatchObject([
      {
        address: 'juliet@example.com/balcony',
        management: 'off',
        connection: {
          transport: 'STARTTLS',
          mechanism: 'SCRAM-SHA-256',
          tls: expect.stringContaining('TLSv1.3') as string,
        },
      },
      { address: 'romeo@example.com/garden' },
    ]);
    await Promise.all([juliet.close(), romeo.close()]);
    await until(() => node.owner.over.length === 2, 'both sessions are over');
  });

  test('direct TLS has no STARTTLS; a client that names another application protocol is refused', async () => {
    await using node = await clientNode();
    await using wire = await directTls(node, undefined, ['xmpp-client']);
    await loggedIn(wire);
    expect(node.listeners.sessions[0]?.connection).toMatchObject({ transport: 'direct TLS', mechanism: 'PLAIN' });
    await expect(directTls(node, undefined, ['h2'])).rejects.toThrow(/alert|ended/);
  });

  test.each([
    ['TLSv1.2', ['tls-server-end-point']],
    ['TLSv1.3', ['tls-exporter', 'tls-server-end-point']],
  ] as const)('over %s both ends have the same channel bindings: %j', async (version, types) => {
    await using node = await clientNode();
    for (const type of types) {
      await using wire = await wireTo('127.0.0.1', node.ports.tls, '127.0.0.1');
      await wire.startTls('client', { servername: 'example.com', minVersion: version, maxVersion: version });
      wire.send(HEADER);
      const features = await wire.expect('</stream:features>');
      expect([...features.matchAll(/channel-binding type='([^']+)'/g)].map(([, each]) => each)).toEqual(types);
      if (!(wire.socket instanceof tls.TLSSocket)) throw new Error('no TLS');
      const exchange = scramPlus(wire.socket, type, 'juliet', 'pencil');
      wire.send(`<auth ${SASL} mechanism='SCRAM-SHA-256-PLUS'>${exchange.initial}</auth>`);
      const challenge = await wire.expect('</challenge>');
      wire.send(`<response ${SASL}>${exchange.respond(challenge)}</response>`);
      expect(await wire.expect(/<success|<failure/)).toContain('<success');
    }
  });

  test('a certificate that is renewed is shown to new clients, and connections go on', async () => {
    await using node = await clientNode();
    await using former = await directTls(node);
    await loggedIn(former);
    const renewed = nodeCertificate();
    node.renew(renewed);
    await using latter = await directTls(node);
    if (!(latter.socket instanceof tls.TLSSocket)) throw new Error('no TLS');
    expect(latter.socket.getPeerX509Certificate()?.serialNumber).toBe(renewed.x509.serialNumber);
    former.send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>");
    await former.expect("type='result'");
  });

  test('a client that does not read what is sent to it loses its session, and the node goes on', async () => {
    const sessions = { resources: 10, kept: { stanzas: 100, bytes: 100_000 }, hold: { usual: 1000, longest: 1000 } };
    await using node = await clientNode({ limits: { sessions } });
    await using wire = await directTls(node);
    await loggedIn(wire);
    wire.socket.pause();
    const session = node.owner.sessions.get('juliet@example.com/x');
    const stanza = element('message', 'jabber:client', {}, element('body', 'jabber:client', {}, 'x'.repeat(10_000)));
    for (let n = 0; n < 3000 && node.owner.over.length === 0; n++) {
      session?.send(stanza);
      if (n % 50 === 0) await pause(1);
    }
    await until(() => node.owner.over.length === 1, 'the session is over');
    expect(node.notes).toContainEqual(expect.objectContaining({ note: 'client-overflow' }));
  });

  test('a broken connection is resumed over real sockets', async () => {
    await using node = await clientNode();
    await using wire = await directTls(node);
    await loggedIn(wire);
    wire.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    const id = / id='([^']+)'/.exec(await wire.expect('/>'))?.[1] ?? '';
    wire.reset();
    await until(() => node.listeners.sessions[0]?.management === 'away', 'the client is away');
    const stanza = element('message', 'jabber:client', {}, element('body', 'jabber:client', {}, 'while away'));
    node.owner.sessions.get('juliet@example.com/x')?.send(stanza);
    await using back = await directTls(node);
    await authenticated(back);
    back.send(`<resume xmlns='urn:xmpp:sm:3' previd='${id}' h='0'/>`);
    await back.expect('<resumed');
    await back.expect('while away');
    expect(node.owner.over).toEqual([]);
  });
});

describe('a fault of our own while a stanza is handled', () => {
  test('ends the connection and the session with it: nothing is sent into the void', async () => {
    await using node = await clientNode();
    await using wire = await directTls(node);
    await loggedIn(wire);
    node.owner.stanza = () => {
      throw new Error('the disk is full');
    };
    wire.send('<presence/>');
    await wire.end();
    expect(node.listeners.sessions).toEqual([]);
    expect(node.owner.over).toMatchObject([{ address: 'juliet@example.com/x' }]);
    expect(node.notes).toContainEqual(expect.objectContaining({ note: 'bug', where: 'stream' }));
  });

  test('leaves a session that may be resumed to its client', async () => {
    await using node = await clientNode();
    await using wire = await directTls(node);
    await loggedIn(wire);
    wire.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    await wire.expect('<enabled');
    node.owner.stanza = () => {
      throw new Error('the disk is full');
    };
    wire.send('<presence/>');
    await wire.end();
    expect(node.listeners.sessions).toMatchObject([{ management: 'away' }]);
  });

  test('a password that cannot be checked is a wrong one, and the node goes on', async () => {
    await using node = await clientNode({
      credentials: { keysOf: () => undefined, isPassword: () => Promise.reject(new Error('the disk is broken')) },
    });
    await using wire = await directTls(node);
    wire.send(HEADER);
    await wire.expect('</stream:features>');
    wire.send(plainAuth('juliet', 'pencil'));
    await wire.expect('<not-authorized');
    expect(node.notes).toContainEqual(expect.objectContaining({ note: 'bug', where: 'the check of a password' }));
  });
});

describe('limits', () => {
  test('connections from one address are bounded, and counted until they are gone', async () => {
    await using node = await clientNode({ limits: { perAddress: 2 } });
    const wires = [
      await wireTo('127.0.0.1', node.ports.tcp, '127.0.0.2'),
      await wireTo('127.0.0.1', node.ports.tcp, '127.0.0.2'),
    ];
    await until(() => node.listeners.connections === 2, 'both are there');
    const third = await wireTo('127.0.0.1', node.ports.tcp, '127.0.0.2');
    expect(await third.end()).toBe('');
    const other = await wireTo('127.0.0.1', node.ports.tcp, '127.0.0.3');
    other.send(HEADER);
    await other.expect('</stream:features>');
    expect(node.notes).toContainEqual(expect.objectContaining({ note: 'client-refused' }));
    for (const wire of [...wires, other]) wire.destroy();
    await until(() => node.listeners.connections === 0, 'all are gone');
  });

  test('a TLS handshake that never begins does not last', async () => {
    await using node = await clientNode({ timeouts: { tls: 100 } });
    await using wire = await wireTo('127.0.0.1', node.ports.tls, '127.0.0.1');
    expect(await wire.end()).toBe('');
    await until(() => node.listeners.connections === 0, 'it is gone');
    const end = { by: 'network', stage: 'tls', detail: 'no handshake within 0.1 s' };
    expect(node.notes).toContainEqual({ note: 'client-gone', end, stanzasIn: 0, stanzasOut: 0 });
  });

  test('who guesses is slowed down, then refused; the user still gets in from elsewhere', async () => {
    const brakes = { perSource: 3, perAccount: 100, windowMs: 60_000, refusalMs: 60_000 };
    await using node = await clientNode({ limits: { brakes } });
    await using wire = await directTls(node, '127.0.0.5');
    wire.send(HEADER);
    await wire.expect('</stream:features>');
    for (let n = 0; n < 3; n++) {
      wire.send(plainAuth('juliet', 'guess'));
      await wire.expect('</failure>');
    }
    await using again = await directTls(node, '127.0.0.5');
    again.send(HEADER);
    await again.expect('</stream:features>');
    again.send(plainAuth('juliet', 'pencil'));
    await again.expect('policy-violation');
    await using elsewhere = await directTls(node, '127.0.0.6');
    await loggedIn(elsewhere);
    expect(node.notes.filter(({ note }) => note === 'client-braked')).toHaveLength(1);
  });
});

describe('the end of the node', () => {
  test('every client is told, nobody is let in any more, and every session is over', async () => {
    await using node = await clientNode();
    await using wire = await directTls(node);
    await loggedIn(wire);
    await using away = await directTls(node);
    await loggedIn(away).catch(() => undefined);
    node.listeners.shutdown();
    expect(await away.end()).toContain('<system-shutdown');
    expect(node.listeners.sessions).toEqual([]);
    expect(node.owner.sessions.size).toBe(0);
    await expect(wireTo('127.0.0.1', node.ports.tcp, '127.0.0.1')).rejects.toThrow('ECONNREFUSED');
    await until(() => node.listeners.connections === 0, 'all connections are gone');
  });

  test('a session whose client is away ends with the node', async () => {
    await using node = await clientNode();
    await using wire = await directTls(node);
    await loggedIn(wire);
    wire.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    await wire.expect('<enabled');
    node.owner.sessions.get('juliet@example.com/x')?.send(element('message', 'jabber:client', { id: 'late' }));
    await wire.expect('late');
    wire.reset();
    await until(() => node.listeners.sessions[0]?.management === 'away', 'the client is away');
    node.listeners.shutdown();
    expect(node.owner.over).toMatchObject([{ undelivered: [{ name: 'message' }] }]);
  });

  test('an address that cannot be listened on is told', async () => {
    await using node = await clientNode();
    await expect(clientNode({ listen: [{ host: '127.0.0.1', port: node.ports.tcp }] })).rejects.toThrow(
      'listen-failed',
    );
  });
});
