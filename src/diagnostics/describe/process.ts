import type { Rows } from '../row.ts';
import { counted, ended, isoTime, listed, named } from '../row.ts';

/** Notes about the process, its configuration, its certificates and its components. */
type ProcessNote =
  | 'starting'
  | 'listening'
  | 'listen-failed'
  | 'config-loaded'
  | 'config-refused'
  | 'certificate-loaded'
  | 'certificate-refused'
  | 'certificate-doubtful'
  | 'certificate-expiring'
  | 'component-connected'
  | 'component-lost'
  | 'admin-asked'
  | 'admin-unavailable'
  | 'draining'
  | 'stopped'
  | 'bug';

export const PROCESS: Rows<ProcessNote> = {
  starting: {
    severity: 'info',
    module: 'process',
    codeLocation: 'process',
    wording: ({ version, role, config }) => ({
      sentence: `fedway ${version} starts as ${role} with ${config}.`,
      fields: { version, role, config },
    }),
  },
  listening: {
    severity: 'info',
    module: 'process',
    codeLocation: 'process',
    wording: ({ what, address }) => ({ sentence: `Listening on ${address} for ${what}.`, fields: { what, address } }),
  },
  'listen-failed': {
    severity: 'error',
    module: 'process',
    codeLocation: 'process',
    wording: ({ what, address, detail }) => ({
      sentence: `Cannot listen on ${address} for ${what}: ${ended(detail)} See what holds the port (ss -ltnup) and whether the address belongs to this machine.`,
      fields: { what, address },
    }),
  },
  'config-loaded': {
    severity: 'info',
    module: 'config',
    codeLocation: 'config',
    wording: ({ path, homes }) => ({
      sentence: `Configuration ${path} is in force; our domains: ${listed(homes)}.`,
      fields: { path, homes },
    }),
  },
  'config-refused': {
    severity: 'error',
    module: 'config',
    codeLocation: 'config',
    wording: ({ path, problems }) => ({
      sentence: `Configuration ${path} is refused with ${counted(problems.length, 'problem')}; nothing changes. Correct it, try it with fedway check config, and reload. The first: ${ended(problems[0] ?? 'no reason given')}`,
      fields: { path, problems },
    }),
  },
  'certificate-loaded': {
    severity: 'info',
    module: 's2s.tls',
    codeLocation: 'config',
    wording: ({ domains, path, notAfter }) => ({
      sentence: `Certificate ${path} is in use for ${listed(domains)}; it is valid until ${isoTime(notAfter)}.`,
      fields: { path, domains, not_after: isoTime(notAfter) },
    }),
  },
  'certificate-refused': {
    severity: 'error',
    module: 's2s.tls',
    codeLocation: 'config',
    wording: ({ detail }) => ({
      sentence: `A changed certificate cannot be used: ${ended(detail)} The one in use before stays.`,
      fields: {},
    }),
  },
  'certificate-doubtful': {
    severity: 'warning',
    module: 's2s.tls',
    codeLocation: 'config',
    wording: ({ detail }) => ({ sentence: `Partners may refuse a certificate of ours: ${ended(detail)}`, fields: {} }),
  },
  'certificate-expiring': {
    severity: 'error',
    module: 's2s.tls',
    codeLocation: 'config',
    severityOf: ({ days }) => (days > 3 ? 'warning' : 'error'),
    wording: ({ path, days }) => ({
      sentence:
        days > 0
          ? `Certificate ${path} expires in ${counted(days, 'day')}. Renew it; fedway reads the new file by itself.`
          : `Certificate ${path} has expired: partners refuse our connections. Renew it; fedway reads the new file by itself.`,
      fields: { path, days },
    }),
  },
  'component-connected': {
    severity: 'info',
    module: 'component',
    codeLocation: 'component',
    wording: ({ domain }) => ({
      sentence: `The component connection for ${named(domain)} is up.`,
      fields: { domain },
    }),
  },
  'component-lost': {
    severity: 'warning',
    module: 'component',
    codeLocation: 'component',
    wording: ({ domain, detail }) => ({
      sentence: `The component connection for ${named(domain)} is down: ${ended(detail)} Stanzas for it wait or are returned until it is back; check that the server inside runs and that both sides have the same component secret.`,
      fields: { domain },
    }),
  },
  'admin-asked': {
    severity: 'info',
    module: 'process',
    codeLocation: 'process',
    wording: ({ author, what }) => ({
      sentence: `Asked by ${named(author)} over the admin socket: ${ended(what)}`,
      fields: { author, what },
    }),
  },
  'admin-unavailable': {
    severity: 'error',
    module: 'process',
    codeLocation: 'process',
    wording: ({ path, detail }) => ({
      sentence: `The admin socket ${path} is not open: ${ended(detail)} Until then fedway status and the other commands do not reach this box; everything else goes on.`,
      fields: { path },
    }),
  },
  draining: {
    severity: 'info',
    module: 'process',
    codeLocation: 'process',
    wording: ({ streams }) => ({
      sentence: `Stopping: no new connections, ${counted(streams, 'stream')} to close.`,
      fields: { streams },
    }),
  },
  stopped: {
    severity: 'info',
    module: 'process',
    codeLocation: 'process',
    wording: () => ({ sentence: 'Stopped.' }),
  },
  bug: {
    severity: 'error',
    module: 'process',
    codeLocation: 'process',
    folds: true,
    wording: ({ where, detail }) => ({
      sentence: `A fault of fedway itself, in ${where}: ${ended(detail)} The stream it happened on is closed, everything else goes on. Please report this line.`,
      fields: { where },
    }),
  },
};
