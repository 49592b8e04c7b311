import { once } from 'node:events';
import { connect } from 'node:net';
import type { Outlet } from '../../src/federation/outlet.ts';
import { OutletTable } from '../../src/federation/outlet-table.ts';
import { PairOutlet } from '../../src/federation/pair-outlet.ts';
import { FederationPolicy, type PolicySource } from '../../src/federation/policy.ts';
import { Router } from '../../src/federation/router.ts';
import type { Dialed, DialFailure } from '../../src/net/dial/dial.ts';
import { DialbackKeys } from '../../src/net/keys/dialback-keys.ts';
import { newConnectionHandle, newStreamId } from '../../src/net/keys/identifiers.ts';
import { StreamListener } from '../../src/net/s2s/listener.ts';
import { S2sOpener } from '../../src/net/s2s/opener.ts';
import { type Domain, parseDomain } from '../../src/protocol/jid/domain.ts';
import type { Note, NoteSubject } from '../../src/protocol/notes.ts';
import { ReceivingStream } from '../../src/protocol/s2s/receiving-stream.ts';
import type { StreamPair } from '../../src/protocol/stream/actions.ts';
import { AUTHENTICATED_LIMITS } from '../../src/protocol/xml/limits.ts';
import { stanzaIn, textOfBytes } from './xml-events.ts';

const TIMEOUTS = { connect: 2_000, header: 5_000, negotiation: 5_000, dialback: 5_000, close: 1_000 };

export function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(`not a domain: ${text}`);
  return parsed;
}

/** Federation with everybody, in plain text and by dialback. */
export function openTo(homes: readonly string[], more: Partial<PolicySource> = {}): PolicySource {
  return {
    homes: homes.map(domain),
    homesOff: new Set(),
    federation: true,
    tls: 'none',
    requireClientCertificates: false,
    authentication: 'either',
    privacy: 'off',
    allow: [],
    deny: [],
    staticRoutes: false,
    routes: [],
    partners: [],
    ...more,
  };
}

/** What a server hands to the users of its domains. */
export interface Received {
  readonly pair: StreamPair;
  readonly xml: string;
}

/**
 * A server of the world: the listener, the opener, the outlets and the router of a box over real sockets, in plain text, with partners
 * in a table instead of DNS.
 */
export class PlainServer implements AsyncDisposable {
  readonly listener: StreamListener;
  readonly opener: S2sOpener;
  readonly outlets: OutletTable;
  readonly router: Router;
  readonly notes: { readonly note: Note; readonly subject: NoteSubject }[] = [];
  readonly received: Received[] = [];
  /** The ports where partners are found. */
  readonly partners = new Map<string, number>();
  policy: FederationPolicy;
  port = 0;

  static async start(source: PolicySource): Promise<PlainServer> {
    const server = new PlainServer(source);
    server.port = await server.listener.listen('127.0.0.1', 0);
    return server;
  }

  private constructor(source: PolicySource) {
    this.policy = new FederationPolicy(source);
    const authority = new DialbackKeys(`the secret of ${source.homes[0] ?? ''}`);
    const noted = (note: Note, subject: NoteSubject): void => void this.notes.push({ note, subject });
    const inside: Outlet = {
      offer: (stanza, pair) => {
        this.received.push({ pair, xml: textOfBytes(stanza.render({ contentNamespace: 'jabber:server' })) });
        return 'taken';
      },
      room: () => Promise.resolve(),
    };
    this.router = new Router({
      policy: () => this.policy,
      notes: noted,
      sides: { towardsHome: () => inside, towardsForeign: (pair) => this.outlets.outletFor(pair) },
    });
    this.opener = new S2sOpener({
      side: 'foreign',
      dial: (target, { signal }) => this.dial(target, signal),
      ruling: (local, remote) => this.policy.ruling(remote, local),
      hasCertificate: () => false,
      peerMustProve: () => false,
      startTls: () => Promise.resolve({ failed: 'there is no TLS here' }),
      authority,
      timeouts: TIMEOUTS,
      limits: AUTHENTICATED_LIMITS,
      notes: noted,
      newHandle: newConnectionHandle,
    });
    this.outlets = new OutletTable(
      (pair) =>
        new PairOutlet(pair, {
          opener: this.opener,
          limits: { stanzas: 1000, bytes: 1_000_000 },
          now: Date.now,
          random: Math.random,
          note: (note) => noted(note, { direction: 'out', local: pair.sender, remote: pair.target }),
          undeliverable: (stanza, of, end) => this.router.undeliverableOutward(stanza, of, end),
        }),
    );
    this.listener = new StreamListener({
      what: 'S2S',
      side: 'foreign',
      limits: { connections: 1000, perAddress: 1000 },
      allows: () => true,
      accept: (deliver) =>
        new ReceivingStream({
          authority,
          timeouts: TIMEOUTS,
          limits: AUTHENTICATED_LIMITS,
          defaultDomain: source.homes[0],
          serves: (name) => this.policy.serves(name),
          isOurs: (name) => this.policy.serves(name),
          ruling: (local, remote) => this.policy.ruling(remote, local),
          newStreamId,
          deliver,
        }),
      deliver: (stanza, pair) => this.router.inward(stanza, pair),
      startTls: () => Promise.resolve({ failed: 'there is no TLS here' }),
      verify: (claim, forConnection, signal) => this.opener.verify(claim, forConnection, signal),
      notes: noted,
      newHandle: newConnectionHandle,
    });
  }

  /** A user of ours writes a message. */
  send(from: string, to: string, id: string | number): void {
    const pair = { sender: domain(from), target: domain(to) };
    void this.router.outward(stanzaIn(`<message from='eva@${from}' to='jan@${to}' id='${id}'/>`), pair);
  }

  /** Another policy is in force, at once. */
  change(source: PolicySource): void {
    this.policy = new FederationPolicy(source);
    this.listener.policyChanged();
    this.outlets.shut(({ sender, target }) => {
      const { admitted, because } = this.policy.ruling(target, sender);
      return admitted ? undefined : { by: 'policy', because };
    });
    this.opener.policyChanged();
    this.outlets.forgetFailures();
  }

  /** The ids of the stanzas that came from one domain to another, in order; errors as `error id`. */
  ids(from: string, to: string): string[] {
    return this.received
      .filter(({ pair }) => pair.sender === from && pair.target === to)
      .map(({ xml }) => `${xml.includes("type='error'") ? 'error ' : ''}${/ id='([^']*)'/.exec(xml)?.[1] ?? ''}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.outlets.shut(() => ({ by: 'close' }));
    this.listener.destroy();
    this.opener.destroy();
    await Promise.resolve();
  }

  private async *dial(target: Domain, signal: AbortSignal): AsyncGenerator<Dialed, DialFailure> {
    signal.throwIfAborted();
    const port = this.partners.get(target);
    if (port === undefined) return { stage: 'no-service', detail: `${target} is not in the table` };
    const socket = connect({ host: '127.0.0.1', port });
    socket.pause();
    await once(socket, 'connect', { signal });
    const endpoint = { host: '127.0.0.1', port, addresses: ['127.0.0.1'], method: 'route', directTls: false } as const;
    yield { socket, address: '127.0.0.1', endpoint };
    return { stage: 'tcp', detail: 'there is one address only' };
  }
}
