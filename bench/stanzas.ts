/**
 * Realistic S2S traffic of about 300 bytes a stanza: 55 % messages, 30 % presence, 15 % iq; chat states, receipts, entity
 * capabilities, prefixed attributes, some text beyond ASCII.
 */

export const HEADER =
  `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' ` +
  `xmlns:db='jabber:server:dialback' from='vngtp.lab' to='coluc.com' id='a7c1d0e98f2b' version='1.0'>`;
export const FOOTER = '</stream:stream>';

const WORDS = (
  'the meeting moved to three because of the train from Bern please bring a draft and ask Jan about the second ' +
  'figure in it I will be late können müssen straße 会議 завтра café don&apos;t A &amp; B'
).split(' ');

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function sentence(random: () => number, words: number): string {
  const chosen: string[] = [];
  for (let i = 0; i < words; i++) chosen.push(WORDS[Math.floor(random() * WORDS.length)] ?? '');
  return chosen.join(' ');
}

function message(random: () => number, number: number): string {
  return (
    `<message from='jan@vngtp.lab/phone.${number % 7}' to='eva@coluc.com/desk' type='chat' id='m${number}'>` +
    `<body>${sentence(random, 12 + Math.floor(random() * 12))}</body>` +
    `<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/></message>`
  );
}

function presence(random: () => number, number: number): string {
  return (
    `<presence from='jan@vngtp.lab/phone.${number % 7}' to='eva@coluc.com'><show>away</show>` +
    `<status>${sentence(random, 8)}</status><priority>${number % 10}</priority>` +
    `<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://vngtp.lab/client' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/></presence>`
  );
}

function iq(random: () => number, number: number): string {
  return (
    `<iq from='jan@vngtp.lab/phone' to='eva@coluc.com/desk' type='set' id='i${number}'>` +
    `<query xmlns='http://jabber.org/protocol/disco#info' node='http://psi-im.org#q${number}'>` +
    `<x:note xmlns:x='urn:example:note' x:kind="${Math.floor(random() * 1e6)}" lang='en'>${sentence(random, 7)}</x:note></query></iq>`
  );
}

/** `count` stanzas, the same for the same seed. */
export function stanzas(count: number, seed = 1): string[] {
  const random = randomFrom(seed);
  const list: string[] = [];
  for (let i = 0; i < count; i++) {
    const kind = random();
    list.push(kind < 0.55 ? message(random, i) : kind < 0.85 ? presence(random, i) : iq(random, i));
  }
  return list;
}
