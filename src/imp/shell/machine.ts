import { hostname, loadavg, networkInterfaces } from 'node:os';
import { interfaceOf } from '../capture/packet-source.ts';

/** The machine that a node runs on, as its shell shows it. */
export interface Machine {
  hostName(): string;
  /** Averages of 1, 5 and 15 minutes. */
  load(): readonly number[];
  /** Resident bytes of the node. */
  memory(): number;
  /** The interface of these addresses; `any`: every one. */
  interfaceOf(addresses: readonly string[]): string;
  /** Addresses with their prefix, by interface. */
  addresses(): readonly (readonly [device: string, address: string])[];
}

export const THIS_MACHINE: Machine = {
  hostName: hostname,
  load: loadavg,
  memory: () => process.memoryUsage.rss(),
  interfaceOf,
  addresses: () =>
    Object.entries(networkInterfaces()).flatMap(([device, its]) =>
      (its ?? []).map(({ cidr, address }) => [device, cidr ?? address] as const),
    ),
};
