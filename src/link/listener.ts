import path from 'node:path';
import { hostPort } from '../net/dns/records.ts';
import { faultInWords, socketErrorInWords } from '../net/s2s/in-words.ts';
import { Admission } from './admission.ts';
import { LinkAuthority } from './authority.ts';
import { CoreAcceptor } from './core-acceptor.ts';
import { Cores, type PairedCore } from './cores.ts';
import { Doorway, type DoorwayLimits } from './doorway.ts';
import { Gate } from './gate.ts';
import type { BoxIdentity } from './identity.ts';
import { ownIdentity } from './own-identity.ts';
import { storageFault } from './storage.ts';
import { type LinkAddress, readAddress, writeAddress, writeToken } from './token.ts';
import type { LinkContext, LinkPeer } from './types.ts';

const CORES_FILE = 'cores.json';
const LIMITS: DoorwayLimits = { strangers: 128, perAddress: 16 };
/** How often it is looked whether a certificate is due: by comparing with the clock, which may jump. */
const CHECK_MS = 60_000;

export interface LinkListenerOptions {
  /** Of the Link alone; made if it is not there. */
  readonly folder: string;
  /** Of this box, as its administrator calls it. */
  readonly name: string;
  readonly context: LinkContext;
  /** Unix milliseconds. */
  readonly now?: () => number;
  readonly limits?: DoorwayLimits;
}

/** What an invitation is to say. */
export interface InviteOptions {
  /** How the Core will be called here. */
  readonly name: string;
  /** Homes that it may announce; none: all. */
  readonly domains: readonly string[];
  readonly validForMs: number;
  /** Where the Core dials; several in one text are separated by commas. */
  readonly address: string | LinkAddress | undefined;
}

interface Opened {
  readonly self: BoxIdentity;
  readonly cores: Cores;
}

/** The part that is there once the Edge listens. */
interface Running {
  readonly authority: LinkAuthority;
  readonly gate: Gate;
}

/** The Edge's end of its Links: pairing, and one acceptor for each Core. */
export class LinkListener {
  private readonly options: LinkListenerOptions & { readonly now: () => number };
  private readonly opened: Opened | { readonly problem: string };
  private readonly doorway: Doorway;
  private readonly acceptors = new Map<string, CoreAcceptor>();
  /** Cores whose pairing has ended and whose last connection is still there. */
  private readonly leaving = new Set<CoreAcceptor>();
  private running: Running | undefined;
  private checks: NodeJS.Timeout | undefined;

  /** Reads the pairings; that they cannot be read is told by `start`. */
  constructor(options: LinkListenerOptions) {
    this.options = { now: Date.now, ...options };
    this.opened = open(options.folder, options.name);
    this.doorway = new Doorway({
      limits: options.limits ?? LIMITS,
      notes: options.context.notes,
      arrived: (socket, from, leave) => {
        if (this.running === undefined) socket.destroy();
        else void this.running.gate.arrived(socket, from, leave);
      },
    });
    if ('cores' in this.opened) for (const core of this.opened.cores.all) this.add(core, this.opened);
  }

  /** The Cores that are paired with this Edge. */
  peers(): readonly LinkPeer[] {
    return [...this.acceptors.values()].map(({ peer }) => peer);
  }

  /** Makes what is not there yet, and listens. `false`: that is not possible; the log says why. */
  async start(places: readonly LinkAddress[]): Promise<boolean> {
    if (!(await this.open())) return false;
    for (const { host, port } of places) {
      try {
        await this.listen(host, port);
      } catch (error) {
        const detail = error instanceof Error ? socketErrorInWords(error) : String(error);
        this.options.context.notes({ note: 'listen-failed', what: 'Link', address: hostPort(host, port), detail }, {});
        return false;
      }
    }
    return true;
  }

  /** Reads or makes the authority and the certificate. `false`: the log says why not. */
  async open(): Promise<boolean> {
    const { opened } = this;
    const { folder, context, now } = this.options;
    const authority = 'problem' in opened ? opened : await LinkAuthority.open(folder, opened.self, now());
    if ('problem' in opened || 'problem' in authority) {
      const detail = 'problem' in authority ? authority.problem : '';
      context.notes({ note: 'link-storage', detail }, {});
      return false;
    }
    const { self, cores } = opened;
    const { notes } = context;
    const admission = new Admission({
      edge: self,
      authority,
      cores,
      now,
      timeout: () => context.timing.handshake,
      joined: (core) => this.joined(core, opened),
      notes,
    });
    const gate = new Gate({
      self,
      authority,
      cores,
      admission,
      context,
      now,
      proven: (core) => {
        const acceptor = this.acceptors.get(core.id);
        if (acceptor === undefined) core.secured.socket.destroy();
        else void acceptor.connect(core.secured, core.peer, core.key, core.until);
      },
    });
    this.running = { authority, gate };
    this.checks = setInterval(() => void this.checkCertificates(), CHECK_MS);
    return true;
  }

  /** Listens on one address more. Returns the port. */
  listen(host: string, port: number): Promise<number> {
    return this.doorway.listen(host, port);
  }

  /** Accepts nobody any more. */
  stopListening(): void {
    this.doorway.close();
  }

  /** Makes a token with which one Core can pair with this Edge, once. */
  invite(options: InviteOptions): Promise<{ readonly token: string } | { readonly refused: string }> {
    return Promise.resolve(this.invited(options));
  }

  /** Ends a pairing: the key of the Core counts no more, its connection ends, and what waits for it is returned. */
  revoke(name: string): Promise<{ readonly revoked: string } | { readonly refused: string }> {
    return Promise.resolve(this.revoked(name));
  }

  /** Renews the certificate of this Edge, if it is due. Also called now and then by itself. */
  async checkCertificates(): Promise<void> {
    const { running, opened } = this;
    if (running === undefined || 'problem' in opened) return;
    const { context, now } = this.options;
    const { authority, gate } = running;
    const box = opened.self.name;
    try {
      const renewal = await authority.renewIfDue(now());
      if (renewal === undefined) return;
      const until = authority.serverPeriod.notAfter;
      if (renewal === 'renewed') {
        gate.certificateChanged();
        context.notes({ note: 'link-certificate-renewed', box, until }, {});
      } else context.notes({ note: 'link-certificate-not-renewed', box, detail: renewal.problem, until }, {});
    } catch (error) {
      context.notes({ note: 'bug', where: 'link', detail: faultInWords(error) }, {});
    }
  }

  /** Connections that exist now, whoever is at the other end. */
  get connections(): number {
    return this.doorway.connections;
  }

  /** Says goodbye to every Core. */
  shutdown(): void {
    clearInterval(this.checks);
    for (const { peer } of this.acceptors.values()) void peer.goodbye();
  }

  /** Ends everything now. */
  destroy(): void {
    clearInterval(this.checks);
    this.running?.gate.destroy();
    for (const { peer } of [...this.acceptors.values(), ...this.leaving]) peer.destroy();
    this.doorway.destroy();
  }

  private invited({ name, domains, validForMs, address }: InviteOptions) {
    const { opened, running } = this;
    const { context, now } = this.options;
    if ('problem' in opened || running === undefined) return { refused: 'The Links do not work; see the log.' };
    const addresses = addressesIn(address);
    if ('refused' in addresses) return addresses;
    try {
      const made = opened.cores.invite({ name, domains, validForMs }, now());
      if ('refused' in made) return made;
      const { secret, expires } = made;
      context.notes({ note: 'link-invited', box: name, domains, until: expires }, { remote: name });
      return { token: writeToken({ addresses, pin: running.authority.pin, edge: opened.self, secret, expires }) };
    } catch (error) {
      return { refused: `Nothing was changed: ${storageFault('the pairings', this.file, error)}.` };
    }
  }

  private revoked(name: string): { readonly revoked: string } | { readonly refused: string } {
    const { opened } = this;
    const core = 'cores' in opened ? opened.cores.byName(name) : undefined;
    const acceptor = core === undefined ? undefined : this.acceptors.get(core.id);
    if ('problem' in opened || acceptor === undefined)
      return { refused: `There is no Core called ${name}. See: fedway link list.` };
    try {
      opened.cores.remove(acceptor.id);
    } catch (error) {
      return { refused: `Nothing was changed: ${storageFault('the pairings', this.file, error)}.` };
    }
    this.end(acceptor, 'us');
    return { revoked: name };
  }

  private get file(): string {
    return path.join(this.options.folder, CORES_FILE);
  }

  /** A Core has forgotten us. */
  private left(acceptor: CoreAcceptor, { cores }: Opened): void {
    try {
      cores.remove(acceptor.id);
    } catch (error) {
      // Its key would count again after a restart, and nobody has it any more.
      this.options.context.notes({ note: 'link-storage', detail: storageFault('the pairings', this.file, error) }, {});
    }
    this.end(acceptor, 'them');
  }

  private end(acceptor: CoreAcceptor, by: 'us' | 'them'): void {
    this.acceptors.delete(acceptor.id);
    this.leaving.add(acceptor);
    acceptor.peer.revoke(by);
    this.options.context.gone(acceptor.peer);
    void acceptor.peer.gone().then(() => this.leaving.delete(acceptor));
  }

  private joined(core: PairedCore, opened: Opened): void {
    const known = this.acceptors.get(core.id);
    // A connection that it has still stays until the Core comes with its new key: the former one counts no more.
    if (known === undefined) this.add(core, opened);
    else known.rejoined(core);
  }

  private add(core: PairedCore, opened: Opened): void {
    const { context, now } = this.options;
    this.acceptors.set(
      core.id,
      new CoreAcceptor(core, {
        self: opened.self,
        authority: () => this.running?.authority,
        cores: opened.cores,
        context,
        now,
        left: (acceptor) => this.left(acceptor, opened),
      }),
    );
  }
}

function open(folder: string, name: string): Opened | { readonly problem: string } {
  const self = ownIdentity(folder, name);
  if ('problem' in self) return self;
  const cores = Cores.open(path.join(folder, CORES_FILE));
  return 'problem' in cores ? cores : { self, cores };
}

function addressesIn(address: string | LinkAddress | undefined): readonly LinkAddress[] | { readonly refused: string } {
  if (address === undefined)
    return {
      refused:
        'It is not known where the Core finds this Edge: give the address with the invitation (--address host:port), or set link.address in the boot file.',
    };
  const texts = typeof address === 'string' ? address.split(',').map((each) => each.trim()) : [writeAddress(address)];
  const addresses = texts.map(readAddress);
  if (addresses.every((each) => each !== undefined) && addresses.length <= 8) return addresses;
  return { refused: `"${texts.join(', ')}" is no address: write host:port, an IPv6 address in brackets.` };
}
