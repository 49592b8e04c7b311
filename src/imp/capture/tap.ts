/** One connection of the node, as a capture shows it: what was said on it after decryption. */
export interface Conversation {
  /** `http`: AXL. `xmpp`: streams of clients and of the router; what `xmpp` sends to authenticate is masked in the capture. */
  readonly protocol: 'http' | 'xmpp';
  /** The node's end. Addresses are IPv4 or IPv6 in text, without a zone. */
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Which end opened the connection. */
  readonly openedBy: 'local' | 'remote';
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What a listener tells of one connection. None of it throws, and while no capture runs it costs next to nothing. */
export interface TappedConversation {
  /** Bytes the node has received (`in`) or sends (`out`), decrypted, in the order of the stream. They are copied if they are kept. */
  data(direction: 'in' | 'out', bytes: Uint8Array): void;
  /** The connection is over. What is told after it is ignored. */
  closed(): void;
}

/** Where the node's listeners tell of their connections, so that `utils network capture` can write them down. */
export interface Tap {
  /** To be called once for each connection, when it is open. A capture may begin at any time later. */
  opened(conversation: Conversation): TappedConversation;
}

/** For who has nobody to tell. */
export const NO_TAP: Tap = { opened: () => ({ data: () => undefined, closed: () => undefined }) };
