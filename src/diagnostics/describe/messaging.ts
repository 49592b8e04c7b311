import type { MessagingNote } from '../../protocol/notes/messaging.ts';
import type { Rows } from '../row.ts';
import { counted, ended, named, quoted } from '../row.ts';

const ACCOUNTS = { module: 'imp.messaging', codeLocation: 'imp.messaging' } as const;
const ROOMS = { module: 'imp.rooms', codeLocation: 'imp.rooms' } as const;

/** What an IM&P node does for its users: rosters, presence, messages, rooms. */
export const MESSAGING: Rows<MessagingNote['note']> = {
  'roster-full': {
    ...ACCOUNTS,
    severity: 'warning',
    folds: true,
    wording: ({ account, what, limit }) => ({
      sentence:
        what === 'items'
          ? `The roster of ${named(account)} has ${counted(limit, 'contact')}, as many as there may be; more are refused. If the user does not know of it, a client of the user runs wild or somebody has the password: set another one (fedway imp user).`
          : `${counted(limit, 'subscription request')} from people who are not in the roster of ${named(account)} wait for an answer; further ones are ignored. Somebody floods the user with requests, or the user never answers them; the policy of the Edge can deny the domain that they come from.`,
      fields: { account, what, limit },
    }),
  },
  'messages-undelivered': {
    ...ACCOUNTS,
    severity: 'info',
    folds: true,
    wording: ({ account, moved, kept, returned }) => ({
      sentence: `A session of ${named(account)} ended before the client confirmed all that was sent to it. Messages that went to another session: ${moved}, that are kept for the next one: ${kept}, that went back to the sender: ${returned}. None is lost; if it happens often, the network of the user breaks connections.`,
      fields: { account, moved, kept, returned },
    }),
  },
  'room-created': {
    ...ROOMS,
    severity: 'info',
    folds: true,
    wording: ({ room, by }) => ({
      sentence: `The room ${named(room)} was made by ${named(by)}.`,
      fields: { room, by },
    }),
  },
  'room-ended': {
    ...ROOMS,
    severity: 'info',
    folds: true,
    wording: ({ room, because, by }) => ({
      sentence:
        because === 'destroyed'
          ? `The room ${named(room)} was destroyed${by === undefined ? '' : ` by its owner ${named(by)}`}; its settings, lists and archive are gone.`
          : `The room ${named(room)} has ended: it was temporary, and its last occupant left.`,
      fields: { room, because, by },
    }),
  },
  'room-refused': {
    ...ROOMS,
    severity: 'warning',
    folds: true,
    wording: ({ room, by, because }) => ({
      sentence: `The room ${named(room)}, which ${named(by)} wanted to make, was refused: ${ended(because)}`,
      fields: { room, by },
    }),
  },
  'room-ghost': {
    ...ROOMS,
    severity: 'info',
    folds: true,
    wording: ({ room, occupant, condition }) => ({
      sentence: `Took ${named(occupant)} out of the room ${named(room)}, since what is sent there comes back (${condition}); whoever it is can enter again.`,
      fields: { room, occupant, condition },
    }),
  },
  'room-flood': {
    ...ROOMS,
    severity: 'warning',
    folds: true,
    wording: ({ room, from, what }) => ({
      sentence: `The room ${named(room)} gets more ${what} from ${named(from)} than it takes; what is too much is returned. If this goes on, let an admin of the room ban the user.`,
      fields: { room, from, what },
    }),
  },
  'room-not-stored': {
    ...ROOMS,
    severity: 'error',
    wording: ({ room, detail }) => ({
      sentence: `A change of the room ${named(room)} could not be written to the database: ${quoted(detail)}. It is in force until the node ends and is tried again with the next change; check space and permissions of the data folder.`,
      fields: { room },
    }),
  },
};
