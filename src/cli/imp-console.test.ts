import { Command, Option } from 'commander';
import { beforeEach, describe, expect, test } from 'vitest';
import { KeptTerminal } from '../../test/cli/stand-ins.ts';
import { KeptNode, NOON } from '../../test/support/imp-shell.ts';
import { AdminFailure } from '../admin/connection.ts';
import { loadNodeFile } from '../imp/config/load.ts';
import { addConsoleCommands } from './imp-console.ts';
import type { ConsoleWorld } from './imp-console-world.ts';
import type { RunningNodeClient } from './imp-reach.ts';

let terminal: KeptTerminal;
let node: KeptNode;
let paths: string[];
let lines: string[];
let printed: string[];
let interactive: boolean;
let typed: (string | undefined)[];
let files: Map<string, string>;
let interrupted: (() => void) | undefined;
let interrupts: number;
let broken: boolean;

beforeEach(() => {
  terminal = new KeptTerminal();
  node = new KeptNode();
  paths = [];
  lines = [];
  printed = [];
  interactive = false;
  typed = [];
  files = new Map();
  interrupted = undefined;
  interrupts = 0;
  broken = false;
});

function later<T>(value: T): Promise<T> {
  return broken ? Promise.reject(new AdminFailure('The connection to the node broke.')) : Promise.resolve(value);
}

/** A node at the other end. A line `go on` goes on until it is interrupted. */
function client(): RunningNodeClient {
  const author = 'root@host';
  const { users, administrators } = node;
  return {
    hello: { wire: 1, node: true, version: '0.1.0', name: 'imp-1' },
    status: () => later(node.status()),
    notifications: () => later(node.notifications()),
    complete: (line) => later([`${line}!`]),
    line: async (line, print) => {
      printed.push(line);
      print(`did ${line}\nand \u001b[2Jmore`);
      if (line === 'go on') interrupted?.();
      return later(line !== 'wrong');
    },
    interrupt: () => {
      interrupts += 1;
    },
    users: {
      list: () => later(users.list()),
      add: (user, password) => users.add(user, password, author),
      setPassword: (user, password) => users.setPassword(user, password, author),
      setActive: (user, active) => later(users.setActive(user, active, author)),
      remove: (user) => later(users.remove(user, author)),
    },
    administrators: {
      list: () => later(administrators.list()),
      add: (name, password, role) => administrators.add(name, password, role, author),
      setPassword: (name, password) => administrators.setPassword(name, password, author),
      setRole: (name, role) => later(administrators.setRole(name, role, author)),
      remove: (name) => later(administrators.remove(name, author)),
    },
    close: () => undefined,
  };
}

async function fedway(...words: string[]): Promise<number> {
  const world: Omit<ConsoleWorld, 'terminal'> = {
    load: (path) => loadNodeFile(path),
    connect: (path) => {
      paths.push(path);
      return Promise.resolve(client());
    },
    read: (file) => Promise.resolve(files.get(file) ?? { why: 'there is no such file' }),
    askHidden: () => Promise.resolve(typed.shift()),
    now: () => NOON,
    onInterrupt: (listener) => {
      interrupted = listener;
      return () => {
        interrupted = undefined;
      };
    },
    openLines: (options) => {
      interrupted = options.interrupted;
      return {
        interactive,
        lines: async function* () {
          yield* lines;
        },
        prompt: () => {
          if (interactive) terminal.out(options.prompt);
        },
        close: () => undefined,
      };
    },
  };
  let status = -1;
  const program = new Command('fedway').exitOverride().configureOutput({ writeErr: () => undefined });
  addConsoleCommands(program.command('imp').exitOverride(), {
    world: { terminal, console: world },
    done: (result) => {
      status = result;
    },
    configOption: () => new Option('-c, --config <file>').default('/nowhere/imp.yaml'),
  });
  await program.parseAsync(['imp', ...words], { from: 'user' });
  return status;
}

const AT = ['--socket', '/run/imp.sock'];

describe('fedway imp shell', () => {
  test('with words it runs one command, options of which are its own', async () => {
    expect(await fedway('shell', ...AT, 'run', 'sql', 'select', '-1', '--json')).toBe(0);
    expect(printed).toEqual(['run sql select -1 --json']);
    expect(paths).toEqual(['/run/imp.sock']);
    // What could disturb a terminal is not printed.
    expect(terminal.results).toEqual(['did run sql select -1 --json', 'and ?[2Jmore']);
    expect(await fedway('shell', ...AT, 'wrong')).toBe(2);
  });

  test('Ctrl-C ends what runs, not the command', async () => {
    expect(await fedway('shell', ...AT, 'go', 'on')).toBe(0);
    expect(interrupts).toBe(1);
    expect(interrupted).toBeUndefined();
  });

  test('without words it reads lines until quit; a script learns that one failed', async () => {
    lines = ['show\tstatus', 'wrong', 'go on', ' EXIT ', 'never'];
    expect(await fedway('shell', ...AT)).toBe(2);
    expect(printed).toEqual(['show status', 'wrong', 'go on']);
    expect(interrupts).toBe(1);
    expect(terminal.results).not.toContain('admin:');
  });

  test('on a terminal it greets and prompts', async () => {
    interactive = true;
    lines = ['wrong', 'quit'];
    expect(await fedway('shell', ...AT)).toBe(0);
    expect(terminal.results[0]).toMatch(/^Command Line Interface of imp-1, fedway 0\.1\.0\./);
    expect(terminal.results.filter((line) => line === 'admin:')).toHaveLength(2);
  });

  test('that the node goes away is told', async () => {
    broken = true;
    expect(await fedway('shell', ...AT, 'show')).toBe(1);
    expect(terminal.messages).toEqual(['fedway: The connection to the node broke.']);
  });
});

describe('fedway imp status', () => {
  test('what asks for somebody stands first and has an exit status', async () => {
    expect(await fedway('status', ...AT)).toBe(3);
    expect(terminal.results[0]).toMatch(/^! The table xmpps2snodes has changed .* \(for 1 min\)$/);
    expect(terminal.results[1]).toMatch(/^ {2}Cure: Restart it: /);
    expect(terminal.results.join('\n')).toContain('cm-2_s2scp-1.eft-xwye-a-coluc-com  connected');
    node.open = [];
    expect(await fedway('status', '--json', ...AT)).toBe(0);
    expect(JSON.parse(terminal.results.at(-1) ?? '')).toEqual({ ...node.now, problems: [], notifications: [] });
  });

  test('Edges are named and none of them is connected: a problem, said first, with cause and cure', async () => {
    const { router } = node.now;
    node.open = [];
    const [named] = router.components.map((each) => ({ ...each, connected: false }));
    const components = named === undefined ? [] : [named];
    node.now = { ...node.now, router: { ...router, components } };
    expect(await fedway('status', ...AT)).toBe(3);
    expect(terminal.results.slice(0, 4)).toEqual([
      expect.stringMatching(/^! None of the Edges that xmpps2snodes names is connected /),
      expect.stringMatching(/^ {2}Cause: .* another secret than router\.secret/),
      expect.stringMatching(/^ {2}Cure: On its Core, see fedway status /),
      '',
    ]);
    const stranger = { cpId: 'cm-2_s2scp-1.another', connected: true, inTable: false };
    node.now = { ...node.now, router: { ...router, components: [...components, stranger] } };
    expect(await fedway('status', '--json', ...AT)).toBe(3);
    expect(JSON.parse(terminal.results.at(-1) ?? '')).toMatchObject({
      problems: [{ cause: expect.stringContaining('cm-2_s2scp-1.another') as string }],
    });
    node.now = { ...node.now, router: { ...router, components: [] } };
    expect(await fedway('status', ...AT)).toBe(0);
  });

  test('a component that the table does not name: that nothing leaves through it', async () => {
    const { router } = node.now;
    const stranger = { cpId: 'cm-2_s2scp-1.another', connected: true, inTable: false };
    node.now = { ...node.now, router: { ...router, components: [...router.components, stranger] } };
    await fedway('status', ...AT);
    expect(terminal.results.join('\n')).toMatch(/cm-2_s2scp-1\.another +connected; .*nothing leaves through it/);
  });

  test('a boot file that is not there: where else the node can be found', async () => {
    expect(await fedway('status')).toBe(1);
    expect(terminal.messages[0]).toMatch(/--socket/);
    expect(paths).toEqual([]);
  });
});

describe('fedway imp user and admin', () => {
  test('lists', async () => {
    await fedway('user', 'list', ...AT);
    expect(terminal.results[1]).toBe('alice  alice@coluc.com  active    1         2026-09-30T12:00:00Z');
    await fedway('admin', 'list', '--json', ...AT);
    expect(JSON.parse(terminal.results.at(-1) ?? '')).toEqual([{ name: 'axladmin', role: 'axl' }]);
  });

  test('a password comes from the terminal, standard input or a file; one line break at its end is not part of it', async () => {
    typed = ['typed pass', 'typed pass'];
    files.set('-', 'piped pass\n');
    files.set('pw', 'filed pass \r\n');
    expect(await fedway('user', 'add', 'carol', ...AT)).toBe(0);
    expect(await fedway('user', 'password', 'carol', '-', ...AT)).toBe(0);
    expect(await fedway('admin', 'add', 'core', '--role', 'none', '--from-file', 'pw', ...AT)).toBe(0);
    expect(await fedway('admin', 'password', 'core', '-', ...AT)).toBe(0);
    expect(node.asked).toEqual([
      ['user add', 'carol', 'typed pass', 'root@host'],
      ['user password', 'carol', 'piped pass', 'root@host'],
      ['admin add', 'core', 'filed pass ', 'none', 'root@host'],
      ['admin password', 'core', 'piped pass', 'root@host'],
    ]);
    expect([...terminal.results, ...terminal.messages].join('\n')).not.toMatch(/pass/);
  });

  test('one that is generated is printed alone', async () => {
    expect(await fedway('admin', 'add', 'core', '--generate', ...AT)).toBe(0);
    const [password = ''] = terminal.results;
    expect(password).toMatch(/^[\w-]{24}$/);
    expect(node.asked).toEqual([['admin add', 'core', password, 'axl', 'root@host']]);
    await fedway('user', 'add', 'dave', '--generate', '--json', ...AT);
    expect(JSON.parse(terminal.results[1] ?? '')).toMatchObject({ done: 'Done.' });
  });

  test('never from the command line, from two places, from nobody, or when the two are different', async () => {
    files.set('-', 'x');
    typed = ['one', 'other'];
    for (const words of [['hunter22'], ['-', '--generate'], ['--from-file', 'nothing'], []]) {
      expect(await fedway('user', 'add', 'carol', ...words, ...AT)).toBe(1);
    }
    expect(await fedway('user', 'add', 'carol', ...AT)).toBe(1);
    expect(node.asked).toEqual([]);
    expect(terminal.messages.join('\n')).not.toContain('hunter22');
  });

  test('other changes, and what is refused', async () => {
    await fedway('user', 'deactivate', 'alice', ...AT);
    await fedway('user', 'activate', 'alice', ...AT);
    await fedway('user', 'remove', 'alice', ...AT);
    await fedway('admin', 'role', 'core', '--role', 'none', ...AT);
    await fedway('admin', 'remove', 'core', ...AT);
    expect(await fedway('user', 'remove', 'refused', ...AT)).toBe(2);
    expect(terminal.messages).toEqual(['fedway: This is refused.']);
    expect(node.asked).toEqual([
      ['user active', 'alice', false, 'root@host'],
      ['user active', 'alice', true, 'root@host'],
      ['user remove', 'alice', 'root@host'],
      ['admin role', 'core', 'none', 'root@host'],
      ['admin remove', 'core', 'root@host'],
      ['user remove', 'refused', 'root@host'],
    ]);
  });
});
