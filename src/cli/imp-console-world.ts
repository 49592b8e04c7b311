import { createInterface } from 'node:readline';
import { NodeClient } from '../admin/node-client.ts';
import { loadNodeFile } from '../imp/config/load.ts';
import type { AccountsWorld } from './imp-accounts.ts';
import type { LineSource, LineSourceOptions, ShellWorld } from './imp-shell.ts';
import { processWorld } from './process.ts';

/** What the commands that speak with a node find on this machine. */
export type ConsoleWorld = AccountsWorld & ShellWorld & { readonly now: () => number };

/** All of it but the terminal. */
export const processConsole: Omit<ConsoleWorld, 'terminal'> = {
  // Only the service may have what the secrets of the boot file point to.
  load: (path) => loadNodeFile(path, { rehearsal: true }),
  connect: (path) => NodeClient.connect(path, processWorld.author),
  read: (file) => processWorld.read(file),
  now: Date.now,
  askHidden,
  openLines,
  onInterrupt: (listener) => {
    process.on('SIGINT', listener);
    return () => process.off('SIGINT', listener);
  },
};

function openLines({ prompt, complete, interrupted }: LineSourceOptions): LineSource {
  const { stdin: input, stdout: output } = process;
  const interactive = input.isTTY;
  const reading = createInterface({
    input,
    terminal: interactive,
    prompt,
    ...(interactive ? { output } : {}),
    completer: (line: string, found: (error: Error | null, result: [string[], string]) => void) => {
      complete(line).then(
        (lines) => found(null, [[...lines], line]),
        // Nothing is completed; that the node is gone, the next line tells.
        () => found(null, [[], line]),
      );
    },
  });
  reading.on('SIGINT', () => {
    output.write('^C\n');
    interrupted();
  });
  return {
    interactive,
    lines: () => reading,
    prompt: () => {
      if (interactive) reading.prompt();
    },
    close: () => reading.close(),
  };
}

/** What is typed is not shown: readline writes to nowhere. */
function askHidden(question: string): Promise<string | undefined> {
  const { stdin: input, stderr } = process;
  if (!input.isTTY) return Promise.resolve(undefined);
  stderr.write(question);
  const reading = createInterface({ input, terminal: true, historySize: 0 });
  return new Promise((resolve) => {
    const done = (answer: string | undefined): void => {
      resolve(answer);
      reading.close();
    };
    reading.once('line', done);
    reading.once('SIGINT', () => done(undefined));
    reading.once('close', () => {
      stderr.write('\n');
      resolve(undefined);
    });
  });
}
