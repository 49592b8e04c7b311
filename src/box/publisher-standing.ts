import type { PublisherStatus } from '../axl/publisher-status.ts';
import type { CpId } from '../axl/s2s-nodes.ts';

/** What the alarms about one publisher go by: what it said last. Settings that were not tried yet, and a server that cannot be asked, change nothing in it. */
export interface Standing {
  /** After the last round that had an outcome, perhaps under former settings. */
  readonly status: PublisherStatus;
  /** Whether its servers federate by themselves. */
  readonly federatesItself: boolean;
  /** Whether its router has not read what its table said when it was last asked. */
  readonly restartNeeded: boolean;
  /** Whether its router has to be restarted: said by a look at it after our rows were in its table. */
  readonly mustRestart: boolean;
}

/**
 * What holds after `status`, where `former` held.
 *
 * @param components of the Edges that federate now
 * @returns `undefined`: nothing is known yet
 */
export function standingOf(
  former: Standing | undefined,
  status: PublisherStatus,
  components: readonly CpId[],
): Standing | undefined {
  if (status.state === 'unknown') {
    return former && { ...former, mustRestart: former.mustRestart && components.length > 0 };
  }
  const { router } = status;
  // What was found at another server is over with it.
  const before = former?.status.url === status.url ? former : undefined;
  return {
    status,
    federatesItself: router === undefined ? before?.federatesItself === true : router.federation === 'on',
    restartNeeded: router?.restartNeeded ?? before?.restartNeeded === true,
    mustRestart: mustRestart(before, status, components),
  };
}

/**
 * Whether a router has to be restarted before it sends stanzas by these components. What it said before they were in its table is no answer, since what is
 * inserted can be what the router has read: until there is one, the former holds. With nobody that federates nothing has to be.
 */
function mustRestart(
  former: Standing | undefined,
  { state, rows, router }: PublisherStatus,
  components: readonly CpId[],
): boolean {
  if (components.length === 0) return false;
  const present = new Set(rows.flatMap(({ cpId, wanted, present: isThere }) => (wanted && isThere ? [cpId] : [])));
  const isAnswer = state === 'ok' && components.every((cpId) => present.has(cpId));
  return isAnswer && router !== undefined ? router.restartNeeded : former?.mustRestart === true;
}
