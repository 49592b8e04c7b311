import * as tls from 'node:tls';
import { beforeAll, expect, test } from 'vitest';
import { childOf, textOf } from '../../src/protocol/xml/write.ts';
import { AUTHORITY, clientNode } from '../support/client-node.ts';
import { until } from '../support/until.ts';

beforeAll(() => tls.setDefaultCACertificates([AUTHORITY.pem]));

test.each(['xmpp', 'xmpps', 'wss'] as const)(
  'the client library @xmpp/client logs in and talks over %s',
  async (scheme) => {
    await using node = await clientNode();
    const { client, xml } = await import('@xmpp/client');
    const port = { xmpp: node.ports.tcp, xmpps: node.ports.tls, wss: node.ports.web }[scheme];
    const service = `${scheme}://127.0.0.1:${port}${scheme === 'wss' ? '/ws' : ''}`;
    const xmpp = client({ service, domain: 'example.com', username: 'juliet', password: 'pencil' });
    const faults: unknown[] = [];
    xmpp.on('error', (error) => faults.push(error));
    const heard = Promise.withResolvers<string>();
    xmpp.on('stanza', (stanza) => {
      if (stanza.is('message')) heard.resolve(stanza.getChildText('body') ?? '');
    });
    try {
      const address = String(await xmpp.start());
      await until(() => node.listeners.sessions[0]?.management === 'resumable', 'stream management is enabled');
      expect(node.listeners.sessions).toMatchObject([{ address }]);
      await xmpp.send(xml('message', { to: address }, xml('body', {}, 'to myself')));
      expect(await heard.promise).toBe('to myself');
      const sent = node.owner.stanzas.find(({ stanza }) => stanza.name === 'message')?.stanza;
      const body = sent === undefined ? undefined : childOf(sent, 'body', 'jabber:client');
      expect(body === undefined ? undefined : textOf(body)).toBe('to myself');
    } finally {
      await xmpp.stop();
    }
    expect(faults).toEqual([]);
    await until(() => node.owner.over.length === 1, 'the session is over');
  },
);
