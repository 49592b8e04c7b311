/** An alarm as the log tells it. */
interface AlarmWords {
  /** Stable; see src/diagnostics/alarms.ts. */
  readonly id: number;
  readonly title: string;
  /** What it is about: a publisher, a home, an Edge. */
  readonly about: string;
}

/** The IM&P servers of a Core, and the alarms of a box. */
export type PublisherNote =
  | ({
      readonly note: 'alarm-raised';
      /** In sentences. `detail`: what is known besides, with addresses of the inside in it. */
      readonly what: string;
      readonly detail: string | undefined;
      readonly cause: string;
      readonly cure: string;
    } & AlarmWords)
  /** `seconds`: how long it was raised. */
  | ({ readonly note: 'alarm-cleared'; readonly seconds: number } & AlarmWords)
  /** What was recorded of our rows cannot be read, or not be written; a sentence with the cure. */
  | { readonly note: 'publisher-ledger'; readonly problem: string }
  /** A publisher is no longer configured. `left`: components of ours that could not be removed from its table any more. */
  | { readonly note: 'publisher-left'; readonly publisher: string; readonly left: readonly string[] };
