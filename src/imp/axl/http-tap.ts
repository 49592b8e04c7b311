import type { IncomingMessage } from 'node:http';
import type { TappedConversation } from '../capture/tap.ts';

/** Headers whose values prove who somebody is. */
const SECRET_HEADERS = new Set(['authorization', 'proxy-authorization', 'cookie']);

/**
 * Tells a capture of a request, as it came: the same header lines in the same order, and the body. Credentials are stars, as many as there were
 * characters. `hidden`: so is the body, because it may hold a password; its length stays.
 */
export function tapRequest(
  tapped: TappedConversation | undefined,
  request: IncomingMessage,
  body: Uint8Array,
  hidden: boolean,
): void {
  if (tapped === undefined) return;
  let head = `${request.method ?? ''} ${request.url ?? ''} HTTP/${request.httpVersion}\r\n`;
  const { rawHeaders } = request;
  let chunked = false;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    // The body is told as a whole, whatever pieces it came in.
    if (name.toLowerCase() === 'transfer-encoding') chunked = true;
    else head += `${name}: ${SECRET_HEADERS.has(name.toLowerCase()) ? '*'.repeat(value.length) : value}\r\n`;
  }
  if (chunked) head += `Content-Length: ${body.length}\r\n`;
  tapped.data('in', Buffer.from(`${head}\r\n`, 'latin1'));
  if (body.length > 0) tapped.data('in', hidden ? Buffer.alloc(body.length, '*') : body);
}

export interface SentResponse {
  readonly status: number;
  readonly phrase: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The same for our answer. */
export function tapResponse(
  tapped: TappedConversation | undefined,
  { status, phrase, headers, body }: SentResponse,
): void {
  if (tapped === undefined) return;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  tapped.data('out', Buffer.from(`HTTP/1.1 ${status} ${phrase}\r\n${lines.join('')}\r\n`, 'latin1'));
  if (body.length > 0) tapped.data('out', body);
}
