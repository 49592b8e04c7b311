/** What a client says in PLAIN (RFC 4616 §2), as it was written. */
export interface PlainMessage {
  /** `''`: none. */
  readonly authzid: string;
  readonly username: string;
  readonly password: string;
}

/** Reads the one message of PLAIN; `undefined`: it is none. */
export function readPlain(message: string): PlainMessage | undefined {
  const [authzid, username, password, ...more] = message.split('\0');
  if (authzid === undefined || username === undefined || password === undefined || more.length > 0) return undefined;
  return username === '' || password === '' ? undefined : { authzid, username, password };
}
