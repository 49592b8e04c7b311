/**
 * Writes to a clusterdb until it is killed, or until it has counted often enough: `clusterdb-writer.ts <folder> <how often>`. Each change counts up
 * three keys, one of them a secret, that are only right together. One line on standard output for each that was acknowledged (its
 * revision), or told as a conflict (`conflict`).
 */
import { writeSync } from 'node:fs';
import { Clusterdb } from '../../../src/clusterdb/store.ts';
import { CATALOG } from '../../support/clusterdb-catalog.ts';

const [folder = '', times = 'Infinity'] = process.argv.slice(2);
const db = Clusterdb.open({ folder, catalog: CATALOG, owns: 'both', history: 1_000_000 });
if ('refused' in db) throw new Error(db.refused);

let counted = 0;
while (counted < Number(times)) {
  const { entries } = db.snapshot();
  const seen = entries.get('count.a');
  const next = (typeof seen?.value === 'number' ? seen.value : 0) + 1;
  const changing = `list.a${next % 5}`;
  // As long as somebody who looks before he changes: others get in between.
  if (times !== 'Infinity') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  const outcome = db.change({
    steps: [
      { put: 'count.a', value: next },
      entries.has(changing) ? { remove: changing } : { put: changing, value: 'x'.repeat(next % 3000) },
      { put: 'count.b', value: next },
      { put: 'secret.a', value: next },
    ],
    author: `writer ${process.pid}`,
    reason: '',
    expect: { 'count.a': seen?.revision ?? 0 },
  });
  if (outcome.outcome === 'changed') {
    counted++;
    writeSync(1, `${outcome.change.revision}\n`);
  } else if (outcome.outcome === 'conflict') writeSync(1, 'conflict\n');
  else throw new Error(JSON.stringify(outcome));
}
db.close();
