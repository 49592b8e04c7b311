import { fileURLToPath } from 'node:url';
import type { NetworkPlan } from './network.ts';

/** The rules that administrators are given; they are tested as they are. */
export const RULES = fileURLToPath(new URL('../../packaging/nftables/fedway.nft', import.meta.url));

/** World, DMZ and inside, with the addresses of docs/guide/firewall.md. */
export const ADDRESS = {
  partner: '198.51.100.20',
  dns: '198.51.100.53',
  edge: '192.0.2.2',
  core: '10.0.0.2',
  server: '10.0.0.10',
} as const;

export const ZONES: NetworkPlan['zones'] = { world: '198.51.100', dmz: '192.0.2', inside: '10.0.0' };

/** Edge in the DMZ; Core and the server inside; a partner and the DNS in the world. */
export const HOSTS: NetworkPlan['hosts'] = {
  partner: { zone: 'world', address: ADDRESS.partner, resolver: ADDRESS.dns },
  dns: { zone: 'world', address: ADDRESS.dns },
  edge: { zone: 'dmz', address: ADDRESS.edge, resolver: ADDRESS.dns },
  core: { zone: 'inside', address: ADDRESS.core },
  server: { zone: 'inside', address: ADDRESS.server, resolver: ADDRESS.core },
};
