/** The hashes of the SCRAM mechanisms (RFC 5802, RFC 7677). */
export const SCRAM_HASHES = ['sha-1', 'sha-256'] as const;
export type ScramHash = (typeof SCRAM_HASHES)[number];

/** What a server keeps of a password for one hash (RFC 5802 §3): enough to check it, not enough to log in with. */
export interface ScramKeys {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}
