import { SEVERITIES } from '../protocol/notes.ts';
import type { Authentication, BootConfig, HomeServer, LogFormat, Role, TlsMode } from './boot.ts';
import { AUTHENTICATIONS, TLS_MODES } from './choice.ts';
import { limits, timeouts } from './s2s-bounds.ts';
import { file, folder, path, secret } from './schema/file-kinds.ts';
import { type Kind, mapped, named, optional, otherwise, required, standard } from './schema/kind.ts';
import {
  address,
  choice,
  count,
  domain,
  domainPattern,
  duration,
  endpoint,
  flag,
  network,
  port,
  routeTarget,
  size,
  word,
} from './schema/scalar-kinds.ts';
import { list, names, oneKeyOf, section } from './schema/section.ts';

/** What the text of the boot file says; the rest of a `BootConfig` follows from it and from the machine. */
export type BootFile = Omit<BootConfig, 'path' | 'name'> & { readonly name: string | undefined };

const tls: Kind<TlsMode> = choice(TLS_MODES);

const authentication: Kind<Authentication> = choice(AUTHENTICATIONS);

const role: Kind<Role> = choice({
  single: 'for one box that does everything',
  edge: 'for the box that talks with the world',
  core: 'for the box inside that dials an Edge',
});

const federation = choice({ allow: 'to federate', deny: 'to refuse' });

const level = choice({
  error: 'for what needs somebody now',
  warning: 'for what will need somebody',
  info: 'to see what happens',
  debug: 'to see why',
  verbose: 'to see the elements themselves',
} satisfies Record<(typeof SEVERITIES)[number], string>);

const logFormat: Kind<LogFormat> = choice({
  text: 'for people',
  json: 'for programs, one object per line',
  expressway: "for the shape of Cisco Expressway's diagnostic log",
});

const moduleName = { pattern: /^[a-z0-9_]+(?:\.[a-z0-9_]+)*$/, expects: 'a dotted module name such as s2s.dialback' };

const XMPP_SERVER = 5269;
const XMPP_SERVER_TLS = 5270;
const XMPP_COMPONENT = 5347;
const DNS = 53;
const LINK = 7400;
const XCP_ROUTER = 7400;

/** Longer labels do not exist (RFC 1035 §2.3.4), and peers show the name as one. */
export const boxNameKind: Kind<string> = word(
  'name',
  'letters, digits and hyphens, at most 63',
  /^[A-Za-z0-9-]{1,63}$/,
);

/** The log: the same for every kind of process. */
export const log = section({
  format: standard(
    logFormat,
    'text',
    'The form of a log line: for people, for programs, or as Cisco Expressway writes its diagnostic log.',
  ),
  level: standard(level, 'info', 'The least urgent severity that is written.'),
  modules: standard(
    names(moduleName, level),
    {},
    'Other levels for single modules, or for all below a dotted name, such as `s2s.dialback: debug`.',
  ),
});

const link = section({
  listen: otherwise(
    list(endpoint('address', LINK), { least: 1 }),
    Object.freeze([]),
    'Addresses and ports that the Cores connect to. Usually port 7400; nothing else need be open from the inside to this box.',
    { restart: true },
  ),
  address: optional(
    endpoint('name or address', LINK),
    'Where the Cores find this box: what an invitation names. Without: the first address of `listen`; if that is a wildcard, each invitation must name one.',
  ),
  dial_from: standard(
    list(address),
    [],
    'Local addresses that connections to the Edges leave from, at most one per family.',
    { restart: true },
  ),
  hold: standard(
    duration(),
    '60s',
    'How long stanzas wait for a Link that is down. Then they are bounced, and the Link begins anew.',
  ),
  quiet: standard(
    duration(),
    '5s',
    'Silence after which the other end is asked whether it lives; after twice the time the connection is given up.',
  ),
  queue_stanzas: standard(
    count(1, 1_000_000),
    10_000,
    'Stanzas that a Link holds while it is down, or until the other end has confirmed them.',
  ),
  queue_bytes: standard(size(10_000, 1024 ** 3), '16MiB', 'Bytes of these stanzas.'),
  connect: standard(duration(), '10s', 'TCP connect to one address of an Edge.'),
});

const s2s = section({
  listen: otherwise(
    list(endpoint('address', XMPP_SERVER), { least: 1 }),
    Object.freeze([]),
    'Addresses and ports that partners connect to.',
    { restart: true },
  ),
  tls_listen: standard(
    list(endpoint('address', XMPP_SERVER_TLS)),
    [],
    'The same for direct TLS (XEP-0368): partners that find such a port by `_xmpps-server._tcp` in DNS begin with TLS, without STARTTLS. Usually port 5270.',
    { restart: true },
  ),
  dial_from: standard(
    list(address),
    [],
    'Local addresses that outgoing connections leave from, at most one per family.',
  ),
  tls: standard(tls, 'required', 'TLS on connections with partners.'),
  authentication: standard(
    authentication,
    'either',
    'How a partner proves its domain: by certificate (SASL EXTERNAL), by Server Dialback, or either way.',
  ),
  dialback_secret: optional(
    secret(16),
    'The secret that dialback keys are made of (XEP-0185); the same on every box that answers for these domains.',
  ),
  trust: standard(
    section({
      system: standard(flag, true, "Trust the operating system's certificate authorities."),
      authorities: standard(list(file('public')), [], 'PEM files with further certificate authorities.'),
    }),
    {},
    "Who may sign the partners' certificates.",
  ),
  timeouts: standard(timeouts, {}, 'How long fedway waits, for what.'),
  limits: standard(limits, {}, 'How much fedway holds.'),
});

const resolver = section({
  servers: standard(list(endpoint('address', DNS)), [], 'DNS servers to ask; none: those of /etc/resolv.conf.'),
  timeout: standard(duration(), '2s', 'One question to one server.'),
  attempts: standard(count(1, 10), 3, 'How often a question is asked before it has failed.'),
  allow_addresses: standard(
    list(network),
    [],
    "Networks (CIDR) that a partner's name may point to although they are private or loopback.",
  ),
});

const overS2s = section({
  address: required(endpoint('name or address', XMPP_SERVER), '10.0.0.10:5269', 'Where the server inside takes S2S.'),
  tls: standard(tls, 'optional', 'TLS on connections to the server inside.'),
  authorities: optional(
    list(file('public'), { least: 1 }),
    'PEM files: verify the certificate of the server inside against these authorities. Without: TLS is not verified.',
  ),
});

const asComponent = section({
  address: required(
    endpoint('name or address', XMPP_COMPONENT),
    '10.0.0.10:5347',
    'Where the server inside takes components (XEP-0114).',
  ),
  secret: required(secret(), '{ file: component.secret }', "The component's password."),
  domains: required(
    list(domain, { least: 1 }),
    '[vngtp.lab]',
    'The foreign domains that the server inside reaches through fedway.',
  ),
  shared: standard(
    flag,
    false,
    'true: one connection, as the first domain, serves all of them (ejabberd). false: one connection per domain.',
  ),
});

const acceptingComponents = section({
  secret: required(secret(), '{ file: component.secret }', "The component's password."),
});

const throughRouter = section({
  address: required(
    endpoint('name or address', XCP_ROUTER),
    '10.0.0.30:7400',
    'Where the XCP Router of the IM&P cluster takes connections.',
  ),
  secret: required(secret(), '{ file: router.secret }', 'What the XCP Router and fedway share.'),
});

const server: Kind<HomeServer> = mapped(
  oneKeyOf({
    s2s: optional(overS2s, 'Any XMPP server, by S2S: fedway stands for every foreign domain towards it.'),
    component: optional(asComponent, 'fedway connects to the server inside as XEP-0114 component.'),
    accept_component: optional(
      acceptingComponents,
      'The server inside connects as XEP-0114 component to `inside.component_listen`.',
    ),
    imp: optional(
      throughRouter,
      'An IM&P cluster: fedway connects to its XCP Router as the S2S component of each Edge, and carries every foreign domain.',
    ),
  }),
  (found): HomeServer | undefined => {
    // One case each, so that the compiler sees which section belongs to which word.
    if (found.value === undefined) return undefined;
    if (found.via === 's2s') return Object.freeze({ via: found.via, ...found.value });
    if (found.via === 'component') return Object.freeze({ via: found.via, ...found.value });
    if (found.via === 'imp') return Object.freeze({ via: found.via, ...found.value });
    return Object.freeze({ via: found.via, ...found.value });
  },
);

const home = section({
  domains: required(
    list(domain, { least: 1 }),
    '[example.org]',
    'Our own domains that this server inside serves, sub-domains such as conference.* included.',
  ),
  certificate: optional(
    file('public'),
    'PEM file: the chain, leaf first. Read again on SIGHUP and when the file changes.',
  ),
  key: optional(file('private'), 'PEM file: the private key of the certificate.'),
  server: optional(
    server,
    'How fedway and the server inside talk: exactly one of `s2s`, `component`, `accept_component`, `imp`.',
  ),
});

const inside = section({
  listen: standard(
    list(endpoint('address', XMPP_SERVER)),
    [],
    'Addresses and ports where the outgoing S2S of the servers inside arrives. Needed for homes with `server.s2s`.',
    { restart: true },
  ),
  dial_from: standard(
    list(address),
    [],
    'Local addresses that connections to the servers inside leave from, at most one per family.',
  ),
  tls: standard(tls, 'optional', 'TLS on connections from the servers inside.'),
  certificate: optional(
    file('public'),
    'PEM file: the chain shown to the servers inside, leaf first. Without: a self-signed certificate made at start.',
  ),
  key: optional(file('private'), 'PEM file: the private key of the certificate.'),
  component_listen: standard(
    list(endpoint('address', XMPP_COMPONENT)),
    [],
    'XEP-0114 listener, for homes with `server.accept_component`.',
    { restart: true },
  ),
  allow_from: standard(list(network), [], 'Networks (CIDR) the servers inside connect from; none: any.'),
});

const publishers = section({
  authorities: standard(
    list(file('public')),
    [],
    "PEM files with further certificate authorities, besides the operating system's.",
  ),
});

const steering = section({
  listen: required(
    list(endpoint('address', DNS), { least: 1 }),
    '["10.0.0.2:53"]',
    'Addresses and ports that the resolver of the server inside asks, by UDP and TCP.',
    { restart: true },
  ),
  answer: required(
    list(address, { least: 1 }),
    '["10.0.0.2"]',
    "fedway's inside addresses: what foreign domains are answered with.",
  ),
  port: standard(port, XMPP_SERVER, "fedway's inside S2S port."),
  ttl: standard(
    duration({ zero: 'not cached', wholeSeconds: true }),
    '60s',
    'How long an answer may be cached, in whole seconds.',
  ),
  keep: standard(list(domain), [], 'Zones that are not steered, besides our own domains.'),
  rest: standard(
    choice({ refuse: 'to refuse them', forward: 'to pass them to forward_to' }),
    'refuse',
    'What happens to questions that are not steered.',
  ),
  forward_to: standard(list(endpoint('address', DNS)), [], 'DNS servers for `rest: forward`.'),
});

const rule = section({
  domain: required(domainPattern, 'example.org', 'The partner, or `"*.lab"` for every name below lab.'),
  federation: optional(federation, 'Whether the partner may federate. Without: as `partners.default`.'),
  tls: optional(tls, 'TLS on connections with this partner. Without: as `s2s.tls`.'),
  authentication: optional(authentication, 'How this partner proves its domain. Without: as `s2s.authentication`.'),
  route: standard(
    list(routeTarget),
    [],
    'Addresses of the partner, tried in order, instead of DNS; `tls://` before one says that it takes direct TLS (XEP-0368).',
  ),
});

const partners = section({
  default: standard(federation, 'allow', 'Whether a partner without a rule may federate.'),
  rules: standard(
    named('list of rules', list(rule)),
    [],
    'What is different for whom. The most specific domain wins, and its rule as a whole.',
  ),
});

/** The description of the boot file: everything that fedway says and enforces about single keys is written here, and only here. */
export const bootSchema = section({
  role: required(
    role,
    'single',
    'What this box is. A single box stands between the servers inside and the world; where a firewall does, an Edge stands outside of it and a Core inside.',
    { restart: true },
  ),
  name: optional(
    boxNameKind,
    'How the other boxes, status and log call this one. Without: the first label of the host name.',
    { restart: true },
  ),
  data: optional(
    folder,
    'The folder of the live configuration and of the keys that fedway makes itself; it is made when it does not exist. A single box without it is governed by this file alone.',
    { restart: true },
  ),
  admin_socket: optional(
    path,
    'The socket where `fedway status`, `fedway config` and the like reach the running fedway. Without: `admin.sock` in `data`; without `data` there is none.',
    { restart: true },
  ),
  link: standard(link, {}, 'The Link: the one connection between Edge and Core, which the Core dials.'),
  log: standard(log, {}, 'The log.'),
  s2s: standard(s2s, {}, 'The outside: federation with the world.'),
  resolver: standard(resolver, {}, 'How partners are found: DNS of the outside world, not of the inside.'),
  homes: required(
    named('list of homes', list(home, { least: 1 })),
    '',
    'Our own domains and the servers inside that serve them.',
  ),
  inside: standard(inside, {}, 'The inside: where the servers inside reach fedway.'),
  publishers: standard(
    publishers,
    {},
    'Who may sign the certificates of the IM&P servers that are told of the Edges. Which servers these are is said by the live settings `publishers`.',
  ),
  dns: optional(
    steering,
    "The steering responder: it answers `_xmpp-server._tcp.<anything foreign>` and the addresses of foreign domains with fedway's inside address, so that a server inside works by pointing its resolver at it. Without: no responder.",
  ),
  partners: standard(partners, {}, 'Who may federate, and what is different for whom.'),
}) satisfies Kind<BootFile>;
