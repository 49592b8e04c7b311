import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { waitForPort } from '../../test/lab/addresses.ts';
import type { LabProcess } from '../../test/lab/processes.ts';
import { HOME, launchOnCore, PARTNER, SECRET, type Setting } from '../relay/setting.ts';

const FEDWAY = fileURLToPath(new URL('../../bin/fedway', import.meta.url));

/** An Edge and a Core, paired and federating, on one core of the machine. */
export interface TwoBoxes {
  readonly edge: LabProcess;
  readonly core: LabProcess;
}

/** Starts both with what is default, pairs them, and resolves when the Core can send. */
export async function startTwoBoxes(setting: Setting): Promise<TwoBoxes> {
  const { folder, system, inside, partner, authority } = setting;
  const own = authority.issue([HOME]);
  const edgeFile = path.join(folder, 'edge', 'edge.yaml');
  const coreFile = path.join(folder, 'core', 'core.yaml');
  for (const file of [edgeFile, coreFile]) mkdirSync(path.dirname(file), { mode: 0o700 });
  writeFileSync(path.join(folder, 'core', 'component.secret'), `${SECRET}\n`, { mode: 0o600 });
  writeFileSync(
    edgeFile,
    stringify({
      role: 'edge',
      name: 'edge',
      data: 'data',
      s2s: { listen: [`${system}:5269`], trust: { system: false, authorities: [authority.root] } },
      homes: [{ domains: [HOME], certificate: own.certificate, key: own.key }],
      link: { listen: [`${system}:7400`] },
    }),
  );
  writeFileSync(
    coreFile,
    stringify({
      role: 'core',
      name: 'core',
      data: 'data',
      homes: [{ domains: [HOME], server: { accept_component: { secret: { file: 'component.secret' } } } }],
      inside: { component_listen: [`${inside}:5347`] },
    }),
  );
  const edge = launchOnCore(setting, { name: 'edge', command: [FEDWAY, 'run', '--config', edgeFile] });
  await waitForPort(system, 7400, 20_000, () => edge.assertRunning());
  const core = launchOnCore(setting, { name: 'core', command: [FEDWAY, 'run', '--config', coreFile] });
  await waitForPort(inside, 5347, 20_000, () => core.assertRunning());
  const ask = (file: string, ...args: readonly string[]): string =>
    execFileSync(FEDWAY, [...args, '--config', file], { encoding: 'utf8' });
  ask(
    edgeFile,
    'config',
    'set',
    `allow.${PARTNER}=`,
    'static_routes=on',
    `routes.${PARTNER}=${partner}:5269`,
    'federation=on',
  );
  ask(coreFile, 'link', 'join', ask(edgeFile, 'link', 'invite', 'core').trim());
  await federating(() => ask(coreFile, 'config', 'list'));
  return { edge, core };
}

/** The Core sends once it holds the Edge's settings. */
async function federating(list: () => string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!/federation\s+on/.test(list())) {
    if (performance.now() > deadline) throw new Error("the Core does not get the Edge's settings");
    await pause(100);
  }
}
