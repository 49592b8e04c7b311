import type { DialbackAuthority } from '../protocol/dialback/authority.ts';
import type { NoteSink } from '../protocol/notes.ts';
import type { StreamTimeouts } from '../protocol/s2s/ruling.ts';
import { AUTHENTICATED_LIMITS } from '../protocol/xml/limits.ts';
import type { XmlLimits } from '../protocol/xml/types.ts';
import type { Settings } from './settings.ts';

/** What the organs of a box are made from. `settings` is asked anew each time: a change swaps it whole. */
export interface BoxParts {
  readonly settings: () => Settings;
  readonly notes: NoteSink;
  readonly authority: DialbackAuthority;
  readonly timeouts: StreamTimeouts & { readonly connect: number };
  readonly limits: XmlLimits;
  readonly queueLimits: { readonly stanzas: number; readonly bytes: number };
  readonly connectionLimits: { readonly connections: number; readonly perAddress: number };
}

/** The parts over a snapshot that changes. */
export function boxPartsOf(settings: () => Settings, notes: NoteSink): BoxParts {
  const boot = (): Settings['parts']['boot'] => settings().parts.boot;
  return {
    settings,
    notes,
    authority: {
      key: (pair, streamId) => settings().authority.key(pair, streamId),
      vouches: (pair, streamId, key) => settings().authority.vouches(pair, streamId, key),
    },
    get timeouts() {
      return boot().s2s.timeouts;
    },
    get limits() {
      return { ...AUTHENTICATED_LIMITS, element: boot().s2s.limits.stanza };
    },
    get queueLimits() {
      const { queueStanzas, queueBytes } = boot().s2s.limits;
      return { stanzas: queueStanzas, bytes: queueBytes };
    },
    get connectionLimits() {
      const { connections, connectionsPerAddress } = boot().s2s.limits;
      return { connections, perAddress: connectionsPerAddress };
    },
  };
}
