import type { ClientNote } from '../../protocol/notes/clients.ts';
import { codeOf } from '../../protocol/sentence.ts';
import { explain } from '../explain.ts';
import type { Rows } from '../row.ts';
import { counted, ended, joined, named } from '../row.ts';

const PLACE = { module: 'imp.client', codeLocation: 'imp.client' } as const;

/** Clients of an IM&P node: their streams, authentication, sessions. */
export const CLIENTS: Rows<ClientNote['note']> = {
  'client-connected': {
    ...PLACE,
    severity: 'debug',
    wording: ({ transport }, { peer }) => ({
      sentence: `Accepted the connection of a client from ${from(peer)} (${transport}).`,
      fields: { transport },
    }),
  },
  'client-secured': {
    ...PLACE,
    severity: 'debug',
    wording: ({ version, cipher }, { peer }) => ({
      sentence: `The connection of the client at ${from(peer)} is encrypted (${version}, ${cipher}).`,
      fields: { version, cipher },
    }),
  },
  'client-element': {
    ...PLACE,
    severity: 'verbose',
    wording: ({ sent, xml }, { remote, peer }) => ({
      sentence: `${sent ? 'Sent to' : 'Received from'} the client ${from(remote ?? peer)}.`,
      fields: { xml },
    }),
  },
  'client-authenticated': {
    ...PLACE,
    severity: 'info',
    wording: ({ username, mechanism }, { peer }) => ({
      sentence: `User ${named(username)} has authenticated from ${from(peer)} (${mechanism}).`,
      fields: { username, mechanism },
    }),
  },
  'client-not-authenticated': {
    ...PLACE,
    severity: 'info',
    folds: true,
    wording: ({ username, mechanism, condition, why }, { peer }) => ({
      sentence: `The client at ${from(peer)} has not authenticated${username === undefined ? '' : ` as ${named(username)}`}${mechanism === undefined ? '' : ` by ${mechanism}`}: ${ended(why)}`,
      fields: { username, mechanism, condition },
    }),
  },
  'client-braked': {
    ...PLACE,
    severity: 'warning',
    folds: true,
    wording: ({ what, name, failures, seconds }) => ({
      sentence:
        what === 'source'
          ? `Somebody at ${named(name)} guesses passwords: ${counted(failures, 'attempt')} failed. Attempts from there are refused for ${counted(seconds, 'second')}. If these are your own users behind one address, look for a client with an old password; if not, keep that address out with your firewall.`
          : `Somebody guesses the password of ${named(name)}: ${counted(failures, 'attempt')} failed. Attempts are refused for ${counted(seconds, 'second')}, but for those from where the user has logged in before. Tell the user to choose a good password.`,
      fields: { what, name, failures, seconds },
    }),
  },
  'client-bound': {
    ...PLACE,
    severity: 'info',
    wording: ({ address }, { peer }) => ({
      sentence: `Client ${named(address)} has a session from ${from(peer)}.`,
      fields: { address },
    }),
  },
  'client-away': {
    ...PLACE,
    severity: 'info',
    wording: ({ address, seconds }) => ({
      sentence: `The connection of ${named(address)} broke; the session is kept for ${counted(seconds, 'second')}, until the client resumes it.`,
      fields: { address, seconds },
    }),
  },
  'client-resumed': {
    ...PLACE,
    severity: 'info',
    wording: ({ address, again }, { peer }) => ({
      sentence: joined(
        `Client ${named(address)} goes on with its session, from ${from(peer)}.`,
        again === 0 ? undefined : `${counted(again, 'stanza')} that it had not acknowledged sent again.`,
      ),
      fields: { address, again },
    }),
  },
  'client-session-ended': {
    ...PLACE,
    severity: 'info',
    wording: ({ address, undelivered }) => ({
      sentence: joined(
        `The session of ${named(address)} is over.`,
        undelivered === 0 ? undefined : `${counted(undelivered, 'stanza')} it never acknowledged.`,
      ),
      fields: { address, undelivered },
    }),
  },
  'client-overflow': {
    ...PLACE,
    severity: 'warning',
    folds: true,
    wording: ({ address, bytes }) => ({
      sentence: `The session of ${named(address)} ends: more waits for its client than is kept for one (${counted(bytes, 'byte')}). The client is away or does not read; what it has not acknowledged is treated as undelivered.`,
      fields: { address, bytes },
    }),
  },
  'client-gone': {
    ...PLACE,
    severity: 'info',
    folds: true,
    severityOf: ({ end }) => (end.by === 'close' || end.by === 'disconnect' ? 'debug' : 'info'),
    wording: ({ end, stanzasIn, stanzasOut }, { remote, peer }) => ({
      sentence: joined(
        `The connection of the client ${from(remote ?? peer)} is over.`,
        end.by === 'timeout' ? `Nothing came while waiting for ${ended(end.waitingFor)}` : explain(end, 'in').cause,
        `It carried ${counted(stanzasIn, 'stanza')} in and ${stanzasOut.toLocaleString('en-US')} out.`,
      ),
      fields: { end: codeOf(end), stanzas_in: stanzasIn, stanzas_out: stanzasOut },
    }),
  },
  'client-ignored': {
    ...PLACE,
    severity: 'debug',
    folds: true,
    wording: ({ what }, { remote, peer }) => ({ sentence: `Ignored from ${from(remote ?? peer)}: ${ended(what)}` }),
  },
  'client-refused': {
    ...PLACE,
    severity: 'warning',
    folds: true,
    wording: ({ because }, { peer }) => ({
      sentence: `Refused the connection of a client from ${from(peer)}: ${ended(because)}`,
    }),
  },
  'client-websocket-refused': {
    ...PLACE,
    severity: 'info',
    folds: true,
    wording: ({ because }, { peer }) => ({
      sentence: `Refused a WebSocket from ${from(peer)}: ${ended(because)} Clients connect to the path /ws with the sub-protocol xmpp.`,
    }),
  },
};

function from(peer: string | undefined): string {
  return named(peer ?? 'an unknown address');
}
