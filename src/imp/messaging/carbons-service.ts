import { IM } from './namespaces.ts';
import type { IqService } from './ports.ts';
import type { MessagingState } from './state.ts';

/** Enabling and disabling carbons for a resource (XEP-0280 §4, §5). */
export function createCarbonsService(state: MessagingState): IqService {
  return {
    namespace: IM.carbons,
    at: ['account'],
    features: [IM.carbons],
    answer({ type, isOwner, session, payload }) {
      const resource = session === undefined ? undefined : state.resources.of(session);
      if (!isOwner || resource === undefined) return { error: 'forbidden' };
      if (type !== 'set' || (payload.name !== 'enable' && payload.name !== 'disable')) return { error: 'bad-request' };
      resource.hasCarbons = payload.name === 'enable';
      return { result: undefined };
    },
  };
}
