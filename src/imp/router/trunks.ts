import type { StreamDriver } from '../../net/s2s/stream-driver.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import type { Trunk } from './trunk.ts';

/** Pairs of domains of which it is remembered which Edge they use; the one used longest goes first. */
const REMEMBERED_PAIRS = 10_000;

/** The S2S components that are connected, and which of them a pair of domains uses. */
export class Trunks {
  private readonly byName = new Map<Domain, Trunk>();
  private readonly chosen = new Map<string, Trunk>();
  private turn = 0;

  /** The component of that name, unless it is about to go. */
  get(name: Domain): Trunk | undefined {
    const trunk = this.byName.get(name);
    return trunk?.isOpen === true ? trunk : undefined;
  }

  add(trunk: Trunk): void {
    this.byName.set(trunk.name, trunk);
  }

  /** A stream is over; `undefined`: it was not that of a connected component. */
  remove(driver: StreamDriver): Trunk | undefined {
    for (const [name, trunk] of this.byName) {
      if (!trunk.isOf(driver)) continue;
      this.byName.delete(name);
      for (const [pair, chosen] of this.chosen) if (chosen === trunk) this.chosen.delete(pair);
      return trunk;
    }
    return undefined;
  }

  all(): readonly Trunk[] {
    return [...this.byName.values()];
  }

  /** Those that are connected, and not about to go. */
  open(): readonly Trunk[] {
    return this.all().filter(({ isOpen }) => isOpen);
  }

  /**
   * The way out for a pair: the one it has used while that is up, so that its stanzas stay in order; else one of those that are, in turn.
   *
   * @param leadsOut whether anything goes out through the component of that name
   */
  choose(local: Domain, foreign: Domain, leadsOut: (name: Domain) => boolean): Trunk | undefined {
    const pair = `${local} ${foreign}`;
    const former = this.chosen.get(pair);
    if (former?.isOpen === true && leadsOut(former.name)) return former;
    const usable = this.open().filter(({ name }) => leadsOut(name));
    const trunk = usable[this.turn % Math.max(usable.length, 1)];
    if (trunk === undefined) return undefined;
    this.turn += 1;
    this.chosen.delete(pair);
    this.chosen.set(pair, trunk);
    const [oldest] = this.chosen.keys();
    if (this.chosen.size > REMEMBERED_PAIRS && oldest !== undefined) this.chosen.delete(oldest);
    return trunk;
  }
}
