import { join } from 'node:path';

/** Where the admin socket of a node is when its boot file does not say. */
export function nodeSocketIn(data: string): string {
  return join(data, 'imp.sock');
}
