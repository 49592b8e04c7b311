import type { Signals } from './lifetime.ts';
import { EXIT, type Terminal } from './terminal.ts';

// `fedway schema | head`: who stops reading is done, and that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

export const processTerminal: Terminal = {
  out(line) {
    process.stdout.write(`${line}\n`);
  },
  err(line) {
    process.stderr.write(`${line}\n`);
  },
};

export const processSignals: Signals = {
  on(signal, listener) {
    process.on(signal, listener);
    return () => process.off(signal, listener);
  },
  exit(status) {
    process.exit(status);
  },
};
