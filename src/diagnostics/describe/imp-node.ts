import type { ImpNodeNote } from '../../protocol/notes/imp-node.ts';
import { codeOf } from '../../protocol/sentence.ts';
import { explain, severityOfEnd } from '../explain.ts';
import type { Rows } from '../row.ts';
import { counted, ended, joined, listed, named, quoted } from '../row.ts';

const NODE = { module: 'imp.node', codeLocation: 'imp' } as const;
const ROUTER = { module: 'imp.router', codeLocation: 'xcp.router' } as const;

/** An IM&P node as a process: its accounts, its router, its notifications. */
export const IMP_NODE: Rows<ImpNodeNote['note']> = {
  'imp-user-changed': {
    ...NODE,
    severity: 'info',
    wording: ({ user, what, author }) => ({
      sentence: `User ${named(user)}: ${what}, by ${quoted(author)}.`,
      fields: { user, what, author },
    }),
  },
  'imp-administrator-changed': {
    ...NODE,
    severity: 'info',
    wording: ({ name, what, role, author }) => ({
      sentence: joined(
        `AXL account ${named(name)}: ${what}, by ${quoted(author)}.`,
        role === 'none' ? 'It lacks the role "Standard AXL API Access": AXL answers it with 403.' : undefined,
      ),
      fields: { name, what, role, author },
    }),
  },
  'imp-federation-changed': {
    ...NODE,
    severity: 'info',
    wording: ({ from, to, author }) => ({
      sentence: `XMPP Federation Node Status - changed from: ${from} to: ${to}, by ${quoted(author)}.`,
      fields: { from, to, author },
    }),
  },
  'imp-notification-raised': {
    ...NODE,
    severity: 'warning',
    wording: ({ id, text, cure }) => ({
      sentence: joined(`Notification: ${ended(text)}`, ended(cure)),
      fields: { id },
    }),
  },
  'imp-notification-cleared': {
    ...NODE,
    severity: 'info',
    wording: ({ id }) => ({ sentence: `The notification ${named(id)} is settled.`, fields: { id } }),
  },
  'imp-edges-changed': {
    ...ROUTER,
    severity: 'info',
    wording: ({ added, removed }) => ({
      sentence: `The table xmpps2snodes has changed: added ${listed(added)}; removed ${listed(removed)}.`,
      fields: { added, removed },
    }),
  },
  'xcp-router-read': {
    ...ROUTER,
    severity: 'info',
    wording: ({ cpIds, author }) => ({
      sentence: joined(
        author === undefined ? undefined : `The XCP Router was restarted by ${quoted(author)}.`,
        cpIds.length === 0
          ? 'No Edge is in the table xmpps2snodes: stanzas for foreign domains go back to their senders.'
          : `Stanzas for foreign domains leave through these S2S components of Edges: ${listed(cpIds)}.`,
      ),
      fields: { cp_ids: cpIds, author },
    }),
  },
  'xcp-row-unusable': {
    ...ROUTER,
    severity: 'warning',
    wording: ({ cpId }) => ({
      sentence: `No component can connect as ${quoted(cpId)}, which is a row of xmpps2snodes: a cp_id has the form of a domain. Correct it where it is made, on the Core, and refresh its servers.`,
      fields: { cp_id: cpId },
    }),
  },
  'xcp-component-connected': {
    ...ROUTER,
    severity: 'info',
    wording: ({ cpId, inTable }) => ({
      sentence: inTable
        ? `The S2S component ${named(cpId)} is connected: foreign domains are reached through it.`
        : `The S2S component ${named(cpId)} is connected: what it brings is let in. No stanza leaves through it before the table xmpps2snodes names it, which is for its Core to write, and the XCP Router has read that.`,
      fields: { cp_id: cpId, in_table: inTable },
    }),
  },
  'xcp-component-lost': {
    ...ROUTER,
    severity: 'warning',
    folds: true,
    severityOf: ({ because }) => severityOfEnd(because),
    wording: ({ cpId, because }) => ({
      sentence: joined(
        `The S2S component ${named(cpId)} is gone.`,
        explain(because, 'in').cause,
        'Its Core connects again by itself; if it does not, look at the log of the Core and at the firewall between it and router.listen of this node.',
      ),
      fields: { cp_id: cpId, end: codeOf(because) },
    }),
  },
  'foreign-bounced': {
    ...ROUTER,
    severity: 'warning',
    folds: true,
    wording: ({ kind, sender, target, because }) => ({
      sentence: `Returned a ${kind} from ${named(sender)} to ${named(target)}: ${ended(because)}`,
      fields: { kind, sender, target },
    }),
  },
  'foreign-refused': {
    ...ROUTER,
    severity: 'warning',
    folds: true,
    wording: ({ cpId, kind, because }) => ({
      sentence: `Did not let in a ${kind} that the S2S component ${named(cpId)} brought: ${ended(because)}`,
      fields: { cp_id: cpId, kind },
    }),
  },
  'router-full': {
    ...ROUTER,
    severity: 'error',
    folds: true,
    wording: ({ waiting }) => ({
      sentence: `${counted(waiting, 'stanza')} wait inside this node, and it takes no more until some of them have been delivered. If it happens again, the machine is too slow for its users, or one of them makes the others work.`,
      fields: { waiting },
    }),
  },
};
