import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { put, remove, useDatabases } from '../../test/support/clusterdb.ts';
import { ReplicatedBoxes } from '../../test/support/replicated.ts';
import { Log } from '../diagnostics/log.ts';
import type { Note, NoteSink } from '../protocol/notes.ts';

const databases = useDatabases();

const SEED = 'xconfiguration xcpConfiguration is_federation_enabled - changed from: 0 to: 1';

function linesOf(format: 'text' | 'expressway'): { readonly notes: NoteSink; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const log = new Log(
    { format, level: 'info', modules: new Map() },
    { write: (line) => lines.push(line.trimEnd()), now: () => 0, later: () => undefined, pid: 4711, colors: false },
  );
  return { notes: (note, subject) => log.note(note, subject), lines };
}

function kept(): { readonly notes: NoteSink; readonly kept: readonly Note[] } {
  const notes: Note[] = [];
  return { notes: (note) => notes.push(note), kept: notes };
}

function boxes(edge: NoteSink, core: NoteSink): ReplicatedBoxes {
  return new ReplicatedBoxes(
    databases.start({ folder: join(databases.place, 'edge'), owns: 'edge', notes: edge }),
    databases.start({ folder: join(databases.place, 'core'), owns: 'core', notes: core }),
  );
}

describe('the line of the reference system', () => {
  test('is in the log of the box where federation is switched on, and of the one it is replicated to', () => {
    const edge = linesOf('expressway');
    const core = linesOf('expressway');
    const both = boxes(edge.notes, core.notes);
    both.up();
    both.settle();
    put(both.edge.db, { federation: 'on' });
    both.settle();
    const line = `Module="developer.clusterdb.restapi" Level="INFO " CodeLocation="clusterdb" Detail="${SEED}"`;
    expect(edge.lines.filter((each) => each.includes(line))).toHaveLength(1);
    expect(core.lines.filter((each) => each.includes(line))).toHaveLength(1);
  });

  test('is in the sentence of the other formats, with who changed it and where', () => {
    const edge = linesOf('text');
    const core = linesOf('text');
    const both = boxes(edge.notes, core.notes);
    both.up();
    both.settle();
    put(both.edge.db, { federation: 'on' });
    both.settle();
    expect(edge.lines.join('\n')).toContain(`Configuration revision 1 by root@edge-1, "test": ${SEED}.`);
    expect(core.lines.join('\n')).toContain(`Configuration of edge-1, revision 1 by root@edge-1, "test": ${SEED}.`);
  });

  test('comes with a first copy too, beside one line for all the other keys', () => {
    const core = kept();
    const both = boxes(() => undefined, core.notes);
    put(both.edge.db, { federation: 'on', tls: 'none', dialback_secret: 'hunter2hunter2' });
    both.up();
    both.settle();
    expect(core.kept).toEqual([
      { note: 'replica-replaced', box: 'edge-1', revision: 1, entries: 3 },
      {
        note: 'config-changed',
        key: 'federation',
        from: undefined,
        to: 'on',
        by: undefined,
        box: 'edge-1',
        reference: { name: 'is_federation_enabled', from: '0', to: '1' },
      },
    ]);
  });

  test('is left out when its value stays: to set the default is told in our own words', () => {
    const { notes, kept: told } = kept();
    put(databases.start({ notes }), { federation: 'off' });
    expect(told).toMatchObject([{ key: 'federation', from: undefined, to: 'off', reference: undefined }]);
  });
});

describe('other changes', () => {
  test('are told key by key in our own words, a secret without its value', () => {
    const { notes, lines } = linesOf('text');
    const db = databases.start({ notes });
    put(db, { tls: 'none', dialback_secret: 'hunter2hunter2' });
    put(db, { tls: 'optional', dialback_secret: 'hunter3hunter3' });
    remove(db, 'tls');
    remove(db, 'dialback_secret');
    const sentences = lines.map((line) => /Configuration .*?: ([^.]+)\./.exec(line)?.[1]);
    expect(sentences).toEqual([
      'tls is now none; it was not set',
      'dialback_secret was set to a secret',
      'tls is now optional; it was none',
      'dialback_secret was set to another secret',
      'tls was removed; it was optional',
      'dialback_secret was removed; it was a secret',
    ]);
    expect(lines.join('\n')).not.toContain('hunter');
  });

  test('that a whole copy brings are told where they differ from the former copy', () => {
    const core = kept();
    const both = boxes(() => undefined, core.notes);
    put(both.edge.db, { federation: 'on', tls: 'none', 'count.a': 1, dialback_secret: 'hunter2hunter2' });
    both.up();
    both.settle();
    both.down();
    const before = core.kept.length;
    both.edge.restart(databases.start({ folder: join(databases.place, 'rebuilt'), owns: 'edge' }));
    put(both.edge.db, { tls: 'optional', 'count.a': 1, dialback_secret: 'hunter2hunter2' });
    both.up();
    both.settle();
    expect(core.kept.slice(before)).toMatchObject([
      { note: 'replica-replaced', box: 'edge-1', revision: 1, entries: 3 },
      { key: 'federation', from: 'on', to: undefined, reference: { from: '1', to: '0' } },
      { key: 'tls', from: 'none', to: 'optional' },
    ]);
  });

  test('to a replica that is dropped are not told as changes', () => {
    const core = kept();
    const both = boxes(() => undefined, core.notes);
    put(both.edge.db, { federation: 'on' });
    both.up();
    both.settle();
    const before = core.kept.length;
    both.core.replication.forget();
    expect(core.kept.slice(before)).toEqual([]);
  });
});
