import type { Jid } from '../protocol/jid/jid.ts';
import type { XmlElement } from '../protocol/xml/types.ts';

/** A stanza on its way inside the node: a tree, since whoever it passes looks inside. */
export interface Packet {
  readonly kind: 'message' | 'presence' | 'iq';
  /** Both addresses are prepared (RFC 7622): they are compared part by part. */
  readonly from: Jid;
  readonly to: Jid;
  /** In `jabber:client`. Its `from` and `to` are the addresses above as text. */
  readonly element: XmlElement;
}

/** Carries a packet to whoever it is addressed to, on this node or elsewhere. What cannot be delivered is answered as RFC 6120 §8.3 and §10 say. */
export interface Post {
  /** Never throws and never delivers before it returns: packets leave in the order they were sent. */
  send(packet: Packet): void;
}

/** Who receives what is addressed to one domain of the node: the messaging server, the rooms. */
export interface Destination {
  /** Whether one packet makes many others. */
  readonly multiplies?: true;
  receive(packet: Packet): void;
}
