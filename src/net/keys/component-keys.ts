import { createHash, timingSafeEqual } from 'node:crypto';

/** XEP-0114 §3: lower-case hex of SHA-1 over the stream id and the secret. SHA-1 is the protocol's choice, not ours. */
export function componentHandshake(streamId: string, secret: string): string {
  return createHash('sha1').update(streamId).update(secret).digest('hex');
}

/** Whether a handshake was made from the secret, compared in constant time. An empty secret accepts nobody (checklist P-11). */
export function acceptsHandshake(streamId: string, secret: string, handshake: string): boolean {
  if (secret === '' || streamId === '') return false;
  const ours = Buffer.from(componentHandshake(streamId, secret));
  const theirs = Buffer.from(handshake);
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
}
