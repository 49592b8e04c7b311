import type { Sides } from '../federation/router.ts';
import type { BootParts } from './boot-parts.ts';
import type {
  Alarm,
  BoxStatus,
  ConfigOperations,
  LinkOperations,
  LinkStatus,
  PublisherFacts,
  PublisherOperations,
  StreamStatus,
} from './operations.ts';
import type { Organ } from './organ.ts';
import type { Settings } from './settings.ts';

/** What a role makes of a box: the same objects, connected in another way. */
export interface Wiring {
  /** In the order in which they are started, and in which they say goodbye. */
  readonly organs: readonly Organ[];
  readonly sides: Sides;
  /** The snapshot of now. */
  settingsOf(parts: BootParts): Settings;
  /** How federation stands now; read once for each answer, since all settings are gone through for it. */
  standing(): Standing;
  /** How a home is reached, in words. */
  viaOf(domain: string): string;
  readonly config: ConfigOperations | undefined;
  readonly link: LinkOperations | undefined;
  links(): readonly LinkStatus[];
  readonly publishers: PublisherOperations | undefined;
  publisherFacts(): readonly PublisherFacts[];
  /** What is raised on this box now. */
  alarms(): readonly Alarm[];
  /** The other boxes, as far as they answer. */
  readonly others: OtherBoxes;
}

/** How federation stands by the live settings of one moment. */
export interface Standing {
  /** Whether it is on, and what is in its way. */
  readonly federation: BoxStatus['federation'];
  isHomeOn(domain: string): boolean;
}

/** The boxes at the other ends of the Links. */
export interface OtherBoxes {
  status(): Promise<readonly BoxStatus[]>;
  streams(): Promise<readonly StreamStatus[]>;
  closeStream(connection: string, reason: string): Promise<string | undefined>;
}

/** A single box is alone. */
export const NO_OTHERS: OtherBoxes = {
  status: () => Promise.resolve([]),
  streams: () => Promise.resolve([]),
  closeStream: () => Promise.resolve(undefined),
};
