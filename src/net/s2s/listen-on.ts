import type { NoteSink } from '../../protocol/notes.ts';
import { hostPort } from '../dns/records.ts';

/** Listens on every address. `false`: one of them is not to be had, and the log says which and why. */
export async function listenOn(
  listener: { listen(host: string, port: number): Promise<number> },
  what: string,
  addresses: readonly { readonly host: string; readonly port: number }[],
  notes: NoteSink,
): Promise<boolean> {
  for (const { host, port } of addresses) {
    try {
      await listener.listen(host, port);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      notes({ note: 'listen-failed', what, address: hostPort(host, port), detail }, {});
      return false;
    }
  }
  return true;
}
