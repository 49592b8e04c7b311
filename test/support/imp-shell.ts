/** A node's shell over a real database, with operations, machine and clock that stand still. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ACCOUNT_TABLES } from '../../src/imp/accounts/tables.ts';
import { Captures } from '../../src/imp/capture/captures.ts';
import { NodeDatabase } from '../../src/imp/database/database.ts';
import { MESSAGING_TABLES } from '../../src/imp/messaging/tables.ts';
import { NODE_TABLES } from '../../src/imp/node-tables.ts';
import type { NodeOperations, NodeStatus, Notification, Outcome } from '../../src/imp/operations.ts';
import { Shell } from '../../src/imp/shell/shell.ts';
import { runStatement } from '../../src/imp/sql/guard.ts';
import type { Note } from '../../src/protocol/notes.ts';

/** 2026-10-01T12:00:00Z. */
export const NOON = Date.UTC(2026, 9, 1, 12);
const HOUR = 3_600_000;

export class KeptNode implements NodeOperations {
  readonly asked: unknown[] = [];
  now: NodeStatus = {
    name: 'imp-1',
    version: '0.1.0',
    since: NOON - 26 * HOUR,
    domain: 'coluc.com',
    rooms: 'chat.coluc.com',
    users: 2,
    sessions: 1,
    router: {
      since: NOON - 2 * HOUR,
      changes: 'restart',
      restartNeeded: true,
      bounced: 4,
      components: [{ cpId: 'cm-2_s2scp-1.eft-xwye-a-coluc-com', connected: true, inTable: true }],
    },
    federation: 'off',
  };
  open: readonly Notification[] = [
    {
      id: 'xcp-router-restart',
      since: NOON - 60_000,
      text: 'The table xmpps2snodes has changed since the XCP Router read it.',
      cure: 'Restart it: utils service restart Cisco XCP Router.',
    },
  ];

  readonly users: NodeOperations['users'] = {
    list: () => [
      { user: 'alice', address: 'alice@coluc.com', active: true, sessions: 1, created: NOON - 24 * HOUR },
      { user: 'bob', address: 'bob@coluc.com', active: false, sessions: 0, created: NOON - 23 * HOUR },
    ],
    add: (...asked) => this.#later('user add', asked),
    setPassword: (...asked) => this.#later('user password', asked),
    setActive: (...asked) => this.#done('user active', asked),
    remove: (...asked) => this.#done('user remove', asked),
  };

  readonly administrators: NodeOperations['administrators'] = {
    list: () => [{ name: 'axladmin', role: 'axl' }],
    add: (...asked) => this.#later('admin add', asked),
    setPassword: (...asked) => this.#later('admin password', asked),
    setRole: (...asked) => this.#done('admin role', asked),
    remove: (...asked) => this.#done('admin remove', asked),
    roleOf: () => Promise.resolve(undefined),
  };

  readonly router: NodeOperations['router'] = {
    restart: (...asked) => {
      this.open = [];
      return this.#later('restart', asked, 'The XCP Router is restarted.');
    },
  };

  status(): NodeStatus {
    return this.now;
  }

  notifications(): readonly Notification[] {
    return this.open;
  }

  federation(): 'on' | 'off' {
    return this.now.federation;
  }

  setFederation(state: 'on' | 'off', author: string): Outcome {
    this.now = { ...this.now, federation: state };
    return this.#done('federation', [state, author], `XMPP Federation Node Status is ${state}.`);
  }

  #done(what: string, asked: readonly unknown[], sentence = 'Done.'): Outcome {
    this.asked.push([what, ...asked]);
    return asked.includes('refused') ? { refused: 'This is refused.' } : { done: sentence };
  }

  #later(what: string, asked: readonly unknown[], sentence?: string): Promise<Outcome> {
    return Promise.resolve(this.#done(what, asked, sentence));
  }
}

export class ShellTrial implements Disposable {
  readonly node = new KeptNode();
  readonly notes: Note[] = [];
  readonly captures: Captures;
  readonly shell: Shell;
  /** How often the table was read again. */
  changes = 0;
  readonly #folder = mkdtempSync(join(tmpdir(), 'fedway-shell-'));
  readonly #database: NodeDatabase;

  constructor() {
    const path = join(this.#folder, 'imp.db');
    this.#database = new NodeDatabase(path, [NODE_TABLES, ACCOUNT_TABLES, MESSAGING_TABLES]);
    this.#database.sql.exec(`
      INSERT INTO xmpps2snodes VALUES ('055c13d9-943d-459d-a3c6-af1d1176936d', 'cm-2_s2scp-1.eft-xwye-a-coluc-com');
      INSERT INTO users VALUES ('alice', 1, ${NOON - 24 * HOUR}), ('bob', 0, ${NOON - 23 * HOUR});
      INSERT INTO roster_items VALUES ('alice', 'bob@vngtp.lab', 'Bob', '[]', 'both', 0, 0, 1, NULL);
    `);
    const notes = (note: Note): number => this.notes.push(note);
    this.captures = new Captures({
      folder: join(this.#folder, 'captures'),
      notes,
      addresses: () => ['127.0.0.1'],
      clock: () => NOON,
    });
    this.shell = new Shell({
      operations: this.node,
      sql: { run: (sql, kind) => Promise.resolve(runStatement(path, sql, kind)) },
      tableChanged: () => {
        this.changes += 1;
      },
      captures: this.captures,
      listeners: () => [
        { what: 'XMPP clients', address: '10.0.0.20:5222' },
        { what: 'AXL', address: '10.0.0.20:8443' },
        { what: 'XCP Router', address: '10.0.0.20:7400' },
      ],
      notes,
      clock: () => NOON,
      machine: {
        hostName: () => 'imp-1.coluc.com',
        load: () => [0.12, 0.1, 0.05],
        memory: () => 96 * 1024 ** 2,
        interfaceOf: () => 'ens192',
        addresses: () => [
          ['lo', '127.0.0.1/8'],
          ['ens192', '10.0.0.20/24'],
        ],
      },
    });
  }

  /** What a line prints, up to its end. */
  async run(line: string): Promise<string> {
    const { text, goesOn } = await this.shell.run(line, { author: 'root@imp-1' });
    goesOn?.interrupt();
    const all = goesOn === undefined ? text : `${text}\n${await goesOn.done}`;
    return all.replaceAll(this.#folder, '/var/lib/fedway-imp');
  }

  [Symbol.dispose](): void {
    this.captures.close();
    this.#database[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true });
  }
}
