import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NOON, ShellTrial } from '../../../test/support/imp-shell.ts';
import { readCapture } from './capture-command.ts';
import { COMMANDS, LONGEST_LINE, readLine } from './shell.ts';

let trial: ShellTrial;

beforeEach(() => {
  trial = new ShellTrial();
});

afterEach(() => {
  trial[Symbol.dispose]();
});

describe('run sql', () => {
  test('prints the table of the verification step', async () => {
    expect(await trial.run('run sql select * from xmpps2snodes')).toBe(
      [
        'pkid                                 cp_id',
        '==================================== =================================',
        '055c13d9-943d-459d-a3c6-af1d1176936d cm-2_s2scp-1.eft-xwye-a-coluc-com',
      ].join('\n'),
    );
    expect(trial.changes).toBe(0);
  });

  test('changes the table, and the table is read again', async () => {
    expect(await trial.run("run sql insert into xmpps2snodes (pkid, cp_id) values (newid(), 'cm-2_s2scp-1.b')")).toBe(
      'Rows: 1',
    );
    expect(await trial.run('run sql delete from xmpps2snodes')).toBe('Rows: 2');
    expect(await trial.run('run sql select * from xmpps2snodes')).toBe('pkid cp_id\n==== =====');
    expect(trial.changes).toBe(2);
  });

  test('is guarded as AXL is', async () => {
    for (const sql of [
      'select * from user_keys',
      'drop table users',
      'delete from users',
      'select 1; select 2',
      'pragma x',
    ]) {
      expect(await trial.run(`run sql ${sql}`)).toMatch(/^Executed command unsuccessfully\n/);
    }
  });

  test('the log knows that somebody did it, and no value', async () => {
    await trial.run("run sql update xmpps2snodes set cp_id = 'private'");
    expect(trial.notes).toEqual([{ note: 'imp-shell-command', author: 'root@imp-1', command: 'run sql update' }]);
  });
});

describe('the router and the federation', () => {
  test('a notification has lines of its own for when and which it is, what is the matter, and the cure', async () => {
    const [first] = trial.node.open;
    trial.node.open = [
      ...(first === undefined ? [] : [first]),
      { id: 'federation-conflict', since: NOON, text: 'Both federate.\u001b[2J', cure: 'Set it to Off.' },
    ];
    expect(await trial.run('show notifications')).toBe(
      [
        '2026-10-01 11:59:00 UTC  xcp-router-restart',
        '  The table xmpps2snodes has changed since the XCP Router read it.',
        '  Cure: Restart it: utils service restart Cisco XCP Router.',
        '',
        '2026-10-01 12:00:00 UTC  federation-conflict',
        '  Both federate.\\u001b[2J',
        '  Cure: Set it to Off.',
      ].join('\n'),
    );
  });

  test('a restart asks for one, and settles the notification', async () => {
    expect(await trial.run('utils  service RESTART cisco xcp   router')).toMatch(/\[STARTED\]/);
    expect(trial.node.asked).toEqual([['restart', 'root@imp-1']]);
    expect(await trial.run('show notifications')).toBe('No notifications.');
  });

  test('other services are not restarted by themselves, and unknown ones are guessed', async () => {
    expect(await trial.run('utils service restart Cisco DB')).toMatch(/^Executed command unsuccessfully\n.*systemctl/);
    expect(await trial.run('utils service restart Cisco XCP Ruter')).toContain('Did you mean: Cisco XCP Router');
    expect(await trial.run('utils service status Cisco XCP Router')).toBe('Cisco XCP Router [STARTED]');
    expect(trial.node.asked).toEqual([]);
  });

  test('what does not run is said to be stopped', async () => {
    trial.node.now = { ...trial.node.now, rooms: undefined };
    expect(await trial.run('utils service list')).toContain(
      'Cisco XCP Text Conference Manager [STOPPED]  Service Not Activated',
    );
  });

  test('federation is shown and set', async () => {
    expect(await trial.run('show xmpp federation')).toBe('XMPP Federation Node Status: Off');
    await trial.run('set xmpp federation On');
    expect(await trial.run('show xmpp federation')).toBe('XMPP Federation Node Status: On');
    expect(await trial.run('set xmpp federation maybe')).toMatch(/^Executed command unsuccessfully/);
    expect(trial.node.asked).toEqual([['federation', 'on', 'root@imp-1']]);
  });
});

describe('what is typed wrong', () => {
  test('a command that does not exist: the nearest one', async () => {
    expect(await trial.run('shw status')).toBe(
      'Executed command unsuccessfully\nNo valid command entered\nDid you mean: show status',
    );
    expect(await trial.run('utils servce list')).toContain('Did you mean: utils service list');
    expect(await trial.run('xyzzy')).toContain('Type help for the commands.');
  });

  test('half a command: what it can become', async () => {
    expect(await trial.run('utils service')).toMatch(
      /^Executed command unsuccessfully\nIncomplete command entered\nutils service list /,
    );
    expect(await trial.run('run sql')).toContain('run sql <statement>');
  });

  test('too much: refused', async () => {
    expect(await trial.run('show status now')).toContain('Nothing may stand behind show status.');
    expect(await trial.run(`run sql ${'x'.repeat(LONGEST_LINE)}`)).toMatch(/^Executed command unsuccessfully/);
  });

  test('nothing: nothing', async () => {
    expect(await trial.run('   ')).toBe('');
    expect(trial.notes).toEqual([]);
  });

  test('no line makes the parser throw, and the rest of a command is what stands behind its words', () => {
    const word = fc.oneof(
      fc.constantFrom(...COMMANDS.flatMap(({ words }) => words), '?', 'eth0'),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(word), fc.constantFrom(' ', '\t', '  '), (words, blank) => {
        const line = words.join(blank);
        const read = readLine(line);
        if ('told' in read) return;
        expect(line.trim().endsWith(read.rest)).toBe(true);
        expect(
          line
            .trim()
            .toLowerCase()
            .startsWith(read.command.words[0] ?? '?'),
        ).toBe(true);
      }),
    );
  });
});

describe('completion', () => {
  test('one word at a time, then what stands behind', () => {
    expect(trial.shell.complete('ut')).toEqual(['utils ']);
    expect(trial.shell.complete('utils ')).toEqual(['utils network ', 'utils service ']);
    expect(trial.shell.complete('utils service re')).toEqual(['utils service restart ']);
    expect(trial.shell.complete('utils service restart C')).toEqual(['utils service restart Cisco XCP Router']);
    expect(trial.shell.complete('show s')).toEqual(['show status']);
    expect(trial.shell.complete('nothing')).toEqual([]);
  });

  test('whatever is typed, each proposal begins with it and is longer or the same', () => {
    const lines = COMMANDS.map(({ words }) => words.join(' '));
    fc.assert(
      fc.property(fc.constantFrom(...lines), fc.nat({ max: 30 }), (line, length) => {
        const typed = line.slice(0, length);
        const proposals = trial.shell.complete(typed);
        expect(proposals.length).toBeGreaterThan(0);
        for (const proposal of proposals) expect(proposal.startsWith(typed)).toBe(true);
      }),
    );
  });
});

describe('utils network capture', () => {
  test('reads the command of the reference system', () => {
    expect(readCapture('eth0 file axl_inject.pcap count 1000000 size all')).toEqual({
      device: 'eth0',
      file: 'axl_inject.pcap',
      count: 1_000_000,
      size: undefined,
      port: undefined,
      host: undefined,
      source: 'best',
    });
    expect(readCapture('any file a size 128 port 8443 host ip 192.0.2.1 source decoded')).toEqual({
      device: 'any',
      file: 'a.cap',
      count: 100_000,
      size: 128,
      port: 8443,
      host: '192.0.2.1',
      source: 'decoded',
    });
    expect(readCapture('eth0 host fd00::1 file x')).toMatchObject({ host: 'fd00::1' });
  });

  test.each([
    '',
    'eth0',
    '-i file x',
    'eth0;id file x',
    'eth0 file',
    'eth0 file ../x',
    'eth0 file -w',
    'eth0 file x file y',
    'eth0 file x count 0',
    'eth0 file x count 99999999',
    'eth0 file x size 1',
    'eth0 file x port 0',
    'eth0 file x port 80 or port 22',
    'eth0 file x host ip nowhere',
    'eth0 file x source other',
    'eth0 file x verbose on',
  ])('refuses %j with a sentence', (rest) => {
    expect(readCapture(rest)).toEqual({ wrong: expect.stringMatching(/\.|\d$/) as string });
  });

  test('nothing makes the parser throw, and what it takes is checked', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'eth0',
        'file',
        'x.pcap',
        'count',
        '10',
        'size',
        'all',
        'host',
        'ip',
        'port',
        'source',
        'decoded',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const read = readCapture(words.join(' '));
        if ('wrong' in read) return;
        expect(read.device).toMatch(/^[A-Za-z][\w.-]*$/);
        expect(read.file).toMatch(/^[A-Za-z0-9][\w.-]*\.(?:pcap|cap)$/i);
      }),
    );
  });

  test('captures until it is interrupted; the file is listed and deleted', async () => {
    const printed = await trial.run('utils network capture eth0 file axl_inject.pcap count 10 size all source decoded');
    expect(printed).toContain('Press Ctrl-C to stop.');
    expect(printed).toContain('Captured 0 packets, 24 bytes (stopped): /var/lib/fedway-imp/captures/axl_inject.pcap');
    expect(await trial.run('file list activelog platform/cli/*')).toContain('axl_inject.pcap 24');
    expect(await trial.run('file delete activelog platform/cli/axl_inject.pcap')).toBe('Deleted axl_inject.pcap.');
    expect(await trial.run('file list activelog platform/cli/*')).toBe('no files found');
    for (const name of ['../imp.db', 'platform/cli/../../imp.db', '/etc/passwd', 'platform/cli/none.pcap']) {
      expect(await trial.run(`file delete activelog ${name}`)).toMatch(/^Executed command unsuccessfully/);
    }
  });
});

/** The page with what the commands in it print now; in every block the commands run one after the other on the same node. */
async function rendered(page: string): Promise<string> {
  let text = '';
  let end = 0;
  for (const found of page.matchAll(/```\nadmin:[^]*?^```$/gm)) {
    using block = new ShellTrial();
    const lines = found[0].split('\n').filter((line) => line.startsWith('admin:'));
    const shown: string[] = [];
    for (const line of lines) {
      const printed = await block.run(line.slice('admin:'.length));
      shown.push(
        // Chance and the clock of the file system.
        `${line}\n${printed.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/gm, '2026-10-01 12:00:00')}`,
      );
    }
    text += `${page.slice(end, found.index)}\`\`\`\n${shown.join('\n')}\n\`\`\``;
    end = found.index + found[0].length;
  }
  return text + page.slice(end);
}

describe('docs/reference/imp-shell.md', () => {
  const path = new URL('../../../docs/reference/imp-shell.md', import.meta.url).pathname;
  const page = readFileSync(path, 'utf8');

  test('shows what the commands print; after a change, run this test with -u and read the page', async () => {
    await expect(await rendered(page)).toMatchFileSnapshot(path);
  });

  test('has every command', () => {
    const missing = COMMANDS.map(({ words }) => words.join(' ')).filter((name) => !page.includes(`admin:${name}`));
    expect(missing).toEqual(['quit']);
    expect(page).toContain('`quit`');
  });
});
