import { type Endpoint, printEndpoint } from '../config/address.ts';
import type { NoteSink } from '../protocol/notes.ts';

/** Listens on every address. `false`: one of them is not to be had, and the log says which and why. */
export async function listenOn(
  listener: { listen(host: string, port: number): Promise<number> },
  what: string,
  addresses: readonly Endpoint[],
  notes: NoteSink,
): Promise<boolean> {
  for (const address of addresses) {
    try {
      await listener.listen(address.host, address.port);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      notes({ note: 'listen-failed', what, address: printEndpoint(address), detail }, {});
      return false;
    }
  }
  return true;
}
