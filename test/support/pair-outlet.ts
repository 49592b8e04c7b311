import { type Demand, PairOutlet, type SendingStream, type StreamOpener } from '../../src/federation/pair-outlet.ts';
import type { StreamEnd } from '../../src/protocol/end.ts';
import type { Domain } from '../../src/protocol/jid/domain.ts';
import type { Note } from '../../src/protocol/notes.ts';
import type { Closing } from '../../src/protocol/stream/actions.ts';
import { VirtualClock } from '../protocol/clock.ts';
import { stanzaIn } from './xml-events.ts';

const PAIR = { sender: 'coluc.com' as Domain, target: 'vngtp.lab' as Domain };

type Events = Parameters<StreamOpener['open']>[1];

/** An authorized stream that remembers what was sent on it. */
export class SentStream implements SendingStream {
  readonly sent: string[] = [];
  readonly closed: string[] = [];
  lastActive = 0;
  hasRoom = true;
  send(stanza: { readonly id: string | undefined }): boolean {
    this.sent.push(stanza.id ?? '');
    return this.hasRoom;
  }
  room(): Promise<void> {
    return Promise.resolve();
  }
  close({ why }: Closing): void {
    this.closed.push(why);
  }
}

/** An outlet whose attempts the test decides. */
export function outletWith(limits = { stanzas: 3, bytes: 10_000 }, atOnce?: (events: Events) => void) {
  const clock = new VirtualClock();
  const attempts: { readonly events: Events; readonly demand: Demand; abandoned: boolean; said?: string }[] = [];
  const notes: Note[] = [];
  const returned: { readonly id: string | undefined; readonly end: StreamEnd }[] = [];
  const outlet = new PairOutlet(PAIR, {
    opener: {
      open: (_pair, events, demand) => {
        const attempt: (typeof attempts)[number] = { events, demand, abandoned: false };
        attempts.push(attempt);
        atOnce?.(events);
        return {
          abandon: (closing) => {
            attempt.abandoned = true;
            if (closing !== undefined) attempt.said = closing.why;
          },
        };
      },
    },
    limits,
    now: () => clock.now,
    random: () => 0.5,
    note: (note) => notes.push(note),
    undeliverable: (stanza, _pair, end) => returned.push({ id: stanza.id, end }),
  });
  const last = () => {
    const attempt = attempts.at(-1);
    if (attempt === undefined) throw new Error('nothing was opened');
    return attempt;
  };
  const offer = (id: number | string) =>
    outlet.offer(stanzaIn(`<message id='${id}' from='a@coluc.com' to='b@vngtp.lab'/>`));
  const authorize = () => {
    const stream = new SentStream();
    last().events.authorized(stream);
    return stream;
  };
  return { outlet, clock, attempts, notes, returned, last, offer, authorize };
}
