import { processSignals, processTerminal } from './cli/process.ts';
import { fedway } from './cli/program.ts';
import { systemdNotify } from './cli/systemd.ts';

process.exitCode = await fedway(process.argv.slice(2), {
  terminal: processTerminal,
  signals: processSignals,
  notify: systemdNotify((line) => processTerminal.err(line)),
  // Only `run` needs the box; the other commands start faster without.
  examine: async (boot) => (await import('./single/material.ts')).examineTlsMaterials(boot),
  runSingle: async (boot, options) => (await import('./single/run.ts')).runSingle(boot, options),
});
