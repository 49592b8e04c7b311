import type { TestClient } from './client.ts';
import { child, type Element, escape, toXml } from './xml.ts';

const DISCO_INFO = 'http://jabber.org/protocol/disco#info';
const MUC_USER = 'http://jabber.org/protocol/muc#user';

/** Text that a careless relay damages: markup, quotes, other scripts, an astral character, several spaces. */
const DIFFICULT_TEXT = `<b>&amp;</b> "quoted" 'single'  two spaces, žluťoučký kůň, 日本語, 🚀`;

/** A message from one to the other arrives, unchanged and with the right sender. */
export async function exchangeMessage(from: TestClient, to: TestClient, body = DIFFICULT_TEXT): Promise<void> {
  const id = from.message(to.jid, body);
  const message = await to.waitFor(
    `the message ${id} from ${from.account}`,
    (stanza) => isMessage(stanza) && stanza.attributes['id'] === id,
  );
  assertThat(message.attributes['type'] === 'chat', `the message of ${from.account} comes as it was sent`, message);
  assertThat(message.attributes['from'] === from.jid, `the message is from ${from.jid}`, message);
  assertThat(child(message, 'body')?.text === body, `the message's text is unchanged (${body})`, message);
}

/** `from` subscribes to the presence of `to`, who agrees; then the available presence of `to` arrives, and later changes of it. */
export async function subscribe(from: TestClient, to: TestClient): Promise<void> {
  from.send(`<presence type='subscribe' to='${to.account}'/>`);
  await to.waitFor(`the subscription request of ${from.account}`, presenceFrom(from.account, 'subscribe'));
  to.send(`<presence type='subscribed' to='${from.account}'/>`);
  await from.waitFor(`the consent of ${to.account}`, presenceFrom(to.account, 'subscribed'));
  await from.waitFor(
    `the presence of ${to.jid}`,
    (stanza) => presenceFrom(to.account)(stanza) && stanza.attributes['from'] === to.jid,
  );
  const status = `out to lunch ${to.newId()}`;
  to.send(`<presence><show>away</show><status>${status}</status></presence>`);
  await from.waitFor(
    `the changed presence of ${to.jid}`,
    (stanza) => presenceFrom(to.account)(stanza) && child(stanza, 'status')?.text === status,
  );
}

/** Pings the other's server and the other's client (XEP-0199). Returns the round trip to the client in milliseconds. */
export async function ping(from: TestClient, to: TestClient): Promise<number> {
  const request = `<ping xmlns='urn:xmpp:ping'/>`;
  assertResult(await from.iq('get', to.domain, request));
  const start = performance.now();
  assertResult(await from.iq('get', to.jid, request));
  return performance.now() - start;
}

/** Asks the other's server and client what they are (XEP-0030). */
export async function disco(from: TestClient, to: TestClient): Promise<void> {
  for (const target of [to.domain, to.jid]) {
    const answer = assertResult(await from.iq('get', target, `<query xmlns='${DISCO_INFO}'/>`));
    const identity = child(child(answer, 'query', DISCO_INFO), 'identity');
    assertThat(identity !== undefined, `${target} tells its identity`, answer);
    assertThat(answer.attributes['from'] === target, `the answer is from ${target}`, answer);
  }
}

/** `host` opens a room on its own server; `guest` of the other domain joins; both talk there, and the guest leaves. */
export async function meetInRoom(
  host: TestClient,
  guest: TestClient,
  service = `conference.${host.domain}`,
): Promise<void> {
  const room = `${host.newId()}-room@${service}`;
  // A new room is locked until its owner says how it shall be (XEP-0045 §10.1.2).
  if ((await join(host, room, 'host')).includes('201')) {
    const asItIs = `<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>`;
    assertResult(await host.iq('set', room, asItIs));
  }
  await join(guest, room, 'guest');
  await host.waitFor('the guest in the room', (stanza) => presenceFrom(`${room}/guest`)(stanza));
  for (const [speaker, listener, nick] of [
    [guest, host, 'guest'],
    [host, guest, 'host'],
  ] as const) {
    const body = `${nick} speaking ${speaker.newId()}`;
    speaker.message(room, body, 'groupchat');
    const heard = await listener.waitFor(
      `what ${nick} says in the room`,
      (stanza) => isMessage(stanza) && child(stanza, 'body')?.text === body,
    );
    assertThat(heard.attributes['from'] === `${room}/${nick}`, `the room's message is from ${room}/${nick}`, heard);
  }
  guest.send(`<presence to='${escape(room)}/guest' type='unavailable'/>`);
  await host.waitFor('the guest leaving', presenceFrom(`${room}/guest`, 'unavailable'));
}

/** What a burst came to. */
export interface BurstResult {
  readonly seconds: number;
  readonly stanzasPerSecond: number;
}

/** Sends `count` messages as fast as the connection takes them: all arrive, once each, in order. */
export async function burst(from: TestClient, to: TestClient, count: number, patience = 60_000): Promise<BurstResult> {
  const run = from.newId();
  const arrived: number[] = [];
  const earlier = to.onStanza;
  const end = to.waitFor('the end of the burst', (stanza) => stanza.attributes['id'] === `${run}-end`, patience);
  to.onStanza = (stanza) => {
    const number = new RegExp(`^${run}:(\\d+)$`).exec(stanza.attributes['id'] ?? '')?.[1];
    if (number !== undefined && isMessage(stanza) && stanza.attributes['type'] === 'chat') arrived.push(Number(number));
    earlier?.(stanza);
  };
  const start = performance.now();
  const target = escape(to.jid);
  for (let n = 0; n < count; n++) {
    await from.sendWithBackPressure(
      `<message to='${target}' id='${run}:${n}' type='chat'><body>burst ${n} of ${count}</body></message>`,
    );
  }
  from.send(`<message to='${target}' id='${run}-end' type='chat'><body>end</body></message>`);
  try {
    await end;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `a burst of ${count} messages from ${from.account} to ${to.account}: ${describeOrder(arrived, count)}. ${reason}`,
      { cause: error },
    );
  } finally {
    to.onStanza = earlier;
    const rest = to.unread.filter((stanza) => !stanza.attributes['id']?.startsWith(`${run}:`));
    to.unread.splice(0, to.unread.length, ...rest);
  }
  const verdict = describeOrder(arrived, count);
  if (verdict !== 'all arrived in order')
    throw new Error(`a burst of ${count} messages from ${from.account} to ${to.account}: ${verdict}`);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, stanzasPerSecond: Math.round(count / seconds) };
}

/** Sends messages until one arrives: after a disturbance, when the servers on the way are allowed some failures before they try again. */
export async function untilDelivered(from: TestClient, to: TestClient, patience = 60_000): Promise<void> {
  const deadline = performance.now() + patience;
  const ids = new Set<string>();
  for (;;) {
    ids.add(from.message(to.jid, 'are you there again?'));
    const sent = (stanza: Element): boolean =>
      isMessage(stanza) && stanza.attributes['type'] === 'chat' && ids.has(stanza.attributes['id'] ?? '');
    try {
      await to.waitFor(`any of ${ids.size} messages from ${from.account}`, sent, 2000);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

/** Sends a message that cannot arrive and returns the error that comes back. */
export async function expectBounce(from: TestClient, to: string, patience = 45_000): Promise<Element> {
  const id = from.message(to, 'this will not arrive');
  return from.waitFor(
    `the error for the message ${id} to ${to}`,
    (stanza) => isMessage(stanza) && stanza.attributes['id'] === id && stanza.attributes['type'] === 'error',
    patience,
  );
}

/** The condition of a stanza error (RFC 6120 §8.3.3), and its text. */
export function errorOf(stanza: Element): { readonly condition: string; readonly text: string } {
  const error = child(stanza, 'error');
  const condition = error?.children.find(
    ({ name, namespace }) => namespace === 'urn:ietf:params:xml:ns:xmpp-stanzas' && name !== 'text',
  );
  return { condition: condition?.name ?? '(none)', text: child(error, 'text')?.text ?? '' };
}

/** The status codes of the own presence in the room (XEP-0045 §15.6.2). */
async function join(who: TestClient, room: string, nick: string): Promise<readonly string[]> {
  who.send(`<presence to='${escape(room)}/${nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
  const own = await who.waitFor(`being in the room ${room}`, (stanza) => {
    if (stanza.name !== 'presence' || stanza.attributes['from'] !== `${room}/${nick}`) return false;
    return stanza.attributes['type'] === 'error' || codesOf(stanza).includes('110');
  });
  assertThat(own.attributes['type'] !== 'error', `${who.account} may join ${room}`, own);
  return codesOf(own);
}

function codesOf(stanza: Element): readonly string[] {
  return child(stanza, 'x', MUC_USER)?.children.flatMap(({ attributes }) => attributes['code'] ?? []) ?? [];
}

function presenceFrom(address: string, type?: string): (stanza: Element) => boolean {
  return ({ name, attributes }) => {
    const sender = attributes['from'] ?? '';
    return (
      name === 'presence' && attributes['type'] === type && (sender === address || sender.startsWith(`${address}/`))
    );
  };
}

function isMessage({ name }: Element): boolean {
  return name === 'message';
}

function assertResult(answer: Element): Element {
  assertThat(answer.attributes['type'] === 'result', 'the iq is answered with a result', answer);
  return answer;
}

function assertThat(holds: boolean, expectation: string, stanza: Element): void {
  if (!holds) throw new Error(`expected: ${expectation}. What came: ${toXml(stanza, 'jabber:client')}`);
}

function describeOrder(arrived: readonly number[], count: number): string {
  const first = arrived.findIndex((number, n) => number !== n);
  const different = new Set(arrived).size;
  if (first < 0 && arrived.length === count) return 'all arrived in order';
  const lost = count - different;
  const disorder = first < 0 ? '' : `; the first out of place is number ${arrived[first]} at position ${first}`;
  return `${arrived.length} arrived, ${lost} lost, ${arrived.length - different} twice${disorder}`;
}
