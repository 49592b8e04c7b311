/** What else the node has to do. */
export interface NodeLoad {
  /** Packets that were ever sent on inside of it. */
  packets(): number;
  /** Those of them that were sent to where one makes many. */
  multiplied(): number;
  /**
   * While too many are on their way: a promise, until whose end whoever brings more is not read.
   *
   * @param multiplies whether what it brought last makes many packets
   */
  crowded(multiplies: boolean): Promise<void> | undefined;
}

/** Of a node that does nothing but hold connections. */
export const NO_LOAD: NodeLoad = { packets: () => 0, multiplied: () => 0, crowded: () => undefined };
