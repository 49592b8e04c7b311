import { randomBytes } from 'node:crypto';
import { visible } from '../diagnostics/escape.ts';
import type { AdministratorRole, Outcome } from '../imp/operations.ts';
import { failNode, type NodePlace, type NodeReachWorld, type RunningNodeClient, withNode } from './imp-reach.ts';
import { printJson, printTable, shownNumber, shownTime } from './output.ts';
import { EXIT, type Terminal } from './terminal.ts';

export interface AccountsWorld extends NodeReachWorld {
  /** Reads a file, or standard input for `-`. */
  readonly read: (file: string) => Promise<string | { readonly why: string }>;
  /** Asks somebody at the terminal, without showing what he types; `undefined`: there is nobody. */
  readonly askHidden: (question: string) => Promise<string | undefined>;
}

/** Where a password comes from. It is never on the command line, where every user of the machine can read it. */
export interface PasswordSource {
  /** `-`: standard input. */
  readonly from: string | undefined;
  readonly fromFile: string | undefined;
  readonly generate: boolean;
}

/** `fedway imp user list`. */
export function listUsers(place: NodePlace, world: NodeReachWorld): Promise<number> {
  const { terminal } = world;
  return withNode(place, world, async (node) => {
    const users = await node.users.list();
    if (place.json) printJson(terminal, users);
    else if (users.length === 0) terminal.err('fedway: there are no users yet: fedway imp user add NAME.');
    else {
      printTable(
        terminal,
        ['USER', 'ADDRESS', 'STATE', 'SESSIONS', 'CREATED'],
        users.map(({ user, address, active, sessions, created }) => [
          user,
          address,
          active ? 'active' : 'inactive',
          shownNumber(sessions),
          shownTime(created),
        ]),
      );
    }
    return EXIT.ok;
  });
}

/** `fedway imp admin list`. */
export function listAdministrators(place: NodePlace, world: NodeReachWorld): Promise<number> {
  const { terminal } = world;
  return withNode(place, world, async (node) => {
    const all = await node.administrators.list();
    if (place.json) printJson(terminal, all);
    else if (all.length === 0) terminal.err('fedway: there are no AXL accounts yet: fedway imp admin add NAME.');
    else {
      printTable(
        terminal,
        ['NAME', 'ROLE'],
        all.map(({ name, role }) => [name, role]),
      );
    }
    return EXIT.ok;
  });
}

/** Something that is done to an account and needs no password. */
export function changeAccount(
  place: NodePlace,
  world: NodeReachWorld,
  change: (node: RunningNodeClient) => Promise<Outcome>,
): Promise<number> {
  return withNode(place, world, async (node) => printOutcome(await change(node), place, world.terminal));
}

/** Something that is done with a new password; one that was generated is the result. */
export async function withPassword(
  place: NodePlace,
  source: PasswordSource,
  world: AccountsWorld,
  change: (node: RunningNodeClient, password: string) => Promise<Outcome>,
): Promise<number> {
  const { terminal } = world;
  const password = await passwordFrom(source, world);
  if (typeof password !== 'string') return failNode(password.why, place, terminal);
  return withNode(place, world, async (node) => {
    const outcome = await change(node, password);
    if (!('done' in outcome) || !source.generate) return printOutcome(outcome, place, terminal);
    if (place.json) printJson(terminal, { ...outcome, password });
    else {
      terminal.err(`fedway: ${visible(outcome.done)} The password, which is shown this once:`);
      terminal.out(password);
    }
    return EXIT.ok;
  });
}

export function addUser(place: NodePlace, user: string, source: PasswordSource, world: AccountsWorld): Promise<number> {
  return withPassword(place, source, world, (node, password) => node.users.add(user, password));
}

export function addAdministrator(
  place: NodePlace,
  { name, role }: { readonly name: string; readonly role: AdministratorRole },
  source: PasswordSource,
  world: AccountsWorld,
): Promise<number> {
  return withPassword(place, source, world, (node, password) => node.administrators.add(name, password, role));
}

function printOutcome(outcome: Outcome, { json }: NodePlace, terminal: Terminal): number {
  if (json) printJson(terminal, outcome);
  if ('refused' in outcome) {
    terminal.err(`fedway: ${visible(outcome.refused)}`);
    return EXIT.problems;
  }
  if (!json) terminal.out(visible(outcome.done));
  return EXIT.ok;
}

/** Bytes of a generated password: 144 bits. */
const GENERATED = 18;

async function passwordFrom(
  { from, fromFile, generate }: PasswordSource,
  { read, askHidden }: AccountsWorld,
): Promise<string | { readonly why: string }> {
  if (from !== undefined && from !== '-') {
    return {
      why: 'a password is never written on the command line, where others can read it. Use - for standard input, --from-file or --generate.',
    };
  }
  if ([from !== undefined, fromFile !== undefined, generate].filter(Boolean).length > 1) {
    return { why: 'say one place where the password comes from: -, --from-file or --generate.' };
  }
  if (generate) return randomBytes(GENERATED).toString('base64url');
  const file = fromFile ?? from;
  if (file !== undefined) {
    const text = await read(file);
    // A file that an editor has written ends with a line break.
    return typeof text === 'string' ? text.replace(/\r?\n$/, '') : { why: `${file} cannot be read: ${text.why}.` };
  }
  const first = await askHidden('Password: ');
  if (first === undefined) return { why: 'there is nobody to ask for the password. Use -, --from-file or --generate.' };
  const second = await askHidden('Again: ');
  return first === second ? first : { why: 'the two passwords are different. Nothing was changed.' };
}
