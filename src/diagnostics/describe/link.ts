import type { StreamEnd } from '../../protocol/end.ts';
import { codeOf } from '../../protocol/sentence.ts';
import { explain, severityOfEnd } from '../explain.ts';
import type { Rows } from '../row.ts';
import { counted, ended, isoTime, joined, listed, named } from '../row.ts';

/** Notes about the Link between Edge and Core. */
type LinkNote =
  | 'link-invited'
  | 'link-joined'
  | 'link-join-refused'
  | 'link-up'
  | 'link-down'
  | 'link-unreachable'
  | 'link-given-up'
  | 'link-refused'
  | 'link-certificate-renewed'
  | 'link-certificate-not-renewed'
  | 'link-revoked'
  | 'link-home-refused'
  | 'link-storage';

const PLACE = { module: 'link', codeLocation: 'link' } as const;

export const LINK: Rows<LinkNote> = {
  'link-invited': {
    ...PLACE,
    severity: 'info',
    wording: ({ box, domains, until }) => ({
      sentence: `Made an invitation for the Core ${named(box)}, which may serve ${domains.length === 0 ? 'every home of this Edge' : listed(domains)}; the token is good once, until ${isoTime(until)}.`,
      fields: { box, domains, until: isoTime(until) },
    }),
  },
  'link-joined': {
    ...PLACE,
    severity: 'info',
    wording: ({ box, certificateUntil }) => ({
      sentence: `Paired with ${named(box)}; the certificate of the Core is valid until ${isoTime(certificateUntil)} and is renewed over the Link.`,
      fields: { box, certificate_until: isoTime(certificateUntil) },
    }),
  },
  'link-join-refused': {
    ...PLACE,
    severity: 'warning',
    folds: true,
    wording: ({ because }, { peer }) => ({
      sentence: `Refused to pair with the box at ${named(peer ?? 'an unknown address')}: ${ended(because)} If the box is yours, make a new invitation (fedway link invite); if not, somebody tries tokens on your Link port.`,
    }),
  },
  'link-up': {
    ...PLACE,
    severity: 'info',
    wording: ({ box, resumed, tls, certificateUntil, waiting }) => ({
      sentence: joined(
        resumed
          ? `The Link with ${named(box)} is back: it goes on where it broke, nothing was lost.`
          : `The Link with ${named(box)} is up.`,
        `${named(tls.version)} with ${named(tls.cipher)}; the certificate at the other end is valid until ${isoTime(certificateUntil)}.`,
        waiting === 0 ? undefined : `Stanzas that waited for it: ${waiting.toLocaleString('en-US')}.`,
      ),
      fields: {
        box,
        resumed,
        version: tls.version,
        cipher: tls.cipher,
        certificate_until: isoTime(certificateUntil),
        waiting,
      },
    }),
  },
  'link-down': {
    ...PLACE,
    severity: 'warning',
    folds: true,
    severityOf: ({ because }) => severityOfEnd(because),
    wording: ({ box, because, waiting }, { direction }) => {
      const { cause } = explain(because, direction);
      const left =
        waiting === 0 ? undefined : `Stanzas that wait for it to come back: ${waiting.toLocaleString('en-US')}.`;
      return {
        sentence: joined(`The Link with ${named(box)} is down.`, cause, AGAIN, cureOf(because), left),
        fields: { box, end: codeOf(because), waiting },
      };
    },
  },
  'link-unreachable': {
    ...PLACE,
    severity: 'warning',
    folds: true,
    wording: ({ box, detail }) => ({
      sentence: `No Link with ${named(box)}: ${ended(detail)} Check that fedway runs there, that its address is right (fedway link list), and that the firewall lets this box connect to its Link port; it is tried again by itself.`,
      fields: { box },
    }),
  },
  'link-given-up': {
    ...PLACE,
    severity: 'warning',
    folds: true,
    wording: ({ box, detail, stanzas, inDoubt }) => ({
      sentence: joined(
        `Returned ${counted(stanzas, 'stanza')} that waited for the Link with ${named(box)}: ${ended(detail)}`,
        inDoubt === 0
          ? undefined
          : `Of these ${inDoubt.toLocaleString('en-US')} had been sent without an answer and may have arrived; none is sent twice.`,
      ),
      fields: { box, stanzas, in_doubt: inDoubt },
    }),
  },
  'link-refused': {
    ...PLACE,
    severity: 'warning',
    folds: true,
    wording: ({ because, box }, { peer }) => ({
      sentence: `Refused a connection to the Link port from ${named(peer ?? 'an unknown address')}${box === undefined ? '' : ` (the Core ${named(box)})`}: ${ended(because)}`,
      fields: { box },
    }),
  },
  'link-certificate-renewed': {
    ...PLACE,
    severity: 'info',
    wording: ({ box, until }) => ({
      sentence: `The Link certificate of ${named(box)} is renewed and valid until ${isoTime(until)}; connections made from now on use it.`,
      fields: { box, until: isoTime(until) },
    }),
  },
  'link-certificate-not-renewed': {
    ...PLACE,
    severity: 'error',
    folds: true,
    wording: ({ box, detail, until }) => ({
      sentence: `The Link certificate of ${named(box)} could not be renewed: ${ended(detail)} The present one is valid until ${isoTime(until)}; after that the Core has to join again with a new invitation.`,
      fields: { box, until: isoTime(until) },
    }),
  },
  'link-revoked': {
    ...PLACE,
    severity: 'warning',
    wording: ({ box, by, stanzas }) => ({
      sentence: joined(
        by === 'us'
          ? `The pairing with ${named(box)} is revoked: its key counts no more.`
          : `The pairing with ${named(box)} was revoked by the other end. To pair again, make a new invitation on the Edge (fedway link invite) and join with it.`,
        stanzas === 0 ? undefined : `${counted(stanzas, 'stanza')} that waited for it returned.`,
      ),
      fields: { box, by, stanzas },
    }),
  },
  'link-home-refused': {
    ...PLACE,
    severity: 'warning',
    folds: true,
    wording: ({ box, domain, because }) => ({
      sentence: `The Edge ${named(box)} does not forward stanzas for ${named(domain)} to this Core: ${ended(because)}`,
      fields: { box, domain },
    }),
  },
  'link-storage': {
    ...PLACE,
    severity: 'error',
    wording: ({ detail }) => ({ sentence: `The Links cannot work: ${ended(detail)}` }),
  },
};

const AGAIN = 'The Core dials again by itself.';

/** What ends a Link is not what ends a partner's stream: nothing waits for somebody to write, and other keys are to be turned. */
function cureOf(end: StreamEnd): string | undefined {
  switch (end.by) {
    case 'timeout':
      return 'If it happens again, look for a firewall between the boxes that forgets connections, or a box that has no time to answer; link.quiet says how long silence is borne.';
    case 'disconnect':
    case 'network':
      return 'If it happens again, look for a restart of the other box, packet loss, or a firewall that forgets connections.';
    default:
      return undefined;
  }
}
