import type { StreamEnd } from '../protocol/end.ts';
import type { Note } from '../protocol/notes.ts';
import type { Closing, StreamPair } from '../protocol/stream/actions.ts';
import { isTransient } from '../protocol/stream/stream-error.ts';
import type { Stanza } from '../protocol/xml/types.ts';
import type { Offer, Outlet } from './outlet.ts';

/** An authorized stream as an outlet sees it. */
export interface SendingStream {
  /** `false`: taken, and the sender should wait for `room()`. */
  send(stanza: Stanza): boolean;
  room(): Promise<void>;
  /** When a stanza last passed, in milliseconds of a clock that is never set. */
  readonly lastActive: number;
  close(closing: Closing): void;
}

/** What a second attempt does differently from what the policy asks for. */
export interface Demand {
  /** STARTTLS is asked for although the policy could do without, and the features may not offer it. */
  readonly tls?: 'required';
}

/** What an opener tells. `authorized` is called at most once, `ended` exactly once and last. */
export interface OpeningEvents {
  authorized(stream: SendingStream): void;
  /** Somebody else ends the stream in good order, an administrator: nothing may be sent on it any more. */
  leaving(): void;
  ended(end: StreamEnd): void;
}

/** A stream that is being opened. */
export interface Attempt {
  /** Gives it up, with the word that `closing` stands for. `ended` may follow. */
  abandon(closing?: Closing): void;
}

/** Opens an authorized stream for a pair. */
export interface StreamOpener {
  open(pair: StreamPair, events: OpeningEvents, demand: Demand): Attempt;
}

/** What an outlet is given. */
export interface PairOutletContext {
  readonly opener: StreamOpener;
  readonly limits: { readonly stanzas: number; readonly bytes: number };
  /** Milliseconds of a clock that is never set: a pair must not back off for hours because somebody put the time right. */
  now(): number;
  /** A number in [0, 1), to spread reconnections (checklist S-56). */
  random(): number;
  note(note: Note): void;
  /** A stanza that was taken into the queue and cannot be sent. */
  undeliverable(stanza: Stanza, pair: StreamPair, end: StreamEnd): void;
}

/** After a failure stanzas bounce at once for a while that doubles, so that a dead partner costs neither us nor DNS anything. */
const FIRST_BACK_OFF_MS = 2_000;
const LONGEST_BACK_OFF_MS = 60_000;
/** A stream that ended this soon was no success, however orderly its end: reconnecting at once could go on for ever. */
const SHORT_LIFE_MS = 2_000;

type Mode =
  /** No stream; the next stanza opens one. */
  | { readonly is: 'idle' }
  /** A stream is being set up. */
  | { readonly is: 'queue'; readonly attempt: Attempt }
  | { readonly is: 'send'; readonly stream: SendingStream; readonly since: number }
  /** The last attempt failed; stanzas bounce with its reason. */
  | { readonly is: 'bounce'; readonly until: number; readonly end: StreamEnd };

/**
 * The way out for one pair of domains, over one stream, so that the order is kept (RFC 6120 §10.1). Stanzas wait in a bounded queue while
 * the stream is being set up.
 */
export class PairOutlet implements Outlet {
  private readonly pair: StreamPair;
  private readonly context: PairOutletContext;
  private mode: Mode = { is: 'idle' };
  private queue: Stanza[] = [];
  private queuedBytes = 0;
  private failures = 0;
  /** Whether the stream being set up is a second attempt for the same stanzas. */
  private retrying = false;
  /** Attempts are numbered, so that a late word of a former stream changes nothing. */
  private attempt = 0;

  constructor(pair: StreamPair, context: PairOutletContext) {
    this.pair = pair;
    this.context = context;
  }

  /** For status: what the outlet does with the next stanza. */
  get state(): Mode['is'] {
    return this.mode.is;
  }

  get queued(): number {
    return this.queue.length;
  }

  /** Whether nothing would be lost by forgetting this outlet. */
  get isForgettable(): boolean {
    return this.mode.is === 'idle' || (this.mode.is === 'bounce' && this.mode.until <= this.context.now());
  }

  offer(stanza: Stanza): Offer {
    switch (this.mode.is) {
      case 'send':
        return this.mode.stream.send(stanza) ? 'taken' : 'held';
      case 'queue':
        return this.enqueue(stanza);
      case 'bounce':
        if (this.context.now() < this.mode.until) return { refused: this.mode.end };
        return this.openFor(stanza);
      case 'idle':
        return this.openFor(stanza);
    }
  }

  room(): Promise<void> {
    return this.mode.is === 'send' ? this.mode.stream.room() : Promise.resolve();
  }

  /** Closes the stream if nothing has passed since `since` (milliseconds of a clock that is never set). */
  closeIfIdle(since: number): void {
    if (this.mode.is !== 'send' || this.mode.stream.lastActive >= since) return;
    const { stream } = this.mode;
    // First nobody sends on it any more, then it closes: nothing may follow our closing tag (RFC 6120 §4.4).
    this.attempt += 1;
    this.mode = { is: 'idle' };
    stream.close({ why: 'idle' });
  }

  /** Ends the stream or the attempt; what is queued is undeliverable for this reason. */
  shut(end: StreamEnd): void {
    const { mode } = this;
    this.attempt += 1;
    this.mode = { is: 'idle' };
    if (mode.is === 'queue') mode.attempt.abandon(closingFor(end));
    if (mode.is === 'send') mode.stream.close(closingFor(end));
    this.returnQueue(end);
  }

  /**
   * What streams must fulfil has changed: the stream or the attempt made under the former rules ends. What is queued waits for the
   * next one, and so does what comes.
   */
  reopen(): void {
    const { mode } = this;
    if (mode.is !== 'queue' && mode.is !== 'send') return;
    this.left();
    if (mode.is === 'send') mode.stream.close({ why: 'unused' });
  }

  /** An administrator, or a new configuration, gives the partner a fresh chance. */
  forgetFailures(): void {
    this.failures = 0;
    if (this.mode.is === 'bounce') this.mode = { is: 'idle' };
  }

  private openFor(stanza: Stanza): Offer {
    const offer = this.enqueue(stanza);
    if (offer === 'taken') {
      this.retrying = false;
      this.connect({});
    }
    return offer;
  }

  private connect(demand: Demand): void {
    this.attempt += 1;
    const attempt = this.attempt;
    // The opener may call back at once: the mode is set before, and again only if nothing has happened meanwhile.
    this.mode = { is: 'queue', attempt: { abandon: () => undefined } };
    const opening = this.context.opener.open(
      this.pair,
      {
        authorized: (stream) => {
          if (attempt === this.attempt) this.authorized(stream);
          else stream.close({ why: 'unused' });
        },
        leaving: () => {
          if (attempt === this.attempt) this.left();
        },
        ended: (end) => {
          if (attempt === this.attempt) this.ended(end);
        },
      },
      demand,
    );
    if (attempt !== this.attempt) opening.abandon();
    else if (this.mode.is === 'queue') this.mode = { is: 'queue', attempt: opening };
  }

  private enqueue(stanza: Stanza): Offer {
    const { limits } = this.context;
    if (this.queue.length >= limits.stanzas || this.queuedBytes + stanza.size > limits.bytes) {
      return { refused: { by: 'us', condition: 'resource-constraint', text: 'Too much is waiting for this domain.' } };
    }
    this.queue.push(stanza.keep());
    this.queuedBytes += stanza.size;
    if (this.queue.length === 1) this.context.note({ note: 'queued', stanzas: 1 });
    return 'taken';
  }

  private authorized(stream: SendingStream): void {
    this.mode = { is: 'send', stream, since: this.context.now() };
    const waiting = this.queue;
    this.queue = [];
    this.queuedBytes = 0;
    for (const stanza of waiting) stream.send(stanza);
    if (waiting.length > 0) this.context.note({ note: 'flushed', stanzas: waiting.length });
  }

  /** The next stanza opens another stream. What waits for this one goes with the next at once. */
  private left(): void {
    const { mode } = this;
    this.attempt += 1;
    this.mode = { is: 'idle' };
    if (mode.is !== 'queue') return;
    mode.attempt.abandon();
    this.retrying = false;
    this.connect({});
  }

  private ended(end: StreamEnd): void {
    if (isOwnReset(end)) {
      this.left();
      return;
    }
    const { mode } = this;
    this.attempt += 1;
    const demand = mode.is === 'queue' && !this.retrying ? secondAttempt(end) : undefined;
    if (demand !== undefined) {
      this.retrying = true;
      this.connect(demand);
      return;
    }
    const worked = mode.is === 'send' && this.context.now() - mode.since >= SHORT_LIFE_MS;
    if (worked) this.failures = 0;
    if (worked && isOrderly(end)) {
      this.mode = { is: 'idle' };
      return;
    }
    this.backOff(end);
    this.returnQueue(end);
  }

  private backOff(end: StreamEnd): void {
    const spread = 0.5 + this.context.random() / 2;
    const growing = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** this.failures) * spread;
    // Checklist E-09: what the peer says for good is not asked again soon.
    const wait = Math.round(isForGood(end) ? LONGEST_BACK_OFF_MS + growing : growing);
    this.failures += 1;
    this.mode = { is: 'bounce', until: this.context.now() + wait, end };
    this.context.note({ note: 'backing-off', seconds: Math.round(wait / 1000), because: end });
  }

  private returnQueue(end: StreamEnd): void {
    const waiting = this.queue;
    this.queue = [];
    this.queuedBytes = 0;
    for (const stanza of waiting) this.context.undeliverable(stanza, this.pair, end);
  }
}

/** What is said on a stream that its outlet gives up. */
function closingFor(end: StreamEnd): Closing {
  if (end.by === 'policy') return { why: 'policy', because: end.because };
  return { why: end.by === 'us' && end.condition === 'system-shutdown' ? 'shutdown' : 'unused' };
}

/** The policy asks for more than the stream had: that is no failure of the partner. */
function isOwnReset(end: StreamEnd): boolean {
  return end.by === 'us' && end.condition === 'reset';
}

/** Whether an open stream ended in a way that says nothing against opening the next one at once. */
function isOrderly(end: StreamEnd): boolean {
  switch (end.by) {
    case 'close':
    case 'disconnect':
      return true;
    case 'us':
    case 'them':
      return isTransient(end.condition);
    default:
      return false;
  }
}

/** A stream error of theirs that the same attempt would meet again. */
function isForGood(end: StreamEnd): boolean {
  return end.by === 'them' && !isTransient(end.condition);
}

/**
 * What a second attempt must do to do better, if it can (XEP-0220 §2.5): where the peer had too many domain pairs on one stream, a new
 * connection; where its policy objected and the stream was in plaintext, TLS (checklist D-25, D-26).
 */
function secondAttempt(end: StreamEnd): Demand | undefined {
  if (end.by !== 'dialback' || end.failure.answer !== 'error') return undefined;
  if (end.failure.condition === 'resource-constraint') return {};
  return end.failure.condition === 'policy-violation' && end.plaintext === true ? { tls: 'required' } : undefined;
}
