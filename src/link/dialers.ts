import path from 'node:path';
import { periodOf } from './certificates.ts';
import type { Resolve } from './dial.ts';
import { BACK_OFF, type BackOff, EdgeDialer } from './edge-dialer.ts';
import { Edges, type PairedEdge } from './edges.ts';
import type { BoxIdentity } from './identity.ts';
import { joinEdge } from './join.ts';
import { ownIdentity } from './own-identity.ts';
import { storageFault } from './storage.ts';
import { readToken } from './token.ts';
import type { LinkContext, LinkPeer } from './types.ts';

const EDGES_FILE = 'edges.json';
/** How often it is looked whether a certificate is due: by comparing with the clock, which may jump. */
const CHECK_MS = 60_000;

export interface LinkDialersOptions {
  /** Of the Link alone; made if it is not there. */
  readonly folder: string;
  /** Of this box, as its administrator calls it. */
  readonly name: string;
  readonly resolve: Resolve;
  /** Local addresses that connections leave from, at most one per family. */
  readonly dialFrom?: readonly string[];
  readonly context: LinkContext;
  /** Unix milliseconds. */
  readonly now?: () => number;
  readonly backOff?: BackOff;
}

/** What the folder of the Link holds. */
interface Opened {
  readonly self: BoxIdentity;
  readonly edges: Edges;
}

/** The Core's ends of its Links: pairing, and one dialer for each Edge. */
export class LinkDialers {
  private readonly options: LinkDialersOptions & { readonly now: () => number };
  private readonly opened: Opened | { readonly problem: string };
  private readonly dialers = new Map<string, EdgeDialer>();
  /** Forgotten Edges whose last connection is still there. */
  private readonly leaving = new Set<EdgeDialer>();
  private readonly stopping = new AbortController();
  private isRunning = false;
  private checks: NodeJS.Timeout | undefined;

  /** Reads the pairings; that they cannot be read is told by `start`. */
  constructor(options: LinkDialersOptions) {
    this.options = { now: Date.now, ...options };
    this.opened = open(options.folder, options.name);
    if ('edges' in this.opened) for (const edge of this.opened.edges.all) this.add(edge, this.opened);
  }

  /** The Edges this Core is paired with. */
  peers(): readonly LinkPeer[] {
    return [...this.dialers.values()].map(({ peer }) => peer);
  }

  /** Begins to dial once `first` has come about. `false`: the pairings cannot be used; the log says why. */
  start(first: Promise<void> = Promise.resolve()): Promise<boolean> {
    if ('problem' in this.opened) {
      this.options.context.notes({ note: 'link-storage', detail: this.opened.problem }, {});
      return Promise.resolve(false);
    }
    this.isRunning = true;
    const waiting = [...this.dialers.values()];
    void first.then(() => {
      for (const dialer of waiting) void dialer.run();
      return undefined;
    });
    this.checks = setInterval(() => this.checkCertificates(), CHECK_MS);
    return Promise.resolve(true);
  }

  /** Pairs with the Edge that made the token. What is refused is a sentence, with the cure. */
  async join(token: string): Promise<{ readonly edge: string } | { readonly refused: string }> {
    const { opened, options } = this;
    if ('problem' in opened) return { refused: `The Links cannot work: ${opened.problem}.` };
    const invitation = readToken(token);
    if ('refused' in invitation) return invitation;
    const { edge } = invitation;
    const namesake = opened.edges.byName(edge.name);
    if (namesake !== undefined && namesake.id !== edge.id)
      return {
        refused: `Another Edge is called ${edge.name} here already. Forget it first (fedway link revoke ${edge.name}), or give one of the two another name.`,
      };
    const { context, resolve, now, dialFrom = [] } = options;
    try {
      const paired = await joinEdge(invitation, {
        self: opened.self,
        resolve,
        dialFrom,
        connectTimeout: context.timing.connect,
        handshakeTimeout: context.timing.handshake,
        signal: this.stopping.signal,
        now,
      });
      return 'refused' in paired ? paired : this.paired(paired, opened);
    } catch (error) {
      if (this.stopping.signal.aborted) return { refused: 'This box is stopping.' };
      throw error;
    }
  }

  /** Forgets an Edge, and tells it so if it can be told. */
  revoke(name: string): Promise<{ readonly revoked: string } | { readonly refused: string }> {
    const { opened } = this;
    const edge = 'edges' in opened ? opened.edges.byName(name) : undefined;
    if ('problem' in opened || edge === undefined)
      return Promise.resolve({ refused: `There is no Link with an Edge called ${name}. See: fedway link list.` });
    try {
      opened.edges.remove(edge.id);
    } catch (error) {
      return Promise.resolve({ refused: `Nothing was changed: ${storageFault('the pairings', this.file, error)}.` });
    }
    const dialer = this.dialers.get(edge.id);
    this.dialers.delete(edge.id);
    if (dialer !== undefined) {
      dialer.stop();
      dialer.peer.revoke('us');
      this.leaving.add(dialer);
      this.options.context.gone(dialer.peer);
      void dialer.peer.gone().then(() => this.leaving.delete(dialer));
    }
    return Promise.resolve({ revoked: name });
  }

  /** Asks every Edge that is connected for a new certificate, where one is due. Also called now and then by itself. */
  checkCertificates(): void {
    for (const dialer of this.dialers.values()) dialer.check();
  }

  /** Connections that exist now. */
  get connections(): number {
    return [...this.dialers.values(), ...this.leaving].reduce((sum, { peer }) => sum + peer.connections, 0);
  }

  /** Says goodbye to every Edge, and dials no more. */
  shutdown(): void {
    this.stop();
    for (const { peer } of this.dialers.values()) void peer.goodbye();
  }

  /** Ends everything now. */
  destroy(): void {
    this.stop();
    for (const { peer } of [...this.dialers.values(), ...this.leaving]) peer.destroy();
  }

  private get file(): string {
    return path.join(this.options.folder, EDGES_FILE);
  }

  private stop(): void {
    this.isRunning = false;
    clearInterval(this.checks);
    this.stopping.abort();
    for (const dialer of this.dialers.values()) dialer.stop();
  }

  private paired(edge: PairedEdge, opened: Opened): { readonly edge: string } | { readonly refused: string } {
    try {
      opened.edges.set(edge);
    } catch (error) {
      return {
        refused: `The Edge has accepted, and the pairing cannot be kept: ${storageFault('the pairings', this.file, error)}. Ask for a new invitation then.`,
      };
    }
    const certificateUntil = periodOf(edge.chain).notAfter;
    this.options.context.notes({ note: 'link-joined', box: edge.name, certificateUntil }, { remote: edge.name });
    const known = this.dialers.get(edge.id);
    if (known !== undefined) known.renewed();
    else {
      const dialer = this.add(edge, opened);
      if (this.isRunning) void dialer.run();
    }
    return { edge: edge.name };
  }

  private add(edge: PairedEdge, { self, edges }: Opened): EdgeDialer {
    const { context, resolve, dialFrom = [], now, backOff = BACK_OFF } = this.options;
    const dialer = new EdgeDialer(edge, { self, edges, resolve, dialFrom, now, backOff, context });
    this.dialers.set(edge.id, dialer);
    return dialer;
  }
}

function open(folder: string, name: string): Opened | { readonly problem: string } {
  const self = ownIdentity(folder, name);
  if ('problem' in self) return self;
  const edges = Edges.open(path.join(folder, EDGES_FILE));
  return 'problem' in edges ? edges : { self, edges };
}
