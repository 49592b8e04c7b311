import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { type BoxIdentity, isBoxId, isBoxName, NAME_RULE } from './identity.ts';
import { makeFolder, readIfThere, replaceFile, storageFault } from './storage.ts';
import { parseVersion1, textIn } from './stored.ts';

const WHAT = 'the identity of this box';

/**
 * Who this box is to the others: its id is made at the first start and kept in the folder of the Link, so that the name may change.
 *
 * @param folder is made if it is not there
 */
export function ownIdentity(folder: string, name: string): BoxIdentity | { readonly problem: string } {
  if (!isBoxName(name)) return { problem: `the name of this box, "${name}", does not do for a Link: ${NAME_RULE}` };
  const file = path.join(folder, 'identity.json');
  try {
    makeFolder(folder);
    const text = readIfThere(file);
    if (text !== undefined) {
      const id = textIn(parseVersion1(text), 'id', isBoxId);
      if (id !== undefined) return { id, name };
      return { problem: `${WHAT} ${file} is damaged: restore it from a backup, or remove it and pair this box anew` };
    }
    const id = randomUUID();
    replaceFile(file, `${JSON.stringify({ version: 1, id })}\n`);
    return { id, name };
  } catch (error) {
    return { problem: storageFault(WHAT, file, error) };
  }
}
