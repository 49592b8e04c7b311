/** What we have inserted into the tables of publishers, remembered beyond the end of the process: only that is ever removed. */
export interface Ledger {
  /** The components that we recorded for the publisher of this name; none for one that is not known. */
  ours(publisher: string): readonly string[];
  /** Replaces them. Called before an insertion as well as after a removal, so that no row of ours is forgotten whenever the process ends. */
  record(publisher: string, cpIds: readonly string[]): void;
}
