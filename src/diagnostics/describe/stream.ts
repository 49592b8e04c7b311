import type { TlsFacts } from '../../protocol/identity/facts.ts';
import type { Severity } from '../../protocol/notes.ts';
import { codeOf } from '../../protocol/sentence.ts';
import { explain, explainStreamError, severityOfEnd } from '../explain.ts';
import type { Fields, Rows } from '../row.ts';
import { counted, ended, isoTime, joined, listed, named, peerOf, quoted } from '../row.ts';

/** Notes about one stream: from TCP accept to its end. */
type StreamNote =
  | 'accepted'
  | 'header-received'
  | 'header-sent'
  | 'element-received'
  | 'element-sent'
  | 'secured'
  | 'not-secured'
  | 'external-offered'
  | 'external-not-offered'
  | 'external-succeeded'
  | 'external-failed'
  | 'stream-ready'
  | 'state-changed'
  | 'authorized'
  | 'refused'
  | 'stream-error-sent'
  | 'stream-error-received'
  | 'closed-by-administrator'
  | 'ended'
  | 'ignored'
  | 'connection-refused';

export const STREAM: Rows<StreamNote> = {
  accepted: {
    severity: 'info',
    module: 's2s.stream',
    codeLocation: 'stream.in',
    wording: (_note, subject) => ({
      sentence: `Accepted a connection from ${named(subject.peer ?? 'an unknown address')}.`,
    }),
  },
  'header-received': {
    severity: 'info',
    module: 's2s.stream',
    codeLocation: 'debug',
    wording: ({ xml, streamId }, subject) => ({
      sentence:
        subject.direction === 'out'
          ? `${capital(peerOf(subject))} answered with its stream header.`
          : `${capital(peerOf(subject))} opened a stream.`,
      fields: { stream_id: streamId, xml },
    }),
  },
  'header-sent': {
    severity: 'debug',
    module: 's2s.stream',
    codeLocation: 'stream.*',
    wording: ({ xml, streamId }, subject) => ({
      sentence: `Sent our stream header to ${peerOf(subject)}.`,
      fields: { stream_id: streamId, xml },
    }),
  },
  'element-received': {
    severity: 'verbose',
    module: 's2s.stream',
    codeLocation: 'stanza.component.in',
    wording: ({ xml }, subject) => ({ sentence: `Received from ${peerOf(subject)}.`, fields: { xml } }),
  },
  'element-sent': {
    severity: 'verbose',
    module: 's2s.stream',
    codeLocation: 'stanza.component.out',
    wording: ({ xml }, subject) => ({ sentence: `Sent to ${peerOf(subject)}.`, fields: { xml } }),
  },
  secured: {
    severity: 'info',
    module: 's2s.tls',
    codeLocation: 'stream.*',
    wording: ({ tls }, subject) => ({
      sentence: `The stream with ${peerOf(subject)} is encrypted (${tls.version}, ${tls.cipher}); ${certificateClause(tls)}.`,
      fields: tlsFields(tls),
    }),
  },
  'not-secured': {
    severity: 'warning',
    module: 's2s.tls',
    codeLocation: 'stream.*',
    folds: true,
    // On a port of direct TLS anybody can fail who looks at open ports, and has not said who it is.
    severityOf: (_note, { side, direction, remote }) =>
      side === 'home' || (direction === 'in' && remote === undefined) ? 'info' : 'warning',
    wording: ({ detail }, subject) => ({
      sentence: `The TLS handshake with ${peerOf(subject)} failed, and the connection ends: ${ended(detail)}`,
    }),
  },
  'external-offered': {
    severity: 'debug',
    module: 's2s.sasl',
    codeLocation: 'stream.*',
    wording: (_note, subject) => ({
      sentence:
        subject.direction === 'out'
          ? `${capital(peerOf(subject))} offers authentication by our certificate (SASL EXTERNAL).`
          : `Offered ${peerOf(subject)} authentication by its certificate (SASL EXTERNAL).`,
    }),
  },
  'external-not-offered': {
    severity: 'info',
    module: 's2s.sasl',
    codeLocation: 'stream.*',
    wording: ({ because }, subject) => ({
      sentence: `Authentication by certificate (SASL EXTERNAL) is not possible with ${peerOf(subject)}: ${ended(because)} Dialback is tried where it is permitted.`,
    }),
  },
  'external-succeeded': {
    severity: 'info',
    module: 's2s.sasl',
    codeLocation: 'stream.*',
    wording: (_note, subject) => ({
      sentence:
        subject.direction === 'out'
          ? `${capital(peerOf(subject))} accepted our certificate (SASL EXTERNAL).`
          : `${capital(peerOf(subject))} proved its domain by its certificate (SASL EXTERNAL).`,
    }),
  },
  'external-failed': {
    severity: 'warning',
    module: 's2s.sasl',
    codeLocation: 'stream.*',
    folds: true,
    wording: ({ condition, text }, subject) => ({
      sentence:
        subject.direction === 'out'
          ? `${capital(peerOf(subject))} did not accept our certificate (SASL EXTERNAL, ${named(condition)})${said(text)}. Dialback is tried where it is permitted; otherwise compare the names and the issuer of the certificate in homes with what the partner trusts.`
          : `${capital(peerOf(subject))} could not prove its domain by its certificate (SASL EXTERNAL, ${named(condition)})${reason(text)} Dialback is still open to it where it is permitted.`,
      fields: { condition },
    }),
  },
  'stream-ready': {
    severity: 'debug',
    module: 's2s.stream',
    codeLocation: 'stream.*',
    wording: (_note, subject) => ({ sentence: `The stream with ${peerOf(subject)} is negotiated.` }),
  },
  'state-changed': {
    severity: 'info',
    module: 's2s.stream',
    codeLocation: 'ConnInfoHistory',
    wording: ({ from, to }, subject) => ({
      sentence: `The stream with ${peerOf(subject)} went from ${from} to ${to}.`,
      fields: { from, to },
    }),
  },
  authorized: {
    severity: 'info',
    module: 's2s.stream',
    codeLocation: 'stream.*',
    wording: ({ sender, target, by }) => ({
      sentence: `Stanzas from ${named(sender)} to ${named(target)} are authorized on this stream, by ${BY[by]}.`,
      fields: { sender, target, by },
    }),
  },
  refused: {
    severity: 'warning',
    module: 's2s.stream',
    codeLocation: 'stream.*',
    folds: true,
    wording: ({ sender, target, because }, subject) => {
      const { cause, cure } = explain(because, subject.direction);
      return {
        sentence: joined(
          `Stanzas from ${named(sender)} to ${named(target)} are not authorized on this stream.`,
          cause,
          cure,
        ),
        fields: { sender, target, end: codeOf(because) },
      };
    },
  },
  // What to do about a stream error is told once, when the stream has ended.
  // What a stream error means is told once, with cause and cure, as a warning: when the stream is over.
  'stream-error-sent': {
    severity: 'info',
    module: 's2s.stream',
    codeLocation: 'stream.*',
    folds: true,
    wording: ({ condition, text }, subject) => ({
      sentence: `Closing the stream with ${peerOf(subject)}. ${explainStreamError('us', condition, text).cause}`,
      fields: { condition },
    }),
  },
  'stream-error-received': {
    severity: 'info',
    module: 's2s.stream',
    codeLocation: 'stream.*',
    folds: true,
    wording: ({ condition, text }, subject) => ({
      sentence: `${capital(peerOf(subject))} closes the stream. ${explainStreamError('them', condition, text).cause}`,
      fields: { condition },
    }),
  },
  'closed-by-administrator': {
    severity: 'info',
    module: 's2s.stream',
    codeLocation: 'stream.*',
    wording: ({ reason }, subject) => ({
      sentence: `An administrator closes the stream with ${peerOf(subject)}: ${ended(reason)}`,
      fields: { reason },
    }),
  },
  ended: {
    severity: 'warning',
    module: 's2s.stream',
    codeLocation: 'stream.*',
    folds: true,
    severityOf: ({ end }): Severity => severityOfEnd(end),
    wording: ({ end, stanzasIn, stanzasOut }, subject) => {
      const { cause, cure } = explain(end, subject.direction);
      const carried = `It carried ${counted(stanzasIn, 'stanza')} in and ${stanzasOut.toLocaleString('en-US')} out.`;
      return {
        sentence: joined(`The stream with ${peerOf(subject)} is over.`, cause, cure, carried),
        fields: { end: codeOf(end), stanzas_in: stanzasIn, stanzas_out: stanzasOut },
      };
    },
  },
  ignored: {
    severity: 'warning',
    module: 's2s.stream',
    codeLocation: 'stream.*',
    folds: true,
    wording: ({ what }, subject) => ({ sentence: `Ignored from ${peerOf(subject)}: ${ended(what)}` }),
  },
  'connection-refused': {
    severity: 'warning',
    module: 's2s.stream',
    codeLocation: 'stream.in',
    folds: true,
    wording: ({ because }, subject) => ({
      sentence: `Refused a connection from ${named(subject.peer ?? 'an unknown address')}: ${ended(because)}`,
    }),
  },
};

const BY = {
  external: 'certificate (SASL EXTERNAL)',
  dialback: 'dialback',
  component: 'component handshake',
} as const;

/** Why we refused, in our words. */
function reason(text: string | undefined): string {
  return text === undefined || text === '' ? '.' : `: ${ended(text)}`;
}

/** What the peer says of its refusal. */
function said(text: string | undefined): string {
  return text === undefined || text === '' ? '' : `, saying ${quoted(text)}`;
}

function capital(text: string): string {
  return text.startsWith('the ') ? `T${text.slice(1)}` : text;
}

/** RFC 7590 §3.6: an administrator can see how each stream is protected and what the peer showed. */
function certificateClause(tls: TlsFacts): string {
  if (tls.peer === undefined) return 'the peer showed no certificate';
  const names = listed(
    tls.peer.names.map((name) => name.value),
    5,
  );
  return tls.peer.untrusted === undefined
    ? `its certificate is trusted and names ${names}`
    : `its certificate names ${names} and is not trusted: ${tls.peer.untrusted.replace(/\.$/u, '')}`;
}

function tlsFields(tls: TlsFacts): Fields {
  const { version, cipher, peer } = tls;
  if (peer === undefined) return { version, cipher };
  return {
    version,
    cipher,
    peer_subject: peer.subject,
    peer_issuer: peer.issuer,
    peer_names: peer.names.map((name) => `${name.kind}:${name.value}`),
    peer_fingerprint: peer.fingerprint,
    peer_not_before: isoTime(peer.notBefore),
    peer_not_after: isoTime(peer.notAfter),
    peer_untrusted: peer.untrusted,
  };
}
