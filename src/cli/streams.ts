import type { StreamStatus } from '../box/operations.ts';
import { visible } from '../diagnostics/escape.ts';
import { printFacts, printJson, printTable, shownBytes, shownDuration, shownNumber, shownTime } from './output.ts';
import { type Place, type ReachWorld, refuse, withRunning } from './reach.ts';
import { isStream } from './shapes.ts';
import { EXIT } from './terminal.ts';

/** Which streams; `undefined`: whichever. */
export interface StreamFilter {
  readonly remote: string | undefined;
  readonly local: string | undefined;
  readonly side: StreamStatus['side'] | undefined;
  readonly direction: StreamStatus['direction'] | undefined;
  readonly box: string | undefined;
}

interface StreamsWorld extends ReachWorld {
  readonly now: () => number;
}

/** `fedway streams list`. */
export function listStreams(place: Place, filter: StreamFilter, world: StreamsWorld): Promise<number> {
  const { terminal, now } = world;
  return withRunning(place, world, async (box) => {
    const streams = (await box.streams()).filter((stream) => isStream(stream) && fits(stream, filter));
    if (place.json) printJson(terminal, streams);
    else if (streams.length === 0) terminal.err('fedway: there is no such stream now.');
    else {
      printTable(
        terminal,
        [
          'CONNECTION',
          'BOX',
          'SIDE',
          'DIRECTION',
          'LOCAL',
          'REMOTE',
          'PEER',
          'STATE',
          'SINCE',
          'TLS',
          'BY',
          'IN',
          'OUT',
        ],
        streams.map((stream) => rowOf(stream, now())),
      );
    }
    return EXIT.ok;
  });
}

/** `fedway streams show`. */
export function showStream(place: Place, connection: string, world: StreamsWorld): Promise<number> {
  const { terminal, now } = world;
  return withRunning(place, world, async (box) => {
    const found = (await box.streams()).filter((stream) => isStream(stream) && stream.connection === connection);
    if (found.length === 0) return refuse([missing(connection)], place, terminal);
    if (place.json) printJson(terminal, found);
    else for (const stream of found) printFacts(terminal, factsOf(stream, now()));
    return EXIT.ok;
  });
}

/** `fedway streams close`. */
export function closeStream(place: Place, connection: string, reason: string, world: StreamsWorld): Promise<number> {
  const { terminal } = world;
  return withRunning(place, world, async (box) => {
    const { closed, detail } = await box.closeStream(connection, reason);
    if (!closed) return refuse([detail], place, terminal);
    if (place.json) printJson(terminal, { closed, detail });
    else terminal.out(visible(detail));
    return EXIT.ok;
  });
}

function missing(connection: string): string {
  return `there is no stream ${connection}; see fedway streams list. A connection has nine hexadecimal digits, as in the log.`;
}

function fits(stream: StreamStatus, filter: StreamFilter): boolean {
  const { remote, local, side, direction, box } = filter;
  return (
    isOrHolds(stream.remote, remote) &&
    isOrHolds(stream.local, local) &&
    (side === undefined || stream.side === side) &&
    (direction === undefined || stream.direction === direction) &&
    (box === undefined || stream.box === box)
  );
}

/** `*.lab` means every name below lab; anything else the domain itself. */
function isOrHolds(domain: string | undefined, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  if (domain === undefined) return false;
  const lower = wanted.toLowerCase();
  return lower.startsWith('*.') ? domain.toLowerCase().endsWith(lower.slice(1)) : domain.toLowerCase() === lower;
}

function rowOf(stream: StreamStatus, now: number): readonly string[] {
  const { connection, box, side, direction, local, remote, peer, state, since, tls, authorized } = stream;
  return [
    connection,
    box,
    side,
    direction,
    local ?? '',
    remote ?? '',
    peer ?? '',
    state,
    shownDuration(now - since),
    tls?.split(' ')[0] ?? 'none',
    [...new Set(authorized.map(({ by }) => by))].join(', '),
    shownNumber(stream.stanzasIn),
    shownNumber(stream.stanzasOut),
  ];
}

function factsOf(stream: StreamStatus, now: number): readonly (readonly [string, string])[] {
  const { authorized, certificate, lastStanza, peer } = stream;
  return [
    ['Connection', stream.connection],
    ['Box', stream.box],
    ['Side', stream.side],
    ['Direction', stream.direction === 'in' ? 'in: the peer opened it' : 'out: we opened it'],
    ['Local', stream.local ?? 'not known yet'],
    ['Remote', stream.remote ?? 'not known yet'],
    ['Peer', peer ?? 'not told: it is inside'],
    ['State', stream.state],
    ['Since', `${shownTime(stream.since)} (${shownDuration(now - stream.since)})`],
    ['Last stanza', lastStanza > 0 ? `${shownTime(lastStanza)} (${shownDuration(now - lastStanza)} ago)` : 'none'],
    ['TLS', stream.tls ?? 'none: plaintext'],
    ['Certificate', certificate ?? 'none'],
    ...(authorized.length === 0 ? [['Authorized', 'nobody yet'] as const] : []),
    ...authorized.map(({ sender, target, by }) => ['Authorized', `${sender} to ${target}, by ${by}`] as const),
    ['In', `${shownNumber(stream.stanzasIn)} stanzas, ${shownBytes(stream.bytesIn)}`],
    ['Out', `${shownNumber(stream.stanzasOut)} stanzas, ${shownBytes(stream.bytesOut)}`],
  ];
}
