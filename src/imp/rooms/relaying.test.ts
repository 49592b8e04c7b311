import { beforeEach, describe, expect, test } from 'vitest';
import { text } from '../../../test/support/imp-accounts.ts';
import { COVEN, RoomsOnTrial } from '../../../test/support/imp-rooms.ts';

const alice = 'alice@im.example/phone';
const bob = 'bob@im.example/desk';
const mallory = 'mallory@foreign.example/x';
let chat: RoomsOnTrial;

beforeEach(() => {
  chat = new RoomsOnTrial();
  chat.open(alice, 'Alice');
  chat.enter(bob, 'Bob');
});

const ask = (from: string, nick: string, payload: string, type = 'get'): readonly string[] =>
  chat
    .say(`<iq type='${type}' id='q' from='${from}' to='${COVEN}/${nick}'>${payload}</iq>`)
    .map(({ element }) => text(element));
const idIn = (stanza: string | undefined): string => / id='([^']+)'/.exec(stanza ?? '')?.[1] ?? '';
const VERSION = "<query xmlns='jabber:iq:version'/>";
const VCARD = "<vCard xmlns='vcard-temp'/>";
const PING = "<ping xmlns='urn:xmpp:ping'/>";

describe('IQ between occupants (XEP-0045 §17.4)', () => {
  test('neither side learns the address of the other, nor its id', () => {
    const [asked = ''] = ask(bob, 'Alice', VERSION);
    expect(asked).toMatch(
      /^<iq from='coven@chat.example\/Bob' to='alice@im.example\/phone' id='id-\d+' type='get'><query /,
    );
    const answer = `<iq type='result' id='${idIn(asked)}' from='${alice}' to='${COVEN}/Bob'>${VERSION}</iq>`;
    expect(chat.say(answer).map(({ element }) => text(element))).toEqual([
      `<iq from='coven@chat.example/Alice' to='${bob}' id='q' type='result'>${VERSION}</iq>`,
    ]);
    expect(chat.hear(answer)).toEqual([]);
  });

  test('a vCard is asked of the account', () => {
    const [asked = ''] = ask(bob, 'Alice', VCARD);
    expect(asked).toContain(" to='alice@im.example' ");
    expect(
      chat.hear(`<iq type='result' id='${idIn(asked)}' from='alice@im.example' to='${COVEN}/Bob'>${VCARD}</iq>`),
    ).toEqual([`${bob} <- Alice iq result`]);
  });

  test('an error goes back without the address of who made it', () => {
    const [asked = ''] = ask(bob, 'Alice', VERSION);
    const [error] = chat.say(
      `<iq type='error' id='${idIn(asked)}' from='${alice}' to='${COVEN}/Bob'><error type='cancel' by='im.example'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
    );
    expect(error === undefined ? '' : text(error.element)).toMatch(
      /to='bob@im.example\/desk' id='q' type='error'><error type='cancel'><service-unavailable/,
    );
  });

  test('nobody else answers, and nobody answers what nobody asked', () => {
    const [asked = ''] = ask(bob, 'Alice', VERSION);
    expect(chat.hear(`<iq type='result' id='${idIn(asked)}' from='${mallory}' to='${COVEN}/Bob'/>`)).toEqual([]);
    expect(chat.hear(`<iq type='result' id='other' from='${alice}' to='${COVEN}/Bob'/>`)).toEqual([]);
    chat.leave(bob, 'Bob');
    expect(chat.hear(`<iq type='result' id='${idIn(asked)}' from='${alice}' to='${COVEN}/Bob'/>`)).toEqual([]);
  });

  test.each([
    [mallory, 'Alice', VERSION, 'not-acceptable'],
    [bob, 'Nobody', VERSION, 'item-not-found'],
    [bob, 'Alice', '', 'bad-request'],
    [bob, 'Alice', `<query xmlns='x'>${'y'.repeat(70_000)}</query>`, 'policy-violation'],
  ])('%s asks %s: refused', (from, nick, payload, condition) => {
    expect(ask(from, nick, payload).join()).toContain(`<${condition} `);
  });

  test('so many wait, and not for ever', () => {
    chat = new RoomsOnTrial({ relayed: 1 });
    chat.open(alice, 'Alice');
    chat.enter(bob, 'Bob');
    expect(ask(bob, 'Alice', VERSION)[0]).toContain("to='alice");
    expect(ask(bob, 'Alice', VERSION)[0]).toContain('resource-constraint');
    chat.now += 120_000;
    expect(ask(bob, 'Alice', VERSION)[0]).toContain("to='alice");
  });
});

describe('XEP-0410: a ping to oneself', () => {
  test('is answered by the room while one is in it', () => {
    expect(ask(bob, 'Bob', PING)).toEqual([`<iq from='coven@chat.example/Bob' to='${bob}' id='q' type='result'/>`]);
    expect(ask(bob, 'Alice', PING)[0]).toContain(`to='${alice}'`);
  });

  test('says not-acceptable to whoever is not, also after a restart that the room did not survive', () => {
    expect(ask(mallory, 'Bob', PING)[0]).toContain('<not-acceptable ');
    chat.restart();
    expect(ask(bob, 'Bob', PING)[0]).toContain('<not-acceptable ');
  });
});
