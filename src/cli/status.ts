import { AdminFailure } from '../admin/connection.ts';
import type { BoxStatus, LinkStatus } from '../box/operations.ts';
import { visible } from '../diagnostics/escape.ts';
import { counted } from './check.ts';
import { allProblems, type HealthProblem, inAWord, problemsOf } from './health.ts';
import { bold, printFacts, printJson, printTable, red, shownBytes, shownDuration, shownNumber } from './output.ts';
import { printPublishers } from './publisher-text.ts';
import { fail, type Place, type ReachWorld, reach } from './reach.ts';
import { isStatus, type SaidStatus } from './shapes.ts';
import { EXIT, type Terminal } from './terminal.ts';

/** Pairs that are listed; of more, the number is told. */
const SHOWN_PAIRS = 20;
/** The same for homes and Links of a box. */
const SHOWN_ROWS = 100;
/** The same for homes of a Link. */
const SHOWN_HOMES = 3;

export interface StatusOptions extends Place {
  /** One line about this box alone, for health checks. */
  readonly check: boolean;
}

/** `fedway status`: how the box is, and the others as far as they answer. The answer is the exit status. */
export async function status(
  options: StatusOptions,
  world: ReachWorld & { readonly now: () => number },
): Promise<number> {
  const { terminal } = world;
  const asked = await ask(options, world);
  if (typeof asked === 'string') {
    if (!options.check) return fail(asked, options, terminal);
    if (options.json) printJson(terminal, { ok: false, running: false, summary: asked });
    else terminal.out(`not running: ${visible(asked)}`);
    return EXIT.failed;
  }
  const now = world.now();
  if (options.check) return check(asked, options, terminal, now);
  const problems = allProblems(asked, now);
  if (options.json) printJson(terminal, { ...asked, problems });
  else {
    for (const problem of problems) printProblem(problem, terminal, now);
    if (problems.length > 0) terminal.out('');
    printBox(asked, terminal, now);
    for (const name of silent(asked)) terminal.err(`fedway: ${visible(name)} has not answered; its Link is up.`);
  }
  return problems.length === 0 ? EXIT.ok : EXIT.unwell;
}

/** The status, or a sentence why there is none. */
async function ask(options: StatusOptions, world: ReachWorld): Promise<BoxStatus | string> {
  const box = await reach(options, world);
  if ('nobody' in box) return box.nobody;
  try {
    const { others, ...own } = await box.status(options.check ? 'here' : 'everywhere');
    return { ...whole(own), others: others.filter(isStatus).map(shownOther) };
  } catch (error) {
    if (error instanceof AdminFailure) return error.message;
    throw error;
  } finally {
    box.close();
  }
}

/** A box of before there were alarms has none, and tells no IM&P servers. */
function whole<S extends Omit<SaidStatus, 'others'>>(said: S): S & Pick<BoxStatus, 'alarms' | 'publishers'> {
  return { ...said, alarms: said.alarms ?? [], publishers: said.publishers ?? [] };
}

/** What another box tells no IM&P servers of is not to be believed, nor where they are. */
function shownOther(said: SaidStatus): BoxStatus {
  return { ...whole(said), publishers: [], others: [] };
}

function printProblem({ box, what, cure, alarm }: HealthProblem, terminal: Terminal, now: number): void {
  if (alarm === undefined) {
    terminal.out(`${red(terminal, 'Problem')} on ${visible(box)}: ${visible(what)}`);
    terminal.out(`  ${visible(cure)}`);
    return;
  }
  const { id, title, cause, since } = alarm;
  const head = `${red(terminal, `Alarm ${id}`)} on ${visible(box)}, raised ${shownDuration(now - since)} ago`;
  terminal.out(`${head}: ${visible(title)}`);
  terminal.out(`  ${visible(what)}`);
  terminal.out(`  Cause: ${visible(cause)}`);
  terminal.out(`  Cure: ${visible(cure)}`);
}

function check(asked: BoxStatus, { json }: StatusOptions, terminal: Terminal, now: number): number {
  const problems = problemsOf(asked, now);
  const ok = problems.length === 0;
  const summary = inAWord(asked, now);
  if (json) printJson(terminal, { ok, running: true, summary, problems });
  else terminal.out(`${ok ? 'ok' : 'problem'}: ${visible(asked.name)}: ${visible(summary)}`);
  return ok ? EXIT.ok : EXIT.unwell;
}

function printBox(box: BoxStatus, terminal: Terminal, now: number, indent = ''): void {
  const inner = `${indent}  `;
  const sub = indented(terminal, inner);
  const { name, role, version, since, federation, counters } = box;
  terminal.out(
    indent +
      bold(terminal, `${ROLES[role]} ${visible(name)}`) +
      `, fedway ${visible(version)}, up ${shownDuration(now - since)}`,
  );
  printFacts(
    terminal,
    [
      ['Federation', federation.on ? 'on' : `off: ${federation.detail}`],
      ['Streams', shownNumber(box.streams)],
      [
        'Stanzas',
        `${shownNumber(counters.inward)} inward, ${shownNumber(counters.outward)} outward, ${shownNumber(counters.bounced)} bounced, ${shownNumber(counters.dropped)} dropped`,
      ],
    ],
    inner,
  );
  section(sub, 'Homes', box.homes, () => {
    printTable(
      sub,
      ['DOMAIN', 'FEDERATION', 'SERVED BY'],
      box.homes.slice(0, SHOWN_ROWS).map(({ domain, federation: on, via }) => [domain, on ? 'on' : 'off', via]),
    );
    printRest(box.homes.length - SHOWN_ROWS, sub);
  });
  section(sub, 'Links', box.links, () => {
    printLinks(box.links.slice(0, SHOWN_ROWS), sub, now);
    printRest(box.links.length - SHOWN_ROWS, sub);
  });
  section(sub, 'IM&P publishers', box.publishers, () => printPublishers(box.publishers, sub, now));
  section(sub, 'Pairs', box.pairs, () => printPairs(box, sub));
  for (const other of box.others) {
    terminal.out('');
    printBox(other, terminal, now, inner);
  }
}

/** Boxes whose Link is up, and which have said nothing that can be shown. */
function silent({ links, others }: BoxStatus): readonly string[] {
  return links.flatMap(({ name, state }) =>
    state === 'up' && !others.some((other) => other.name === name) ? [name] : [],
  );
}

const ROLES = { single: 'Single box', edge: 'Edge', core: 'Core' } as const;

function section(terminal: Terminal, title: string, of: readonly unknown[], print: () => void): void {
  if (of.length === 0) return;
  terminal.out('');
  terminal.out(bold(terminal, title));
  print();
}

/** The Links of a box, the facts that matter first. */
export function printLinks(links: readonly LinkStatus[], terminal: Terminal, now: number): void {
  printTable(
    terminal,
    ['NAME', 'STATE', 'SINCE', 'PEER', 'WAITING', 'IN', 'OUT', 'RESUMED', 'CONFIGURATION', 'HOMES'],
    links.map((link) => [
      link.name,
      link.state,
      shownDuration(now - link.since),
      link.peer ?? '',
      link.queued.stanzas === 0 ? '' : `${counted(link.queued.stanzas, 'stanza')}, ${shownBytes(link.queued.bytes)}`,
      shownNumber(link.stanzasIn),
      shownNumber(link.stanzasOut),
      shownNumber(link.resumed),
      lagOf(link),
      some(link.homes),
    ]),
  );
}

/** The first few of a list, and how many there are more. */
function some(names: readonly string[]): string {
  const first = names.slice(0, SHOWN_HOMES).join(', ');
  return names.length > SHOWN_HOMES ? `${first} and ${names.length - SHOWN_HOMES} more` : first;
}

function lagOf({ replication }: LinkStatus): string {
  if (replication === undefined) return '';
  const { theirs, held } = replication;
  return theirs <= held
    ? `revision ${held}`
    : `revision ${held} of ${theirs}, ${counted(theirs - held, 'change')} behind`;
}

/** Those with something wrong or waiting first. */
function printPairs({ pairs }: BoxStatus, terminal: Terminal): void {
  const order = { bounce: 0, queue: 1, send: 2, idle: 3 } as const;
  const sorted = pairs.toSorted((a, b) => order[a.state] - order[b.state]);
  printTable(
    terminal,
    ['FROM', 'TO', 'SIDE', 'STATE', 'QUEUED'],
    sorted
      .slice(0, SHOWN_PAIRS)
      .map(({ sender, target, side, state, queued }) => [sender, target, side, state, shownNumber(queued)]),
  );
  printRest(pairs.length - SHOWN_PAIRS, terminal);
}

function printRest(more: number, terminal: Terminal): void {
  if (more > 0) terminal.out(`and ${shownNumber(more)} more; --json has all of them`);
}

/** A terminal whose lines stand further in. */
function indented(terminal: Terminal, indent: string): Terminal {
  const { width, colors = false } = terminal;
  return {
    out: (line) => terminal.out(line === '' ? '' : indent + line),
    err: (line) => terminal.err(line),
    width: width === undefined ? undefined : width - indent.length,
    colors,
  };
}
