import { acceptsHandshake } from '../../src/net/keys/component-keys.ts';
import { AxlDouble, axlRoot, fault, rows, type Say, updated } from './axl-double.ts';
import { PeerServer, type Wire } from './raw-peer.ts';

/** The authority that signs the certificate of a cluster's publisher. */
export const clusterRoot = axlRoot;
export const ROUTER_SECRET = 'the router and the Core share this';

/**
 * What a Core sees of an IM&P cluster: a publisher whose table it changes over AXL, and an XCP Router that takes the components which it has read from the
 * table. Everything is decided by the test.
 */
export class ImpCluster implements AsyncDisposable {
  /** `xmpps2snodes` */
  readonly table = new Set<string>();
  /** What the router has read of it; unless `live`, when it was started last. */
  private known = new Set<string>();
  /** The router takes over every change of the table at once. */
  isLive = true;
  /** Whether the publisher lets anybody in. */
  password = 'hunter2';
  federation: 'on' | 'off' = 'off';
  bounces = 0;
  /** Connected components, by name. */
  readonly components = new Map<string, Wire>();
  private readonly axl: AxlDouble;
  private readonly router: PeerServer;

  static async start(address: string): Promise<ImpCluster> {
    const holder: { cluster?: ImpCluster } = {};
    const axl = await AxlDouble.start((asked) => holder.cluster?.say(asked) ?? 'hang up');
    const router = await PeerServer.listen(address, (wire) => holder.cluster?.accept(wire) ?? Promise.resolve());
    const cluster = new ImpCluster(axl, router);
    holder.cluster = cluster;
    return cluster;
  }

  private constructor(axl: AxlDouble, router: PeerServer) {
    this.axl = axl;
    this.router = router;
  }

  /** `host:port` of the publisher. */
  get publisher(): string {
    return `127.0.0.1:${this.axl.port}`;
  }

  /** The port of the XCP Router. */
  get routerPort(): number {
    return this.router.port;
  }

  /** "Restart the XCP Router": it reads the table, and its components connect anew. */
  restartRouter(): void {
    this.known = new Set(this.table);
    for (const wire of this.components.values()) wire.destroy();
    this.components.clear();
  }

  get restartNeeded(): boolean {
    return !this.isLive && this.known.symmetricDifference(this.table).size > 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.axl[Symbol.asyncDispose]();
    await this.router[Symbol.asyncDispose]();
  }

  private say(asked: Parameters<Parameters<typeof AxlDouble.start>[0]>[0]): Say {
    const { request, headers } = asked;
    if (headers.authorization !== `Basic ${btoa(`axl:${this.password}`)}`) return { status: 401 };
    const [, inserted] = /^insert into xmpps2snodes .*'([^']+)'\)$/.exec(request.sql) ?? [];
    const [, removed] = /^delete from xmpps2snodes where cp_id = '([^']+)'$/.exec(request.sql) ?? [];
    if (request.sql.startsWith('select pkid, cp_id from xmpps2snodes')) {
      return rows(
        asked,
        [...this.table].map((cpId) => [['pkid', ''] as const, ['cp_id', cpId] as const]),
      );
    }
    if (request.sql.includes('routerstatus')) {
      const status = {
        restart_needed: this.restartNeeded ? '1' : '0',
        foreign_bounces: String(this.bounces),
        xmpp_federation: this.federation,
      };
      return rows(
        asked,
        Object.entries(status).map(([name, value]) => [['name', name] as const, ['value', value] as const]),
      );
    }
    if (inserted !== undefined) return updated(asked, this.table.add(inserted).size > 0 ? 1 : 0);
    if (removed !== undefined) return updated(asked, this.table.delete(removed) ? 1 : 0);
    return fault(asked, -201, 'A syntax error has occurred.');
  }

  private async accept(wire: Wire): Promise<void> {
    const header = await wire.expect(/<stream:stream[^>]*>/);
    const name = /to='([^']*)'/.exec(header)?.[1] ?? '';
    wire.send(
      `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='${name}' id='s1'>`,
    );
    const isKnown = this.isLive ? this.table.has(name) : this.known.has(name);
    const handshake = isKnown
      ? /<handshake>([^<]*)</.exec(await wire.expect(/<handshake>[^<]*<\/handshake>/))?.[1]
      : '';
    if (handshake === undefined || !acceptsHandshake('s1', ROUTER_SECRET, handshake)) {
      const condition = isKnown ? 'not-authorized' : 'host-unknown';
      wire.send(
        `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`,
      );
      return;
    }
    wire.send('<handshake/>');
    this.components.set(name, wire);
  }
}
