/** The namespaces of chat rooms, under the names their specifications give them. */
export const MUC = {
  /** XEP-0045 §16.1 */
  join: 'http://jabber.org/protocol/muc',
  user: 'http://jabber.org/protocol/muc#user',
  admin: 'http://jabber.org/protocol/muc#admin',
  owner: 'http://jabber.org/protocol/muc#owner',
  /** XEP-0045 §16.3, §16.5 */
  roomConfig: 'http://jabber.org/protocol/muc#roomconfig',
  roomInfo: 'http://jabber.org/protocol/muc#roominfo',
  request: 'http://jabber.org/protocol/muc#request',
  stableId: 'http://jabber.org/protocol/muc#stable_id',
  traffic: 'http://jabber.org/protocol/muc#traffic',
  /** XEP-0410 §3.3 */
  selfPing: 'http://jabber.org/protocol/muc#self-ping-optimization',
  /** XEP-0421 §2 */
  occupantId: 'urn:xmpp:occupant-id:0',
  /** XEP-0359 §2.1 */
  stanzaId: 'urn:xmpp:sid:0',
  /** XEP-0203 §2 */
  /** XEP-0334 §4 */
  hints: 'urn:xmpp:hints',
  /** XEP-0313 §7 */
  archive: 'urn:xmpp:mam:2',
  archiveExtended: 'urn:xmpp:mam:2#extended',
  /** XEP-0030, XEP-0199, XEP-0092 */
  discoInfo: 'http://jabber.org/protocol/disco#info',
  discoItems: 'http://jabber.org/protocol/disco#items',
  ping: 'urn:xmpp:ping',
  version: 'jabber:iq:version',
} as const;
