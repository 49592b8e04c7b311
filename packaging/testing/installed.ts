import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const INSTALL = fileURLToPath(new URL('../install.sh', import.meta.url));

/** What a command came to. */
export interface Outcome {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs `packaging/install.sh` to its end. */
export function install(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(INSTALL, args, {
    env: { ...process.env, PREFIX: '', DESTDIR: '', ...environment },
    encoding: 'utf8',
  });
  return { status, output: stdout, errors: stderr };
}

/** Installs into a folder of its own, as for a package. Throws when that fails. */
export function installInto(prefix: string): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'fedway-installed-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const { status, output, errors } = install({ PREFIX: prefix, DESTDIR: folder });
  if (status === 0) return { folder, remove };
  remove();
  throw new Error(`packaging/install.sh failed (${status}):\n${output}${errors}`);
}
