import { spawnSync } from 'node:child_process';

/** The upstream version of an installed Debian package. */
export function installedVersion(name: string): string | undefined {
  const asked = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Version}', name], { encoding: 'utf8' });
  return /^installed (?:\d+:)?([^-+~]+)/.exec(asked.stdout ?? '')?.[1];
}
