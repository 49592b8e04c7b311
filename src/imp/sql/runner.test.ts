import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Note } from '../../protocol/notes.ts';
import { NodeDatabase } from '../database/database.ts';
import { NODE_TABLES } from '../node-tables.ts';
import { CODE } from './fault.ts';
import { SQL_LIMITS, SqlRunner } from './runner.ts';

const TEN = '(values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10))';
/** Ten to the power of ten rows. */
const ENDLESS = 'abcdefghij'
  .split('')
  .map((name) => `${TEN} ${name}`)
  .join(', ');

let folder = '';
let database: NodeDatabase;
let runner: SqlRunner;
const notes: Note[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fedway-runner-'));
  database = new NodeDatabase(join(folder, 'imp.db'), [NODE_TABLES]);
  notes.length = 0;
});

afterEach(() => {
  runner.close();
  database[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

function start(limits: Partial<typeof SQL_LIMITS> = {}): SqlRunner {
  runner = new SqlRunner({
    path: join(folder, 'imp.db'),
    notes: (note) => notes.push(note),
    limits: { ...SQL_LIMITS, ...limits },
  });
  return runner;
}

describe('SqlRunner', () => {
  test('statements are answered in the order they came in', async () => {
    start();
    const answers = await Promise.all([
      runner.run("insert into xmpps2snodes values (newid(), 'a')", 'update'),
      runner.run('select cp_id from xmpps2snodes', 'query'),
      runner.run('delete from xmpps2snodes', 'update'),
      runner.run('select cp_id from xmpps2snodes', 'query'),
    ]);
    expect(answers).toEqual([
      { updated: 1 },
      { columns: ['cp_id'], rows: [['a']] },
      { updated: 1 },
      { columns: ['cp_id'], rows: [] },
    ]);
  });

  test('a query without end is stopped, meanwhile the event loop turns and the file can be written; the next one is answered', async () => {
    start({ time: 400 });
    await runner.run('select 1', 'query');
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
      database.sql.exec(`INSERT INTO settings VALUES ('turn-${turns}', '')`);
    }, 10);
    const answer = await runner.run(`select count(*) from ${ENDLESS}`, 'query');
    clearInterval(timer);
    expect(answer).toMatchObject({ fault: { code: CODE.interrupted } });
    expect(turns).toBeGreaterThan(10);
    expect(await runner.run('select 1', 'query')).toMatchObject({ rows: [['1']] });
    expect(notes).toEqual([]);
  });

  test('so is a change without end, which locks nobody out and changes nothing', async () => {
    start({ time: 300 });
    await runner.run("insert into xmpps2snodes values (newid(), 'a')", 'update');
    const running = runner.run(`delete from xmpps2snodes where (select count(*) from ${ENDLESS}) > 1`, 'update');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const began = performance.now();
    database.sql.exec("INSERT INTO settings VALUES ('x', 'y')");
    expect(performance.now() - began).toBeLessThan(100);
    expect(await running).toMatchObject({ fault: { code: CODE.interrupted } });
    expect(await runner.run('select cp_id from xmpps2snodes', 'query')).toMatchObject({ rows: [['a']] });
  });

  test('one that wants all the memory is stopped before it has it', async () => {
    start({ time: 20_000, memory: 128 * 1024 ** 2 });
    const answer = await runner.run(`select * from ${ENDLESS} order by 1 desc, j.column1`, 'query');
    expect(answer).toMatchObject({ fault: { message: expect.stringContaining('memory') as string } });
  });

  test('more than so many do not wait', async () => {
    start({ waiting: 1 });
    const answers = await Promise.all([1, 2, 3].map((each) => runner.run(`select ${each}`, 'query')));
    expect(answers).toMatchObject([{ rows: [['1']] }, { rows: [['2']] }, { fault: { code: CODE.interrupted } }]);
  });

  test('the end of the node ends what runs and what waits, with an answer', async () => {
    start();
    const answers = [runner.run(`select count(*) from ${ENDLESS}`, 'query'), runner.run('select 1', 'query')];
    await new Promise((resolve) => setTimeout(resolve, 200));
    runner.close();
    for (const answer of await Promise.all(answers)) expect(answer).toHaveProperty('fault');
    expect(await runner.run('select 1', 'query')).toHaveProperty('fault');
  });

  test('a node that is killed in the middle of a statement leaves nothing behind', async () => {
    start();
    const code = `const { SqlRunner } = await import(${JSON.stringify(new URL('runner.ts', import.meta.url).href)});
      const runner = new SqlRunner({ path: ${JSON.stringify(join(folder, 'imp.db'))}, notes: console.log });
      await runner.run('select 1', 'query');
      void runner.run(${JSON.stringify(`select count(*) from ${ENDLESS}`)}, 'query');
      setTimeout(() => console.log('busy'), 100);`;
    const node = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(node.stdout, 'data');
    const children = readFileSync(`/proc/${node.pid}/task/${node.pid}/children`, 'utf8').trim().split(' ').map(Number);
    expect(children.filter(isRunning)).toHaveLength(1);
    node.kill('SIGKILL');
    await once(node, 'exit');
    while (children.some(isRunning)) await new Promise((resolve) => setTimeout(resolve, 50));
  });

  test('a file that is no database is told as a fault of ours, and the client learns nothing of it', async () => {
    start();
    database[Symbol.dispose]();
    rmSync(join(folder, 'imp.db'));
    expect(await runner.run('select 1', 'query')).toMatchObject({
      fault: { code: CODE.internal, message: expect.not.stringContaining(folder) as string },
    });
    expect(notes).toMatchObject([{ note: 'bug' }]);
    database = new NodeDatabase(join(folder, 'imp.db'), [NODE_TABLES]);
  });
});

function isRunning(pid: number): boolean {
  try {
    // A process that has ended and that nobody has asked about is a zombie: state Z.
    return !/ Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
