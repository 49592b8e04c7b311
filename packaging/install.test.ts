import { spawnSync } from 'node:child_process';
import { globSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { leaf } from '../test/support/certificates.ts';
import { install, installInto, type Outcome } from './testing/installed.ts';

const EDGE = path.resolve(import.meta.dirname, '../examples/edge.yaml');
const IMP = path.resolve(import.meta.dirname, '../examples/imp.yaml');

describe('an installed tree', () => {
  let installed: ReturnType<typeof installInto>;
  let tree: string;
  beforeAll(() => {
    installed = installInto('/opt/fed-way');
    tree = path.join(installed.folder, 'opt/fed-way/lib/fedway');
  });
  afterAll(() => installed?.remove());

  /** With a PATH that has no Node of this checkout on it. */
  const fedway = (...args: readonly string[]): Outcome => {
    const program = path.join(installed.folder, 'opt/fed-way/bin/fedway');
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: '/',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      encoding: 'utf8',
    });
    return { status, output: stdout, errors: stderr };
  };

  test('starts, from anywhere, on the runtime that was installed with it', () => {
    const version = (JSON.parse(readFileSync(path.join(tree, 'package.json'), 'utf8')) as { version: string }).version;
    expect(fedway('version')).toEqual({
      status: 0,
      output: expect.stringContaining(`fedway ${version} (Node ${process.versions.node}`) as string,
      errors: '',
    });
  });

  test('checks a boot file', () => {
    const boot = parse(readFileSync(EDGE, 'utf8')) as { homes: { domains: [string, string] }[] };
    const { chainPem, keyPem } = leaf(boot.homes[0]?.domains ?? [], undefined, {});
    const config = path.join(installed.folder, 'fedway.yaml');
    const folder = path.join(installed.folder, 'certs');
    spawnSync('mkdir', ['-p', folder]);
    writeFileSync(path.join(folder, 'coluc.com.pem'), chainPem);
    writeFileSync(path.join(folder, 'coluc.com.key'), keyPem, { mode: 0o600 });
    writeFileSync(config, readFileSync(EDGE));
    const { status, output } = fedway('check', 'config', '--config', config);
    expect(output).toContain('All checks passed');
    expect(status).toBe(0);
  });

  test("checks a node's boot file", () => {
    const { chainPem, keyPem } = leaf(['coluc.com', 'imp.coluc.com'], undefined, {});
    const { folder } = installed;
    writeFileSync(path.join(folder, 'node.pem'), chainPem);
    writeFileSync(path.join(folder, 'node.key'), keyPem, { mode: 0o600 });
    writeFileSync(path.join(folder, 'router.secret'), '0123456789abcdef\n', { mode: 0o600 });
    const config = path.join(folder, 'imp.yaml');
    const example = readFileSync(IMP, 'utf8');
    writeFileSync(config, example.replaceAll('certs/coluc.com', 'node'));
    const { status, output } = fedway('imp', 'check', '--config', config);
    expect(output).toContain('All checks passed');
    expect(status).toBe(0);
  });

  test('has the packages of production, and nothing of development', () => {
    const manifest = JSON.parse(readFileSync(path.join(tree, 'package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
      readonly devDependencies: Readonly<Record<string, string>>;
    };
    const present = readdirSync(path.join(tree, 'node_modules'));
    expect(present).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
    expect(present.filter((name) => name in manifest.devDependencies)).toEqual([]);
    expect(globSync('dist/**/*.{ts,map}', { cwd: tree })).toEqual([]);
    expect(globSync('dist/**/*.test.js', { cwd: tree })).toEqual([]);
  });

  test('may be read by everybody and written by its owner alone', () => {
    const files = globSync('**', { cwd: tree }).map((name) => path.join(tree, name));
    const wrong = files.filter((file) => !lstatSync(file).isSymbolicLink() && (statSync(file).mode & 0o044) !== 0o044);
    expect(wrong).toEqual([]);
    expect(files.filter((file) => !lstatSync(file).isSymbolicLink() && (statSync(file).mode & 0o022) !== 0)).toEqual(
      [],
    );
  });

  test('leaves the place that it was made in: no path of it is anywhere', () => {
    const link = readlinkSync(path.join(installed.folder, 'opt/fed-way/bin/fedway'));
    expect(path.isAbsolute(link)).toBe(false);
    const texts = globSync(['lib/systemd/**/*.service', 'lib/fedway/bin/*', 'lib/fedway/dist/**/*.js'], {
      cwd: path.join(installed.folder, 'opt/fed-way'),
    }).map((name) => readFileSync(path.join(installed.folder, 'opt/fed-way', name), 'utf8'));
    expect(texts.length).toBeGreaterThan(50);
    expect(texts.filter((text) => text.includes(installed.folder))).toEqual([]);
    expect(texts.join('\n')).toContain('ExecStart=/opt/fed-way/bin/fedway run');
    expect(texts.join('\n')).toContain('ExecStart=/opt/fed-way/bin/fedway imp run');
  });

  test('installed again, the new tree takes the place of the old one whole', () => {
    const stale = path.join(tree, 'dist/stale.js');
    writeFileSync(stale, '');
    expect(install({ PREFIX: '/opt/fed-way', DESTDIR: installed.folder }).status).toBe(0);
    expect(readdirSync(path.dirname(tree)).toSorted()).toEqual(['fedway', 'systemd', 'sysusers.d', 'tmpfiles.d']);
    expect(readdirSync(path.join(tree, 'dist'))).not.toContain('stale.js');
    expect(fedway('version').status).toBe(0);
  });
});

describe('install.sh refuses, and says why', () => {
  test.each([
    ['a prefix that is not absolute', { PREFIX: 'opt' }, [], 'PREFIX must be an absolute path: opt'],
    ['a prefix that units could misread', { PREFIX: '/opt/a b' }, [], 'PREFIX may have letters'],
    ['an argument that it does not know', { PREFIX: '/usr' }, ['--all'], 'unknown argument: --all'],
  ])('%s', (_what, environment, args, reason) => {
    const { status, errors } = install({ DESTDIR: '/nonexistent', ...environment }, ...args);
    expect(status).toBe(1);
    expect(errors).toContain(reason);
  });
});
