import { Argument, Command, CommanderError, Option } from 'commander';
import type { RunBox } from '../box/box.ts';
import type { LogFormat } from '../config/boot.ts';
import { printJsonSchema } from '../config/json-schema.ts';
import { printSettingsReference } from '../config/live/reference.ts';
import { printReference } from '../config/reference.ts';
import { printNodeJsonSchema } from '../imp/config/json-schema.ts';
import { printNodeReference } from '../imp/config/reference.ts';
import { SEVERITIES, type Severity } from '../protocol/notes.ts';
import { type CheckWorld, checkConfig } from './check.ts';
import { addBoxCommands } from './commands.ts';
import type { TransferWorld } from './config-transfer.ts';
import { addImpCommands, type ImpWorld } from './imp.ts';
import type { Signals } from './lifetime.ts';
import { run } from './run.ts';
import type { ServiceManager } from './systemd.ts';
import { EXIT } from './terminal.ts';
import { versionLine } from './version.ts';

/** What the command line works with; the process, or a test's stand-in. */
export interface ProgramWorld extends TransferWorld, ImpWorld {
  readonly signals: Signals;
  readonly service: ServiceManager | undefined;
  readonly runBox: RunBox;
  readonly examine: CheckWorld['examine'];
}

/** Where packages put the boot file. */
const USUAL_CONFIG = '/etc/fedway/fedway.yaml';

const EXAMPLES = `
Examples:
  fedway check config --config fedway.yaml   name every problem of a boot file
  fedway run --config fedway.yaml            federate until SIGTERM or Ctrl-C
  kill -HUP <pid>                            reload: a bad boot file changes nothing
  fedway status                              how the box is, problems first
  fedway config set federation on            change a live setting

Results go to standard output, messages to standard error.
Exit status: 0 fine, 1 could not run, 2 the boot file has problems or a change is refused, 3 fedway status found a problem.`;

/** Runs one command line, without the program's name. The answer is the exit status; nothing is thrown for what was typed. */
export async function fedway(args: readonly string[], world: ProgramWorld): Promise<number> {
  let status: number = EXIT.ok;
  const program = programOf(world, (result) => {
    status = result;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.failed;
    throw error;
  }
}

/** The commands. `done` gets the exit status of the one that ran. */
export function programOf(world: ProgramWorld, done: (status: number) => void): Command {
  const { terminal } = world;
  const program = new Command('fedway')
    .description('The XMPP federation edge: S2S for an organization whose own server stays inside.')
    .version(versionLine(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain fedway, or a command')
    .helpCommand('help [command]', 'explain a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, 'fedway: ')),
    })
    .showHelpAfterError('Try: fedway --help')
    .addHelpText('after', EXAMPLES);

  program
    .command('run')
    .summary('federate until told to stop')
    .description(
      'Federate until told to stop. SIGHUP reads the boot file again and takes it over when it is fine; SIGTERM and Ctrl-C close every stream and end, a second one ends at once.',
    )
    .addOption(configOption())
    .addOption(new Option('--log-format <format>', 'in place of log.format').choices(LOG_FORMATS))
    .addOption(new Option('--log-level <level>', 'in place of log.level').choices(SEVERITIES))
    .action(async (options: { config: string; logFormat?: LogFormat; logLevel?: Severity }) => {
      const { config, logFormat, logLevel } = options;
      done(await run({ config, logFormat, logLevel }, world));
    });

  program
    .command('check')
    .summary('name every problem of the boot file')
    .description('Name every problem of the boot file. Needs no network and no running fedway.')
    .addArgument(new Argument('[what]', 'what to check').default('config'))
    .addOption(configOption())
    .option('--json', 'one JSON object instead of lines')
    .option('--strict', 'warnings count as problems')
    .action(async (what: string, options: { config: string; json?: true; strict?: true }, command: Command) => {
      // There is one check today; a path in its place is the likely slip.
      const path = /[./]/.test(what) ? what : options.config;
      if (what !== 'config')
        command.error(`fedway: "${what}" is not a check. Write: fedway check config --config ${path}`);
      const { config, json = false, strict = false } = options;
      done(await checkConfig({ config, json, strict }, { terminal, examine: world.examine }));
    });

  program
    .command('schema')
    .summary('print the description of the boot file')
    .description(
      'Print the description of the boot file: as JSON Schema for editors, or as the reference page; or the reference page of the live settings; or either of the boot file of an IM&P node.',
    )
    .addOption(new Option('--format <format>', 'what to print').choices(Object.keys(SCHEMAS)).default('json'))
    .action(({ format }: { format: keyof typeof SCHEMAS }) => {
      terminal.out(SCHEMAS[format]().trimEnd());
    });

  addBoxCommands({ program, world, done, configOption });
  addImpCommands({ program, world, done });

  program
    .command('version')
    .description('print the version, also of Node and OpenSSL')
    .action(() => terminal.out(versionLine()));

  return program;
}

const SCHEMAS = {
  json: printJsonSchema,
  markdown: printReference,
  settings: printSettingsReference,
  imp: printNodeReference,
  'imp-json': printNodeJsonSchema,
} as const;

const LOG_FORMATS = ['text', 'json', 'expressway'] satisfies LogFormat[];

function configOption(): Option {
  return new Option('-c, --config <file>', 'the boot file').default(USUAL_CONFIG);
}
