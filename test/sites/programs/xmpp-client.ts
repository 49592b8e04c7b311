/**
 * A client of somebody else: finds the WebSocket of a domain by host-meta (XEP-0156), logs in with @xmpp/client, sends one message, and waits for the
 * answer `re: TEXT`. Exit status 0: it came.
 * Usage: xmpp-client.ts DOMAIN ADDRESS USER TO TEXT; ADDRESS is where the domain is, and the password is the environment variable PASSWORD.
 */
import dns from 'node:dns';
import https from 'node:https';
import { json } from 'node:stream/consumers';
import { client, xml } from '@xmpp/client';

/** As the configuration of a site has it; the standard's is 443. */
const WEB_PORT = 5443;
const [domain = '', address = '', username = '', to = '', text = ''] = process.argv.slice(2);
const patience = setTimeout(() => fail(new Error('no answer came')), 30_000);
findItHere();
const xmpp = client({ service: await webSocketOf(domain), domain, username, password: process.env['PASSWORD'] ?? '' });
xmpp.on('error', fail);
xmpp.on('stanza', (stanza) => {
  if (stanza.is('message') && stanza.getChildText('body') === `re: ${text}`) void done();
});
await xmpp.start();
await xmpp.send(xml('presence'));
await xmpp.send(xml('message', { to, type: 'chat' }, xml('body', {}, text)));

/** No DNS that Node asks has the domain. */
function findItHere(): void {
  const lookup = dns.lookup;
  const here: typeof dns.lookup = Object.assign((name: string, ...rest: unknown[]) => {
    Reflect.apply(lookup, dns, [name === domain ? address : name, ...rest]);
  }, lookup);
  dns.lookup = here;
}

async function webSocketOf(name: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const url = `https://${name}:${WEB_PORT}/.well-known/host-meta.json`;
  https.get(url, (response) => resolve(json(response))).on('error', reject);
  const href = /"(wss:[^"]+)"/.exec(JSON.stringify(await promise))?.[1];
  if (href === undefined) throw new Error('host-meta names no WebSocket');
  console.log(`found ${href}`);
  return href;
}

async function done(): Promise<void> {
  clearTimeout(patience);
  console.log('answered');
  await xmpp.stop();
  process.exit(0);
}

function fail(error: Error): void {
  console.error(error.message);
  process.exit(1);
}
