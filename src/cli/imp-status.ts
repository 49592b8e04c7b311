import { visible } from '../diagnostics/escape.ts';
import type { NodeStatus, Notification } from '../imp/operations.ts';
import { type NodePlace, type NodeReachWorld, withNode } from './imp-reach.ts';
import { printFacts, printJson, printTable, red, shownDuration, shownNumber } from './output.ts';
import { EXIT, type Terminal } from './terminal.ts';

/** `fedway imp status`: notifications first. Something that asks for somebody has an exit status of its own. */
export function nodeStatus(place: NodePlace, world: NodeReachWorld & { readonly now: () => number }): Promise<number> {
  const { terminal } = world;
  return withNode(place, world, async (node) => {
    const [status, notifications] = [await node.status(), await node.notifications()];
    if (place.json) printJson(terminal, { ...status, notifications });
    else print(status, notifications, terminal, world.now());
    return notifications.length === 0 ? EXIT.ok : EXIT.unwell;
  });
}

function print(status: NodeStatus, notifications: readonly Notification[], terminal: Terminal, now: number): void {
  const { router } = status;
  for (const { text, cure, since } of notifications) {
    terminal.out(`${red(terminal, '!')} ${visible(`${text} ${cure}`)} (for ${shownDuration(now - since)})`);
  }
  if (notifications.length > 0) terminal.out('');
  printFacts(terminal, [
    ['IM&P node', `${status.name}, fedway ${status.version}, up ${shownDuration(now - status.since)}`],
    ['domain', status.domain],
    ['rooms', status.rooms ?? 'none'],
    ['users', `${shownNumber(status.users)}, ${shownNumber(status.sessions)} sessions`],
    ['XMPP federation', status.federation],
    [
      'XCP Router',
      `up ${shownDuration(now - router.since)}; changes of xmpps2snodes: ${router.changes === 'live' ? 'at once' : 'after a restart'}${router.restartNeeded ? ', and it needs one' : ''}`,
    ],
    ['bounced', `${shownNumber(router.bounced)} stanzas, because no Edge is connected`],
  ]);
  if (router.components.length === 0) return;
  terminal.out('');
  printTable(
    terminal,
    ['COMPONENT', 'STATE'],
    router.components.map(({ cpId, connected }) => [cpId, connected ? 'connected' : 'not connected']),
  );
}
