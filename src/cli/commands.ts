import { type Command, InvalidArgumentError, Option } from 'commander';
import type { StreamStatus } from '../box/operations.ts';
import { setConfig, unsetConfig } from './config-change.ts';
import { getConfig, listConfig, logConfig } from './config-read.ts';
import { exportConfig, importConfig, type TransferWorld } from './config-transfer.ts';
import { invite, join, listLinks, revoke } from './links.ts';
import { listPublishers, refreshPublishers, showPublisher } from './publishers.ts';
import type { Place } from './reach.ts';
import { status } from './status.ts';
import { closeStream, listStreams, showStream } from './streams.ts';

/** What every command that speaks with a box is typed with. */
interface PlaceWords {
  readonly config: string;
  readonly socket?: string;
  readonly json?: true;
}

interface ChangeWords extends PlaceWords {
  readonly reason: string;
  readonly expect?: number;
  readonly edge?: string;
}

/** What the commands are added with. */
export interface CommandContext {
  readonly program: Command;
  readonly world: TransferWorld;
  /** Gets the exit status of the command that ran. */
  readonly done: (status: number) => void;
  readonly configOption: () => Option;
}

/** Adds the commands that speak with a box: status, streams, config, link, publisher. */
export function addBoxCommands(context: CommandContext): void {
  addStatus(context);
  addStreams(context);
  addConfig(context);
  addLink(context);
  addPublisher(context);
}

function addStatus({ program, world, done, configOption }: CommandContext): void {
  placed(program.command('status'), configOption)
    .summary('how this box is, and those it is linked with')
    .description(
      'How this box is, and those it is linked with; problems first. Exit status: 0 all is well, 1 it is not running or not reachable, 3 it runs and something is wrong.',
    )
    .option('--check', 'one line about this box alone, for health checks')
    .action(async (words: PlaceWords & { check?: true }) => {
      done(await status({ ...placeOf(words), check: words.check ?? false }, world));
    });
}

function addStreams({ program, world, done, configOption }: CommandContext): void {
  const streams = program.command('streams').description('streams that are open now: list, show, close');
  placed(streams.command('list'), configOption)
    .description('List the streams of this box, and of those it is linked with.')
    .option('--remote <domain>', 'of this partner, or "*.lab" for all below lab')
    .option('--local <domain>', 'of this domain of ours')
    .addOption(new Option('--side <side>', 'towards the world or towards the inside').choices(['foreign', 'home']))
    .addOption(new Option('--direction <direction>', 'who opened it: the peer or we').choices(['in', 'out']))
    .option('--box <name>', 'on this box')
    .action(
      async (
        words: PlaceWords & {
          remote?: string;
          local?: string;
          side?: StreamStatus['side'];
          direction?: StreamStatus['direction'];
          box?: string;
        },
      ) => {
        const { remote, local, side, direction, box } = words;
        done(await listStreams(placeOf(words), { remote, local, side, direction, box }, world));
      },
    );
  placed(streams.command('show <connection>'), configOption)
    .description('Everything that is known of one stream. A connection is nine hexadecimal digits, as in the log.')
    .action(async (connection: string, words: PlaceWords) => {
      done(await showStream(placeOf(words), connection, world));
    });
  placed(streams.command('close <connection>'), configOption)
    .description('End a stream with a stream error. A partner that has something to say opens a new one.')
    .option('--reason <text>', 'what the log says of it', 'closed by the administrator')
    .action(async (connection: string, words: PlaceWords & { reason: string }) => {
      done(await closeStream(placeOf(words), connection, words.reason, world));
    });
}

function addConfig({ program, world, done, configOption }: CommandContext): void {
  const config = program
    .command('config')
    .description('the live settings, which change without a restart: list, get, set, unset, log, export, import');
  placed(config.command('list [prefix]'), configOption)
    .description('List the keys that are set, or those that begin with a prefix.')
    .action(async (prefix: string | undefined, words: PlaceWords) => {
      done(await listConfig(placeOf(words), prefix ?? '', world));
    });
  placed(config.command('get <key>'), configOption)
    .description('Print the value of one key.')
    .action(async (key: string, words: PlaceWords) => {
      done(await getConfig(placeOf(words), key, world));
    });
  changing(placed(config.command('set <key...>'), configOption))
    .usage('[options] KEY VALUE | KEY=VALUE...')
    .description(
      'Set one key, or several at once: all of them are changed or none. A secret is never written on the command line: use --generate, --from-file, or - for standard input.',
    )
    .option('--from-file <file>', 'the value is the text of this file')
    .option('--generate', 'make a new secret')
    .action(async (typed: string[], words: ChangeWords & { fromFile?: string; generate?: true }) => {
      const { fromFile, generate = false } = words;
      done(await setConfig({ ...changeOf(words), words: typed, fromFile, generate }, world));
    });
  changing(placed(config.command('unset <key...>'), configOption))
    .description('Take keys back to their defaults.')
    .action(async (keys: string[], words: ChangeWords) => {
      done(await unsetConfig(keys, changeOf(words), world));
    });
  placed(config.command('log'), configOption)
    .description('List what was changed, when and by whom; the newest first.')
    .option('-n, --lines <count>', 'changes that are listed', whole(1, 100_000), 20)
    .action(async (words: PlaceWords & { lines: number }) => {
      done(await logConfig(placeOf(words), words.lines, world));
    });
  placed(config.command('export [file]'), configOption)
    .description(
      'Write what this box owns as a document to read, keep, change and import. Without a file: to standard output.',
    )
    .option('--with-secrets', 'with its secrets, which takes the rights to read the data folder')
    .action(async (file: string | undefined, words: PlaceWords & { withSecrets?: true }) => {
      done(await exportConfig({ ...placeOf(words), file, withSecrets: words.withSecrets ?? false }, world));
    });
  changing(placed(config.command('import <file>'), configOption))
    .description(
      'Make the configuration what an exported file says, in one change. - is standard input. With --boot the file is the boot file of a single box from before it had a data folder.',
    )
    .option('--replace', 'remove keys that are not in the file; secrets stay')
    .option('--dry-run', 'only say what would change')
    .option('--boot', 'the file is a boot file')
    .action(async (file: string, words: ChangeWords & { replace?: true; dryRun?: true; boot?: true }) => {
      const { replace = false, dryRun = false, boot = false } = words;
      done(await importConfig({ ...changeOf(words), file, replace, dryRun, boot }, world));
    });
}

function addLink({ program, world, done, configOption }: CommandContext): void {
  const link = program.command('link').description('the Links between Edge and Core: invite, join, list, revoke');
  placed(link.command('invite <name>'), configOption)
    .description('On an Edge: print a token with which one Core can pair with it, once.')
    .option('--domain <domain...>', 'a home that the Core may serve; without: every home of this Edge')
    .option('--valid <duration>', 'how long the token is good', '1h')
    .option('--address <host:port>', 'where the Core finds this Edge, in place of link.address of the boot file')
    .action(async (name: string, words: PlaceWords & { domain?: string[]; valid: string; address?: string }) => {
      const { domain = [], valid, address } = words;
      done(await invite({ ...placeOf(words), name, domains: domain, valid, address }, world));
    });
  placed(link.command('join [token]'), configOption)
    .description('On a Core: pair with the Edge that made a token. - reads it from standard input.')
    .option('--file <file>', 'the file that holds the token')
    .action(async (token: string | undefined, words: PlaceWords & { file?: string }) => {
      done(await join(placeOf(words), token, words.file, world));
    });
  placed(link.command('list'), configOption)
    .description('List the Links of this box.')
    .action(async (words: PlaceWords) => {
      done(await listLinks(placeOf(words), world));
    });
  placed(link.command('revoke <name>'), configOption)
    .description(
      'End a pairing for good: on an Edge the certificate of the Core counts no more, on a Core the Edge is forgotten.',
    )
    .action(async (name: string, words: PlaceWords) => {
      done(await revoke(placeOf(words), name, world));
    });
}

function addPublisher({ program, world, done, configOption }: CommandContext): void {
  const publisher = program
    .command('publisher')
    .description('the IM&P servers that are told of the Edges: list, show, refresh');
  placed(publisher.command('list'), configOption)
    .description('List the IM&P publishers of this box, and whether they are told.')
    .action(async (words: PlaceWords) => {
      done(await listPublishers(placeOf(words), world));
    });
  placed(publisher.command('show <name>'), configOption)
    .description('Everything that is known of one publisher, and the rows of its table xmpps2snodes.')
    .action(async (name: string, words: PlaceWords) => {
      done(await showPublisher(placeOf(words), name, world));
    });
  placed(publisher.command('refresh [name]'), configOption)
    .description(
      'Ask the publisher of this name, or all of them, anew: at once, whatever failed before. Exit status: 0 they are told, 3 one could not be.',
    )
    .action(async (name: string | undefined, words: PlaceWords) => {
      done(await refreshPublishers(placeOf(words), name, world));
    });
}

function placed(command: Command, configOption: () => Option): Command {
  return command
    .addOption(configOption())
    .option('--socket <path>', 'the admin socket, in place of the one that the boot file names')
    .option('--json', 'JSON instead of lines');
}

function changing(command: Command): Command {
  return command
    .option('--reason <text>', 'why, for the log', '')
    .option(
      '--expect <revision>',
      'refuse when a key was changed after this revision',
      whole(0, Number.MAX_SAFE_INTEGER),
    )
    .option('--edge <name>', 'on a Core: change this Edge alone');
}

function placeOf({ config, socket, json }: PlaceWords): Place {
  return { config, socket, json: json === true };
}

function changeOf(words: ChangeWords): Place &
  Pick<ChangeWords, 'reason'> & {
    readonly expect: number | undefined;
    readonly edge: string | undefined;
  } {
  const { reason, expect, edge } = words;
  return { ...placeOf(words), reason, expect, edge };
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`Write a whole number from ${least}.`);
  };
}
