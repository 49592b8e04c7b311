/** What an HTTP request is answered with. */
export interface Reply {
  readonly status: number;
  readonly type: 'text/xml' | 'text/html' | 'text/plain' | 'application/json';
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection ends with this answer, because what the client still sends is not worth reading. */
  readonly close?: true;
  /** Why the client did not get what it wanted, for the log; never a value that it sent. */
  readonly because?: string;
}

export function textReply(status: number, sentence: string, more: Partial<Reply> = {}): Reply {
  return { status, type: 'text/plain', body: `${sentence}\n`, because: sentence, ...more };
}

export function jsonReply(status: number, value: unknown, because?: string): Reply {
  return {
    status,
    type: 'application/json',
    body: `${JSON.stringify(value)}\n`,
    ...(because === undefined ? {} : { because }),
  };
}

/** RFC 9110 §10.2.3: whole seconds. */
export function retryAfter(milliseconds: number): Readonly<Record<string, string>> {
  return { 'Retry-After': String(Math.max(1, Math.ceil(milliseconds / 1000))) };
}
