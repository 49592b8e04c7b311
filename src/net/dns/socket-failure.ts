const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused by',
  ECONNRESET: 'connection reset by',
  EPIPE: 'connection closed by',
  EHOSTUNREACH: 'no route to',
  ENETUNREACH: 'no route to',
  ETIMEDOUT: 'no answer from',
  EADDRNOTAVAIL: 'the local address is not one of this machine, going to',
};

/** A socket's error in words: `connection refused by 192.0.2.1:5269`. */
export function socketFailure(error: NodeJS.ErrnoException, peer: string): string {
  const code = error.code ?? error.message;
  return `${WORDS[code] ?? `${code} with`} ${peer}`;
}
