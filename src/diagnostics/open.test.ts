import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';

const OPEN = new URL('open.ts', import.meta.url).href;

/** Runs a program with a log at hand whose output goes to a pipe; reads it from the start, or only when the program asks for it. */
async function run(
  program: string,
  reads: 'always' | 'when asked' = 'always',
): Promise<{ stdout: string; code: number | null }> {
  const source = `
    import { openLog } from ${JSON.stringify(OPEN)};
    const { log, flush, flushSync } = openLog({ format: 'json', level: 'info', modules: new Map() });
    const askForReader = () => process.stderr.write('read');
    ${program}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  if (reads === 'when asked') await once(child.stderr, 'data');
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.resume();
  await closed;
  return { stdout, code: child.exitCode };
}

const MANY =
  "for (let index = 0; index < 10000; index++) log.note({ note: 'connected', address: String(index), seconds: 0 }, {});";

describe('a log on a pipe', () => {
  test('loses no line when the process ends by itself', async () => {
    const { stdout } = await run(MANY);
    expect(stdout.trimEnd().split('\n')).toHaveLength(10_000);
  });

  test('loses no line when the process flushes and then exits', async () => {
    const { stdout, code } = await run(`${MANY} await flush(5000); process.exit(3);`);
    expect(stdout.trimEnd().split('\n')).toHaveLength(10_000);
    expect(code).toBe(3);
  });

  test('keeps the last line when the process exits at once', async () => {
    const { stdout } = await run(
      `process.on('exit', flushSync); ${MANY} log.note({ note: 'stopped' }, {}); process.exit(0);`,
    );
    expect(stdout).toMatch(/Stopped\./);
  });

  test('does not stop the process when nobody reads', async () => {
    const { stdout } = await run(`${MANY} setTimeout(askForReader, 20);`, 'when asked');
    expect(stdout.trimEnd().split('\n')).toHaveLength(10_000);
  });

  test('flush gives up at its deadline', async () => {
    const { code } = await run(`${MANY} await flush(50); askForReader(); process.exitCode = 4;`, 'when asked');
    expect(code).toBe(4);
  });
});
