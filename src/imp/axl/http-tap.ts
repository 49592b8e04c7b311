import type { IncomingMessage } from 'node:http';
import type { TappedConversation } from '../capture/tap.ts';

/** Headers whose values prove who somebody is. */
const SECRET_HEADERS = new Set(['authorization', 'proxy-authorization', 'cookie']);

/** Tells a capture of the head of a request: the same lines in the same order. Credentials are stars, as many as there were characters. */
export function tapHead(tapped: TappedConversation, request: IncomingMessage): void {
  const { method = '', url = '', httpVersion, rawHeaders } = request;
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    head += `${name}: ${SECRET_HEADERS.has(name.toLowerCase()) ? '*'.repeat(value.length) : value}\r\n`;
  }
  tapped.data('in', Buffer.from(`${head}\r\n`, 'latin1'));
}

/** The body of a request, in one piece whatever pieces it came in. */
export function tapBody(tapped: TappedConversation, request: IncomingMessage, body: Uint8Array): void {
  const chunked = request.headers['transfer-encoding'] !== undefined;
  // RFC 9112 §7.1
  if (chunked && body.length > 0) tapped.data('in', Buffer.from(`${body.length.toString(16)}\r\n`));
  if (body.length > 0) tapped.data('in', body);
  if (chunked) tapped.data('in', Buffer.from(body.length > 0 ? '\r\n0\r\n\r\n' : '0\r\n\r\n'));
}

/** In place of a body that may hold a password. */
export function stars(length: number): Uint8Array {
  return Buffer.alloc(length, '*');
}

export interface SentResponse {
  readonly status: number;
  readonly phrase: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Tells it of our answer. */
export function tapResponse(tapped: TappedConversation, { status, phrase, headers, body }: SentResponse): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  tapped.data('out', Buffer.from(`HTTP/1.1 ${status} ${phrase}\r\n${lines.join('')}\r\n`, 'latin1'));
  if (body.length > 0) tapped.data('out', body);
}
