import type { Domain } from '../../protocol/jid/domain.ts';
import { type Endpoint, printEndpoint } from '../address.ts';
import type { HomeConfig } from '../boot.ts';
import type { BootFile } from '../boot-schema.ts';
import { quote } from '../problem.ts';
import type { Reading } from '../schema/place.ts';
import { type Draft, present } from './draft.ts';
import { isSame, listenersOf } from './listeners.ts';

type Home = { readonly key: string; readonly value: Draft<HomeConfig> };

/** Our own domains, and how the servers inside are reached. */
export function checkHomes(boot: Draft<BootFile>, reading: Reading): void {
  const homes: readonly Home[] = present('homes', boot.homes);
  const owners = checkDomains(homes, reading);
  const components = new Map<string, string>();
  const routers = new Map<string, string>();
  for (const home of homes) {
    const key = `${home.key}.server`;
    const { server } = home.value;
    if (server === undefined) continue;
    if (server.via === 's2s') checkOverS2s(`${key}.s2s`, server, boot, reading);
    if (server.via === 'component') {
      checkNotOurselves(`${key}.component.address`, server.address, boot, reading);
      for (const { key: domainKey, value } of present(`${key}.component.domains`, server.domains)) {
        checkComponentDomain(domainKey, value, server.address, owners, components, reading);
      }
    }
    if (server.via === 'imp') {
      checkNotOurselves(`${key}.imp.address`, server.address, boot, reading);
      checkRouter(`${key}.imp.address`, server.address, routers, reading);
    }
    if (server.via === 'accept_component' && boot.inside?.componentListen?.length === 0) {
      reading.error(
        `${key}.accept_component`,
        'there is no listener that the component could connect to',
        'Write "component_listen: ["10.0.0.2:5347"]" with an inside address of this box under inside.',
      );
    }
  }
  checkIdleListener(homes, boot, reading);
}

/** Every own domain and the key where it stands. */
export function ownDomains(boot: Draft<BootFile>): ReadonlyMap<Domain, string> {
  const own = new Map<Domain, string>();
  for (const home of present('homes', boot.homes)) {
    for (const { key, value } of present(`${home.key}.domains`, home.value.domains))
      if (!own.has(value)) own.set(value, key);
  }
  return own;
}

function checkDomains(homes: readonly Home[], reading: Reading): ReadonlyMap<Domain, string> {
  const owners = new Map<Domain, string>();
  for (const home of homes) {
    for (const { key, value } of present(`${home.key}.domains`, home.value.domains)) {
      const owner = owners.get(value);
      if (owner === undefined) {
        owners.set(value, key);
        continue;
      }
      const again = owner.startsWith(`${home.key}.`) ? 'is listed twice' : 'is in two homes';
      const { line } = reading.positionOf(owner);
      reading.error(
        key,
        `${quote(value)} ${again}, first as ${owner} (line ${line})`,
        'A domain is served by one server: keep one of them.',
      );
    }
  }
  return owners;
}

type ServerOf<Via> = Extract<Draft<HomeConfig>['server'], { readonly via: Via }>;

function checkOverS2s(key: string, server: ServerOf<'s2s'>, boot: Draft<BootFile>, reading: Reading): void {
  checkNotOurselves(`${key}.address`, server.address, boot, reading);
  if (boot.inside?.listen?.length === 0) {
    reading.error(
      key,
      'the server inside has no way out: inside.listen is empty, where its outgoing S2S and its dialback questions arrive',
      'Write "listen: ["10.0.0.2:5269"]" with an inside address of this box under inside.',
    );
  }
  if (!reading.isWritten(`${key}.authorities`)) return;
  if (server.tls === 'none') {
    reading.error(
      `${key}.authorities`,
      'there is no certificate to verify with tls: none',
      'Write "tls: required", or remove authorities.',
    );
  }
  if (server.tls === 'optional') {
    reading.warn(
      `${key}.authorities`,
      'the certificate is verified only when there is TLS, and tls: optional goes on without',
      'Write "tls: required".',
    );
  }
}

function checkNotOurselves(key: string, address: Endpoint | undefined, boot: Draft<BootFile>, reading: Reading): void {
  const own = address === undefined ? undefined : listenersOf(boot).find(({ value }) => isSame(value, address));
  if (own === undefined || address === undefined) return;
  const shown = quote(printEndpoint(address));
  reading.error(key, `${shown} is fedway itself (${own.key})`, 'Write the address of the server inside.');
}

function checkComponentDomain(
  key: string,
  domain: Domain,
  address: Endpoint | undefined,
  owners: ReadonlyMap<Domain, string>,
  components: Map<string, string>,
  reading: Reading,
): void {
  const owner = owners.get(domain);
  if (owner !== undefined) {
    reading.error(
      key,
      `${quote(domain)} is our own (${owner})`,
      'List the foreign domains that the server inside reaches through fedway.',
    );
  }
  if (address === undefined) return;
  const connection = `${printEndpoint(address)} ${domain}`;
  const first = components.get(connection);
  if (first !== undefined) {
    reading.error(
      key,
      `${quote(domain)} is connected to ${printEndpoint(address)} already (${first}), and a server takes a component once`,
      'Put the domains of that server into one home, or list each foreign domain once.',
    );
  }
  components.set(connection, key);
}

/** The names that fedway connects with are the Edges': a router takes each of them once. */
function checkRouter(key: string, address: Endpoint | undefined, routers: Map<string, string>, reading: Reading): void {
  if (address === undefined) return;
  const shown = printEndpoint(address);
  const first = routers.get(shown);
  if (first !== undefined) {
    reading.error(
      key,
      `${shown} is the router of another home already (${first}), and a router takes each Edge once`,
      'Put the domains of that cluster into one home.',
    );
  }
  routers.set(shown, key);
}

function checkIdleListener(homes: readonly Home[], boot: Draft<BootFile>, reading: Reading): void {
  const undecided = boot.homes === undefined || homes.some(({ value }) => value.server === undefined);
  if (undecided || homes.length < (boot.homes?.length ?? 0)) return;
  if ((boot.inside?.componentListen?.length ?? 0) === 0) return;
  if (homes.some(({ value }) => value.server?.via === 'accept_component')) return;
  reading.warn('inside.component_listen', 'no home has server.accept_component: nobody may connect here', 'Remove it.');
}
