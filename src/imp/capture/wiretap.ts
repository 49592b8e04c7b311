import { ConversationFrames } from './conversation.ts';
import type { Conversation, Tap, TappedConversation } from './tap.ts';

/** Takes the frames of conversations while a capture runs. */
export interface FrameSink {
  /** Whether this conversation belongs to the capture. */
  wants(conversation: Conversation): boolean;
  take(frames: readonly Buffer[]): void;
}

/** What the node's listeners tell of their conversations; as long as nobody captures, nothing is done with it. */
export class Wiretap implements Tap {
  #sink: FrameSink | undefined;

  /** Whom to give frames to from now on. */
  set sink(sink: FrameSink | undefined) {
    this.#sink = sink;
  }

  opened(conversation: Conversation): TappedConversation {
    let sink: FrameSink | undefined;
    let frames: ConversationFrames | undefined;
    let over = false;
    /** The frames of this conversation for the capture that runs now. */
    const current = (begun: boolean): ConversationFrames | undefined => {
      if (this.#sink === sink) return frames;
      sink = this.#sink;
      const wanted = sink?.wants(conversation) === true;
      frames = wanted ? new ConversationFrames(conversation, begun) : undefined;
      if (!begun) sink?.take(frames?.handshake() ?? []);
      return frames;
    };
    current(false);
    return {
      data: (direction, bytes) => {
        if (this.#sink === undefined || over) return;
        const writer = current(true);
        if (writer !== undefined) sink?.take(writer.data(direction, bytes));
      },
      closed: () => {
        if (this.#sink !== undefined && !over) {
          const writer = current(true);
          if (writer !== undefined) sink?.take(writer.end());
        }
        over = true;
      },
    };
  }
}
