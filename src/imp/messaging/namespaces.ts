/** The namespaces of the messaging server, under the names their specifications give them. */
export const IM = {
  /** RFC 6121 §2 */
  roster: 'jabber:iq:roster',
  /** XEP-0030 */
  discoInfo: 'http://jabber.org/protocol/disco#info',
  discoItems: 'http://jabber.org/protocol/disco#items',
  /** XEP-0280 §4 */
  carbons: 'urn:xmpp:carbons:2',
  /** XEP-0297 §2 */
  forward: 'urn:xmpp:forward:0',
  /** XEP-0334 §4 */
  hints: 'urn:xmpp:hints',
  /** XEP-0191 §3 */
  blocking: 'urn:xmpp:blocking',
  blockingErrors: 'urn:xmpp:blocking:errors',
  /** XEP-0045 §15.1 */
  mucUser: 'http://jabber.org/protocol/muc#user',
  /** XEP-0249 §2 */
  invitation: 'jabber:x:conference',
  /** XEP-0199, XEP-0092, XEP-0202, XEP-0012 */
  ping: 'urn:xmpp:ping',
  version: 'jabber:iq:version',
  time: 'urn:xmpp:time',
  last: 'jabber:iq:last',
} as const;
