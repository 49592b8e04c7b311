import { isDeepStrictEqual } from 'node:util';
import type { BootConfig } from './boot.ts';
import { bootSchema } from './boot-schema.ts';
import type { Kind } from './schema/kind.ts';
import { camelCase } from './schema/section.ts';

/**
 * The keys whose values differ between two configurations and take a restart, as the boot file names them, in its order; none:
 * everything that differs can be taken over by a running fedway.
 */
export function restartNeeded(old: BootConfig, next: BootConfig): readonly string[] {
  return restartKeys(bootSchema, old, next);
}

/** The same for any boot file: `kind` is its description. */
export function restartKeys(kind: Kind<unknown>, old: unknown, next: unknown): readonly string[] {
  return differences(kind, old, next, '');
}

function differences(kind: Kind<unknown>, old: unknown, next: unknown, section: string): string[] {
  if (kind.inside.form !== 'section') return [];
  return Object.entries(kind.inside.keys).flatMap(([name, key]) => {
    const path = section === '' ? name : `${section}.${name}`;
    const [before, after] = [part(old, name), part(next, name)];
    if (key.restart) return isSame(before, after) ? [] : [path];
    return differences(key.kind, before, after, path);
  });
}

/** Lists of listeners are sets: their order means nothing. */
function isSame(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return isDeepStrictEqual(a, b);
  return a.length === b.length && a.every((item) => b.some((other) => isDeepStrictEqual(item, other)));
}

/** The value of a key; of a section that is not there, nothing. */
function part(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, camelCase(name)) : undefined;
}
