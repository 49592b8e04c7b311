import type { Severity } from '../../protocol/notes.ts';
import type { Rows } from '../row.ts';
import { ended, named, peerOf } from '../row.ts';

/** Notes about Server Dialback (XEP-0220) in its three roles: initiating, receiving, authoritative. */
type DialbackNote =
  | 'dialback-sent'
  | 'dialback-requested'
  | 'dialback-answered'
  | 'dialback-answer-received'
  | 'verify-sent'
  | 'verify-answer-received'
  | 'verify-requested'
  | 'verify-answered'
  | 'verify-stream-closing';

export const DIALBACK: Rows<DialbackNote> = {
  'dialback-sent': {
    severity: 'info',
    module: 's2s.dialback',
    codeLocation: 'stanza.component.out',
    wording: ({ xml, timeoutSeconds }, subject) => ({
      sentence: `Initiating: sent the dialback key to ${peerOf(subject)}; it has ${timeoutSeconds} seconds to answer.`,
      fields: { timeout_seconds: timeoutSeconds, xml },
    }),
  },
  'dialback-requested': {
    severity: 'info',
    module: 's2s.dialback',
    codeLocation: 'stanza.component.in',
    wording: ({ xml }, subject) => ({
      sentence: `Receiving: ${peerOf(subject)} sent a dialback key to prove its domain.`,
      fields: { xml },
    }),
  },
  'dialback-answered': {
    severity: 'info',
    module: 's2s.dialback',
    codeLocation: 'stanza.component.out',
    wording: ({ xml }, subject) => ({
      sentence: `Receiving: told ${peerOf(subject)} what became of its dialback key.`,
      fields: { xml },
    }),
  },
  'dialback-answer-received': {
    severity: 'info',
    module: 's2s.dialback',
    codeLocation: 'stanza.component.in',
    wording: ({ xml }, subject) => ({
      sentence: `Initiating: ${peerOf(subject)} answered our dialback key.`,
      fields: { xml },
    }),
  },
  'verify-sent': {
    severity: 'info',
    module: 's2s.dialback',
    codeLocation: 'DBVerify',
    wording: ({ xml, forConnection }, subject) => ({
      sentence: `Receiving: asked ${peerOf(subject)}, the authoritative server, whether the dialback key is its own.`,
      fields: { for_connection: forConnection, xml },
    }),
  },
  'verify-answer-received': {
    severity: 'info',
    module: 's2s.dialback',
    codeLocation: 'DBVerify',
    wording: ({ xml }, subject) => ({
      sentence: `Receiving: ${peerOf(subject)}, the authoritative server, answered about the dialback key.`,
      fields: { xml },
    }),
  },
  'verify-requested': {
    severity: 'info',
    module: 's2s.dialback',
    codeLocation: 'stanza.component.in',
    wording: ({ xml }, subject) => ({
      sentence: `Authoritative: ${peerOf(subject)} asks whether a dialback key is ours.`,
      fields: { xml },
    }),
  },
  'verify-answered': {
    severity: 'warning',
    module: 's2s.dialback',
    codeLocation: 'stanza.component.out',
    folds: true,
    severityOf: ({ xml }): Severity => (saysValid(xml) ? 'info' : 'warning'),
    wording: ({ xml, because }, subject) => ({
      sentence: saysValid(xml)
        ? `Authoritative: told ${peerOf(subject)} that the dialback key is ours: ${ended(because)}`
        : `Authoritative: did not confirm a dialback key to ${peerOf(subject)}: ${ended(because)} Either somebody pretends to be ${named(subject.local ?? 'our domain')}, or s2s.dialback_secret differs between your boxes.`,
      fields: { because, xml },
    }),
  },
  'verify-stream-closing': {
    severity: 'info',
    module: 's2s.dialback',
    codeLocation: 'stream.*',
    wording: (_note, subject) => ({
      sentence: `Closing the stream with ${peerOf(subject)}: it was opened for dialback only and has served.`,
    }),
  },
};

/** Of an answer that we wrote ourselves: its start tag says `type='valid'`. */
function saysValid(xml: string): boolean {
  return /^<[^>]*\stype=(['"])valid\1/u.test(xml);
}
