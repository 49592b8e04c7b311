import { explain } from '../explain.ts';
import type { Rows } from '../row.ts';
import { ended, listed, named } from '../row.ts';

/** Notes about finding and reaching a peer. */
type ReachingNote =
  | 'lookup-started'
  | 'lookup-finished'
  | 'lookup-failed'
  | 'connecting'
  | 'connected'
  | 'connect-failed';

export const REACHING: Rows<ReachingNote> = {
  'lookup-started': {
    severity: 'info',
    module: 'dns',
    codeLocation: 'Resolver',
    wording: ({ domain, ascii, service }) => ({
      sentence: `Looking up ${named(service)} of ${named(domain)}.`,
      fields: { domain, ascii, service },
    }),
  },
  'lookup-finished': {
    severity: 'info',
    module: 'dns',
    codeLocation: 'debug',
    wording: ({ domain, method, targets, seconds }, { side }) => {
      const addresses = targets.map(({ address }) => address);
      const direct = targets.filter(({ directTls }) => directTls).map(({ address }) => address);
      const byDirectTls = direct.length === 0 ? '' : ` By direct TLS: ${listed(direct)}.`;
      return {
        sentence: `${named(domain)} is served by ${listed(addresses)} (${side === 'home' ? 'its address in homes' : METHODS[method]}).${byDirectTls}`,
        fields: {
          domain,
          method,
          targets: addresses,
          direct_tls: direct.length === 0 ? undefined : direct,
          seconds_total: seconds.total,
          seconds_srv: seconds.srv,
        },
      };
    },
  },
  'lookup-failed': {
    severity: 'warning',
    module: 'dns',
    codeLocation: 'Resolver',
    folds: true,
    wording: ({ domain, stage, detail }) => {
      const { cause, cure } = explain({ by: 'network', stage, detail });
      return {
        sentence: `Could not find a server for ${named(domain)}. ${cause}${cure === undefined ? '' : ` ${cure}`}`,
        fields: { domain, stage },
      };
    },
  },
  connecting: {
    severity: 'debug',
    module: 's2s.connect',
    codeLocation: 'stream.out',
    wording: ({ host, address }) => ({
      sentence: `Connecting to ${named(host)} at ${named(address)}.`,
      fields: { host, address },
    }),
  },
  connected: {
    severity: 'info',
    module: 's2s.connect',
    codeLocation: 'stream.out',
    wording: ({ address, seconds }) => ({
      sentence: `Connected to ${named(address)} in ${seconds.toFixed(3)} seconds.`,
      fields: { address, seconds },
    }),
  },
  'connect-failed': {
    severity: 'info',
    module: 's2s.connect',
    codeLocation: 'stream.out',
    folds: true,
    wording: ({ address, detail }) => ({
      sentence: `Could not connect to ${named(address)}: ${ended(detail)} The next address is tried if there is one.`,
      fields: { address },
    }),
  },
};

const METHODS = {
  SRV: 'by its SRV records',
  'A/AAAA': 'by its address records, it has no SRV records',
  route: 'by a route in partners.rules',
} as const;
