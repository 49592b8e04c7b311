/** What users can make grow, and how far. */
export interface RoomLimits {
  /** On the node. */
  readonly rooms: number;
  /** That exist and were made by one user. */
  readonly roomsPerCreator: number;
  /** In one room, whatever its configuration says. */
  readonly occupants: number;
  /** Clients of one user under one nickname. */
  readonly sessionsPerNick: number;
  /** Entries in a room's lists: a list goes out as one stanza, which partners have to accept. */
  readonly affiliations: number;
  /** UTF-16 units of the localpart of a new room. */
  readonly name: number;
  readonly nick: number;
  /** UTF-16 units of a subject, a description, a reason, a password, a room's title. */
  readonly text: number;
  /** UTF-16 units of one message or presence as XML: each goes out once per occupant. */
  readonly message: number;
  readonly presence: number;
  /** Messages that a room remembers for those who enter. */
  readonly history: number;
  /** UTF-16 units of XML that it remembers. */
  readonly historyLength: number;
  /** What one user may send into one room: so many at once, and so many a second after that. */
  readonly messageRate: Rate;
  /** Entering, changing the nickname or the presence: each is told to all. */
  readonly presenceRate: Rate;
  /** IQ requests between occupants that wait for an answer, in one room. */
  readonly relayed: number;
}

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export const USUAL_LIMITS: RoomLimits = {
  rooms: 10_000,
  roomsPerCreator: 100,
  occupants: 500,
  sessionsPerNick: 10,
  affiliations: 2_000,
  name: 128,
  nick: 128,
  text: 4_096,
  message: 65_536,
  presence: 8_192,
  history: 100,
  historyLength: 262_144,
  messageRate: { burst: 40, perSecond: 4 },
  presenceRate: { burst: 20, perSecond: 0.5 },
  relayed: 1_000,
};

/** Users whose sending is measured, per room; who was measured longest ago is forgotten first. */
const MEASURED = 2_000;

/** Measures what each user sends (a token bucket). */
export class Flow {
  private readonly rate: Rate;
  private readonly left = new Map<string, { readonly tokens: number; readonly at: number }>();

  constructor(rate: Rate) {
    this.rate = rate;
  }

  /** Takes `cost` from what `user` may send at `now` (Unix milliseconds); `false`: it is too much, and nothing was taken. */
  take(user: string, now: number, cost: number = 1): boolean {
    const { burst, perSecond } = this.rate;
    const before = this.left.get(user) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, before.tokens + (Math.max(0, now - before.at) / 1_000) * perSecond);
    const granted = tokens >= cost;
    this.left.delete(user);
    this.left.set(user, { tokens: granted ? tokens - cost : tokens, at: now });
    if (this.left.size > MEASURED) {
      for (const oldest of this.left.keys()) {
        this.left.delete(oldest);
        break;
      }
    }
    return granted;
  }
}
