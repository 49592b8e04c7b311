import type { Domain } from '../../protocol/jid/domain.ts';
import type { Json } from '../../protocol/link/messages.ts';
import { parseEndpoint } from '../address.ts';
import type { DomainPattern } from '../boot.ts';
import { printPattern } from '../domain-pattern.ts';
import { parseRouteTarget } from '../route.ts';
import { Secret } from '../secret.ts';
import {
  authenticationWay,
  findKey,
  type LiveForm,
  privacyMode,
  publisherAddress,
  publisherTls,
  publisherVersion,
  tlsMode,
} from './keys.ts';
import { hostName, type LiveKind, onOff, password, secretText, targets, userName } from './kinds.ts';
import type { LiveSettings, PartnerSettings, PublisherSettings } from './settings.ts';

type Changeable<T> = { -readonly [Name in keyof T]: T[Name] };

/** A snapshot in the making. */
type Draft = Changeable<Omit<LiveSettings, 'allow' | 'deny' | 'routes' | 'partners' | 'homesOff' | 'publishers'>> & {
  readonly allow: DomainPattern[];
  readonly deny: DomainPattern[];
  readonly routes: LiveSettings['routes'][number][];
  readonly partners: Map<string, Changeable<PartnerSettings>>;
  readonly homesOff: Set<Domain>;
  readonly publishers: Map<string, Changeable<PublisherSettings>>;
};

/**
 * The settings that keys and values come to: defaults filled in, frozen. A secret that another box holds is not among the values. A key
 * that is unknown here, or a value that is none here, as a newer box could have sent it, counts as not set: the defaults admit nobody.
 */
export function liveSettingsOf(values: Iterable<readonly [key: string, value: Json]>): LiveSettings {
  const draft: Draft = {
    federation: false,
    tls: 'required',
    requireClientCertificates: false,
    authentication: 'either',
    privacy: 'allow_list',
    allow: [],
    deny: [],
    staticRoutes: false,
    routes: [],
    partners: new Map(),
    dialbackSecret: undefined,
    homesOff: new Set(),
    hostName: undefined,
    publishers: new Map(),
  };
  for (const [key, value] of values) {
    const found = findKey(key);
    if ('refused' in found) continue;
    if (found.name === undefined) apply(found.form, found.of, value, draft);
    else applyToPublisher(found.form, found.name, value, draft);
  }
  return Object.freeze({
    ...draft,
    allow: Object.freeze(draft.allow),
    deny: Object.freeze(draft.deny),
    routes: Object.freeze(draft.routes),
    partners: Object.freeze([...draft.partners.values()].map((partner) => Object.freeze(partner))),
    publishers: Object.freeze(
      [...draft.publishers.values()]
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map((publisher) => Object.freeze(publisher)),
    ),
  });
}

function apply(form: LiveForm, of: DomainPattern | undefined, value: Json, draft: Draft): void {
  if (of !== undefined) return applyTo(form, of, value, draft);
  switch (form) {
    case 'federation':
      draft.federation = read(onOff, value) ?? draft.federation;
      break;
    case 'tls':
      draft.tls = read(tlsMode, value) ?? draft.tls;
      break;
    case 'require_client_certificates':
      draft.requireClientCertificates = read(onOff, value) ?? draft.requireClientCertificates;
      break;
    case 'authentication':
      draft.authentication = read(authenticationWay, value) ?? draft.authentication;
      break;
    case 'privacy':
      draft.privacy = read(privacyMode, value) ?? draft.privacy;
      break;
    case 'static_routes':
      draft.staticRoutes = read(onOff, value) ?? draft.staticRoutes;
      break;
    case 'dialback_secret': {
      const secret = read(secretText, value);
      if (secret !== undefined) draft.dialbackSecret = new Secret(secret);
      break;
    }
    case 'host_name':
      draft.hostName = read(hostName, value);
      break;
    default:
      throw new Error(`${form} stands for a key with a domain in it`);
  }
}

/** The keys with a domain in them. */
function applyTo(form: LiveForm, of: DomainPattern, value: Json, draft: Draft): void {
  switch (form) {
    case 'allow.<pattern>':
      draft.allow.push(of);
      break;
    case 'deny.<pattern>':
      draft.deny.push(of);
      break;
    case 'routes.<pattern>': {
      const route = read(targets, value)?.flatMap((target) => {
        const parsed = parseRouteTarget(target);
        return 'value' in parsed ? [parsed.value] : [];
      });
      if (route !== undefined) draft.routes.push(Object.freeze({ domain: of, targets: Object.freeze(route) }));
      break;
    }
    case 'partners.<pattern>.tls':
      partnerIn(draft, of).tls = read(tlsMode, value);
      break;
    case 'partners.<pattern>.require_client_certificates':
      partnerIn(draft, of).requireClientCertificates = read(onOff, value);
      break;
    case 'partners.<pattern>.authentication':
      partnerIn(draft, of).authentication = read(authenticationWay, value);
      break;
    case 'homes.<domain>.federation':
      if (read(onOff, value) === false) draft.homesOff.add(of.domain);
      break;
    default:
      throw new Error(`${form} stands for one key without a domain`);
  }
}

/** The keys with the name of a publisher in them. */
function applyToPublisher(form: LiveForm, name: string, value: Json, draft: Draft): void {
  const publisher = publisherIn(draft, name);
  switch (form) {
    case 'publishers.<name>.address': {
      const parsed = parseEndpoint(read(publisherAddress, value) ?? '', 'name or address', 0);
      publisher.address = 'value' in parsed ? parsed.value : undefined;
      break;
    }
    case 'publishers.<name>.user':
      publisher.user = read(userName, value);
      break;
    case 'publishers.<name>.password': {
      const secret = read(password, value);
      publisher.password = secret === undefined ? undefined : new Secret(secret);
      break;
    }
    case 'publishers.<name>.tls':
      publisher.tls = read(publisherTls, value) ?? publisher.tls;
      break;
    case 'publishers.<name>.version':
      publisher.version = read(publisherVersion, value) ?? publisher.version;
      break;
    default:
      throw new Error(`${form} stands for a key without the name of a publisher`);
  }
}

function publisherIn({ publishers }: Draft, name: string): Changeable<PublisherSettings> {
  const known = publishers.get(name);
  if (known !== undefined) return known;
  const publisher: Changeable<PublisherSettings> = {
    name,
    address: undefined,
    user: undefined,
    password: undefined,
    tls: 'verify',
    version: 'auto',
  };
  publishers.set(name, publisher);
  return publisher;
}

function read<T extends Json>(kind: LiveKind<T>, value: Json): T | undefined {
  const parsed = kind.parse(value);
  return 'value' in parsed ? parsed.value : undefined;
}

function partnerIn({ partners }: Draft, domain: DomainPattern): Changeable<PartnerSettings> {
  const key = printPattern(domain);
  const known = partners.get(key);
  if (known !== undefined) return known;
  const partner = { domain, tls: undefined, requireClientCertificates: undefined, authentication: undefined };
  partners.set(key, partner);
  return partner;
}
