import type { AxlNote } from '../../protocol/notes/axl.ts';
import type { Rows } from '../row.ts';
import { counted, ended, joined, listed, named, quoted } from '../row.ts';

const PLACE = { module: 'network.axl', codeLocation: 'axl' } as const;

/** A client that speaks AXL with an IM&P server, and the table it keeps there. */
export const AXL: Rows<AxlNote['note']> = {
  'axl-sent': {
    ...PLACE,
    severity: 'info',
    severityOf: ({ routine }) => (routine ? 'debug' : 'info'),
    wording: ({ publisher, url, function: fn, version, sql }) => ({
      sentence: `Sent ${named(fn)} of AXL ${named(version)} to ${named(publisher)}: ${quoted(sql)}.`,
      fields: { publisher, url, function: fn, version },
    }),
    reference: ({ url, function: fn }) => ({ Action: 'Send', URL: url, Function: fn }),
  },
  'axl-answered': {
    ...PLACE,
    severity: 'debug',
    wording: ({ publisher, url, function: fn, version, rows, seconds }) => ({
      sentence: `Answer of ${named(publisher)} to ${named(fn)}: ${counted(rows, 'row')} in ${seconds.toFixed(3)} seconds.`,
      fields: { publisher, url, function: fn, version, rows, seconds },
    }),
    reference: ({ url, function: fn }) => ({ Action: 'Receive', URL: url, Function: fn, Status: '200', Reason: 'OK' }),
  },
  'axl-failed': {
    ...PLACE,
    severity: 'warning',
    folds: true,
    // The one is what was to be reached, the other tells what kind of server it is.
    severityOf: ({ problem: { code } }) => (code === 'duplicate' || code === 'unknown-table' ? 'debug' : 'warning'),
    wording: ({ publisher, url, function: fn, version, status, problem: { code, ...words } }) => ({
      sentence: joined(`AXL failed: ${ended(words.sentence)}`, ended(words.cause), ended(words.cure)),
      fields: { publisher, url, function: fn, version, failure: code, status },
    }),
    reference: ({ url, function: fn, status, reason, problem: { sentence, cure } }) => ({
      Action: 'Receive',
      URL: url,
      Function: fn,
      Status: status === undefined ? 'None' : String(status),
      Reason: reason ?? 'None',
      Detail: joined(ended(sentence), ended(cure)),
    }),
  },
  'axl-table-changed': {
    ...PLACE,
    severity: 'info',
    wording: ({ publisher, inserted, removed }) => ({
      sentence: joined(
        `The table xmpps2snodes of ${named(publisher)} is changed.`,
        inserted.length === 0 ? undefined : `Inserted: ${listed(inserted)}.`,
        removed.length === 0 ? undefined : `Removed: ${listed(removed)}.`,
        'An XCP Router that reads it only at its start, as that of IM and Presence does, has to be restarted on every node; until then it returns stanzas for foreign domains.',
      ),
      fields: { publisher, inserted, removed },
    }),
  },
};
