import { type Command, Option } from 'commander';
import type { AdministratorRole } from '../imp/operations.ts';
import {
  addAdministrator,
  addUser,
  changeAccount,
  listAdministrators,
  listUsers,
  type PasswordSource,
  withPassword,
} from './imp-accounts.ts';
import { type ConsoleWorld, processConsole } from './imp-console-world.ts';
import type { NodePlace } from './imp-reach.ts';
import { nodeShell } from './imp-shell.ts';
import { nodeStatus } from './imp-status.ts';
import type { Terminal } from './terminal.ts';

/** What the commands are added with. */
export interface ConsoleContext {
  /** `console`: in place of this machine. */
  readonly world: { readonly terminal: Terminal; readonly console?: Omit<ConsoleWorld, 'terminal'> };
  /** Gets the exit status of the command that ran. */
  readonly done: (status: number) => void;
  readonly configOption: () => Option;
}

interface PlaceWords {
  readonly config: string;
  readonly socket?: string;
  readonly json?: true;
}

interface PasswordWords extends PlaceWords {
  readonly fromFile?: string;
  readonly generate?: true;
}

const ROLES = ['axl', 'none'] satisfies AdministratorRole[];

/** Adds the commands that speak with a running IM&P node: shell, status, user, admin. */
export function addConsoleCommands(imp: Command, context: ConsoleContext): void {
  const { terminal, console: instead } = context.world;
  const world: ConsoleWorld = { ...(instead ?? processConsole), terminal };
  // Options behind the words of the shell belong to the words.
  imp.enablePositionalOptions();
  addShell(imp, context, world);
  addUsers(imp, context, world);
  addAdministrators(imp, context, world);
}

function addShell(imp: Command, { done, configOption }: ConsoleContext, world: ConsoleWorld): void {
  imp
    .command('shell [words...]')
    .summary("the administrator's command line")
    .description(
      "The administrator's command line of a running node. With words it runs one command; without, it reads commands from the terminal or from standard input. Type help in it.",
    )
    .addOption(configOption())
    .option('--socket <path>', 'the admin socket, in place of the one that the boot file names')
    // `fedway imp shell show status` and `... run sql select -1` are for the shell.
    .passThroughOptions()
    .action(async (words: string[], options: PlaceWords) => {
      done(await nodeShell(placeOf(options), words, world));
    });
  placed(imp.command('status'), configOption)
    .summary('how the node is')
    .description(
      'How the node is; what asks for somebody first. Exit status: 0 all is well, 1 it is not running, 3 something asks for somebody.',
    )
    .action(async (options: PlaceWords) => {
      done(await nodeStatus(placeOf(options), world));
    });
}

function addUsers(imp: Command, { done, configOption }: ConsoleContext, world: ConsoleWorld): void {
  const user = imp
    .command('user')
    .description('the users of the node: list, add, password, activate, deactivate, remove');
  placed(user.command('list'), configOption)
    .description('List the users.')
    .action(async (options: PlaceWords) => {
      done(await listUsers(placeOf(options), world));
    });
  withSource(placed(user.command('add <user> [source]'), configOption))
    .description(
      'Add a user. The password is asked for, or comes from standard input (-), from a file, or is generated.',
    )
    .action(async (name: string, source: string | undefined, options: PasswordWords) => {
      done(await addUser(placeOf(options), name, sourceOf(source, options), world));
    });
  withSource(placed(user.command('password <user> [source]'), configOption))
    .description('Give a user another password.')
    .action(async (name: string, source: string | undefined, options: PasswordWords) => {
      const from = sourceOf(source, options);
      done(
        await withPassword(placeOf(options), from, world, (node, password) => node.users.setPassword(name, password)),
      );
    });
  for (const [verb, active, what] of [
    ['activate', true, 'Let a user log in again.'],
    ['deactivate', false, 'Let a user not log in any more, and end the sessions; everything else stays.'],
  ] as const) {
    placed(user.command(`${verb} <user>`), configOption)
      .description(what)
      .action(async (name: string, options: PlaceWords) => {
        done(await changeAccount(placeOf(options), world, (node) => node.users.setActive(name, active)));
      });
  }
  placed(user.command('remove <user>'), configOption)
    .description('Remove a user with everything that is theirs: contacts, messages, the archive.')
    .action(async (name: string, options: PlaceWords) => {
      done(await changeAccount(placeOf(options), world, (node) => node.users.remove(name)));
    });
}

function addAdministrators(imp: Command, { done, configOption }: ConsoleContext, world: ConsoleWorld): void {
  const admin = imp.command('admin').description('the AXL accounts, for Cores: list, add, password, role, remove');
  placed(admin.command('list'), configOption)
    .description('List the AXL accounts and their roles.')
    .action(async (options: PlaceWords) => {
      done(await listAdministrators(placeOf(options), world));
    });
  withSource(placed(admin.command('add <name> [source]'), configOption))
    .description('Add an AXL account. The password comes from where that of a user comes from.')
    .addOption(roleOption())
    .action(async (name: string, source: string | undefined, options: PasswordWords & { role: AdministratorRole }) => {
      const account = { name, role: options.role };
      done(await addAdministrator(placeOf(options), account, sourceOf(source, options), world));
    });
  withSource(placed(admin.command('password <name> [source]'), configOption))
    .description('Give an AXL account another password. Give it to the Cores that use the account, too.')
    .action(async (name: string, source: string | undefined, options: PasswordWords) => {
      const from = sourceOf(source, options);
      done(
        await withPassword(placeOf(options), from, world, (node, password) =>
          node.administrators.setPassword(name, password),
        ),
      );
    });
  placed(admin.command('role <name>'), configOption)
    .description('Give an AXL account a role, or take it.')
    .addOption(roleOption().makeOptionMandatory())
    .action(async (name: string, options: PlaceWords & { role: AdministratorRole }) => {
      done(await changeAccount(placeOf(options), world, (node) => node.administrators.setRole(name, options.role)));
    });
  placed(admin.command('remove <name>'), configOption)
    .description('Remove an AXL account.')
    .action(async (name: string, options: PlaceWords) => {
      done(await changeAccount(placeOf(options), world, (node) => node.administrators.remove(name)));
    });
}

function roleOption(): Option {
  const words = 'axl: may use AXL ("Standard AXL API Access"); none: may not';
  return new Option('--role <role>', words).choices(ROLES).default('axl');
}

function placed(command: Command, configOption: () => Option): Command {
  return command
    .addOption(configOption())
    .option('--socket <path>', 'the admin socket, in place of the one that the boot file names')
    .option('--json', 'JSON instead of lines');
}

function withSource(command: Command): Command {
  return command
    .option('--from-file <file>', 'the password is the text of this file')
    .option('--generate', 'make a new password and print it');
}

function placeOf({ config, socket, json }: PlaceWords): NodePlace {
  return { config, socket, json: json === true };
}

function sourceOf(from: string | undefined, { fromFile, generate }: PasswordWords): PasswordSource {
  return { from, fromFile, generate: generate === true };
}
