import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { printEndpoint } from '../../src/config/address.ts';
import type { BootConfig } from '../../src/config/boot.ts';
import { loadBootFile } from '../../src/config/load.ts';
import { printProblem } from '../../src/config/problem.ts';
import { loadNodeFile } from '../../src/imp/config/load.ts';
import { standIn } from '../../test/config/stand-in.ts';

const HERE = import.meta.dirname;

interface Service {
  readonly [key: string]: unknown;
  readonly networks: Readonly<Record<string, { readonly ipv4_address?: string } | null>>;
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
  readonly secrets?: readonly { readonly source: string; readonly target: string }[];
}

interface Compose {
  readonly services: Readonly<Record<'edge' | 'core' | 'prosody', Service>>;
  readonly networks: Readonly<
    Record<
      string,
      {
        readonly internal?: boolean;
        readonly ipam?: { readonly config: readonly { readonly subnet: string }[] };
      } | null
    >
  >;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const text = (name: string): string => readFileSync(path.join(HERE, name), 'utf8');
const compose = parse(text('compose.yaml'), { merge: true }) as Compose;
const { edge, core, prosody } = compose.services;
const services = Object.entries(compose.services);

function addressOf(service: Service, network: string): string {
  const address = service.networks[network]?.ipv4_address;
  if (address === undefined) throw new Error(`no address in ${network}`);
  return address;
}

function hosts(listen: readonly { readonly host: string }[]): readonly string[] {
  return listen.map(({ host }) => host);
}

/** The services in a network. */
function members(network: string): readonly string[] {
  return services.filter(([, { networks }]) => network in networks).map(([name]) => name);
}

/** The boot file of a service, which must be fine, with the files that its volumes and secrets bring. */
function bootOf(name: 'edge' | 'core'): BootConfig {
  const secrets = Object.fromEntries(
    (compose.services[name].secrets ?? []).map(({ target }) => [path.relative('/etc/fedway', target), 'PEM']),
  );
  const surroundings = standIn('/etc/fedway', { ...secrets, 'fedway.yaml': text(`${name}.yaml`) });
  const result = loadBootFile('/etc/fedway/fedway.yaml', { surroundings });
  const problems = result.outcome === 'loaded' ? result.warnings : result.outcome === 'refused' ? result.problems : [];
  expect(problems.map(printProblem)).toEqual([]);
  if (result.outcome !== 'loaded') throw new Error(`${name}.yaml cannot be loaded`);
  return result.config;
}

describe('compose.yaml: who can reach whom', () => {
  test('Edge and Core share the DMZ alone, Core and Prosody the inside alone; nobody but the Edge is in the world', () => {
    expect(members('world')).toEqual(['edge']);
    expect(members('dmz')).toEqual(['edge', 'core']);
    expect(members('inside')).toEqual(['core', 'prosody']);
    expect(members('clients')).toEqual(['prosody']);
  });

  test('DMZ and inside have no way out but through a member', () => {
    expect(compose.networks['dmz']).toMatchObject({ internal: true });
    expect(compose.networks['inside']).toMatchObject({ internal: true });
  });

  test('the world reaches 5269 of the Edge, users reach 5222 of Prosody, nothing else is published', () => {
    expect(services.map(([name, { ports }]) => [name, ports])).toEqual([
      ['edge', ['5269:5269']],
      ['core', undefined],
      ['prosody', ['5222:5222']],
    ]);
  });

  test('the Core listens inside and nowhere else, so that from the DMZ nothing of it can be reached', () => {
    const { inside, dns, link } = bootOf('core');
    const listening = [...inside.listen, ...inside.componentListen, ...(dns?.listen ?? []), ...link.listen];
    expect(new Set(listening.map(({ host }) => host))).toEqual(new Set([addressOf(core, 'inside')]));
  });

  test('the Edge listens for Cores on its address in the DMZ', () => {
    expect(bootOf('edge').link.listen.map(printEndpoint)).toEqual([`${addressOf(edge, 'dmz')}:7400`]);
  });

  test('Core and Prosody name each other', () => {
    const [home] = bootOf('core').homes;
    expect(home?.server).toMatchObject({ address: { host: addressOf(prosody, 'inside') } });
    expect(bootOf('core').inside.allowFrom.map(String).length).toBe(1);
    expect(text('core.yaml')).toContain(`allow_from: ["${addressOf(prosody, 'inside')}"]`);
    expect(text('prosody/prosody.cfg.lua')).toContain(`forward = { "${addressOf(core, 'inside')}" }`);
  });

  test('Edge and Core have the same homes', () => {
    expect(bootOf('edge').homes.flatMap(({ domains }) => domains)).toEqual(
      bootOf('core').homes.flatMap(({ domains }) => domains),
    );
  });

  test('every address is in the subnet of its network', () => {
    for (const [, { networks }] of services) {
      for (const [name, settings] of Object.entries(networks)) {
        if (settings?.ipv4_address === undefined) continue;
        const subnet = compose.networks[name]?.ipam?.config[0]?.subnet ?? '';
        expect(subnet).toMatch(/\.0\/24$/);
        expect(settings.ipv4_address.startsWith(subnet.replace(/0\/24$/, ''))).toBe(true);
      }
    }
  });
});

describe('compose.yaml: what a container may', () => {
  test.each(services)('%s: a file system to read, no capability, no way to gain one', (_name, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      restart: 'unless-stopped',
    });
    for (const key of ['privileged', 'cap_add', 'devices', 'network_mode', 'pid', 'user'])
      expect(service).not.toHaveProperty(key);
  });

  test('what is named is there, and what is there is used', () => {
    const volumes = services.flatMap(([, service]) => service.volumes.map((volume) => volume.split(':')[0] ?? ''));
    const named = volumes.filter((source) => !source.startsWith('.'));
    expect(named.toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
    const files = volumes.filter((source) => source.startsWith('.'));
    expect(files.filter((source) => !existsSync(path.join(HERE, source)))).toEqual([]);
    const secrets = services.flatMap(([, service]) => (service.secrets ?? []).map(({ source }) => source));
    expect(secrets.toSorted()).toEqual(Object.keys(compose.secrets).toSorted());
    const networks = new Set(services.flatMap(([, service]) => Object.keys(service.networks)));
    expect([...networks].toSorted()).toEqual(Object.keys(compose.networks).toSorted());
  });

  test('what is mounted as a file cannot be written', () => {
    const files = services.flatMap(([, service]) => service.volumes.filter((volume) => volume.startsWith('.')));
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((volume) => !volume.endsWith(':ro'))).toEqual([]);
  });
});

describe('compose.imp.yaml: a node in the place of Prosody', () => {
  type Overlay = Pick<Compose, 'volumes' | 'secrets' | 'networks'> & {
    readonly services: Readonly<Record<'core' | 'imp' | 'prosody', Service>>;
  };
  const overlay = parse(text('compose.imp.yaml')) as Overlay;
  const { imp, core: coreBefore } = overlay.services;
  const files = (service: Service, boot: string): ReturnType<typeof standIn> => {
    const secrets = (service.secrets ?? []).map(({ target }) => [path.relative('/etc/fedway', target), 'x'.repeat(32)]);
    return standIn('/etc/fedway', {
      ...(Object.fromEntries(secrets) as Record<string, string>),
      'boot.yaml': text(boot),
    });
  };
  const node = loadNodeFile('/etc/fedway/boot.yaml', { surroundings: files(imp, 'imp.yaml') });
  const boot = loadBootFile('/etc/fedway/boot.yaml', { surroundings: files(coreBefore, 'core-imp.yaml') });

  test('both boot files are fine, with the secrets that are mounted', () => {
    expect([node, boot].map((result) => (result.outcome === 'loaded' ? result.warnings : result))).toEqual([[], []]);
  });

  test('the Core finds the node at its address, and listens on nothing', () => {
    if (boot.outcome !== 'loaded' || node.outcome !== 'loaded') throw new Error('the boot files are not fine');
    const { homes, inside, dns, link } = boot.config;
    expect([...inside.listen, ...inside.componentListen, ...link.listen, ...(dns?.listen ?? [])]).toEqual([]);
    const { clients, router, axl } = node.config;
    expect(homes[0]?.server).toMatchObject({ address: router.listen[0] });
    expect(homes.flatMap(({ domains }) => domains)).toEqual([node.config.domain, node.config.rooms]);
    expect(hosts([...axl.listen, ...router.listen])).toEqual(Array(2).fill(addressOf(imp, 'inside')));
    expect(hosts([...clients.listen, ...clients.tlsListen])).toEqual(Array(2).fill(addressOf(imp, 'clients')));
  });

  test('Prosody is not started, and nobody but users reaches the node from outside', () => {
    expect(overlay.services.prosody).toEqual({ profiles: ['prosody'] });
    expect(imp.ports).toEqual(['5222:5222', '5223:5223']);
    expect(Object.keys(imp.networks)).toEqual(['inside', 'clients']);
  });

  test('the node is held as tight as the boxes, and asked how it is', () => {
    const { build: _build, ...held } = edge;
    for (const key of ['image', 'restart', 'read_only', 'cap_drop', 'security_opt', 'stop_grace_period', 'ulimits'])
      expect(imp[key]).toEqual(held[key]);
    expect(imp).toMatchObject({
      command: ['imp', 'run'],
      healthcheck: { test: ['CMD', '/usr/bin/fedway', 'imp', 'status'] },
    });
  });

  test('what it names is there', () => {
    const mounted = [imp, coreBefore].flatMap(({ volumes }) => volumes.filter((volume) => volume.startsWith('.')));
    expect(mounted.filter((volume) => !existsSync(path.join(HERE, volume.split(':')[0] ?? '')))).toEqual([]);
    expect(mounted.filter((volume) => !volume.endsWith(':ro'))).toEqual([]);
    const secrets = [imp, coreBefore].flatMap((service) => (service.secrets ?? []).map(({ source }) => source));
    const known = { ...compose.secrets, ...overlay.secrets };
    expect(secrets.filter((source) => !(source in known))).toEqual([]);
  });
});
