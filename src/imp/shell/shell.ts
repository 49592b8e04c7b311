import { nearest } from '../../config/nearest.ts';
import { CAPTURE_COMMANDS } from './capture-command.ts';
import { type Command, type ShellContext, type ShellSession, type Told, told, unsuccessful } from './command.ts';
import { SERVICE_COMMANDS } from './service-commands.ts';
import { SHOW_COMMANDS } from './show-commands.ts';
import { RUN_SQL } from './sql-command.ts';

/** UTF-16 units of a line. A statement of SQL fits. */
export const LONGEST_LINE = 33_000;
/** What the shell says that it waits for a command. */
export const PROMPT = 'admin:';

const HELP: Command = {
  words: ['help'],
  usage: '[command]',
  summary: 'explain the commands, or those that begin with some words',
  takesRest: true,
  completions: () => COMMANDS.map(({ words }) => words.join(' ')),
  run: (rest) => help(wordsOf(rest)),
};

const QUIT: Command = {
  words: ['quit'],
  summary: 'leave the shell; exit does the same',
  takesRest: false,
  // Whoever shows the prompt leaves before a line comes here.
  run: () => told(''),
};

/** By their words. */
export const COMMANDS: readonly Command[] = [
  RUN_SQL,
  ...SERVICE_COMMANDS,
  ...SHOW_COMMANDS,
  ...CAPTURE_COMMANDS,
  HELP,
  QUIT,
].sort((a, b) => a.words.join(' ').localeCompare(b.words.join(' ')));

/** The administrator's command line of a node, with the commands of the reference system. */
export class Shell {
  readonly #context: ShellContext;

  constructor(context: ShellContext) {
    this.#context = context;
  }

  /** Runs one line. What is wrong with it is told like everything else. */
  async run(line: string, session: ShellSession): Promise<Told> {
    if (line.length > LONGEST_LINE) return unsuccessful(`A line has at most ${LONGEST_LINE} characters.`);
    const asked = readLine(line);
    if ('told' in asked) return asked.told;
    const { command, rest } = asked;
    const { words, loggable } = command;
    const logged = [...words, loggable?.(rest) ?? ''].join(' ').trimEnd();
    this.#context.notes({ note: 'imp-shell-command', author: session.author, command: logged }, {});
    return command.run(rest, this.#context, session);
  }

  /** What could stand in place of the end of a line: whole lines. */
  complete(line: string): readonly string[] {
    const typed = line.replace(/\s+/g, ' ').trimStart().toLowerCase();
    const lines = new Set<string>();
    for (const { words, takesRest, completions } of COMMANDS) {
      const name = words.join(' ');
      if (typed.startsWith(`${name} `) && takesRest) {
        for (const rest of completions?.(this.#context) ?? []) {
          const whole = `${name} ${rest}`;
          if (whole.toLowerCase().startsWith(typed)) lines.add(whole);
        }
      } else if (`${name} `.startsWith(typed)) {
        // One word at a time.
        const until = name.indexOf(' ', typed.length);
        lines.add(until === -1 ? `${name}${takesRest ? ' ' : ''}` : name.slice(0, until + 1));
      }
    }
    return [...lines];
  }
}

/** A line as a command and what stands behind its words; or what there is to say instead. Total. */
export function readLine(line: string): { readonly command: Command; readonly rest: string } | { readonly told: Told } {
  const words = wordsOf(line);
  if (words.length === 0) return { told: told('') };
  if (words.at(-1)?.text === '?') return { told: help(words.slice(0, -1)) };
  // The longest one first: no command is the beginning of another one today, and it does not matter if one is.
  const command = COMMANDS.filter((each) => matches(each.words, words)).toSorted(
    (a, b) => b.words.length - a.words.length,
  )[0];
  if (command === undefined) return { told: notValid(words) };
  const last = words[command.words.length - 1];
  const rest = line.slice(last?.end ?? 0).trim();
  if (rest !== '' && !command.takesRest) {
    return { told: unsuccessful(`Nothing may stand behind ${command.words.join(' ')}.`) };
  }
  if (rest === '' && command.usage !== undefined && !command.usage.startsWith('[')) {
    return { told: unsuccessful('Incomplete command entered', ...explained(command)) };
  }
  return { command, rest };
}

interface Word {
  readonly text: string;
  /** Where it ends in the line. */
  readonly end: number;
}

function wordsOf(line: string): readonly Word[] {
  return [...line.matchAll(/\S+/g)].map(({ 0: text, index }) => ({ text, end: index + text.length }));
}

/** Whether the words of a command stand at the beginning. */
function matches(command: readonly string[], typed: readonly Word[]): boolean {
  return command.every((word, index) => typed[index]?.text.toLowerCase() === word);
}

/** Commands that begin with what was typed. */
function beginning(typed: readonly Word[]): readonly Command[] {
  return COMMANDS.filter(({ words }) =>
    typed.every(({ text }, index) => words[index]?.startsWith(text.toLowerCase()) === true),
  );
}

function notValid(typed: readonly Word[]): Told {
  const longer = beginning(typed);
  if (longer.length > 0) return unsuccessful('Incomplete command entered', ...longer.map(summaryLine));
  // As many words as a command has: behind them stands what nobody could guess.
  const candidates = COMMANDS.map(({ words }) => words.join(' '));
  const near = [3, 2, 1]
    .map((count) =>
      typed
        .slice(0, count)
        .map(({ text }) => text)
        .join(' '),
    )
    .map((text) => nearest(text, candidates))
    .find((name) => name !== undefined);
  return unsuccessful(
    'No valid command entered',
    near === undefined ? 'Type help for the commands.' : `Did you mean: ${near}`,
  );
}

function help(typed: readonly Word[]): Told {
  const exact = COMMANDS.find(({ words }) => words.length <= typed.length && matches(words, typed));
  if (exact !== undefined) return told(...explained(exact));
  const some = beginning(typed);
  if (some.length === 0) return notValid(typed);
  const [only] = some;
  return some.length === 1 && only !== undefined ? told(...explained(only)) : told(...some.map(summaryLine));
}

/** Columns of the commands' names in a list. */
const NAME_WIDTH = 26;

function summaryLine({ words, summary }: Command): string {
  return `${words.join(' ').padEnd(NAME_WIDTH)} ${summary}`;
}

function explained({ words, usage, summary, details = [] }: Command): readonly string[] {
  return [
    [...words, ...(usage === undefined ? [] : [usage])].join(' '),
    `  ${summary}`,
    ...details.map((line) => `  ${line}`),
  ];
}
