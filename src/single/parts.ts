import type { DialbackAuthority } from '../protocol/dialback/authority.ts';
import type { NoteSink } from '../protocol/notes.ts';
import type { StreamTimeouts } from '../protocol/s2s/ruling.ts';
import type { XmlLimits } from '../protocol/xml/types.ts';
import type { Settings } from './settings.ts';

/** What both faces of a box are made from. `settings` is asked anew each time: a reload swaps it whole. */
export interface BoxParts {
  readonly settings: () => Settings;
  readonly notes: NoteSink;
  readonly authority: DialbackAuthority;
  readonly timeouts: StreamTimeouts & { readonly connect: number };
  readonly limits: XmlLimits;
  readonly queueLimits: { readonly stanzas: number; readonly bytes: number };
  readonly connectionLimits: { readonly connections: number; readonly perAddress: number };
}
