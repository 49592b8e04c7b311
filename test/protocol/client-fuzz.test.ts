import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Client, ClientWorld, chat } from './client-world.ts';
import { auth, header, SASL, STARTTLS } from './xml.ts';

const SM = "xmlns='urn:xmpp:sm:3'";
/** Whatever a client may say, in any order. */
const SAYINGS: readonly string[] = [
  header({ to: 'example.com', xmlns: 'jabber:client' }),
  header({ to: 'example.com', from: 'juliet@example.com', xmlns: 'jabber:client' }),
  STARTTLS,
  auth('\0juliet\0pencil', 'PLAIN'),
  auth('\0juliet\0wrong', 'PLAIN'),
  auth('n,,n=juliet,r=x', 'SCRAM-SHA-1'),
  `<response ${SASL}>${Buffer.from('c=biws,r=xserver-nonce,p=AA==').toString('base64')}</response>`,
  `<abort ${SASL}/>`,
  "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
  "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>balcony</resource></bind></iq>",
  "<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
  "<iq type='get' id='1'/>",
  '<presence/>',
  "<message to='romeo@example.com'><body>hi</body></message>",
  "<message from='romeo@example.com' to='juliet@example.com'/>",
  `<enable ${SM} resume='true'/>`,
  `<r ${SM}/>`,
  `<a ${SM} h='1'/>`,
  `<a ${SM} h='4294967295'/>`,
  `<resume ${SM} previd='generated-1' h='0'/>`,
  '</stream:stream>',
  '<stream:error/>',
  '<broken',
  ' ',
];

/** What happens to a client besides what it says. */
type Step =
  | { readonly say: number }
  | 'stanza'
  | 'conflict'
  | 'shutdown'
  | 'replaced'
  | 'wait'
  | 'long wait'
  | 'break'
  | 'tls';

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.nat(SAYINGS.length - 1).map((say) => ({ say })) },
  fc.constantFrom('stanza', 'conflict', 'shutdown', 'replaced', 'wait', 'long wait', 'break', 'tls'),
);

function take(world: ClientWorld, client: Client, what: Step): void {
  if (typeof what === 'object') client.say(SAYINGS[what.say] ?? '');
  else if (what === 'stanza') for (const session of world.sessions.values()) session.send(chat('to everybody'));
  else if (what === 'conflict') client.end('conflict', 'for a test');
  else if (what === 'shutdown') client.side.handle({ type: 'close', why: 'shutdown' });
  else if (what === 'replaced') client.replaced();
  else if (what === 'wait') world.clock.advance(50);
  else if (what === 'long wait') world.clock.advance(130_000);
  else if (what === 'break') client.breakOff();
  else client.raw.startTls();
}

test('whatever two clients do in whatever order: nothing is thrown, every session that was opened is ended once, and nobody is let in without a proof', () => {
  let sessions = 0;
  const steps = fc.array(fc.tuple(fc.nat(1), step), { maxLength: 40 });
  const property = fc.property(fc.constantFrom('plain', 'direct', 'session'), steps, (how, walk) => {
    const world = new ClientWorld({ brake: { failed: () => 20 } });
    const clients = ['a', 'b'].map((name) => (how === 'session' ? world.login('juliet', name) : world.connect(how)));
    for (const [which, what] of walk) {
      const client = clients[which];
      if (client !== undefined) take(world, client, what);
    }
    for (const client of clients) client.breakOff();
    world.clock.advance(700_000);
    const opened = world.told.filter((told) => told.startsWith('opened '));
    const over = world.told.filter((told) => told.startsWith('ended '));
    const proofs = clients.flatMap(({ raw }) => raw.received.match(/<success /g) ?? []);
    sessions += opened.length;
    return opened.length === over.length && opened.length <= proofs.length && world.sessions.size === 0;
  });
  expect(fc.check(property, { numRuns: 500 })).toMatchObject({ failed: false, counterexample: null });
  // Else the walks would end before anything begins.
  expect(sessions).toBeGreaterThan(300);
});
