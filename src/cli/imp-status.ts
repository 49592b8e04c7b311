import { visible } from '../diagnostics/escape.ts';
import type { EdgeComponent, NodeStatus } from '../imp/operations.ts';
import { type NodePlace, type NodeReachWorld, withNode } from './imp-reach.ts';
import { printFacts, printJson, printTable, red, shownDuration, shownNumber } from './output.ts';
import { EXIT, type Terminal } from './terminal.ts';

/** Something that is wrong, in sentences. */
interface NodeProblem {
  readonly what: string;
  readonly cause: string;
  readonly cure: string;
}

/** `fedway imp status`: problems and notifications first. Something that asks for somebody has an exit status of its own. */
export function nodeStatus(place: NodePlace, world: NodeReachWorld & { readonly now: () => number }): Promise<number> {
  const { terminal } = world;
  return withNode(place, world, async (node) => {
    const [status, notifications] = [await node.status(), await node.notifications()];
    const problems = problemsOf(status);
    if (place.json) printJson(terminal, { ...status, problems, notifications });
    else {
      for (const { what, cause, cure } of problems) {
        printWrong(what, [`Cause: ${cause}`, `Cure: ${cure}`], terminal);
      }
      for (const { text, cure, since } of notifications) {
        printWrong(`${text} (for ${shownDuration(world.now() - since)})`, [`Cure: ${cure}`], terminal);
      }
      if (problems.length + notifications.length > 0) terminal.out('');
      print(status, terminal, world.now());
    }
    return problems.length + notifications.length === 0 ? EXIT.ok : EXIT.unwell;
  });
}

/** What is wrong with a node that it does not say itself, since it passes when an Edge connects. */
function problemsOf({ router: { components } }: NodeStatus): readonly NodeProblem[] {
  const named = components.filter(({ inTable }) => inTable);
  if (named.length === 0 || named.some(({ connected }) => connected)) return [];
  const what =
    'None of the Edges that xmpps2snodes names is connected with the XCP Router: stanzas for other domains are returned to their senders.';
  const stranger = components.find(({ inTable }) => !inTable);
  if (stranger === undefined) return [{ what, ...NOBODY_CONNECTED }];
  const cause = `${stranger.cpId} is connected, and the table as the XCP Router has read it does not name it.`;
  return [{ what, cause, cure: TELL_TABLE }];
}

const NOBODY_CONNECTED = {
  cause:
    'The Core does not run, cannot reach router.listen of this node, or has another secret than router.secret; after a start it takes some seconds.',
  cure: 'On its Core, see fedway status (alarm 90004 says why), that homes[].server.imp in the boot file has the address and the secret of this node, and that the firewall lets it through.',
} as const;
const TELL_TABLE =
  'On its Core, see fedway status, and tell the table: fedway publisher refresh. Then, if this node asks for it, restart the XCP Router (fedway imp shell utils service restart Cisco XCP Router).';

function printWrong(what: string, more: readonly string[], terminal: Terminal): void {
  terminal.out(`${red(terminal, '!')} ${visible(what)}`);
  for (const line of more) terminal.out(`  ${visible(line)}`);
}

function print(status: NodeStatus, terminal: Terminal, now: number): void {
  const { router } = status;
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
    ['bounced', `${shownNumber(router.bounced)} stanzas for foreign domains`],
  ]);
  if (router.components.length === 0) return;
  terminal.out('');
  printTable(
    terminal,
    ['COMPONENT', 'STATE'],
    router.components.map((component) => [component.cpId, stateOf(component)]),
  );
}

function stateOf({ connected, inTable }: EdgeComponent): string {
  if (!connected) return 'not connected';
  return inTable ? 'connected' : 'connected; xmpps2snodes as read does not name it: nothing leaves through it';
}
