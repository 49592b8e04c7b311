/** The Core's end of the connection to an XCP Router against the router of our own node. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { RouterConnections } from '../../src/home/router-connections.ts';
import { writtenStanza } from '../../src/protocol/stream/written-stanza.ts';
import { AUTHENTICATED_LIMITS } from '../../src/protocol/xml/limits.ts';
import { parseElement } from '../../src/protocol/xml/parse.ts';
import { CP_1, CP_2, domainOf, ROUTER_SECRET, RouterScene } from '../support/imp-router.ts';
import { until } from '../support/until.ts';

const HOMES = [domainOf('coluc.com'), domainOf('chat.coluc.com')];
const PAIR = { sender: domainOf('vngtp.lab'), target: domainOf('coluc.com') };

function connectionsTo(scene: RouterScene, delivered: string[]): RouterConnections & Disposable {
  let handles = 0;
  const all = new RouterConnections({
    target: { homes: HOMES, address: { host: '127.0.0.1', port: scene.port }, secret: ROUTER_SECRET },
    timeouts: { header: 5_000, negotiation: 5_000, close: 500 },
    limits: AUTHENTICATED_LIMITS,
    notes: () => undefined,
    connect: async () => {
      const socket = connect({ host: '127.0.0.1', port: scene.port });
      await once(socket, 'connect');
      return { socket, address: `127.0.0.1:${scene.port}` };
    },
    deliver: (stanza, { sender, target }) => {
      delivered.push(`${sender} ${target} ${stanza.id ?? ''}`);
      return undefined;
    },
    newHandle: () => `handle ${++handles}`,
  });
  return Object.assign(all, { [Symbol.dispose]: () => all.destroy() });
}

function stanzaOf(xml: string): ReturnType<typeof writtenStanza> {
  return writtenStanza(parseElement(xml, { defaultNamespace: 'jabber:server', prefixes: new Map() }));
}

it('users of the node and partners write to each other over the connection of any Edge', async () => {
  await using scene = await new RouterScene('live').listen();
  const delivered: string[] = [];
  using all = connectionsTo(scene, delivered);
  scene.insert(CP_1);
  scene.insert(CP_2);
  all.follow([domainOf(CP_1), domainOf(CP_2)]);
  await until(() => all.facts().every(({ isUp }) => isUp), 'both are connected');
  scene.send(
    "<message from='a@coluc.com' to='b@vngtp.lab' id='1'/>",
    "<message from='r@chat.coluc.com' to='b@other.lab' id='2'/>",
  );
  await until(() => delivered.length === 2, 'both have come');
  expect(delivered.toSorted()).toEqual(['chat.coluc.com other.lab 2', 'coluc.com vngtp.lab 1']);
  const outlet = all.outletFor(PAIR, domainOf(CP_2));
  outlet?.offer(stanzaOf("<message from='b@vngtp.lab' to='a@coluc.com' id='3'/>"));
  expect(await scene.arrival()).toContain("id='3'");
});

it('before the router is restarted for a change it hears the Edge and sends nothing out through it, which routerstatus alone tells', async () => {
  await using scene = await new RouterScene('restart').listen();
  const delivered: string[] = [];
  using all = connectionsTo(scene, delivered);
  scene.insert(CP_1);
  all.follow([domainOf(CP_1)]);
  await until(() => all.isReady, 'it is connected');
  expect(all.facts()[0]).toMatchObject({ isUp: true, isUnknown: false });
  expect(scene.status()).toMatchObject({ restart_needed: '1', components_not_in_table: '1' });
  all.outletFor(PAIR, domainOf(CP_1))?.offer(stanzaOf("<message from='b@vngtp.lab' to='a@coluc.com' id='in'/>"));
  expect(await scene.arrival()).toContain("id='in'");
  const out = "<message from='a@coluc.com' to='b@vngtp.lab' id='out'/>";
  scene.send(out);
  expect(await scene.arrival()).toContain('remote-server-timeout');
  scene.router.restart('a test');
  await until(() => all.facts()[0]?.isUp === false, 'it was dropped');
  all.retryNow();
  await until(() => all.isReady, 'it is connected again');
  expect(scene.status()).toMatchObject({ restart_needed: '0', components_connected: '1' });
  scene.send(out);
  await until(() => delivered.length === 1, 'it leaves');
});
