/**
 * A client of somebody else: logs in with @xmpp/client, sends one message, and waits for the answer `re: TEXT`. Exit status 0: it came.
 * Usage: xmpp-client.ts SERVICE DOMAIN USER TO TEXT; the password is the environment variable PASSWORD.
 */
import { client, xml } from '@xmpp/client';

const [service = '', domain = '', username = '', to = '', text = ''] = process.argv.slice(2);
const patience = setTimeout(() => fail(new Error('no answer came')), 20_000);
const xmpp = client({ service, domain, username, password: process.env['PASSWORD'] ?? '' });
xmpp.on('error', fail);
xmpp.on('stanza', (stanza) => {
  if (stanza.is('message') && stanza.getChildText('body') === `re: ${text}`) void done();
});
await xmpp.start();
await xmpp.send(xml('presence'));
await xmpp.send(xml('message', { to, type: 'chat' }, xml('body', {}, text)));

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
