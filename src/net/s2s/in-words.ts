/** A socket's error as an administrator would say it. */
export function socketErrorInWords(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNRESET':
      return 'the peer reset the connection';
    case 'EPIPE':
      return 'the peer had closed the connection already';
    case 'ETIMEDOUT':
      return 'the peer stopped answering';
    default:
      return error.message;
  }
}

/** What was thrown, for a note about a fault of our own. */
export function faultInWords(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
