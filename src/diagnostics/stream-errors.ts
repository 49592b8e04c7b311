import type { StreamErrorCondition } from '../protocol/stream/stream-error.ts';

/** What a stream error says about the one who made it necessary. Both are clauses without a full stop. */
interface Meaning {
  /** What the one that sent the error found wrong, as a clause that follows a colon. */
  readonly meaning: string;
  /** What our administrator does when the peer sent it to us. */
  readonly whenReceived: string;
  /** What our administrator does when we sent it. */
  readonly whenSent: string;
}

const RETRIED = 'Nothing to do: fedway connects again when there is something to send.';
const OUR_XML = 'This looks like a fault of fedway: please report it with the log of this stream at level verbose.';
const PEER_XML =
  "The peer's software writes XML that XMPP does not permit: tell its administrator, with the time and this line.";
const PEER_BREAKS_RULES =
  "The peer's software does not keep to RFC 6120: tell its administrator, with the time and this line.";

/** The stream errors of RFC 6120 §4.9.3, for the administrator of this box. */
export const STREAM_ERROR_MEANINGS: Readonly<Record<StreamErrorCondition, Meaning>> = {
  'bad-format': {
    meaning: 'the XML could not be processed',
    whenReceived: OUR_XML,
    whenSent: PEER_BREAKS_RULES,
  },
  'bad-namespace-prefix': {
    meaning: 'an element has a namespace prefix where none is permitted',
    whenReceived: OUR_XML,
    whenSent: PEER_XML,
  },
  conflict: {
    meaning: 'a newer stream takes the place of this one',
    whenReceived:
      'If it happens again and again, two boxes connect for the same domain: check that only one of them is meant to.',
    whenSent: 'If it happens again and again, the peer connects twice for the same domain: ask its administrator.',
  },
  'connection-timeout': {
    meaning: 'the other side did not answer in time',
    whenReceived: RETRIED,
    whenSent: 'If it happens often with this peer, look for packet loss or a firewall that forgets connections.',
  },
  'host-gone': {
    meaning: 'the domain is no longer served there',
    whenReceived: 'The domain has moved: check its SRV records, or the route in partners.rules if there is one.',
    whenSent: 'The peer still sends to a domain that is no longer in homes: put it back, or withdraw its SRV records.',
  },
  'host-unknown': {
    meaning: 'the domain is not served there',
    whenReceived:
      'Check the SRV records of the domain and the route in partners.rules: they lead to a server that does not know the domain.',
    whenSent:
      'If the domain is yours, add it to homes.domains; if not, somebody has SRV records that lead here by mistake.',
  },
  'improper-addressing': {
    meaning: 'a stanza has no from or to, or one that is no XMPP address',
    whenReceived: OUR_XML,
    whenSent: PEER_BREAKS_RULES,
  },
  'internal-server-error': {
    meaning: 'the server has a fault of its own',
    whenReceived: 'Nothing to do here: the fault is on the side of the peer. fedway connects again later.',
    whenSent: 'Look for lines of level error right before this one: they name the fault.',
  },
  'invalid-from': {
    meaning: 'the from address is not authorized on this stream',
    whenReceived:
      'The peer has dropped an authorization that fedway relied on; if it happens again, compare the clocks and logs of both sides.',
    whenSent:
      'The peer sends as a domain it has not proved to be: its configuration is wrong, or somebody tries to impersonate that domain.',
  },
  'invalid-namespace': {
    meaning: 'a namespace is not the one of a server stream',
    whenReceived: 'Check that the address leads to a port for servers (5269), not to one for clients (5222).',
    whenSent: 'A client or a scanner has connected to the port for servers, or the peer does not keep to RFC 6120.',
  },
  'invalid-xml': {
    meaning: 'the XML does not fit its schema',
    whenReceived:
      'One of your users or the server inside sends stanzas that the peer does not accept: look at the level verbose there.',
    whenSent: PEER_XML,
  },
  'not-authorized': {
    meaning: 'something was sent before the sender was authorized',
    whenReceived:
      'The peer does not accept the proof of your domain: check the certificate, and that the dialback secret is the same on all your boxes.',
    whenSent:
      'The peer sent stanzas before it had proved its domain, or showed a certificate that does not prove it; a component has another secret than the one here: give both sides the same.',
  },
  'not-well-formed': {
    meaning: 'the XML is not well-formed',
    whenReceived: OUR_XML,
    whenSent: PEER_XML,
  },
  'policy-violation': {
    meaning: 'a policy forbids what was sent, or the way it was sent',
    whenReceived:
      "The peer's policy refuses you (TLS, authentication, size or a list of partners): ask its administrator which.",
    whenSent:
      'If the partner is meant to get through, look at s2s.tls, s2s.authentication, s2s.limits and partners in the configuration.',
  },
  'remote-connection-failed': {
    meaning: 'a server that had to be asked could not be reached',
    whenReceived:
      'The peer cannot reach this box to check your dialback key: check your SRV records and that port 5269 is open from outside.',
    whenSent:
      "The peer's own server for its domain cannot be reached to check the dialback key: its SRV records or firewall are wrong.",
  },
  reset: {
    meaning: 'certificates or security settings have changed',
    whenReceived: RETRIED,
    whenSent: 'Nothing to do: the peer connects again and the new settings hold.',
  },
  'resource-constraint': {
    meaning: 'the server is out of resources',
    whenReceived: 'The peer is overloaded or limits connections: fedway waits longer before it tries again.',
    whenSent: 'Look at the load of this box, its limit of open files, and s2s.limits.',
  },
  'restricted-xml': {
    meaning: 'the XML has a comment, a processing instruction, a DTD or an entity of its own',
    whenReceived: OUR_XML,
    whenSent: PEER_XML,
  },
  'see-other-host': {
    meaning: 'another host is responsible',
    whenReceived:
      'fedway does not follow redirections: give the address in a route in partners.rules if it is the right one.',
    whenSent: RETRIED,
  },
  'system-shutdown': {
    meaning: 'the server is shutting down',
    whenReceived: RETRIED,
    whenSent: 'Nothing to do: this box is stopping in good order.',
  },
  'undefined-condition': {
    meaning: 'a reason that XMPP has no name for',
    whenReceived: "The text or the peer's log has the reason.",
    whenSent: 'The lines of this stream before this one have the reason.',
  },
  'unsupported-encoding': {
    meaning: 'the bytes are not UTF-8',
    whenReceived: OUR_XML,
    whenSent: PEER_XML,
  },
  'unsupported-feature': {
    meaning: 'a feature is required that the other side does not have',
    whenReceived: 'The peer insists on something that fedway does not offer: its text or its administrator says what.',
    whenSent:
      'The peer insists on something that fedway does not know: a newer fedway or another setting of the peer cures it.',
  },
  'unsupported-stanza-type': {
    meaning: 'a first-level element is not known there',
    whenReceived: OUR_XML,
    whenSent: PEER_BREAKS_RULES,
  },
  'unsupported-version': {
    meaning: 'the version of the stream is not supported',
    whenReceived: 'The peer is older than XMPP 1.0: it has to be updated.',
    whenSent: 'The peer is older than XMPP 1.0: it has to be updated.',
  },
};
