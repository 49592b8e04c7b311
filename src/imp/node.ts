import { restartKeys } from '../config/snapshot.ts';
import type { NoteSink } from '../protocol/notes.ts';
import { ACCOUNT_TABLES } from './accounts/tables.ts';
import type { NodeBoot } from './config/boot.ts';
import { nodeSchema } from './config/boot-schema.ts';
import type { SchemaPart } from './database/database.ts';
import type { Operations } from './node-operations.ts';
import { type NodeContext, type NodeParts, nodePartsOf, organsOf } from './node-parts.ts';
import { NODE_TABLES } from './node-tables.ts';
import type { NodeOrgan } from './organ.ts';
import type { RunningNode } from './running-node.ts';
import { SERVICE_TABLES } from './services.ts';
import type { Shell } from './shell/shell.ts';

/** The tables of the whole node. */
export const NODE_PARTS: readonly SchemaPart[] = [NODE_TABLES, ACCOUNT_TABLES, ...SERVICE_TABLES];

/** How often it is looked whether the last connection is gone. */
const GONE_LOOK_MS = 20;
/** How long what is on its way inside the node may take when it ends. */
const IDLE_MS = 1_000;

/** An IM&P node from start to end: parts around one router, one database and one log. */
export class Node implements RunningNode {
  readonly note: NoteSink;
  readonly operations: Operations;
  readonly shell: Shell;
  private readonly context: NodeContext;
  private readonly parts: NodeParts;
  /** Whoever stands first ends first, and starts last. */
  private readonly organs: readonly NodeOrgan[];
  private readonly finished = Promise.withResolvers<void>();
  private boot: NodeBoot;
  /** Set by `drain` and by `stop`: a reload that is under way has come too late. */
  private ending = false;
  private stopped: Promise<void> | undefined;

  constructor(context: NodeContext) {
    this.context = context;
    this.boot = context.boot;
    this.note = context.log.note;
    this.parts = nodePartsOf(context);
    this.organs = organsOf(context, this.parts);
    this.operations = this.parts.operations;
    this.shell = this.parts.shell;
  }

  /** Resolves when the node has stopped. */
  get ended(): Promise<void> {
    return this.finished.promise;
  }

  /** `false`: an address cannot be listened on, the log says which. */
  async start(): Promise<boolean> {
    for (const organ of this.organs.toReversed()) if (!(await organ.start())) return false;
    this.tellLoaded();
    return true;
  }

  async reload(next: NodeBoot): Promise<readonly string[]> {
    const problems = await this.context.certificates.reload(next);
    if (problems.length > 0) throw new Error(problems.join('\n'));
    if (this.ending) throw new Error('the node is going down');
    const waiting = restartKeys(nodeSchema, this.context.boot, next);
    this.context.log.configure(next.log);
    this.boot = next;
    this.tellLoaded();
    return waiting;
  }

  async drain(): Promise<void> {
    this.note({ note: 'draining', streams: this.connections }, {});
    this.ending = true;
    for (const organ of this.organs) organ.stopListening();
    // First the rooms, then the clients, then the way to the Edges: what each of them says has to leave by the next.
    this.parts.services.close();
    for (const organ of this.organs) {
      await this.idle();
      organ.shutdown();
    }
    await this.connectionsGone();
    // Who has not taken our last words by now never will.
    await this.stop();
  }

  stop(): Promise<void> {
    this.ending = true;
    this.stopped ??= this.stopOnce();
    return this.stopped;
  }

  private async stopOnce(): Promise<void> {
    this.context.certificates.close();
    this.parts.services.stop();
    this.parts.captures.close();
    this.parts.sql.close();
    for (const organ of this.organs) await organ.destroy();
    this.finished.resolve();
  }

  private get connections(): number {
    return this.organs.reduce((sum, organ) => sum + organ.connections, 0);
  }

  private tellLoaded(): void {
    const { path, domain, rooms } = this.boot;
    this.note({ note: 'config-loaded', path, homes: rooms === undefined ? [domain] : [domain, rooms] }, {});
  }

  /** Resolves when nothing is on its way inside, or the time for it is over. */
  private idle(): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, IDLE_MS).unref());
    return Promise.race([this.parts.router.idle(), late]);
  }

  /** Resolves when every connection is gone, or the time for it is over. */
  private async connectionsGone(): Promise<void> {
    const deadline = performance.now() + this.boot.clients.timeouts.close;
    while (this.connections > 0 && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, GONE_LOOK_MS));
  }
}
