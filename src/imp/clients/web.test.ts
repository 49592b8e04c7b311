import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import {
  authenticated,
  directTls,
  httpRequest,
  loggedInOnWeb,
  OPEN,
  plainAuth,
  SASL,
  webSocketTo,
} from '../../../test/support/client-connections.ts';
import { clientNode } from '../../../test/support/client-node.ts';
import { until } from '../../../test/support/until.ts';

describe('WebSocket (RFC 7395)', () => {
  test('a session over it, with one element in each message, until it is closed in good order', async () => {
    await using node = await clientNode();
    await using web = await webSocketTo(node);
    const [open, features] = await web.say(OPEN, 2);
    expect(open).toMatch(
      /^<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.com' id='[^']+' version='1.0'/,
    );
    expect(features).toMatch(/^<stream:features xmlns:stream='[^']+'><mechanisms .*SCRAM-SHA-256-PLUS/);
    expect(await web.say(plainAuth('juliet', 'pencil'))).toEqual([`<success ${SASL}/>`]);
    await web.say(OPEN, 2);
    await web.say(
      "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>w</resource></bind></iq>",
    );
    const answer = await web.say("<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>");
    expect(answer).toEqual(["<iq xmlns='jabber:client' type='result' to='juliet@example.com/w' id='p'/>"]);
    expect(node.listeners.sessions[0]?.connection).toMatchObject({ transport: 'WebSocket' });
    const closed = once(web.socket, 'close');
    expect(await web.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")).toEqual([
      "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
    ]);
    expect((await closed)[0]).toBe(1000);
    expect(node.owner.over).toHaveLength(1);
    await until(() => node.listeners.connections === 0, 'the connection is gone');
  });

  test('messages in a row keep their order, large ones too', async () => {
    await using node = await clientNode();
    await using web = await webSocketTo(node);
    await loggedInOnWeb(web);
    for (let n = 0; n < 50; n++)
      web.socket.send(
        `<message xmlns='jabber:client' to='juliet@example.com/w'><body>${n} ${'x'.repeat(20_000)}</body></message>`,
      );
    await until(() => web.messages.length === 50, 'all of them are back');
    expect(web.messages.map((message) => Number(/<body>(\d+)/.exec(message)?.[1]))).toEqual([...Array(50).keys()]);
  });

  test.each([
    [
      'two elements in a message',
      Buffer.from("<presence xmlns='jabber:client'/><presence xmlns='jabber:client'/>"),
      false,
      1008,
    ],
    ['a part of one', Buffer.from("<message xmlns='jabber:client'>"), false, 1008],
    ['bytes', Buffer.from("<presence xmlns='jabber:client'/>"), true, 1003],
    ['too much', Buffer.from('x'.repeat(300_000)), false, 1009],
  ])('%s ends it', async (_what, message, binary, code) => {
    await using node = await clientNode();
    await using web = await webSocketTo(node);
    await loggedInOnWeb(web);
    const closed = once(web.socket, 'close');
    web.socket.send(message, { binary });
    expect((await closed)[0]).toBe(code);
    await until(() => node.owner.over.length === 1, 'the session is over');
    expect(node.owner.stanzas).toEqual([]);
  });

  test('a stream error is told before the end', async () => {
    await using node = await clientNode();
    await using web = await webSocketTo(node);
    const heard = await web.say(
      "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.net' version='1.0'/>",
      3,
    );
    expect(heard[1]).toContain('<stream:error ');
    expect(heard[1]).toContain('host-unknown');
    expect(heard[2]).toContain('<close ');
  });

  test.each([
    ['another path', '/', 'xmpp'],
    ['another sub-protocol', '/ws', 'mqtt'],
    ['no sub-protocol', '/ws', null],
  ])('%s is refused', async (_what, path, protocol) => {
    await using node = await clientNode();
    await expect(webSocketTo(node, path, protocol)).rejects.toThrow('400');
    expect(node.notes).toContainEqual(expect.objectContaining({ note: 'client-websocket-refused' }));
  });

  test('a broken WebSocket is resumed on TCP', async () => {
    await using node = await clientNode();
    await using web = await webSocketTo(node);
    await loggedInOnWeb(web);
    const [enabled] = await web.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    web.socket.terminate();
    await until(() => node.listeners.sessions[0]?.management === 'away', 'the client is away');
    await using wire = await directTls(node);
    await authenticated(wire);
    wire.send(`<resume xmlns='urn:xmpp:sm:3' previd='${/ id='([^']+)'/.exec(enabled ?? '')?.[1]}' h='0'/>`);
    expect(await wire.expect('<resumed')).not.toContain('<failed');
  });

  test.each([
    [
      '/.well-known/host-meta',
      'application/xrd+xml',
      "rel='urn:xmpp:alt-connections:websocket' href='wss://example.com:",
    ],
    [
      '/.well-known/host-meta.json',
      'application/json',
      '"rel":"urn:xmpp:alt-connections:websocket","href":"wss://example.com:',
    ],
  ])('%s tells browsers where it is', async (path, type, text) => {
    await using node = await clientNode();
    const answer = await httpRequest(node, path);
    expect(answer).toMatchObject({ status: 200, origin: '*' });
    expect(answer.type).toContain(type);
    expect(answer.text).toContain(text);
  });

  test('HTTP has nothing else', async () => {
    await using node = await clientNode();
    expect(await httpRequest(node, '/etc/passwd')).toMatchObject({ status: 404 });
    expect(await httpRequest(node, '/ws')).toMatchObject({ status: 426 });
    expect(await httpRequest(node, '/.well-known/host-meta', 'POST')).toMatchObject({ status: 405 });
  });
});
