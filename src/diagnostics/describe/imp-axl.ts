import type { ImpAxlNote } from '../../protocol/notes/imp-axl.ts';
import type { Rows } from '../row.ts';
import { counted, ended, joined, named, quoted } from '../row.ts';

const AXL = { module: 'imp.axl', codeLocation: 'axl' } as const;
const SHELL = { module: 'imp.shell', codeLocation: 'cli' } as const;

/** An IM&P node's AXL server, command line and captures. */
export const IMP_AXL: Rows<ImpAxlNote['note']> = {
  'imp-axl-request': {
    ...AXL,
    severity: 'warning',
    folds: true,
    // What is no answer to a login or to a flood, which have notes of their own.
    severityOf: ({ status }) => (status >= 400 && ![401, 429, 503].includes(status) ? 'warning' : 'info'),
    wording: ({ user, function: asked, status, milliseconds, because }, { peer }) => ({
      sentence: joined(
        `Answered ${asked} of ${user === undefined ? 'an unknown account' : named(user)} from ${named(peer ?? 'an unknown address')} with ${status}.`,
        because === undefined ? undefined : ended(because),
      ),
      fields: { user, function: asked, status, milliseconds },
    }),
  },
  'imp-axl-statement': {
    ...AXL,
    severity: 'debug',
    wording: ({ user, sql }) => ({ sentence: `A statement of ${named(user)}.`, fields: { user, sql } }),
  },
  'imp-axl-login-refused': {
    ...AXL,
    severity: 'warning',
    folds: true,
    wording: ({ user, because }, { peer }) => ({
      sentence: `Refused the AXL login ${named(user)} from ${named(peer ?? 'an unknown address')}: ${ended(because)} If it is a Core of yours, give it the right account and password (on this node: fedway imp admin list); if not, somebody tries passwords.`,
      fields: { user },
    }),
  },
  'imp-axl-login-storm': {
    ...AXL,
    severity: 'warning',
    folds: true,
    wording: ({ of, name }) => ({
      sentence: `Too many failed AXL logins ${of === 'source' ? 'from' : 'as'} ${named(name)}: further ones are turned away untried until there are fewer. Find out who tries passwords, and let a firewall admit only your Cores to the AXL port.`,
      fields: { of, name },
    }),
  },
  'imp-axl-throttled': {
    ...AXL,
    severity: 'warning',
    folds: true,
    wording: ({ user, because }) => ({
      sentence: `Turned a request of ${named(user)} away for now (503): ${ended(because)} A client that honors Retry-After comes back by itself.`,
      fields: { user },
    }),
  },
  'imp-axl-not-secured': {
    ...AXL,
    severity: 'info',
    folds: true,
    wording: ({ detail }, { peer }) => ({
      sentence: `No TLS with ${named(peer ?? 'an unknown address')} on the AXL port: ${ended(detail)} If it is a Core of yours, check that it trusts this node's certificate.`,
    }),
  },
  'imp-shell-command': {
    ...SHELL,
    severity: 'info',
    wording: ({ author, command }) => ({
      sentence: `Runs a command of ${named(author)}: ${quoted(command)}.`,
      fields: { author, command },
    }),
  },
  'imp-capture-started': {
    ...SHELL,
    severity: 'info',
    wording: ({ author, file, source }) => ({
      sentence: `Captures ${source} into ${named(file)} for ${named(author)}.`,
      fields: { author, file, source },
    }),
  },
  'imp-capture-ended': {
    ...SHELL,
    severity: 'info',
    wording: ({ file, packets, bytes, left, because }) => ({
      sentence: joined(
        `The capture ${named(file)} is complete (${because}): ${counted(packets, 'packet')}, ${counted(bytes, 'byte')}.`,
        left === 0 ? undefined : `${counted(left, 'packet')} left out because the disk was too slow.`,
      ),
      fields: { file, packets, bytes, left },
    }),
  },
};
