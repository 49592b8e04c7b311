import { randomBytes } from 'node:crypto';
import { Clusterdb } from '../clusterdb/store.ts';
import type { BootConfig } from '../config/boot.ts';
import { liveCatalog } from '../config/live/catalog.ts';
import type { NoteSink } from '../protocol/notes.ts';

/** Where the live settings of a box are: in its database, or, for a single box without `data`, in the boot file. */
export type LiveConfig = { readonly by: 'clusterdb'; readonly db: Clusterdb } | { readonly by: 'boot file' };

/** Which keys are changed on which box. */
const OWNS = { single: 'both', edge: 'edge', core: 'core' } as const;

/** Opens the database of a box and puts into a new one what every box must have. `refused` is a sentence with the cure. */
export function openLiveConfig(boot: BootConfig, notes: NoteSink): LiveConfig | { readonly refused: string } {
  if (boot.data === undefined) return { by: 'boot file' };
  const db = Clusterdb.open({ folder: boot.data, catalog: liveCatalog, owns: OWNS[boot.role], exclusive: true, notes });
  if ('refused' in db) return db;
  if (boot.role !== 'core' && !db.snapshot().entries.has('dialback_secret')) {
    // XEP-0185: any secret will do, as long as nobody else knows it. Several Edges of one organization are given the same.
    db.change({
      steps: [{ put: 'dialback_secret', value: randomBytes(32).toString('hex') }],
      author: 'fedway',
      reason: 'made at the first start',
    });
  }
  return { by: 'clusterdb', db };
}
