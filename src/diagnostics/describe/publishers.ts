import type { PublisherNote } from '../../protocol/notes/publishers.ts';
import type { Rows } from '../row.ts';
import { ended, joined, listed, named } from '../row.ts';

const ALARM = { module: 'alarm', codeLocation: 'alarm' } as const;
const AXL = { module: 'network.axl', codeLocation: 'publishers' } as const;

/** The IM&P servers of a Core, and the alarms of a box. */
export const PUBLISHERS: Rows<PublisherNote['note']> = {
  'alarm-raised': {
    ...ALARM,
    severity: 'error',
    wording: ({ id, title, about, what, detail, cause, cure }) => ({
      sentence: joined(
        `Alarm ${id} (${title}) is raised:`,
        detail === undefined ? ended(what) : `${what}: ${ended(detail)}`,
        `Cause: ${ended(cause)}`,
        `Cure: ${ended(cure)}`,
      ),
      fields: { alarm: id, title, about },
    }),
  },
  'alarm-cleared': {
    ...ALARM,
    severity: 'info',
    wording: ({ id, title, about, seconds }) => ({
      sentence: `Alarm ${id} (${title}) of ${named(about)} is over; it was raised for ${seconds.toLocaleString('en-US')} seconds.`,
      fields: { alarm: id, title, about, seconds },
    }),
  },
  'publisher-ledger': {
    ...AXL,
    severity: 'error',
    wording: ({ problem }) => ({ sentence: ended(problem) }),
  },
  'publisher-left': {
    ...AXL,
    severity: 'warning',
    severityOf: ({ left }) => (left.length === 0 ? 'info' : 'warning'),
    wording: ({ publisher, left }) => ({
      sentence:
        left.length === 0
          ? `The IM&P publisher ${named(publisher)} is no longer told of the Edges; nothing of ours is in its table.`
          : `The IM&P publisher ${named(publisher)} is no longer configured and could not be reached in time: ${listed(left)} may still be in its table xmpps2snodes. Remove the rows there, or configure the publisher again for a moment.`,
      fields: { publisher, left },
    }),
  },
};
