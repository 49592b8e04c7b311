import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

const COMMAND = fileURLToPath(new URL('../../scripts/lab', import.meta.url));

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
}

describe('the first command of the README', () => {
  const runs: Run[] = [];
  afterEach(async () => {
    for (const { child, exited } of runs.splice(0)) {
      child.kill('SIGINT');
      await exited;
    }
  });
  const run = (...args: string[]): Run => {
    const child = spawn(COMMAND, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
    const made = { child, output: () => output, exited };
    runs.push(made);
    return made;
  };

  for (const { args, proof } of [
    { args: ['--once'], proof: /Initiating: sent the dialback key to vngtp\.lab/ },
    {
      args: ['--once', '--split'],
      proof: /an Edge outside and a Core inside, paired by a token[^]*Initiating: sent the dialback key to vngtp\.lab/,
    },
    { args: ['--once', '--external'], proof: /proved its domain by its certificate|accepted our certificate/ },
  ]) {
    test(`scenario 96: scripts/lab ${args.join(' ')} tells the conversation and ends with status 0`, async () => {
      const { exited, output } = run(...args);
      const status = await exited;
      expect(output()).toMatch(/bob reads: “Hello Bob/);
      expect(output()).toMatch(proof);
      expect(output()).not.toMatch(/\n\s+at /);
      expect(status).toBe(0);
    });
  }

  test('scenario 97: scripts/lab stays until Ctrl-C, brings a crashed server back, and leaves nothing behind', async () => {
    const { child, exited, output } = run();
    await expect.poll(output, { timeout: 60_000 }).toContain('Ctrl-C ends everything.');
    const [, pid = ''] = /kill -9 (\d+)/.exec(output()) ?? [];
    process.kill(Number(pid), 'SIGKILL');
    await expect.poll(output, { timeout: 90_000 }).toMatch(/it came back: remote-server-timeout[^]*bob reads it/);
    child.kill('SIGINT');
    expect(await exited).toBe(0);
    const [, folder = ''] = /everything is in (\S+)/.exec(output()) ?? [];
    expect(folder).not.toBe('');
    expect(existsSync(folder)).toBe(false);
  });
});
