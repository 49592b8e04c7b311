import { type Domain, parseDomain } from '../../protocol/jid/domain.ts';
import type { NoteSink } from '../../protocol/notes.ts';
import type { S2sNodes } from '../s2s-nodes.ts';

/** The table `xmpps2snodes` as the router has read it, which need not be as it is now. */
export class RouterTable {
  private readonly nodes: S2sNodes;
  private readonly notes: NoteSink;
  private asRead: readonly string[] = [];
  private names: ReadonlyMap<Domain, string> = new Map();

  constructor(nodes: S2sNodes, notes: NoteSink) {
    this.nodes = nodes;
    this.notes = notes;
  }

  /** Reads the table. Rows that no component can connect as are told and left out. */
  read(): void {
    this.asRead = this.nodes.cpIds();
    const names = new Map<Domain, string>();
    for (const cpId of this.asRead) {
      // XEP-0114 §3: a component names itself in the `to` of its header, which is a domain.
      const name = parseDomain(cpId);
      if (name === undefined) this.notes({ note: 'xcp-row-unusable', cpId }, {});
      else names.set(name, cpId);
    }
    this.names = names;
  }

  /** The `cp_id` of the component with this name, when the router knows it. */
  cpIdOf(name: Domain): string | undefined {
    return this.names.get(name);
  }

  get cpIds(): readonly string[] {
    return this.asRead;
  }

  /** Whether the table has changed since. */
  get isStale(): boolean {
    const now = this.nodes.cpIds();
    return now.length !== this.asRead.length || now.some((cpId) => !this.asRead.includes(cpId));
  }

  /** Whether the table names an Edge now, read or not. */
  get isInUse(): boolean {
    return this.nodes.cpIds().length > 0;
  }
}
