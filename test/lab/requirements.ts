import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import type { ServerSoftware } from './organization.ts';

/** Something a lab is built from: Debian's package, and how to see that it is there. */
export interface Requirement {
  readonly package: string;
  readonly why: string;
  readonly present: () => boolean;
}

const ALWAYS: readonly Requirement[] = [
  { package: 'util-linux', why: 'private mount namespaces (unshare)', present: () => found('unshare') },
];

const SERVERS: Readonly<Record<ServerSoftware, readonly Requirement[]>> = {
  prosody: [
    { package: 'prosody', why: 'the XMPP server', present: () => found('prosody') },
    { package: 'lua-unbound', why: 'its resolver', present: () => globSync('/usr/lib/*/lua/*/lunbound.so').length > 0 },
  ],
  ejabberd: [
    { package: 'ejabberd', why: 'the XMPP server', present: () => globSync('/usr/lib/*/ejabberd-*/ebin').length > 0 },
  ],
  jabberd2: [
    { package: 'jabberd2', why: 'the XMPP server', present: () => found('/usr/sbin/jabberd2-s2s') },
    { package: 'gcc', why: 'the work-around for its TLS', present: () => found('cc') },
    {
      package: 'libc6-dev',
      why: 'the work-around for its TLS',
      present: () => globSync('/usr/include/dlfcn.h').length > 0,
    },
  ],
};

/** What is not installed; `package` is what `apt-get install` takes. */
export function missingPackages(
  software: readonly ServerSoftware[],
): readonly { readonly package: string; readonly why: string }[] {
  return [...ALWAYS, ...software.flatMap((name) => SERVERS[name])].filter(({ present }) => !present());
}

/** Throws with the command that installs what is missing. */
export function assertInstalled(software: readonly ServerSoftware[]): void {
  const missing = missingPackages([...new Set(software)]);
  if (missing.length === 0) return;
  const reasons = missing.map(({ package: name, why }) => `${name} (${why})`);
  throw new Error(
    `not installed: ${reasons.join(', ')}. Install with: sudo apt-get install ${missing.map((one) => one.package).join(' ')}`,
  );
}

/** Whether there is such a command. */
export function found(command: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', command]).status === 0;
}
