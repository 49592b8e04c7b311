import type { StreamEnd } from '../end.ts';
import {
  handledIn,
  REQUEST,
  writeAcknowledgement,
  writeEnabled,
  writeHandledTooHigh,
  writeResumed,
} from '../stream/management.ts';
import type { StreamErrorCondition } from '../stream/stream-error.ts';
import type { XmlElement } from '../xml/types.ts';
import { attributeOf } from '../xml/write.ts';
import type { ClientTimeouts } from './context.ts';
import type { StreamManagement } from './stream-management.ts';

/** While an answer is awaited, the client is asked again after so many stanzas. */
const ASK_EVERY = 10;

/** A request to resume (XEP-0198 §5). */
export interface ResumeRequest {
  readonly id: string;
  readonly handled: number;
}

/** What a stream does for the acknowledgements on it. */
export interface AcknowledgementSurroundings {
  send(xml: string): void;
  arm(timer: 'quiet', afterMs: number): void;
  fail(condition: StreamErrorCondition, text: string, application?: string): void;
  /** Ends the connection without a word; the session stays. */
  end(end: StreamEnd): void;
}

/** Acknowledgements on one stream of a client (XEP-0198 §4): answers to the client's requests, requests of ours, and whether the client is still there. */
export class ClientAcknowledgements {
  private readonly timeouts: Pick<ClientTimeouts, 'quiet' | 'answer'>;
  private readonly around: AcknowledgementSurroundings;
  private management: StreamManagement | undefined;
  /** Stanzas sent since the client was asked. */
  private unasked = 0;
  /** Questions that the client has not answered. */
  private awaited = 0;
  private isLifeDoubted = false;

  constructor(timeouts: Pick<ClientTimeouts, 'quiet' | 'answer'>, around: AcknowledgementSurroundings) {
    this.timeouts = timeouts;
    this.around = around;
  }

  /** For how long the client would like to be able to resume, in milliseconds: `undefined` if it does not want to, infinite if it does not say. */
  wantedHold(enable: XmlElement): number | undefined {
    const resume = attributeOf(enable, 'resume');
    if (resume !== 'true' && resume !== '1') return undefined;
    const seconds = attributeOf(enable, 'max');
    return seconds !== undefined && /^\d{1,9}$/.test(seconds) ? Number(seconds) * 1000 : Number.POSITIVE_INFINITY;
  }

  enabled(management: StreamManagement): void {
    this.management = management;
    this.around.send(writeEnabled(management.id, management.holdMs));
    this.around.arm('quiet', this.timeouts.quiet);
  }

  /** `undefined`: the element lacks something that it must have. */
  readResume(element: XmlElement): ResumeRequest | undefined {
    const id = attributeOf(element, 'previd');
    const handled = handledIn(element);
    return id === undefined || handled === undefined || handled === 'malformed' ? undefined : { id, handled };
  }

  /** The session goes on on this stream. `false`: the count of the client is impossible, and the stream is over. */
  resumed(management: StreamManagement, { id, handled }: ResumeRequest): boolean {
    this.management = management;
    if (!this.acknowledge(handled)) return false;
    this.around.send(writeResumed(id, management.handled));
    this.around.arm('quiet', this.timeouts.quiet);
    return true;
  }

  /** `false`: not an element that is due. */
  handle(element: XmlElement): boolean {
    const { management } = this;
    if (management === undefined) return false;
    if (element.name === 'r') this.around.send(writeAcknowledgement(management.handled));
    else if (element.name === 'a') {
      const handled = handledIn(element);
      if (handled === undefined || handled === 'malformed')
        this.around.fail('bad-format', 'An acknowledgement lacks its count.');
      else if (this.acknowledge(handled)) this.answered();
    } else return false;
    return true;
  }

  /**
   * A stanza was sent to the client, which is asked at once: many a bot goes as soon as it has what it came for, and what it has not acknowledged by then comes
   * to it a second time.
   */
  sent(): void {
    if (this.management === undefined) return;
    this.management.wroteLast();
    this.unasked += 1;
    if (this.awaited === 0 || this.unasked >= ASK_EVERY) this.ask();
  }

  ask(): void {
    this.unasked = 0;
    this.awaited += 1;
    this.around.send(REQUEST);
  }

  /** Tells the client what has arrived, unasked. */
  tell(): void {
    if (this.management !== undefined) this.around.send(writeAcknowledgement(this.management.handled));
  }

  /** Something came: the client is there. */
  heard(): void {
    if (this.management === undefined) return;
    this.isLifeDoubted = false;
    this.around.arm('quiet', this.timeouts.quiet);
  }

  /** Nothing has come for long. */
  quiet(): void {
    if (this.isLifeDoubted) this.around.end({ by: 'timeout', waitingFor: 'a sign of life from the client' });
    else {
      this.isLifeDoubted = true;
      this.ask();
      this.around.arm('quiet', this.timeouts.answer);
    }
  }

  private answered(): void {
    this.awaited = Math.max(0, this.awaited - 1);
    const isBehind = this.unasked > 0 && this.management !== undefined && this.management.waiting.stanzas > 0;
    if (this.awaited === 0 && isBehind) this.ask();
  }

  private acknowledge(handled: number): boolean {
    if (this.management === undefined || this.management.acknowledge(handled)) return true;
    this.around.fail(
      'undefined-condition',
      'More stanzas were acknowledged than were sent.',
      writeHandledTooHigh(handled, this.management.sent),
    );
    return false;
  }
}
