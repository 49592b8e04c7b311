import type { Domain } from '../../protocol/jid/domain.ts';
import type { Jid } from '../../protocol/jid/jid.ts';
import { bareOf } from '../../protocol/jid/print.ts';
import type { Directory } from '../messaging/ports.ts';
import { type Refusal, refusal } from './errors.ts';
import type { NodeConfig } from './node-config.ts';

/** Why somebody may not see a node (XEP-0060 §6.5.9); `undefined`: they may. `domain`: of the accounts. */
export function refusalOf(
  { accessModel }: NodeConfig,
  account: string,
  requester: Jid,
  domain: Domain,
  directory: Directory,
): Refusal | undefined {
  if (accessModel === 'open' || isOwn(account, requester, domain)) return undefined;
  if (accessModel === 'whitelist') return refusal('not-allowed', 'closed-node');
  return directory.mayWatch(account, bareOf(requester))
    ? undefined
    : refusal('not-authorized', 'presence-subscription-required');
}

/** Whether somebody is told of events without having asked: whoever sees the presence of the owner, and may see the node (XEP-0163 §4.1). */
export function mayTell(
  { accessModel }: NodeConfig,
  account: string,
  listener: Jid,
  domain: Domain,
  directory: Directory,
): boolean {
  if (isOwn(account, listener, domain)) return true;
  return accessModel !== 'whitelist' && directory.mayWatch(account, bareOf(listener));
}

/** Whether an address is the account itself, or a resource of it. */
function isOwn(account: string, address: Jid, domain: Domain): boolean {
  return address.local === account && address.domain === domain;
}
