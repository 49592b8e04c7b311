import type { Jid } from '../../protocol/jid/jid.ts';
import { printJid } from '../../protocol/jid/print.ts';
import type { Affiliation } from './standing.ts';

/** An entry of a room's lists. */
export interface Entry {
  readonly affiliation: Affiliation;
  /** What the admin said. */
  readonly reason: string | undefined;
}

/** Who has which affiliation with a room, by bare address or, for members and outcasts, by domain (XEP-0045 §9.2). */
export class Affiliations {
  private readonly entries = new Map<string, Entry>();
  /** Entries that were changed since they were last stored. */
  readonly changed = new Set<string>();

  get size(): number {
    return this.entries.size;
  }

  /** Of a user (XEP-0045 §9.2: first the address, then its domain). */
  of({ local, domain }: Jid): Affiliation {
    const own = local === undefined ? undefined : this.entries.get(printJid({ local, domain, resource: undefined }));
    return (own ?? this.entries.get(domain))?.affiliation ?? 'none';
  }

  /** As it stands in the list, by bare address or domain. */
  entry(address: string): Entry | undefined {
    return this.entries.get(address);
  }

  list(affiliation: Affiliation): readonly (readonly [address: string, entry: Entry])[] {
    return [...this.entries].filter(([, entry]) => entry.affiliation === affiliation);
  }

  set(address: string, affiliation: Affiliation, reason: string | undefined): void {
    if (affiliation === 'none') this.entries.delete(address);
    else this.entries.set(address, { affiliation, reason });
    this.changed.add(address);
  }

  /** An entry as it was stored. */
  restore(address: string, entry: Entry): void {
    this.entries.set(address, entry);
  }

  addresses(): readonly string[] {
    return [...this.entries.keys()];
  }

  owners(): readonly string[] {
    return this.list('owner').map(([address]) => address);
  }
}
