import { MODULE_NAMES } from '../../diagnostics/levels.ts';
import type { Severity } from '../../protocol/notes.ts';
import { nearest } from '../nearest.ts';
import type { Reading } from '../schema/place.ts';

/** A level for a module that does not exist would silently change nothing. */
export function checkLog(
  { log }: { readonly log: { readonly modules: ReadonlyMap<string, Severity> | undefined } | undefined },
  reading: Reading,
): void {
  for (const name of log?.modules?.keys() ?? []) {
    if (MODULE_NAMES.includes(name)) continue;
    const meant = nearest(name, MODULE_NAMES);
    reading.error(
      `log.modules."${name}"`,
      'there is no such module',
      meant === undefined ? `The modules are ${MODULE_NAMES.join(', ')}.` : `Did you mean "${meant}"?`,
    );
  }
}
