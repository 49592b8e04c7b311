import type { StreamEnd } from '../../protocol/end.ts';
import { codeOf } from '../../protocol/sentence.ts';
import { explain } from '../explain.ts';
import type { Rows } from '../row.ts';
import { counted, ended, joined, named } from '../row.ts';

/** Notes about what became of stanzas, and about the steering responder that leads them to us. */
type RoutingNote = 'queued' | 'flushed' | 'bounced' | 'dropped' | 'backing-off' | 'steered';

export const ROUTING: Rows<RoutingNote> = {
  queued: {
    severity: 'debug',
    module: 'routing',
    codeLocation: 'stanza.component.out',
    folds: true,
    wording: ({ stanzas }, subject) => ({
      sentence: `${verbed(stanzas, 'waits', 'wait')} for a stream to ${named(subject.remote ?? 'the peer')}.`,
      fields: { stanzas },
    }),
  },
  flushed: {
    severity: 'debug',
    module: 'routing',
    codeLocation: 'stanza.component.out',
    folds: true,
    wording: ({ stanzas }, subject) => ({
      sentence: `${verbed(stanzas, 'that waited was', 'that waited were')} sent to ${named(subject.remote ?? 'the peer')}.`,
      fields: { stanzas },
    }),
  },
  bounced: {
    severity: 'info',
    module: 'routing',
    codeLocation: 'stanza.component.in',
    folds: true,
    wording: ({ kind, condition, because, stanzas }) => ({
      sentence: `Returned ${counted(stanzas, 'stanza')} (${named(kind)}) to the sender with ${condition}: ${ended(because)}`,
      fields: { kind, condition, stanzas },
    }),
  },
  dropped: {
    severity: 'info',
    module: 'routing',
    codeLocation: 'stanza.component.in',
    folds: true,
    wording: ({ kind, because }) => ({
      sentence: `Dropped a stanza (${named(kind)}) without an answer: ${ended(because)}`,
      fields: { kind },
    }),
  },
  // The lines about the attempt that failed say what to do.
  // The end of a stream has been told already, with cause and cure. Where nobody answered there was no stream.
  'backing-off': {
    severity: 'warning',
    severityOf: ({ because }) => (nobodyAnswered(because) ? 'warning' : 'info'),
    module: 'routing',
    codeLocation: 'stream.out',
    folds: true,
    wording: ({ seconds, because }, subject) => {
      const remote = named(subject.remote ?? 'the peer');
      const { cause, cure } = explain(because);
      const pause = `No new attempt to reach ${remote} for ${counted(seconds, 'second')}; stanzas for it are returned.`;
      return {
        sentence: nobodyAnswered(because) ? joined(cause, cure, pause) : pause,
        fields: { seconds, end: codeOf(because) },
      };
    },
  },
  steered: {
    severity: 'debug',
    module: 'steering',
    codeLocation: 'Resolver',
    folds: true,
    wording: ({ question, client, answer }) => ({
      sentence: `Answered ${named(client)}, who asked for ${named(question)}: ${ended(answer)}`,
      fields: { question, client, answer },
    }),
  },
};

function verbed(stanzas: number, one: string, many: string): string {
  return `${counted(stanzas, 'stanza')} ${stanzas === 1 ? one : many}`;
}

function nobodyAnswered(end: StreamEnd): boolean {
  return end.by === 'network' && end.stage === 'tcp';
}
