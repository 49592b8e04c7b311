/** A part of a node with connections of its own: the router's port, the clients, AXL. All of them live and end in the same way. */
export interface NodeOrgan {
  /** Opens what listens. `false`: an address cannot be listened on, the log says which. */
  start(): Promise<boolean>;
  /** Accepts nobody any more. */
  stopListening(): void;
  /** Says goodbye on every connection. */
  shutdown(): void;
  /** Connections that exist now, those on which the last words are still on their way included. */
  readonly connections: number;
  /** Ends everything now. */
  destroy(): void | Promise<void>;
}
