import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { KeptWorld } from '../../test/cli/stand-in-world.ts';
import { fedway } from './program.ts';

const ROOT = new URL('../../', import.meta.url);

async function command(...args: string[]) {
  const world = new KeptWorld();
  const status = await fedway(args, world);
  return { status, out: world.terminal.results.join('\n'), err: world.terminal.messages.join('\n') };
}

describe('the command line', () => {
  test.each([['--help'], ['help'], ['-h']])('fedway %s explains itself on standard output', async (...args) => {
    const { status, out, err } = await command(...args);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    for (const word of [
      'run',
      'check',
      'schema',
      'version',
      'status',
      'streams',
      'config',
      'link',
      'Examples:',
      'Exit status: 0 fine',
    ])
      expect(out).toContain(word);
  });

  test('fedway alone explains itself on standard error, for nothing was done', async () => {
    const { status, out, err } = await command();
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toContain('Usage: fedway');
  });

  test.each([
    [['chek'], "unknown command 'chek'"],
    [['run', '--log-level', 'loud'], 'Allowed choices are error, warning, info, debug, verbose'],
    [['run', '--log-format', 'xml'], 'Allowed choices are text, json, expressway'],
    [['run', '--config'], "option '-c, --config <file>' argument missing"],
    [['check', '--jsno'], "unknown option '--jsno'"],
    [['check', 'config', 'more'], 'too many arguments'],
    [['check', 'fedway.yaml'], 'fedway: "fedway.yaml" is not a check. Write: fedway check config --config fedway.yaml'],
  ])('wrong usage %j: status 1, and why on standard error', async (args, why) => {
    const { status, out, err } = await command(...args);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toContain(why);
    expect(err).toMatch(/^fedway: /);
    expect(err).toContain('Try: fedway --help');
  });

  test.each([['version'], ['--version'], ['-V']])(
    'fedway %s names the versions a report should begin with',
    async (...args) => {
      const { status, out } = await command(...args);
      expect(status).toBe(0);
      expect(out).toMatch(/^fedway \d+\.\d+\.\d+ \(Node \d+\.\d+\.\d+, OpenSSL [\d.]+\S*\)$/);
    },
  );

  test('fedway schema prints JSON Schema, or the reference page', async () => {
    expect(JSON.parse((await command('schema')).out)).toMatchObject({ title: 'fedway boot file' });
    expect((await command('schema', '--format', 'markdown')).out).toMatch(/^# fedway\.yaml: every key\n/);
    expect((await command('schema', '--format', 'settings')).out).toMatch(/^# Live settings: every key\n/);
  });

  test('fedway check reads the file it is given', async () => {
    const path = new URL('test/config/choice.yaml', ROOT).pathname;
    const { status, out } = await command('check', 'config', '--config', path);
    expect(status).toBe(2);
    expect(out).toContain(
      `${path}:7:8: s2s.tls: "requird" is not one of required, optional, none. Write "required" to insist on TLS.`,
    );
    expect(JSON.parse((await command('check', '-c', path, '--json', '--strict')).out)).toMatchObject({ ok: false });
  });

  test('fedway run without a boot file says where it looked', async () => {
    const { status, err } = await command('run', '--config', '/nowhere/fedway.yaml');
    expect(status).toBe(1);
    expect(err).toMatch(
      /^fedway: not started: the boot file \/nowhere\/fedway\.yaml cannot be read: no such file or directory\. /,
    );
  });

  test('the version is that of the package', async () => {
    const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { version: string };
    expect((await command('version')).out).toContain(`fedway ${manifest.version} `);
  });
});
