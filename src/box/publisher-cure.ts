import type { AxlProblem } from '../axl/failures.ts';

/** What an administrator does about a failure of a publisher: where that is a setting of ours, with the command; and with the one that tries it. */
export function cureOf(name: string, { code, cure }: Pick<AxlProblem, 'code' | 'cure'>): string {
  const refresh = `fedway publisher refresh ${name}`;
  const plain = cure.replace(/\.$/, '');
  const key = SETTINGS[code];
  if (key !== undefined) return `${plain} (${setOf(name, key)}, then ${refresh}).`;
  return cure.startsWith('Nothing to do') ? cure : `${plain} (then ${refresh}).`;
}

/** The commands that set what a publisher lacks. `missing`: keys such as `password`. */
export function completionOf(name: string, missing: readonly string[]): string {
  return missing.map((key) => setOf(name, key)).join('; ');
}

/** The failures that a setting of a publisher ends. */
const SETTINGS: Readonly<Partial<Record<AxlProblem['code'], string>>> = {
  credentials: 'password',
  version: 'version',
  'name-not-found': 'address',
  'tls-wrong-name': 'address',
};

function setOf(name: string, key: string): string {
  // A password is not written on a command line.
  return `fedway config set publishers.${name}.${key} ${key === 'password' ? '-' : 'VALUE'}`;
}
