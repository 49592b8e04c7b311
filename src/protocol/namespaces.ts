/** The namespaces fedway speaks, under the names their specifications give them. */
export const NS = {
  /** RFC 6120 §4.2 */
  stream: 'http://etherx.jabber.org/streams',
  /** RFC 6120 §4.8.2 */
  server: 'jabber:server',
  client: 'jabber:client',
  /** XEP-0114 §3 */
  componentAccept: 'jabber:component:accept',
  /** RFC 6120 §4.9.2 */
  streamErrors: 'urn:ietf:params:xml:ns:xmpp-streams',
  /** RFC 6120 §8.3.2 */
  stanzaErrors: 'urn:ietf:params:xml:ns:xmpp-stanzas',
  /** RFC 6120 §5.4 */
  tls: 'urn:ietf:params:xml:ns:xmpp-tls',
  /** RFC 6120 §6.4 */
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
  /** XEP-0220 §2.1 */
  dialback: 'jabber:server:dialback',
  /** XEP-0220 §2.4.2 */
  dialbackFeature: 'urn:xmpp:features:dialback',
  /** XEP-0205 §4.5 */
  errors: 'urn:xmpp:errors',
  /** XEP-0198 §2 */
  streamManagement: 'urn:xmpp:sm:3',
  /** RFC 6120 §7.4 */
  bind: 'urn:ietf:params:xml:ns:xmpp-bind',
  /** RFC 3921 §3 */
  session: 'urn:ietf:params:xml:ns:xmpp-session',
  /** XEP-0440 §3 */
  channelBinding: 'urn:xmpp:sasl-cb:0',
  /** RFC 7395 §3.3.2 */
  framing: 'urn:ietf:params:xml:ns:xmpp-framing',
  /** docs/reference/link-protocol.md */
  link: 'urn:fedway:link:1',
  xml: 'http://www.w3.org/XML/1998/namespace',
} as const;
