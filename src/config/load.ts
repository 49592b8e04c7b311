import type { BootConfig } from './boot.ts';
import { type BootFile, bootSchema } from './boot-schema.ts';
import { checkBoot } from './checks/check.ts';
import { adminSocketIn } from './checks/link.ts';
import { isEvery } from './checks/listeners.ts';
import { type FileDescription, type FileResult, type LoadOptions, loadFile } from './load-file.ts';
import { indexOf } from './schema/walk.ts';

/** What reading the boot file of a box came to. */
export type LoadResult = FileResult<BootConfig>;

const BOOT_FILE: FileDescription<BootFile, BootConfig> = {
  schema: bootSchema,
  keys: indexOf(bootSchema),
  example: 'fedway.example.yaml',
  check: checkBoot,
  complete: (path, file, surroundings) => {
    const { data, link } = file;
    const [first] = link.listen;
    const address = link.address ?? (first === undefined || isEvery(first.host) ? undefined : first);
    return Object.freeze({
      path,
      ...file,
      name: file.name ?? boxName(surroundings.hostName()),
      adminSocket: file.adminSocket ?? (data === undefined ? undefined : adminSocketIn(data)),
      link: Object.freeze({ ...link, address }),
    });
  },
};

/** Reads, checks and completes the boot file of a box. `path` may be relative to the working directory; messages name it as it is given. */
export function loadBootFile(path: string, options: LoadOptions = {}): LoadResult {
  return loadFile(path, BOOT_FILE, options);
}

/** The first label of a host name, with what a box name may not have as hyphens. */
export function boxName(hostName: string): string {
  const label = hostName.split('.')[0] ?? '';
  return label.replaceAll(/[^A-Za-z0-9-]/g, '-').slice(0, 63) || 'fedway';
}
