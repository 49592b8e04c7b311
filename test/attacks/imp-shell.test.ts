import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { impUnderAttack } from './imp-ground.ts';
import { AXL_PASSWORD, passwordOf } from './imp-words.ts';

const ground = impUnderAttack({ network: 167, users: ['alice'] });

/** What is answered to these bytes. */
async function said(path: string, bytes: string | Uint8Array): Promise<string> {
  const socket = connect(path);
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  socket.on('error', () => undefined);
  socket.end(bytes);
  await once(socket, 'close');
  return answer;
}

describe('the socket', () => {
  it('is for its owner alone, and so is everything in the folder', () => {
    const { folder, adminSocket } = ground();
    for (const path of [
      adminSocket,
      ...readdirSync(join(folder, 'data'), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(folder, 'data', name),
      ),
    ])
      expect([path, lstatSync(path).mode & 0o077]).toEqual([path, 0]);
  });

  it('takes no request that is too big, half, or not one, and answers the next', async () => {
    const here = ground();
    await here.during(async () => {
      for (const bytes of [
        'x'.repeat(5_000_000),
        `{"wire":1,"do":"line","author":"x","line":"${'a'.repeat(3_000_000)}"}\n`,
        '{"wire":1,"do":"hel',
        `${'['.repeat(500_000)}\n`,
        new Uint8Array([0xff, 0xfe, 0x0a]),
        'null\n[]\n{}\n{"wire":1}\n{"wire":1,"do":"__proto__"}\n{"wire":1,"do":"constructor"}\n{"wire":99,"do":"hello"}\n',
        '{"wire":1,"do":"user-add","author":"x","user":{"a":1},"password":[]}\n',
        '{"wire":1,"do":"admin-add","author":"x","name":"y","password":"aaaaaaaaaaaa","role":"root"}\n',
      ])
        expect(await said(here.adminSocket, bytes)).not.toContain('"ok"');
      expect(await said(here.adminSocket, '{"wire":1,"do":"hello"}\n'.repeat(500))).toMatch(
        /^(\{"ok":\{"wire":1[^\n]*\n){500}$/,
      );
    });
  }, 30_000);

  it('hanging connections do not keep others out for good', async () => {
    const here = ground();
    const sockets: Socket[] = Array.from({ length: 31 }, () => connect(here.adminSocket).on('error', () => undefined));
    for (const socket of sockets) socket.pause().write('{"wire":1,"do":"status"}\n'.repeat(1_000));
    const status = await here.during(() => here.administrate((node) => node.status()));
    expect(status).toMatchObject({ name: 'imp' });
    for (const socket of sockets) socket.destroy();
  }, 30_000);
});

describe('the shell', () => {
  it('lines with control characters, endless words, other people’s syntax: an answer without them, no trace of what was secret', async () => {
    const here = ground();
    const mark = here.log.mark();
    for (const line of [
      '\u001b[2J\u001b]0;owned\u0007show status',
      'show\u0000status',
      'x'.repeat(50_000),
      '; rm -rf /',
      '$(touch /tmp/attack)',
      '`id`',
      'run sql select * from user_keys',
      "run sql attach '/etc/passwd' as x",
      'run sql select 1; drop table xmpps2snodes',
      'utils service restart ../../bin/sh',
      'utils service restart Cisco XCP Router; id',
      `set password user alice ${passwordOf('alice')}`,
      `utils ${AXL_PASSWORD}`,
      'file delete activelog ../../imp.db',
      'file delete activelog platform/cli/../../imp.db',
      'file delete activelog platform/cli//etc/passwd',
      'file list activelog ../../../etc/*',
      'file list activelog /etc/*',
      'file view activelog /etc/passwd',
      '\u202Eshow status',
      '?'.repeat(500),
      ' '.repeat(5_000),
    ]) {
      const text = await here.shell(line);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not come back
      expect([line.slice(0, 60), /[\u0000-\u0008\u000b-\u001f\u007f\u202E]/.test(text)]).toEqual([
        line.slice(0, 60),
        false,
      ]);
      expect(text).not.toMatch(/root:|stored_key/);
    }
    expect(existsSync(join(here.folder, 'data', 'imp.db'))).toBe(true);
    for (const line of here.log.lines.slice(mark)) expect(line).not.toContain('\u001b');
  }, 60_000);

  it('captures: no path in a name, no file is overwritten, nothing outside of the folder', async () => {
    const here = ground();
    for (const name of [
      '../evil',
      '/tmp/evil',
      '..',
      '.',
      'a/b',
      '-w',
      'x\u0000y',
      'imp.db/../x',
      '~',
      '$HOME',
      'x'.repeat(300),
      'con fig',
    ])
      expect([name, await here.shell(`utils network capture any file ${name} count 1 source decoded`)]).toEqual([
        name,
        expect.not.stringContaining('Capturing') as string,
      ]);
    for (const options of [
      'count -1',
      'count 99999999999',
      'size 1',
      'port 99999',
      'host ip evil',
      'host ip 127.0.0.1;id',
      'count 1 count 2',
      'nonsense 1',
    ])
      expect([options, await here.shell(`utils network capture any file ok ${options}`)]).toEqual([
        options,
        expect.not.stringContaining('Capturing') as string,
      ]);
    expect(existsSync('/tmp/evil.cap')).toBe(false);
    const captured = here.shell('utils network capture any file mine count 5 source decoded');
    await here.served();
    await here.served();
    expect(await captured).toContain('Captured 5 packets');
    expect(await here.shell('utils network capture any file mine count 1 source decoded')).toContain('already');
    expect(await here.shell('file list activelog platform/cli/*')).toContain('mine.cap');
  }, 40_000);
});

it('a disk that a capture fills: the capture ends and says so, users go on', async () => {
  const here = ground();
  const folder = join(here.folder, 'data', 'captures');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200k,mode=0700', 'fedway-test', folder]);
  try {
    writeFileSync(join(folder, 'filler'), Buffer.alloc(150_000));
    const captured = here.shell('utils network capture any file full count 1000000 source decoded');
    const alice = await here.login('alice', { from: here.from(2) });
    await here.during(async () => {
      for (let n = 0; n < 20; n++) alice.send(`<message to='f@good.lab'><body>${'c'.repeat(20_000)}</body></message>`);
      expect(await captured).toMatch(/Captured \d+ packets/);
    });
    alice.destroy();
  } finally {
    execFileSync('umount', ['--lazy', folder]);
  }
}, 40_000);
