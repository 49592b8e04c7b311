import { processSignals, processTerminal, processWorld } from './cli/process.ts';
import { fedway } from './cli/program.ts';
import { serviceManager } from './cli/systemd.ts';

process.exitCode = await fedway(process.argv.slice(2), {
  ...processWorld,
  terminal: processTerminal,
  signals: processSignals,
  service: serviceManager((line) => processTerminal.err(line)),
  // Only `run` needs the box, and only some commands the data folder; the others start faster without.
  examine: async (boot) => (await import('./box/material.ts')).examineTlsMaterials(boot),
  runBox: async (boot, options) => (await import('./box/run.ts')).runBox(boot, options),
  examineNode: async (boot) => (await import('./imp/certificates.ts')).examineNodeCertificates(boot),
  runNode: async (boot, options) => (await import('./imp/run.ts')).runNode(boot, options),
  openData: async (boot, how) => (await import('./cli/data-desk.ts')).openData(boot, how),
});
