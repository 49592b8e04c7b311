import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KeptWorld } from '../../test/cli/stand-in-world.ts';
import { KeptSignals, KeptTerminal } from '../../test/cli/stand-ins.ts';
import { standIn } from '../../test/config/stand-in.ts';
import { NodeClient } from '../admin/node-client.ts';
import { loadNodeFile } from '../imp/config/load.ts';
import type { NodeStatus } from '../imp/operations.ts';
import type { RunNodeOptions, RunningNode } from '../imp/running-node.ts';
import type { Note } from '../protocol/notes.ts';
import { runImp } from './imp-run.ts';
import { fedway } from './program.ts';

const STATUS: NodeStatus = {
  name: 'imp-1',
  version: '0.4.0',
  since: 0,
  domain: 'coluc.com',
  rooms: undefined,
  users: 3,
  sessions: 1,
  router: {
    since: 0,
    changes: 'live',
    restartNeeded: false,
    bounced: 0,
    components: [
      { cpId: 'cm-2_s2scp-1.edge-1', connected: true, inTable: true },
      { cpId: 'cm-2_s2scp-1.edge-2', connected: false, inTable: true },
    ],
  },
  federation: 'off',
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imp-cli-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function text(more = ''): string {
  return `domain: coluc.com\ndata: ${folder}\ncertificate: a.pem\nkey: a.key\nclients: { listen: ["127.0.0.1:5222"] }\n${more}`;
}

/** One `fedway imp run` with a node that is told when it runs and when it has ended. */
class Trial {
  readonly terminal = new KeptTerminal();
  readonly signals = new KeptSignals();
  readonly told: string[] = [];
  readonly notes: Note[] = [];
  readonly deeds: string[] = [];
  started: RunNodeOptions['started'] = () => {
    throw new Error('not run yet');
  };
  readonly end = Promise.withResolvers<number>();
  text = text();

  run(): Promise<number> {
    return runImp(
      { config: '/etc/fedway/imp.yaml', logFormat: 'json', logLevel: undefined },
      {
        terminal: this.terminal,
        signals: this.signals,
        service: {
          notify: (...words) => void this.told.push(words.join(' ').replace(/_USEC=\d+/, '_USEC=n')),
          watchdog: undefined,
        },
        loadNode: (path) =>
          loadNodeFile(path, {
            surroundings: standIn('/etc/fedway', { 'imp.yaml': this.text, 'a.pem': '', 'a.key': '' }),
          }),
        runNode: (boot, { started }) => {
          this.deeds.push(`run ${boot.domain} ${boot.log.format}`);
          this.started = started;
          return this.end.promise;
        },
      },
    );
  }

  readonly node = {
    note: (note: Note) => void this.notes.push(note),
    operations: { status: () => STATUS, notifications: () => [] },
    shell: { run: () => Promise.resolve({ text: '' }), complete: () => [] },
    reload: (next: { readonly offline: { readonly messages: number } }) => {
      this.deeds.push(`reload ${next.offline.messages}`);
      return Promise.resolve(['offline.messages']);
    },
    drain: () => {
      this.deeds.push('drain');
      this.end.resolve(0);
      return Promise.resolve();
    },
    stop: () => Promise.resolve(),
    // Only what the command line uses of a node is there.
  } as unknown as RunningNode;
}

async function settled(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('fedway imp run', () => {
  test('is ready when its socket answers, reloads on SIGHUP, drains on SIGTERM, and takes the socket away', async () => {
    const trial = new Trial();
    const status = trial.run();
    trial.started(trial.node);
    await settled(() => trial.told.some((words) => words.startsWith('STATUS=')));
    expect(trial.told).toContain('READY=1');
    expect(trial.told).toContain('STATUS=Serving 1 session; 1 of 2 Edges connected');
    const client = await NodeClient.connect(join(folder, 'imp.sock'), 'test@host');
    expect('unreachable' in client).toBe(false);
    if (!('unreachable' in client)) client.close();
    trial.text = text('offline: { messages: 7 }');
    trial.signals.send('SIGHUP');
    await settled(() => trial.deeds.includes('reload 7'));
    trial.text = 'domain: [nothing]';
    trial.signals.send('SIGHUP');
    await settled(() => trial.notes.some(({ note }) => note === 'config-refused'));
    trial.signals.send('SIGTERM');
    expect(await status).toBe(0);
    expect(trial.deeds).toEqual(['run coluc.com json', 'reload 7', 'drain']);
    expect(trial.terminal.messages.join('\n')).toContain('these changes wait for a restart: offline.messages');
    expect(existsSync(join(folder, 'imp.sock'))).toBe(false);
  });

  test('a boot file with an error is status 2, one that is not there status 1, and nothing is started', async () => {
    const trial = new Trial();
    trial.text = text('rooms: coluc.com');
    expect(await trial.run()).toBe(2);
    expect(trial.deeds).toEqual([]);
    expect(trial.terminal.messages.at(-1)).toBe('fedway: not started: 1 error in /etc/fedway/imp.yaml, see above.');
    expect(await fedway(['imp', 'run', '--config', join(folder, 'none.yaml')], new KeptWorld())).toBe(1);
  });
});

describe('fedway imp check', () => {
  test('names the problems with their lines, and what the file says when there are none', async () => {
    const world = new KeptWorld();
    const file = join(folder, 'imp.yaml');
    for (const name of ['a.pem', 'a.key']) writeFileSync(join(folder, name), '', { mode: 0o600 });
    writeFileSync(file, text('rooms: chat.coluc.com\n'));
    expect(await fedway(['imp', 'check', '--config', file], world)).toBe(0);
    expect(world.terminal.results.join('\n')).toMatch(
      /users: coluc\.com; rooms: chat\.coluc\.com[^]*clients: 127\.0\.0\.1:5222[^]*AXL: nowhere/,
    );
    writeFileSync(file, text('axel: { listen: [] }\n'));
    expect(await fedway(['imp', 'check', '--config', file], world)).toBe(2);
    expect(world.terminal.results.join('\n')).toMatch(/imp\.yaml:6:1: axel: .*Did you mean "axl"\?/);
    expect(await fedway(['imp', 'check', '--json', '--config', file], world)).toBe(2);
  });
});
