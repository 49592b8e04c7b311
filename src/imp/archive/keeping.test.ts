import { expect, test } from 'vitest';
import { text, xml } from '../../../test/support/imp-accounts.ts';
import { asKeptForRoom, isKeptForRoom, isKeptForUser } from './keeping.ts';

test.each([
  ['<message><body>x</body></message>', true],
  ["<message type='chat'><body>x</body></message>", true],
  ["<message type='unheard-of'><body>x</body></message>", true],
  ["<message type='groupchat'><body>x</body></message>", false],
  ["<message type='headline'><body>x</body></message>", false],
  ["<message type='error'><body>x</body></message>", false],
  ["<message><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", false],
  [
    "<message><composing xmlns='http://jabber.org/protocol/chatstates'/><store xmlns='urn:xmpp:hints'/></message>",
    true,
  ],
  ["<message><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>", false],
  [
    "<message><body>x</body><no-permanent-store xmlns='urn:xmpp:hints'/><store xmlns='urn:xmpp:hints'/></message>",
    false,
  ],
  ["<message><received xmlns='urn:xmpp:receipts' id='1'/></message>", true],
  ["<message><request xmlns='urn:xmpp:receipts'/></message>", false],
  ["<message><displayed xmlns='urn:xmpp:chat-markers:0' id='1'/></message>", true],
  ["<message><encrypted xmlns='eu.siacs.conversations.axolotl'/></message>", true],
  ["<message><x xmlns='jabber:x:conference' jid='room@chat.example'/></message>", true],
  ["<message><x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b.example'/></x></message>", true],
  ["<message><x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x></message>", false],
  ["<message><body>x</body><private xmlns='urn:xmpp:carbons:2'/></message>", true],
  ["<message><body>x</body><result xmlns='urn:xmpp:mam:2'/></message>", false],
  ["<message><received xmlns='urn:xmpp:carbons:2'/></message>", false],
  ["<message><body xmlns='urn:other'>x</body></message>", false],
])('%s belongs into the archive of a user: %s', (message, kept) => {
  expect(isKeptForUser(xml(message))).toBe(kept);
});

test.each([
  ["<message type='groupchat'><body>x</body></message>", true],
  ["<message type='groupchat'><subject/></message>", true],
  ["<message type='groupchat'><reactions xmlns='urn:xmpp:reactions:0' id='1'/></message>", true],
  ["<message type='groupchat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", false],
  ["<message type='groupchat'><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>", false],
  ["<message type='chat'><body>x</body></message>", false],
])('%s belongs into the archive of a room: %s', (message, kept) => {
  expect(isKeptForRoom(xml(message))).toBe(kept);
});

test('a room keeps a message without its recipient and without what only a room may say', () => {
  const sent =
    "<message from='room@chat.example/a' to='b@c.example' type='groupchat'><body>x</body><x xmlns='http://jabber.org/protocol/muc#user'><item jid='forged@c.example'/></x><stanza-id xmlns='urn:xmpp:sid:0' by='room@chat.example' id='1'/></message>";
  expect(text(asKeptForRoom(xml(sent), 'room@chat.example'))).toBe(
    "<message from='room@chat.example/a' type='groupchat'><body>x</body></message>",
  );
});
