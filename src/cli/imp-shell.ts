import { PROMPT } from '../imp/shell/shell.ts';
import { type NodePlace, type NodeReachWorld, type RunningNodeClient, withNode } from './imp-reach.ts';
import { EXIT, type Terminal } from './terminal.ts';

/** Somebody, or a file, that gives lines. */
export interface LineSource {
  /** Whether somebody sits there, who wants a prompt. */
  readonly interactive: boolean;
  lines(): AsyncIterable<string>;
  /** Shows the prompt, when somebody sits there. */
  prompt(): void;
  close(): void;
}

export interface LineSourceOptions {
  readonly prompt: string;
  readonly complete: (line: string) => Promise<readonly string[]>;
  /** Ctrl-C. */
  readonly interrupted: () => void;
}

export interface ShellWorld extends NodeReachWorld {
  /** Opens standard input. */
  readonly openLines: (options: LineSourceOptions) => LineSource;
  /** Calls `listener` on Ctrl-C instead of ending the process; the answer takes that back. */
  readonly onInterrupt: (listener: () => void) => () => void;
}

/** `fedway imp shell`: one line when words are given, else what standard input says. */
export function nodeShell(place: NodePlace, words: readonly string[], world: ShellWorld): Promise<number> {
  return withNode(place, world, (node) =>
    words.length > 0 ? oneLine(words.join(' '), node, world) : manyLines(node, world),
  );
}

async function oneLine(line: string, node: RunningNodeClient, world: ShellWorld): Promise<number> {
  const back = world.onInterrupt(() => node.interrupt());
  try {
    return (await run(line, node, world.terminal)) ? EXIT.ok : EXIT.problems;
  } finally {
    back();
  }
}

async function manyLines(node: RunningNodeClient, world: ShellWorld): Promise<number> {
  const { terminal } = world;
  let running = false;
  const source = world.openLines({
    prompt: PROMPT,
    complete: (line) => (running ? Promise.resolve([]) : node.complete(line)),
    interrupted: () => {
      if (running) node.interrupt();
      else source.prompt();
    },
  });
  if (source.interactive) {
    terminal.out(
      `Command Line Interface of ${node.hello.name}, fedway ${node.hello.version}. Type help for the commands.`,
    );
  }
  let failed = false;
  try {
    source.prompt();
    for await (const line of source.lines()) {
      if (/^\s*(?:quit|exit)\s*$/i.test(line)) break;
      running = true;
      if (!(await run(line, node, terminal))) failed = true;
      running = false;
      source.prompt();
    }
  } finally {
    source.close();
  }
  // Whoever sat there has seen what failed; a script has to be told.
  return failed && !source.interactive ? EXIT.problems : EXIT.ok;
}

function run(line: string, node: RunningNodeClient, terminal: Terminal): Promise<boolean> {
  // A tab in a statement is a blank; other control characters have no business in a line.
  return node.line(line.replaceAll('\t', ' ').replaceAll(/\p{Cc}/gu, ''), (text) => {
    if (text === '') return;
    for (const each of text.split('\n')) terminal.out(each.replaceAll(/\p{Cc}/gu, '?'));
  });
}
