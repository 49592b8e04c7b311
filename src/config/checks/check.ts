import type { BootFile } from '../boot-schema.ts';
import type { Reading } from '../schema/place.ts';
import type { Draft } from './draft.ts';
import { checkHomes } from './homes.ts';
import { checkLink } from './link.ts';
import { checkListeners } from './listeners.ts';
import { checkLog } from './log.ts';
import { checkPartners } from './partners.ts';
import { checkRole } from './role.ts';
import { checkS2s } from './s2s.ts';
import { checkSteering } from './steering.ts';

/** Everything that takes more than one key to see. What was refused already is passed over. */
export function checkBoot(file: Draft<BootFile>, reading: Reading): void {
  const boot = checkRole(file, reading);
  checkLog(boot, reading);
  checkListeners(boot, reading);
  checkLink(boot, reading);
  checkS2s(boot, reading);
  checkHomes(boot, reading);
  checkSteering(boot, reading);
  checkPartners(boot, reading);
}
