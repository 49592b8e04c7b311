import type { Closing } from '../support/counted-partner.ts';
import type { Deployment } from '../support/deployment.ts';
import type { Bounce, Flow, Ledger } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { until } from '../support/until.ts';

/** Stanzas a second, both ways together: what a busy organization has, and little for two boxes and their tests on one machine. */
const PER_SECOND = 800;

/** Everybody writes to everybody, until it is stopped. */
export function loadOn({ partners, homes }: Deployment, perSecond = PER_SECOND): Load {
  return new Load([...partners, ...homes], perSecond).start();
}

/** Waits until on every flow, or every one of some, so many more stanzas have been delivered. */
export async function delivering(
  ledger: Ledger,
  flows: readonly Flow[],
  more = 10,
  milliseconds = 20_000,
): Promise<void> {
  const goals = new Map(flows.map((flow) => [flow, ledger.deliveredOf(flow) + more]));
  const waiting = (): readonly Flow[] =>
    [...goals].filter(([flow, goal]) => ledger.deliveredOf(flow) < goal).map(([flow]) => flow);
  await until(
    () => waiting().length === 0,
    'stanzas are delivered on every flow',
    milliseconds,
    () => `nothing on ${waiting().join(' ')}`,
  );
}

/** All flows of a deployment. */
export function flowsOf({ partners, homes }: Deployment): readonly Flow[] {
  return [...partners, ...homes].flatMap(({ flows }) => flows);
}

/** Streams of the peers so far: none more may be opened where only the Link breaks. */
export function streamsOf({ partners, homes }: Pick<Deployment, 'partners' | 'homes'>): readonly string[] {
  return [
    ...partners.map(({ domain, streams }) => `${domain}: ${streams.opened} opened, ${streams.accepted} accepted`),
    ...homes.map(({ domain, connections }) => `${domain}: ${connections}`),
  ];
}

/** How streams ended, each way once: those that the partners opened are refused from then on, those to them may just be closed. */
export function reasonsOf(closings: readonly Closing[]): readonly string[] {
  const ways = closings.map(({ openedBy, how, error }) =>
    openedBy === 'partner' ? `${how} with ${error ?? 'no reason'}` : how,
  );
  return [...new Set(ways)].toSorted();
}

/** What a stanza comes back to its sender inside with when the Link is down; and when nobody knows whether it got through. */
const LINK_DOWN = 'The federation service of this site is interrupted at the moment.';
const IN_DOUBT =
  'The federation service of this site was interrupted; the stanza may have been delivered nevertheless.';

/** Whether it is the bounce that the Link being down makes. A partner is told no more than that the service is away: the inside is not its concern. */
export function isLinkBounce({ condition, text }: Bounce, flow: Flow): boolean {
  if (isInward(flow)) return condition === 'service-unavailable';
  return condition === 'remote-server-timeout' && (text === LINK_DOWN || text === IN_DOUBT);
}

/** Whether it is the bounce of a stanza that may have arrived. */
export function isInDoubt(bounce: Bounce, flow: Flow): boolean {
  return isLinkBounce(bounce, flow) && (isInward(flow) || bounce.text === IN_DOUBT);
}

/** From a partner to a home: partners are below lab. */
export function isInward(flow: Flow): boolean {
  return !flow.endsWith('.lab');
}
