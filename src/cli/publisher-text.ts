import type { PublisherFacts } from '../box/operations.ts';
import { completionOf } from '../box/publisher-cure.ts';
import { visible } from '../diagnostics/escape.ts';
import { counted } from './check.ts';
import { printFacts, printTable, shownDuration, shownNumber, shownTime } from './output.ts';
import type { Terminal } from './terminal.ts';

/** Publishers in a table, one per line. `now`: Unix milliseconds. */
export function printPublishers(publishers: readonly PublisherFacts[], terminal: Terminal, now: number): void {
  printTable(
    terminal,
    ['NAME', 'ADDRESS', 'STATE', 'AXL', 'LAST SUCCESS', 'EDGES', 'ROUTER'],
    publishers.map((publisher) => [
      publisher.name,
      publisher.address ?? '',
      publisher.state,
      publisher.version ?? '',
      ago(publisher.lastSuccess, now),
      edgesOf(publisher),
      routerOf(publisher),
    ]),
  );
}

/** Of those that could not be told: what is in the way, why, and what to do. */
export function printFailures(publishers: readonly PublisherFacts[], terminal: Terminal): void {
  for (const publisher of publishers) {
    const { missing, failure } = publisher;
    if (missing.length === 0 && failure === undefined) continue;
    terminal.out('');
    printOutcome(publisher, terminal);
  }
}

/** What asking one came to, with cause and cure of what is in the way. */
export function printOutcome(publisher: PublisherFacts, terminal: Terminal): void {
  const { name, missing, failure } = publisher;
  terminal.out(visible(outcomeOf(publisher)));
  if (missing.length > 0) terminal.out(`  Cure: ${visible(completionOf(name, missing))}`);
  else if (failure !== undefined) {
    terminal.out(`  Cause: ${visible(failure.cause)}`);
    terminal.out(`  Cure: ${visible(failure.cure)}`);
  }
}

/** Everything that is known of one. */
export function printPublisher(publisher: PublisherFacts, terminal: Terminal, now: number): void {
  const { name, address, user, state, missing, version, lastSuccess, lastAttempt, nextAttempt, failure, router } =
    publisher;
  printFacts(terminal, [
    ['Name', name],
    ['Address', address ?? 'not set'],
    ['User', user ?? 'not set'],
    ['State', missing.length === 0 ? state : `${state}: without ${missing.join(', ')}`],
    ['AXL', version === undefined ? 'not known yet' : `version ${version}`],
    ...(missing.length === 0 ? [] : ([['Cure', completionOf(name, missing)]] as const)),
    ['Last success', when(lastSuccess, now)],
    ['Last attempt', when(lastAttempt, now)],
    ['Next attempt', nextAttempt === undefined ? 'none' : `in ${shownDuration(nextAttempt - now)}`],
    ...(failure === undefined
      ? []
      : ([
          ['Failure', `${failure.sentence} (${failure.code})`],
          ['Cause', failure.cause],
          ['Cure', failure.cure],
        ] as const)),
    ...(router === undefined
      ? []
      : ([
          ['XCP Router', router.restartNeeded ? 'has to be restarted' : 'has read the table'],
          [
            'Bounces',
            `${shownNumber(router.foreignBounces)} ${router.foreignBounces === 1 ? 'stanza' : 'stanzas'} for foreign domains`,
          ],
          ['Own federation', router.federation ?? 'not known'],
        ] as const)),
  ]);
  if (publisher.rows.length === 0) return;
  terminal.out('');
  printTable(
    terminal,
    ['CP_ID', 'IN THE TABLE', 'WANTED', 'INSERTED BY'],
    publisher.rows.map(({ cpId, present, wanted, ours }) => [
      cpId,
      present ? 'yes' : 'no',
      wanted ? 'yes' : 'no',
      ours ? 'fedway' : present ? 'somebody else' : '',
    ]),
  );
}

/** The same in a line. */
function outcomeOf({ name, state, missing, failure, rows }: PublisherFacts): string {
  if (missing.length > 0) return `${name} is not asked: it has no ${missing.join(' and no ')}.`;
  if (failure !== undefined) return failure.sentence;
  const told = rows.filter(({ wanted, present }) => wanted && present).length;
  if (state === 'ok') return `${name} is told: ${counted(told, 'Edge') || 'no Edge'} in its table.`;
  return `${name} answers; no Edge has said yet what it is.`;
}

/** Of the Edges that are to be told, how many are. */
function edgesOf({ rows }: PublisherFacts): string {
  const wanted = rows.filter((row) => row.wanted);
  const there = wanted.filter((row) => row.present);
  return there.length === wanted.length ? shownNumber(there.length) : `${there.length} of ${wanted.length}`;
}

function routerOf({ router }: PublisherFacts): string {
  if (router === undefined) return '';
  return router.restartNeeded ? 'restart required' : 'up to date';
}

function ago(time: number | undefined, now: number): string {
  return time === undefined ? 'never' : `${shownDuration(now - time)} ago`;
}

function when(time: number | undefined, now: number): string {
  return time === undefined ? 'never' : visible(`${shownTime(time)} (${ago(time, now)})`);
}
