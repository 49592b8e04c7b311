import { boxNameKind, log } from '../../config/boot-schema.ts';
import { file, folder, path, secret } from '../../config/schema/file-kinds.ts';
import { type Kind, mapped, optional, otherwise, required, standard } from '../../config/schema/kind.ts';
import { choice, count, domain, duration, endpoint, size, word } from '../../config/schema/scalar-kinds.ts';
import { list, section } from '../../config/schema/section.ts';
import { LARGEST_STANZA } from '../../protocol/xml/limits.ts';
import type { NodeBoot } from './boot.ts';

/** What the text of the boot file says; the rest of a `NodeBoot` follows from it and from the machine. */
export type NodeFile = Omit<NodeBoot, 'path' | 'name' | 'adminSocket' | 'archive'> & {
  readonly name: string | undefined;
  readonly adminSocket: string | undefined;
  readonly archive: Omit<NodeBoot['archive'], 'keep'> & { readonly keep: Age };
};

/** How long something is kept, which is longer than any duration that a timer takes. */
export interface Age {
  /** `undefined`: for ever. */
  readonly milliseconds: number | undefined;
}

const XMPP_CLIENT = 5222;
const XMPP_CLIENT_TLS = 5223;
const WEBSOCKET = 5443;
const AXL = 8443;
const XCP_ROUTER = 7400;

const DAY_MS = 86_400_000;
const DAYS = { d: 1, y: 365 } as const;
const AGE = word('age', '"90d", "1y" or the like, or "forever"', /^(?:[1-9]\d{0,4} ?[dy]|forever)$/);

const age: Kind<Age> = mapped(AGE, (written): Age => {
  if (written === 'forever') return Object.freeze({ milliseconds: undefined });
  const unit = written.endsWith('y') ? 'y' : 'd';
  return Object.freeze({ milliseconds: Number.parseInt(written, 10) * DAYS[unit] * DAY_MS });
});

const clientTimeouts = section({
  tls: standard(duration(), '15s', 'One TLS handshake.'),
  header: standard(duration(), '20s', 'From TCP accept to the complete stream header.'),
  negotiation: standard(duration(), '60s', 'From the stream header to a session with a resource.'),
  quiet: standard(
    duration(),
    '5m',
    'Silence after which a client with stream management (XEP-0198) is asked whether it is still there.',
  ),
  answer: standard(duration(), '30s', 'How long the answer to that may take; then the connection is given up.'),
  resume: standard(
    duration(),
    '2m',
    'How long a session without a connection is kept for its client to come back (XEP-0198), when the client does not say.',
  ),
  resume_most: standard(duration(), '10m', 'The longest that a client may ask for.'),
  close: standard(
    duration(),
    '5s',
    'From our `</stream:stream>` to theirs; also the longest that ending the node takes.',
  ),
});

const clientLimits = section({
  stanza: standard(
    size(10_000, LARGEST_STANZA, 'RFC 6120 §13.12 does not permit less'),
    '256KiB',
    'Bytes of one stanza after authentication; at least 10000. Nothing larger goes to an Edge either: it must not be more than `s2s.limits.stanza` of the Core.',
  ),
  connections: standard(count(1, 1_000_000), 10_000, 'Connections of clients at a time.'),
  connections_per_address: standard(count(1, 1_000_000), 64, 'Connections from one address at a time.'),
  sessions_per_user: standard(count(1, 1000), 10, 'Sessions of one user at a time.'),
  queue_stanzas: standard(
    count(1, 1_000_000),
    // The presence of a large roster and of some rooms comes before a client has acknowledged any of it.
    5000,
    'Stanzas that are kept for one session until its client has acknowledged them (XEP-0198).',
  ),
  queue_bytes: standard(size(10_000, 1024 ** 3), '4MiB', 'Bytes of these stanzas.'),
});

const clients = section({
  listen: standard(
    list(endpoint('address', XMPP_CLIENT)),
    [],
    'Addresses and ports where clients connect and then start TLS, without which they cannot log in. Usually port 5222.',
    { restart: true },
  ),
  tls_listen: standard(
    list(endpoint('address', XMPP_CLIENT_TLS)),
    [],
    'The same with TLS from the first byte (XEP-0368). Usually port 5223.',
    { restart: true },
  ),
  websocket_listen: standard(
    list(endpoint('address', WEBSOCKET)),
    [],
    'WebSocket over TLS (RFC 7395), for clients in browsers: `wss://host:5443/ws`. Usually port 5443.',
    { restart: true },
  ),
  timeouts: standard(clientTimeouts, {}, 'How long the node waits for clients.', { restart: true }),
  limits: standard(clientLimits, {}, 'How much it holds for them.', { restart: true }),
});

const axl = section({
  listen: standard(
    list(endpoint('address', AXL)),
    [],
    'Addresses and ports of AXL, by HTTPS: where a Core writes which Edges there are. Usually port 8443.',
    { restart: true },
  ),
  requests_per_minute: standard(
    count(1, 100_000),
    300,
    'Requests of one account in a minute; more are answered with 503.',
    { restart: true },
  ),
});

const router = section({
  listen: standard(
    list(endpoint('address', XCP_ROUTER)),
    [],
    'Addresses and ports where a Core connects the S2S components of its Edges (XEP-0114). Usually port 7400; it is for the inside only: the connection has no TLS.',
    { restart: true },
  ),
  secret: optional(secret(16), 'The password of these components; the same on the Core.', { restart: true }),
  changes: standard(
    choice({
      live: 'to let changes of the table count at once',
      restart: 'to let them count after a restart of the XCP Router, as on Cisco IM and Presence',
    }),
    'live',
    'When a change of the table `xmpps2snodes` counts: at once, or after a restart of the XCP Router, of which a notification reminds.',
    { restart: true },
  ),
  queue_stanzas: standard(
    count(1, 1_000_000),
    1000,
    'Stanzas that wait for one component that takes less than it is sent.',
    {
      restart: true,
    },
  ),
  queue_bytes: standard(size(10_000, 1024 ** 3), '4MiB', 'Bytes of these stanzas.', { restart: true }),
});

const archive = section({
  keep: standard(age, '1y', 'How long messages stay in the archive (XEP-0313): days, years or `forever`.', {
    restart: true,
  }),
  messages: standard(count(1, 100_000_000), 100_000, 'Messages of one user or room; beyond that the oldest go first.', {
    restart: true,
  }),
  bytes: standard(size(1024 ** 2, 1024 ** 4), '1GiB', 'Bytes of these messages.', { restart: true }),
});

const offline = section({
  messages: standard(
    count(1, 1_000_000),
    500,
    'Messages that wait for one user who is not there; whoever sends more gets an error.',
    { restart: true },
  ),
});

/** The description of the boot file: everything that is said and enforced about single keys is written here, and only here. */
export const nodeSchema = section({
  domain: required(domain, 'coluc.com', 'The domain of the users: their addresses are `user@domain`.', {
    restart: true,
  }),
  rooms: optional(
    domain,
    'The alias of the chat rooms, such as `chat.coluc.com`; another domain than that of the users. Without: no rooms.',
    { restart: true },
  ),
  name: otherwise(
    boxNameKind,
    undefined,
    'How status, log and the table `enterprisenode` call this node. Without: the first label of the host name.',
    { restart: true },
  ),
  data: required(
    folder,
    '/var/lib/fedway-imp',
    'The folder of the database: users, rosters, messages, rooms. Made when it does not exist; back it up.',
    { restart: true },
  ),
  certificate: required(
    file('public'),
    'coluc.com.pem',
    'PEM file: the chain, leaf first, that clients and AXL are shown. It must name `domain`, and the host that AXL is reached at. Read again on SIGHUP and when the file changes.',
  ),
  key: required(file('private'), 'coluc.com.key', 'PEM file: the private key of the certificate.'),
  clients: standard(clients, {}, 'Where and how clients connect.'),
  axl: standard(axl, {}, 'AXL: SQL for administrators over SOAP.'),
  router: standard(router, {}, 'The XCP Router: the way to foreign domains.'),
  archive: standard(archive, {}, 'What is kept of messages.'),
  offline: standard(offline, {}, 'Messages for users who are not there.'),
  admin_socket: optional(
    path,
    'The socket where `fedway imp shell`, `fedway imp user` and the like reach the running node. Without: `imp.sock` in `data`.',
    { restart: true },
  ),
  log: standard(log, {}, 'The log.'),
}) satisfies Kind<NodeFile>;
