import type {
  Alarm,
  BoxChangeOutcome,
  BoxOperations,
  BoxStatus,
  ConfigEntry,
  ConfigOperations,
  LinkOperations,
  LinkStatus,
  PublisherFacts,
  PublisherOperations,
  StatusReach,
  StreamStatus,
} from '../../src/box/operations.ts';
import type { ChangeRequest } from '../../src/clusterdb/types.ts';

/** 2026-10-01T12:00:00Z. */
export const NOON = Date.UTC(2026, 9, 1, 12);
const MINUTE = 60_000;

/** Operations that answer what they are given, and keep what was asked. */
export class KeptOperations implements BoxOperations {
  readonly asked: unknown[] = [];
  now: BoxStatus = edge();
  open: readonly StreamStatus[] = [stream()];
  entries: readonly ConfigEntry[] = [];
  changes: Awaited<ReturnType<ConfigOperations['log']>> = [];
  links: readonly LinkStatus[] = [link()];
  /** `undefined`: whatever is asked for is done, on `edge-1`. */
  outcomes: readonly BoxChangeOutcome[] | undefined;
  closing = { closed: true, detail: 'Closed 0a1b2c3d4 on edge-1.' };
  inviting: Awaited<ReturnType<LinkOperations['invite']>> = { token: 'fedway-link-1.eyJhIjpbImVkZ2U' };
  joining: Awaited<ReturnType<LinkOperations['join']>> = { edge: 'edge-1' };
  revoking: Awaited<ReturnType<LinkOperations['revoke']>> = { revoked: 'core-1' };

  config: ConfigOperations | undefined = {
    list: () => this.#keep(['config list'], this.entries),
    change: (request, edge) => this.#keep(['config change', request, edge], this.outcomes ?? [done(request)]),
    log: (limit) => this.#keep(['config log', limit], this.changes),
  };

  link: LinkOperations | undefined = {
    list: () => this.#keep(['link list'], this.links),
    invite: (options) => this.#keep(['link invite', options], this.inviting),
    join: (token) => this.#keep(['link join', token], this.joining),
    revoke: (name) => this.#keep(['link revoke', name], this.revoking),
  };

  shown: readonly PublisherFacts[] = [publisher()];
  /** `undefined`: the publishers as they are, all of them or the one that is asked for. */
  refreshing: Awaited<ReturnType<PublisherOperations['refresh']>> | undefined;

  publishers: PublisherOperations | undefined = {
    list: () => this.#keep(['publisher list'], this.shown),
    refresh: (name) => {
      const refreshed = this.shown.filter((each) => name === undefined || each.name === name);
      return this.#keep(['publisher refresh', name], this.refreshing ?? { refreshed });
    },
  };

  status(reach?: StatusReach): Promise<BoxStatus> {
    return this.#keep(['status', reach], this.now);
  }

  streams(): Promise<readonly StreamStatus[]> {
    return this.#keep(['streams'], this.open);
  }

  closeStream(connection: string, reason: string): Promise<{ closed: boolean; detail: string }> {
    return this.#keep(['close stream', connection, reason], this.closing);
  }

  async #keep<T>(asked: unknown, answer: T): Promise<T> {
    this.asked.push(asked);
    return answer;
  }
}

function done({ steps, author, reason }: ChangeRequest): BoxChangeOutcome {
  const change = { origin: '5eed', revision: 9, time: NOON, author, reason, steps };
  return { box: 'edge-1', outcome: 'changed', change };
}

/** A Link that is well, as an Edge sees it. */
export function link(more: Partial<LinkStatus> = {}): LinkStatus {
  return {
    name: 'core-1',
    role: 'core',
    state: 'up',
    since: NOON - 90 * MINUTE,
    because: undefined,
    peer: '10.0.0.7:51234',
    tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
    certificateUntil: NOON + 60 * 1440 * MINUTE,
    homes: ['coluc.com', 'chat.coluc.com'],
    queued: { stanzas: 0, bytes: 0 },
    resumed: 2,
    stanzasIn: 1200,
    stanzasOut: 3400,
    replication: { theirs: 3, held: 3 },
    ...more,
  };
}

/** An IM&P publisher that is well. */
export function publisher(more: Partial<PublisherFacts> = {}): PublisherFacts {
  return {
    name: 'cups',
    address: 'cups.coluc.com:8443',
    user: 'axl',
    state: 'ok',
    missing: [],
    version: '14.0',
    lastSuccess: NOON - 90_000,
    lastAttempt: NOON - 90_000,
    nextAttempt: NOON + 8.5 * MINUTE,
    failure: undefined,
    rows: [
      { cpId: 'cm-2_s2scp-1.edge-1-coluc-com', ours: true, wanted: true, present: true },
      { cpId: 'cm-2_s2scp-1.old-coluc-com', ours: false, wanted: false, present: true },
    ],
    router: undefined,
    ...more,
  };
}

/** An alarm as a Core raises it. */
export function alarm(more: Partial<Alarm> = {}): Alarm {
  return {
    id: 25023,
    title: 'XMPP Federation configuration warning',
    about: 'cups',
    what: 'The IM&P publisher cups could not be told the Edges',
    detail: 'cups does not accept the AXL user axl with this password (HTTP 401).',
    cause: 'The user name or the password is wrong, or the account is locked.',
    cure: 'If the account is locked, unlock it on the server. Set the password of the publisher anew, then refresh the publisher (fedway config set publishers.cups.password -, then fedway publisher refresh cups).',
    since: NOON - 5 * MINUTE,
    ...more,
  };
}

/** An Edge that is well. */
export function edge(more: Partial<BoxStatus> = {}): BoxStatus {
  return {
    name: 'edge-1',
    role: 'edge',
    version: '0.3.0',
    since: NOON - 3 * 1440 * MINUTE - 240 * MINUTE,
    alarms: [],
    publishers: [],
    federation: { on: true, detail: 'federation is on' },
    homes: [
      { domain: 'coluc.com', federation: true, via: 'the Link to core-1' },
      { domain: 'chat.coluc.com', federation: false, via: 'the Link to core-1' },
    ],
    links: [link()],
    pairs: [
      { side: 'foreign', sender: 'coluc.com', target: 'vngtp.lab', state: 'send', queued: 0 },
      { side: 'foreign', sender: 'coluc.com', target: 'a.lab', state: 'queue', queued: 3 },
    ],
    counters: { inward: 1200, outward: 3400, bounced: 1, dropped: 0 },
    streams: 2,
    others: [],
    ...more,
  };
}

/** A stream that is well. */
export function stream(more: Partial<StreamStatus> = {}): StreamStatus {
  return {
    box: 'edge-1',
    connection: '0a1b2c3d4',
    direction: 'out',
    side: 'foreign',
    local: 'coluc.com',
    remote: 'vngtp.lab',
    peer: '192.0.2.20:5269',
    state: 'connected',
    since: NOON - 10 * MINUTE,
    lastStanza: NOON - 5_000,
    tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
    certificate: 'It proves vngtp.lab.',
    authorized: [{ sender: 'coluc.com', target: 'vngtp.lab', by: 'dialback' }],
    stanzasIn: 0,
    stanzasOut: 42,
    bytesIn: 1300,
    bytesOut: 9876,
    ...more,
  };
}
