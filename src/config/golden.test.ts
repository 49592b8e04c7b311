import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { standIn } from '../../test/config/stand-in.ts';
import { loadBootFile } from './load.ts';
import { printProblem } from './problem.ts';

const CASES = new URL('../../test/config/', import.meta.url);
const NAMES = readdirSync(CASES)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length));

const SECRET = '0f1e2d3c4b5a69788796a5b4c3d2e1f0\n';

/** What /etc/fedway holds in all cases. */
const FILES = {
  'dialback.secret': SECRET,
  'component.secret': 'component\n',
  'certs/coluc.com.pem': 'chain',
  'certs/coluc.com.key': 'key',
  'certs/open.key': { text: 'key', mode: 0o644 },
  'certs/b.pem': 'chain',
  'certs/b.key': 'key',
  'inside-ca.pem': 'authority',
  'inside.pem': 'chain',
  'inside.key': 'key',
  'short.secret': { text: 'hunter2', mode: 0o604 },
  'group.secret': { text: SECRET, mode: 0o640 },
  'empty.secret': '\n',
  'lines.secret': 'one\ntwo\n',
  'binary.secret': new Uint8Array([1, 2, 3, 255]),
  folder: { why: 'it is a directory' },
  '/etc/ssl/denied.pem': { why: 'permission denied' },
} as const;

describe('test/config: what is said of each bad boot file', () => {
  test('there are at least forty cases', () => {
    expect(NAMES.length).toBeGreaterThanOrEqual(40);
  });

  test('no expected text is left without its boot file', () => {
    const texts = readdirSync(CASES).filter((name) => name.endsWith('.txt'));
    expect(texts.map((name) => name.slice(0, -'.txt'.length)).toSorted()).toEqual(NAMES.toSorted());
  });

  test.each(NAMES)('%s', async (name) => {
    const bytes = readFileSync(new URL(`${name}.yaml`, CASES));
    // /etc/fedway is where the process is not, and still paths are said as they were given.
    const surroundings = standIn('/etc/fedway', { ...FILES, 'fedway.yaml': bytes });
    const result = loadBootFile('/etc/fedway/fedway.yaml', { surroundings });
    const problems =
      result.outcome === 'loaded' ? result.warnings : result.outcome === 'refused' ? result.problems : [];
    const said = [result.outcome, ...problems.map(printProblem)]
      .join('\n')
      .replaceAll('/etc/fedway/fedway.yaml:', 'fedway.yaml:');
    expect(said).not.toContain('hunter2');
    await expect(`${said}\n`).toMatchFileSnapshot(new URL(`${name}.txt`, CASES).pathname);
  });
});
