import { type Endpoint, printEndpoint } from '../../config/address.ts';
import { type Draft, present } from '../../config/checks/draft.ts';
import { checkSocketPath } from '../../config/checks/link.ts';
import { checkCollisions, isEvery, type Listener } from '../../config/checks/listeners.ts';
import { checkLog } from '../../config/checks/log.ts';
import { quote } from '../../config/problem.ts';
import type { Reading } from '../../config/schema/place.ts';
import type { NodeFile } from './boot-schema.ts';
import { nodeSocketIn } from './socket-path.ts';

/** Everything that takes more than one key to see. What was refused already is passed over. */
export function checkNode(file: Draft<NodeFile>, reading: Reading): void {
  checkLog(file, reading);
  checkCollisions(listenersOf(file), reading);
  checkRooms(file, reading);
  checkRouter(file, reading);
  checkClients(file, reading);
  checkOffline(file, reading);
  checkSocket(file, reading);
}

function listenersOf({ clients, axl, router }: Draft<NodeFile>): readonly Listener[] {
  return [
    ...present('clients.listen', clients?.listen),
    ...present('clients.tls_listen', clients?.tlsListen),
    ...present('clients.websocket_listen', clients?.websocketListen),
    ...present('axl.listen', axl?.listen),
    ...present('router.listen', router?.listen),
  ];
}

/** An address of a room and that of a user would be one and the same. */
function checkRooms({ domain, rooms }: Draft<NodeFile>, reading: Reading): void {
  if (rooms === undefined || rooms !== domain) return;
  reading.error(
    'rooms',
    `${quote(rooms)} is the domain of the users`,
    `Give the rooms a domain of their own: "rooms: chat.${domain}".`,
  );
}

function checkRouter({ router }: Draft<NodeFile>, reading: Reading): void {
  if (router === undefined) return;
  const listens = (router.listen?.length ?? 0) > 0;
  if (listens && !reading.isWritten('router.secret')) {
    reading.error(
      'router.secret',
      'is missing: whoever reaches router.listen could speak for every foreign domain',
      'Write "secret: { file: router.secret }", and the same secret on the Core. Make one with: openssl rand -hex 32',
    );
  }
  for (const { key, value } of present('router.listen', router.listen)) warnIfOpen(key, value, reading);
}

function warnIfOpen(key: string, value: Endpoint, reading: Reading): void {
  if (!isEvery(value.host)) return;
  reading.warn(
    key,
    `${quote(printEndpoint(value))} is every address, and what travels there is not encrypted`,
    'Listen on the address only that the Core connects to.',
  );
}

function checkClients({ clients }: Draft<NodeFile>, reading: Reading): void {
  if (clients === undefined) return;
  const { listen, tlsListen, websocketListen, limits, timeouts } = clients;
  const listeners = [listen, tlsListen, websocketListen];
  if (listeners.every((each) => each?.length === 0))
    reading.warn('clients', 'no client can connect', 'Write "listen: ["10.0.0.20:5222"]".');
  if (limits?.connections !== undefined && (limits.connectionsPerAddress ?? 0) > limits.connections) {
    reading.warn(
      'clients.limits.connections_per_address',
      `has no effect: there are never more than ${limits.connections} connections (clients.limits.connections)`,
      'Make it smaller, so that one address cannot take every connection.',
    );
  }
  if (limits?.stanza !== undefined && limits.queueBytes !== undefined && limits.queueBytes < limits.stanza) {
    reading.warn(
      'clients.limits.queue_bytes',
      `is less than one stanza may have (clients.limits.stanza, ${limits.stanza} bytes)`,
      'Make it at least as large.',
    );
  }
  if (timeouts?.resume !== undefined && timeouts.resumeMost !== undefined && timeouts.resume > timeouts.resumeMost) {
    reading.error(
      'clients.timeouts.resume',
      'is longer than clients.timeouts.resume_most',
      'Make resume_most at least as long.',
    );
  }
}

/** See `offlineBounds`. */
function checkOffline({ offline, clients }: Draft<NodeFile>, reading: Reading): void {
  const most = Math.floor((clients?.limits?.queueStanzas ?? Number.POSITIVE_INFINITY) / 2);
  if ((offline?.messages ?? 0) <= most) return;
  reading.warn(
    'offline.messages',
    `has no effect beyond ${most}: a client is given all of them at once, and its session holds ${most * 2} stanzas (clients.limits.queue_stanzas)`,
    'Make it smaller, or queue_stanzas larger.',
  );
}

function checkSocket({ data, adminSocket }: Draft<NodeFile>, reading: Reading): void {
  const path = adminSocket ?? (data === undefined ? undefined : nodeSocketIn(data));
  if (path !== undefined) checkSocketPath(path, adminSocket === undefined ? 'data' : 'admin_socket', reading);
}
