import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { printEndpoint } from '../config/address.ts';
import type { Log } from '../diagnostics/log.ts';
import { acceptsHandshake } from '../net/keys/component-keys.ts';
import { AUTHENTICATED_LIMITS } from '../protocol/xml/limits.ts';
import { Accounts, SCRAM_ITERATIONS } from './accounts/accounts.ts';
import { Administrators } from './accounts/administrators.ts';
import { nodeSecret } from './accounts/node-secret.ts';
import { Users } from './accounts/user-operations.ts';
import { AxlServer } from './axl/server.ts';
import { AxlOrgan } from './axl-organ.ts';
import { Captures } from './capture/captures.ts';
import type { NodeCertificates } from './certificates.ts';
import { ClientListeners } from './clients/listeners.ts';
import { SESSION_LIMITS } from './clients/registry.ts';
import type { NodeBoot } from './config/boot.ts';
import type { NodeDatabase } from './database/database.ts';
import { databasePath, enterNode } from './node-database.ts';
import { Operations } from './node-operations.ts';
import { Notifications } from './notifications.ts';
import type { NodeOrgan } from './organ.ts';
import { RouterOrgan } from './router/router-organ.ts';
import { XcpRouter } from './router/xcp-router.ts';
import { S2sNodes } from './s2s-nodes.ts';
import { createServices, type Services } from './services.ts';
import { NodeSettings } from './settings.ts';
import { Shell } from './shell/shell.ts';
import { SqlRunner } from './sql/runner.ts';
import { UserSessions } from './user-sessions.ts';

/** What a node is made of. */
export interface NodeContext {
  readonly boot: NodeBoot;
  readonly log: Pick<Log, 'note' | 'configure'>;
  /** fedway's. */
  readonly version: string;
  readonly certificates: NodeCertificates;
  readonly database: NodeDatabase;
}

/** The parts of a node that have no connections of their own. */
export interface NodeParts {
  readonly accounts: Accounts;
  readonly nodes: S2sNodes;
  readonly router: XcpRouter;
  readonly services: Services;
  readonly sessions: UserSessions;
  readonly operations: Operations;
  readonly sql: SqlRunner;
  readonly captures: Captures;
  readonly shell: Shell;
}

/** Makes the parts of a node and puts them together. */
export function nodePartsOf({ boot, log, version, database }: NodeContext): NodeParts {
  const { domain, rooms, name } = boot;
  const notes = log.note;
  const now = Date.now;
  const settings = new NodeSettings(database);
  const notifications = new Notifications({ notes, now });
  const nodes = new S2sNodes({ database, notes });
  const accounts = new Accounts({ database, now });
  const router = new XcpRouter({
    database,
    nodes,
    notifications,
    changes: boot.router.changes,
    federation: () => settings.federation,
    bounds: {
      stanza: boot.clients.limits.stanza,
      stanzas: boot.router.queueStanzas,
      bytes: boot.router.queueBytes,
    },
    notes,
    now,
    later: (work) => setImmediate(work),
    after: (milliseconds, work) => setTimeout(work, milliseconds).unref(),
    accepts: (streamId, handshake) => acceptsHandshake(streamId, boot.router.secret?.reveal() ?? '', handshake),
  });
  const services = createServices({ boot, database, accounts, router, notes, version, now });
  const sessions = new UserSessions({
    owner: services.messaging,
    mayLogIn: (user) => accounts.find(user)?.active === true,
  });
  const users = new Users({
    domain,
    accounts,
    belongings: {
      sessionsOf: (user) => sessions.of(user),
      endSessions: (user, text) => sessions.endAll(user, text),
      forget: services.forget,
    },
    notes,
  });
  const operations = new Operations({
    name,
    version,
    since: now(),
    domain,
    rooms,
    accounts,
    users,
    administrators: new Administrators({ database, notes, now }),
    router,
    notifications,
    settings,
    notes,
    sessions: () => sessions.count,
  });
  enterNode(database, { name, domain, version }, randomUUID);
  const sql = new SqlRunner({ path: databasePath(boot.data), notes });
  const captures = new Captures({
    folder: join(boot.data, 'captures'),
    notes,
    addresses: () => listenersOf(boot).map(({ host }) => host),
  });
  const shell = new Shell({
    operations,
    sql,
    tableChanged: () => nodes.reread(),
    captures,
    listeners: () => listenersOf(boot),
    notes,
    clock: now,
  });
  return { accounts, nodes, router, services, sessions, operations, sql, captures, shell };
}

/** The parts of a node that have connections, whoever ends first before the others. */
export function organsOf(context: NodeContext, parts: NodeParts): readonly NodeOrgan[] {
  const { boot, log, version, certificates, database } = context;
  const notes = log.note;
  const { operations, sql, nodes, captures } = parts;
  const tap = captures.tap;
  const axl = new AxlServer({
    operations,
    sql,
    tableChanged: () => nodes.reread(),
    node: { name: boot.name, version },
    tls: () => certificates.credentials.contextFor(boot.domain),
    tap,
    limits: { requestsPerMinute: boot.axl.requestsPerMinute },
    notes,
  });
  const { timeouts, limits } = boot.clients;
  const clients = new ClientListeners({
    domain: boot.domain,
    listen: boot.clients.listen,
    tlsListen: boot.clients.tlsListen,
    websocketListen: boot.clients.websocketListen,
    credentials: parts.accounts,
    owner: parts.sessions,
    load: parts.router,
    certificates: certificates.credentials,
    decoys: { secret: nodeSecret(database, 'keys of nobody'), iterations: SCRAM_ITERATIONS },
    limits: {
      connections: limits.connections,
      perAddress: limits.connectionsPerAddress,
      sessions: {
        ...SESSION_LIMITS,
        resources: limits.sessionsPerUser,
        kept: { stanzas: limits.queueStanzas, bytes: limits.queueBytes },
        hold: { usual: timeouts.resume, longest: timeouts.resumeMost },
      },
      xml: { ...AUTHENTICATED_LIMITS, element: limits.stanza },
    },
    timeouts,
    notes,
    tap,
  });
  return [new AxlOrgan(boot, axl, notes), clients, new RouterOrgan(boot, parts.router, notes, tap)];
}

/** What a node listens for, and where: `host` without brackets, `address` as `host:port`. */
function listenersOf({
  clients,
  axl,
  router,
}: NodeBoot): readonly { readonly what: string; readonly host: string; readonly address: string }[] {
  const listeners = [
    ['XMPP clients', clients.listen],
    ['XMPP clients, direct TLS', clients.tlsListen],
    ['XMPP clients, WebSocket', clients.websocketListen],
    ['AXL', axl.listen],
    ['XCP Router', router.listen],
  ] as const;
  return listeners.flatMap(([what, endpoints]) =>
    endpoints.map((endpoint) => ({ what, host: endpoint.host, address: printEndpoint(endpoint) })),
  );
}
