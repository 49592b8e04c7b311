import { resolve } from 'node:path';
import type { FileFacts, Surroundings } from '../../src/config/surroundings.ts';

/** A file of a stand-in machine; a text alone has mode 0600. */
export type StandInFile =
  | string
  | Uint8Array
  | { readonly text: string; readonly mode: number }
  | { readonly why: string };

/** A machine for tests: only these files and variables exist. Relative names are below `directory`. */
export function standIn(
  directory: string,
  files: Readonly<Record<string, StandInFile>>,
  env: Readonly<Record<string, string>> = {},
): Surroundings {
  const absolute = new Map(Object.entries(files).map(([name, file]) => [resolve(directory, name), file]));
  const find = (path: string): StandInFile => absolute.get(path) ?? { why: 'no such file or directory' };
  return {
    look(path): FileFacts {
      const file = find(path);
      if (typeof file === 'object' && 'why' in file) return { usable: false, why: file.why };
      const mode = typeof file === 'object' && 'mode' in file ? file.mode : 0o600;
      return { usable: true, mode, ownedByRoot: false };
    },
    read(path, limit) {
      const file = find(path);
      if (file instanceof Uint8Array) return file;
      if (typeof file === 'object' && 'why' in file) return file;
      const bytes = new TextEncoder().encode(typeof file === 'string' ? file : file.text);
      return bytes.length > limit ? { why: `it is larger than ${limit} bytes` } : bytes;
    },
    env: (name) => env[name],
    hostName: () => 'edge-1.coluc.com',
  };
}
