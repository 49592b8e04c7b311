/** Our two ends of AXL: a publisher's keeper, and the AXL service of a node with its real database. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { axlLeaf, axlRoot } from '../../test/support/axl-double.ts';
import { AxlServer } from '../imp/axl/server.ts';
import { NO_TAP } from '../imp/capture/tap.ts';
import { NodeDatabase } from '../imp/database/database.ts';
import { NODE_TABLES } from '../imp/node-tables.ts';
import type { AdministratorRole, NodeOperations } from '../imp/operations.ts';
import { runStatement } from '../imp/sql/guard.ts';
import { secureContext } from '../net/tls/parameters.ts';
import { AxlClient } from './client.ts';
import { Publisher } from './publisher.ts';
import type { CpId } from './s2s-nodes.ts';
import { cpIdOf } from './s2s-nodes.ts';

function componentOf(host: string): CpId {
  const component = cpIdOf(host);
  if ('problem' in component) throw new TypeError(component.problem);
  return component.cpId;
}

let folder: string;
let database: NodeDatabase;
let server: AxlServer;
let publisher: Publisher;
let role: AdministratorRole | undefined;
const EDGE = componentOf('edge.coluc.com');

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fedway-axl-'));
  const path = join(folder, 'node.db');
  database = new NodeDatabase(path, [NODE_TABLES]);
  role = 'axl';
  const administrators = {
    roleOf: (name: string, password: string) =>
      Promise.resolve(name === 'fedway' && password === 'secret' ? role : undefined),
  } as NodeOperations['administrators'];
  const certificate = secureContext({ chain: axlLeaf.chainPem, key: axlLeaf.keyPem });
  server = new AxlServer({
    tls: () => certificate,
    operations: { administrators, users: {} as NodeOperations['users'] },
    node: { name: 'imp1', version: '1' },
    sql: { run: (sql, kind) => Promise.resolve(runStatement(path, sql, kind)) },
    tableChanged: () => {},
    notes: () => {},
    tap: NO_TAP,
  });
  const port = await server.listen('127.0.0.1', 0);
  const settings = {
    name: 'imp1',
    host: '127.0.0.1',
    port,
    user: 'fedway',
    password: 'secret',
    tls: 'verify',
    authorities: [axlRoot.pem],
    version: 'auto',
  } as const;
  let ours: readonly string[] = [];
  publisher = new Publisher(settings, {
    access: new AxlClient(settings, () => {}),
    ledger: {
      ours: () => ours,
      record: (_, cpIds) => {
        ours = cpIds;
      },
    },
    clock: { now: Date.now, later: immediately },
    random: () => 0,
    note: () => {},
    changed: () => {},
  });
});

afterEach(() => {
  publisher.stop();
  server.destroy();
  database[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

/** Only what is due at once, or within the second between two rounds, happens. */
function immediately(milliseconds: number, run: () => void): () => void {
  if (milliseconds > 1_000) return () => {};
  const handle = setImmediate(run);
  return () => clearImmediate(handle);
}

function table(): readonly string[] {
  return database.sql
    .prepare('SELECT cp_id FROM xmpps2snodes ORDER BY cp_id')
    .all()
    .map((row) => String(row['cp_id']));
}

describe('a node of our own', () => {
  test('is told of the Edges and of their end, and what others wrote stays', async () => {
    database.sql.exec(
      "INSERT INTO xmpps2snodes VALUES ('055c13d9-943d-459d-a3c6-af1d1176936d', 'cm-2_s2scp-1.other-lab')",
    );
    publisher.want([EDGE, componentOf('edge2.coluc.com')]);
    expect(await publisher.refresh()).toMatchObject({ state: 'ok', version: '15.0', failure: undefined });
    expect(table()).toEqual(['cm-2_s2scp-1.edge-coluc-com', 'cm-2_s2scp-1.edge2-coluc-com', 'cm-2_s2scp-1.other-lab']);
    publisher.want([]);
    expect(await publisher.refresh()).toMatchObject({ state: 'ok' });
    expect(table()).toEqual(['cm-2_s2scp-1.other-lab']);
  });

  test('says that its router has to be restarted', async () => {
    database.sql.exec(
      "INSERT INTO router_facts VALUES ('restart_needed', '1'), ('foreign_bounces', '7'), ('xmpp_federation', 'off')",
    );
    publisher.want([EDGE]);
    const { router } = await publisher.refresh();
    expect(router).toEqual({ restartNeeded: true, foreignBounces: 7, federation: 'off' });
  });

  test('without that view is another product, and no failure', async () => {
    database.sql.exec('DROP VIEW routerstatus');
    publisher.want([EDGE]);
    expect(await publisher.refresh()).toMatchObject({ state: 'ok', router: undefined });
  });

  test.each([
    ['none', 'role'],
    [undefined, 'credentials'],
  ] as const)('lets nobody in whose role is %s', async (given, code) => {
    role = given;
    publisher.want([EDGE]);
    expect(await publisher.refresh()).toMatchObject({ state: 'failed', failure: { code } });
    expect(table()).toEqual([]);
  });
});
