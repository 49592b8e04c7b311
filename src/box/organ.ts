import type { StreamEnd } from '../protocol/end.ts';
import type { PairStatus, StreamStatus } from './operations.ts';
import type { Settings } from './settings.ts';

/** A stream as the part of the box that holds it knows it. */
export type OwnStream = Omit<StreamStatus, 'box'>;

/** A part of a box with connections of its own: a face, the Links, the steering responder. All of them live and end in the same way. */
export interface Organ {
  /** Opens what listens. `false`: an address cannot be listened on, the log says which. */
  start(): Promise<boolean>;
  /** Another snapshot is in force. */
  settingsChanged(former: Settings): void;
  /** Closes what has carried nothing since then (milliseconds of a clock that is never set). */
  sweep(idleSince: number): void;
  /** Accepts nobody any more. */
  stopListening(): void;
  /** What waits in queues is answered: there still is somebody to tell. */
  shut(end: StreamEnd): void;
  /** Says goodbye on every stream. */
  shutdown(): void;
  /** Connections that exist now, those on which the last words are still on their way included. */
  readonly connections: number;
  /** Ends everything now. */
  destroy(): void | Promise<void>;
  streams(): readonly OwnStream[];
  /** Ends a stream on an administrator's word; `false`: it is not one of these. */
  closeStream(connection: string, reason: string): boolean;
  /** Ways out that exist now. */
  pairs(): readonly PairStatus[];
}

/**
 * An organ without streams between servers: nothing of it grows idle, waits for a pair, or can be shown and closed as a stream. The Links are such: a
 * Link is kept open, and returns what waits for it by itself when it says goodbye.
 */
export abstract class StreamlessOrgan implements Organ {
  abstract start(): Promise<boolean>;
  abstract settingsChanged(former: Settings): void;
  abstract shutdown(): void;
  abstract readonly connections: number;
  abstract destroy(): void | Promise<void>;

  sweep(): void {}
  stopListening(): void {}
  shut(): void {}

  streams(): readonly OwnStream[] {
    return [];
  }

  closeStream(): boolean {
    return false;
  }

  pairs(): readonly PairStatus[] {
    return [];
  }
}
