import { FLAGS, frameOf, LARGEST_PAYLOAD } from './frame.ts';
import { SecretMask } from './secret-mask.ts';
import type { Conversation } from './tap.ts';

/** Where the sequence numbers of both ends begin; that of the end that opened is the first. */
const FIRST_SEQUENCE = [1_000, 500_000] as const;
const NOTHING = new Uint8Array();

/**
 * Writes one conversation as the frames that it could have been: a handshake, segments in both directions that acknowledge each other, and the end.
 * What was encrypted is in the clear; what authenticates is masked.
 */
export class ConversationFrames {
  readonly #conversation: Conversation;
  readonly #masks: { readonly in: SecretMask; readonly out: SecretMask } | undefined;
  readonly #next: { in: number; out: number };

  /** @param begun the conversation has begun before; without a handshake, as in every capture that begins late */
  constructor(conversation: Conversation, begun: boolean) {
    this.#conversation = conversation;
    this.#masks =
      conversation.protocol === 'xmpp' ? { in: new SecretMask(begun), out: new SecretMask(begun) } : undefined;
    const [opener, other] = FIRST_SEQUENCE;
    this.#next = conversation.openedBy === 'remote' ? { in: opener, out: other } : { in: other, out: opener };
    if (begun) this.#next = { in: this.#next.in + 1, out: this.#next.out + 1 };
  }

  /** RFC 9293 §3.5. */
  handshake(): readonly Buffer[] {
    const opener = this.#conversation.openedBy === 'remote' ? 'in' : 'out';
    const other = opener === 'in' ? 'out' : 'in';
    return [
      this.#control(opener, FLAGS.syn),
      this.#control(other, FLAGS.syn | FLAGS.ack),
      this.#frame(opener, FLAGS.ack),
    ];
  }

  data(direction: 'in' | 'out', bytes: Uint8Array): readonly Buffer[] {
    const shown = this.#masks === undefined ? bytes : this.#masks[direction].mask(bytes);
    const frames: Buffer[] = [];
    for (let start = 0; start < shown.length; start += LARGEST_PAYLOAD) {
      const payload = shown.subarray(start, start + LARGEST_PAYLOAD);
      frames.push(this.#frame(direction, FLAGS.push | FLAGS.ack, payload));
      this.#next[direction] = (this.#next[direction] + payload.length) >>> 0;
    }
    return frames;
  }

  /** RFC 9293 §3.6. Which end was the first is not known here: the remote one. */
  end(): readonly Buffer[] {
    const fin = FLAGS.fin | FLAGS.ack;
    return [this.#control('in', fin), this.#control('out', fin), this.#frame('in', FLAGS.ack)];
  }

  /** SYN and FIN count as one byte each. */
  #control(direction: 'in' | 'out', flags: number): Buffer {
    const frame = this.#frame(direction, flags);
    this.#next[direction] = (this.#next[direction] + 1) >>> 0;
    return frame;
  }

  #frame(direction: 'in' | 'out', flags: number, payload: Uint8Array = NOTHING): Buffer {
    const { local, remote } = this.#conversation;
    const acknowledges = (flags & FLAGS.ack) === 0 ? 0 : this.#next[direction === 'in' ? 'out' : 'in'];
    const ends = direction === 'in' ? { from: remote, to: local } : { from: local, to: remote };
    return frameOf({ ...ends, sequence: this.#next[direction], acknowledges, flags, payload });
  }
}
