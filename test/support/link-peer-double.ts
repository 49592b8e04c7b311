import type { LinkFacts, LinkPeer } from '../../src/link/types.ts';
import type { LinkMessage } from '../../src/protocol/link/messages.ts';

/** A box at the other end of a Link, for units that only need to know whether it is there. */
export class LinkPeerDouble implements LinkPeer {
  readonly id: string;
  readonly name: string;
  readonly mayServe: readonly string[] | undefined;
  isUp = true;
  isUsable = true;
  /** What it was told, in order. */
  readonly told: LinkMessage[] = [];
  /** Ids of the stanzas it was offered. */
  readonly offered: string[] = [];

  constructor(name: string, mayServe?: readonly string[]) {
    this.id = `id-of-${name}`;
    this.name = name;
    this.mayServe = mayServe;
  }

  /** The Link breaks; `forGood`: so long that what waited was returned. */
  break(forGood: boolean): void {
    this.isUp = false;
    this.isUsable = !forGood;
  }

  offer(stanza: Parameters<LinkPeer['offer']>[0]): 'taken' {
    this.offered.push(stanza.id ?? '');
    return 'taken';
  }

  room(): Promise<void> {
    return Promise.resolve();
  }

  withdraw(): void {
    // Nothing waits here.
  }

  tell(message: LinkMessage): boolean {
    if (!this.isUp) return false;
    this.told.push(message);
    return true;
  }

  get facts(): LinkFacts {
    return {
      state: this.isUp ? 'up' : 'down',
      since: 0,
      because: undefined,
      peer: '127.0.0.1:7400',
      tls: 'TLSv1.3',
      certificateUntil: undefined,
      queued: { stanzas: 0, bytes: 0 },
      resumed: 0,
      stanzasIn: 0,
      stanzasOut: 0,
    };
  }
}
