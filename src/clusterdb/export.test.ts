import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NOON, problemsOf, put, remove, useDatabases, valuesIn } from '../../test/support/clusterdb.ts';
import { CATALOG } from '../../test/support/clusterdb-catalog.ts';
import type { Json } from '../protocol/link/messages.ts';
import { exportText, readImport } from './export.ts';
import type { Clusterdb } from './store.ts';
import type { ChangeOutcome } from './types.ts';

const databases = useDatabases();

function exported(db: Clusterdb, secrets = false): string {
  return exportText(db.snapshot(), { catalog: CATALOG, box: 'edge-1', time: NOON, secrets });
}

function planned(db: Clusterdb, text: string, replace = false): ReturnType<typeof readImport> {
  return readImport(text, {
    catalog: CATALOG,
    present: db.snapshot(),
    changesSince: (revision) => db.changesSince(db.origin, revision),
    replace,
  });
}

function imported(db: Clusterdb, text: string, replace = false): ChangeOutcome {
  const plan = planned(db, text, replace);
  if ('refused' in plan) return { outcome: 'refused', problems: plan.refused };
  return db.change({ ...plan, author: 'root', reason: 'import' });
}

describe('an export', () => {
  test('is a document with a header for people, and without secrets', () => {
    const db = databases.start({ newId: () => '0123456789abcdef' });
    put(db, { federation: 'on', dialback_secret: 'hunter2hunter2', 'list.a': ['192.0.2.1:5269'], 'count.a': 1 });
    expect(exported(db)).toBe(`\
# The configuration of edge-1, exported at 2026-11-22T12:00:00.000Z.
# An import of this file changes what is different in it. What somebody else has changed since this revision is
# told as a conflict, and then nothing is changed.
# Secrets that are set and left out, and stay as they are: dialback_secret
fedway_configuration: 1
box: edge-1
origin: 0123456789abcdef
revision: 1
keys:
  count.a: 1
  federation: on
  list.a:
    - 192.0.2.1:5269
`);
  });

  test('has secrets when they are asked for, and says so', () => {
    const db = databases.start();
    put(db, { dialback_secret: 'hunter2hunter2' });
    const text = exported(db, true);
    expect(text).toMatch(/^# IT CONTAINS SECRETS/m);
    expect(text).toContain('dialback_secret: hunter2hunter2');
  });

  test('of whatever values makes the same configuration where it is imported', () => {
    const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
    const values = fc.dictionary(fc.stringMatching(/^list\.\w{1,8}$/), json, { maxKeys: 8 });
    const source = databases.start();
    const target = databases.start({ folder: `${databases.place}/target` });
    fc.assert(
      fc.property(values, (wanted) => {
        const steps = [...source.snapshot().entries.keys()]
          .filter((key) => !Object.hasOwn(wanted, key))
          .map((key) => ({ remove: key }));
        source.change({ steps, author: 'root', reason: '' });
        put(source, wanted);
        expect(['changed', 'unchanged']).toContain(imported(target, exported(source), true).outcome);
        expect(valuesIn(target.snapshot())).toEqual(valuesIn(source.snapshot()));
        expect(planned(target, exported(source), true)).toEqual({ steps: [], expect: {} });
      }),
      { numRuns: 100 },
    );
  });
});

describe('an import', () => {
  test('changes what is different; with replace it removes what is missing, apart from secrets', () => {
    const db = databases.start();
    put(db, { tls: 'none', dialback_secret: 'hunter2hunter2' });
    const text = exported(db);
    put(db, { 'count.a': 1 });
    expect(planned(db, text)).toEqual({ steps: [], expect: {} });
    const edited = text.replace('tls: none', 'tls: OPTIONAL');
    expect(planned(db, edited)).toEqual({ steps: [{ put: 'tls', value: 'optional' }], expect: { tls: 1 } });
    expect(imported(db, edited).outcome).toBe('changed');
    expect(valuesIn(db.snapshot())).toEqual({ tls: 'optional', dialback_secret: 'hunter2hunter2', 'count.a': 1 });
    expect(planned(db, exported(db).replace('  count.a: 1\n', ''), true)).toEqual({
      steps: [{ remove: 'count.a' }],
      expect: { 'count.a': 2 },
    });
  });

  test('tells as a conflict what somebody has changed, added or removed since the export', () => {
    const db = databases.start();
    put(db, { tls: 'none', 'count.a': 1 });
    const text = exported(db);
    put(db, { tls: 'optional' });
    remove(db, 'count.a');
    put(db, { 'count.b': 1 });
    const outcome = imported(db, text, true);
    expect(outcome.outcome).toBe('conflict');
    expect(problemsOf(outcome)).toEqual([
      expect.stringMatching(/^count\.a: you saw revision 1, and anna removed it/),
      expect.stringMatching(/^tls: you saw revision 1, and root@edge-1 set it to "optional"/),
      expect.stringMatching(/^count\.b: you saw revision 1, and root@edge-1 set it to 1/),
    ]);
    expect(valuesIn(db.snapshot())).toEqual({ tls: 'optional', 'count.b': 1 });
  });

  test('of a file from another database, or written by hand, overwrites what is there now', () => {
    const db = databases.start();
    put(db, { tls: 'none' });
    put(db, { tls: 'optional' });
    expect(imported(db, 'fedway_configuration: 1\nkeys: {tls: required}').outcome).toBe('changed');
    expect(imported(db, 'fedway_configuration: 1\norigin: other\nrevision: 99\nkeys: {tls: none}').outcome).toBe(
      'changed',
    );
  });

  test.each([
    ['fedway_configuration: [', /^The file is no YAML: .* at line 1, column \d+\.$/],
    ['fedway_configuration: 1\nkeys: {a: 1, a: 2}', /^The file is no YAML: Map keys must be unique at line 2/],
    ['', /^The file is no export of a configuration/],
    ['- 1', /^The file is no export of a configuration/],
    ['federation: on', /^The file is no export of a configuration/],
    ['fedway_configuration: 1\nkeys: 5', /^The file is no export of a configuration/],
    ['fedway_configuration: 2\nkeys: {}', /^The file is of the form 2, and this fedway knows 1/],
    ['fedway_configuration: 1\nkeys: {count.a: .inf}', /^The file has a value/],
    ['fedway_configuration: 1\nkeys: {count.a: *x}', /^The file has a value/],
    ['fedway_configuration: 1\nkeys: {[a]: 1}', /^The file has a value/],
    ['fedway_configuration: 1\nkeys: {tsl: none}', /^tsl: there is no such key; did you mean "tls"\?/],
    ['fedway_configuration: 1\nkeys: {__proto__: 1}', /^__proto__: there is no such key/],
    ['fedway_configuration: 1\nkeys: {tls: perhaps}', /^tls: it is one of required, optional, none/],
  ])('of %j is refused with a sentence', (text, problem) => {
    const outcome = imported(databases.start(), text);
    expect(outcome.outcome).toBe('refused');
    expect(problemsOf(outcome)[0]).toMatch(problem);
  });

  test('of aliases that multiply is refused', () => {
    const lines = ['fedway_configuration: 1', 'keys:', '  list.a: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let n = 1; n < 10; n++)
      lines.push(`  list.a${n}: &a${n} [${Array.from({ length: 10 }, () => `*a${n - 1}`).join(', ')}]`);
    expect(problemsOf(imported(databases.start(), lines.join('\n')))[0]).toMatch(
      /^The file has a value that refers to others too often/,
    );
  });

  test('of any text is a plan or a sentence', () => {
    const db = databases.start();
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `fedway_configuration: 1\nkeys:\n  ${text}`),
        ),
        (text) => {
          const plan = planned(db, text);
          expect('refused' in plan ? plan.refused.join(' ') : 'a plan').toMatch(/\S/);
        },
      ),
      { numRuns: 300 },
    );
  });
});
