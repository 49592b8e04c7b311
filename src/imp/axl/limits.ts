/** What the AXL service admits. */
export interface AxlLimits {
  /** Of one account. */
  readonly requestsPerMinute: number;
  /** Of all accounts. */
  readonly requestsPerMinuteOfAll: number;
  /** Requests that are worked on at the same time. */
  readonly concurrent: number;
  /** Those of one account: a statement may take seconds, and the other accounts wait behind it. */
  readonly concurrentPerAccount: number;
  readonly connections: number;
  readonly connectionsPerSource: number;
  /** Bytes of a body, and milliseconds for it. */
  readonly body: { readonly bytes: number; readonly time: number };
  /** Milliseconds for the headers of a request; also how long a connection may be silent between two. */
  readonly headers: number;
}

export const AXL_LIMITS: AxlLimits = {
  requestsPerMinute: 300,
  requestsPerMinuteOfAll: 1_200,
  concurrent: 16,
  concurrentPerAccount: 4,
  connections: 200,
  connectionsPerSource: 40,
  body: { bytes: 262_144, time: 10_000 },
  headers: 10_000,
};
