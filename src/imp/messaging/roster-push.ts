import { NS } from '../../protocol/namespaces.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { element } from '../../protocol/xml/write.ts';
import { IM } from './namespaces.ts';
import type { RosterItem } from './roster-store.ts';
import { addressed } from './stanzas.ts';
import type { MessagingState } from './state.ts';
import { subscriptionOf } from './subscription-state.ts';

/** An item as clients see it (RFC 6121 §2.1.2). */
export function itemElement({ contact, name, groups, state }: RosterItem): XmlElement {
  return element(
    'item',
    IM.roster,
    {
      jid: contact,
      name,
      subscription: subscriptionOf(state),
      ask: state.to === 'pending' ? 'subscribe' : undefined,
      approved: state.isApproved ? 'true' : undefined,
    },
    ...groups.map((group) => element('group', IM.roster, {}, group)),
  );
}

/**
 * Keeps what has become of an item, and tells the interested resources when clients see the difference (RFC 6121 §2.1.6). `before`: as it was, unlisted
 * when there was none.
 */
export function changeItem(state: MessagingState, account: string, before: RosterItem, after: RosterItem): void {
  const isVisible =
    before.isListed !== after.isListed ||
    (after.isListed && JSON.stringify(itemElement(before)) !== JSON.stringify(itemElement(after)));
  const version = state.context.database.transaction(() => {
    state.rosters.save(account, after);
    return isVisible ? state.rosters.renew(account) : undefined;
  });
  if (version === undefined) return;
  const shown = after.isListed
    ? itemElement(after)
    : element('item', IM.roster, { jid: after.contact, subscription: 'remove' });
  const query = element('query', IM.roster, { ver: version }, shown);
  for (const resource of state.resources.interested(account)) {
    const push = element('iq', NS.client, { type: 'set', id: state.context.newId() }, query);
    resource.session.send(addressed(push, undefined, resource.address));
  }
}
