import type { PublisherFacts, PublisherOperations } from '../box/operations.ts';
import { visible } from '../diagnostics/escape.ts';
import { printJson } from './output.ts';
import { printFailures, printOutcome, printPublisher, printPublishers } from './publisher-text.ts';
import { type Place, publishersOf, type ReachWorld, refuse, withRunning } from './reach.ts';
import { EXIT } from './terminal.ts';

type PublishersWorld = ReachWorld & { readonly now: () => number };

const NONE = 'no IM&P publisher is configured: fedway config set publishers.NAME.address HOST.';

/** `fedway publisher list`. */
export function listPublishers(place: Place, world: PublishersWorld): Promise<number> {
  const { terminal, now } = world;
  return withPublishers(place, world, async (operations) => {
    const publishers = await operations.list();
    if (place.json) printJson(terminal, publishers);
    else if (publishers.length === 0) terminal.err(`fedway: ${NONE}`);
    else {
      printPublishers(publishers, terminal, now());
      printFailures(publishers, terminal);
    }
    return EXIT.ok;
  });
}

/** `fedway publisher show`. */
export function showPublisher(place: Place, name: string, world: PublishersWorld): Promise<number> {
  const { terminal, now } = world;
  return withPublishers(place, world, async (operations) => {
    const publishers = await operations.list();
    const found = publishers.find((each) => each.name === name);
    if (found === undefined) return refuse([unknown(name, publishers)], place, terminal);
    if (place.json) printJson(terminal, found);
    else printPublisher(found, terminal, now());
    return EXIT.ok;
  });
}

/** `fedway publisher refresh`: asks the servers anew, and says what came of it. The exit status is 3 when one could not be told. */
export function refreshPublishers(place: Place, name: string | undefined, world: PublishersWorld): Promise<number> {
  const { terminal } = world;
  return withPublishers(place, world, async (operations) => {
    const outcome = await operations.refresh(name);
    if ('refused' in outcome) return refuse([outcome.refused], place, terminal);
    const { refreshed } = outcome;
    if (place.json) printJson(terminal, refreshed);
    else for (const publisher of refreshed) printOutcome(publisher, terminal);
    return refreshed.every(({ state }) => state === 'ok' || state === 'waiting') ? EXIT.ok : EXIT.unwell;
  });
}

function unknown(name: string, publishers: readonly PublisherFacts[]): string {
  if (publishers.length === 0) return NONE;
  return `there is no publisher called ${visible(name)}; there are: ${publishers.map((each) => visible(each.name)).join(', ')}.`;
}

function withPublishers(
  place: Place,
  world: PublishersWorld,
  use: (operations: PublisherOperations) => Promise<number>,
): Promise<number> {
  return withRunning(place, world, async (box) => {
    const operations = publishersOf(box, place, world.terminal);
    return typeof operations === 'number' ? operations : use(operations);
  });
}
