import { type Domain, parseDomain } from '../../protocol/jid/domain.ts';
import type { NoteSink } from '../../protocol/notes.ts';
import type { S2sNodes } from '../s2s-nodes.ts';

/** The form of a `cp_id`: connection manager and S2S command processor by their numbers, and where they are. */
const CP_ID = /^cm-\d+_s2scp-\d+\./;

/** A row as the router has read it; `component` is `undefined` when none can have such a name. */
export interface RouterRow {
  readonly cpId: string;
  readonly component: Domain | undefined;
}

/** The table `xmpps2snodes` as the router has read it, which need not be as it is now. */
export class RouterTable {
  private readonly nodes: S2sNodes;
  private readonly notes: NoteSink;
  private rows: readonly RouterRow[] = [];
  private components: ReadonlySet<Domain> = new Set();

  constructor(nodes: S2sNodes, notes: NoteSink) {
    this.nodes = nodes;
    this.notes = notes;
  }

  /** Reads the table. Rows that no component can connect as are told and left out. */
  read(): void {
    // XEP-0114 §3: a component names itself in the `to` of its header, which is a domain.
    this.rows = this.nodes.cpIds().map((cpId) => ({ cpId, component: parseDomain(cpId) }));
    for (const { cpId, component } of this.rows) {
      if (component === undefined) this.notes({ note: 'xcp-row-unusable', cpId }, {});
    }
    this.components = new Set(this.rows.flatMap(({ component }) => component ?? []));
  }

  /** Whether the router has read a row that names this component: only through such a one stanzas leave. */
  names(component: Domain): boolean {
    return this.components.has(component);
  }

  /**
   * Whether a component may connect by this name. A row is not needed for what it brings, which is why a Core that cannot write to the table
   * is heard and not answered.
   */
  admits(component: Domain): boolean {
    return this.names(component) || CP_ID.test(component);
  }

  get asRead(): readonly RouterRow[] {
    return this.rows;
  }

  get cpIds(): readonly string[] {
    return this.rows.map(({ cpId }) => cpId);
  }

  /** Whether the table has changed since. */
  get isStale(): boolean {
    const [now, asRead] = [this.nodes.cpIds(), this.cpIds];
    return now.length !== asRead.length || now.some((cpId) => !asRead.includes(cpId));
  }

  /** Whether the table names an Edge now, read or not. */
  get isInUse(): boolean {
    return this.nodes.cpIds().length > 0;
  }
}
