import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LinkPeerDouble } from '../../test/support/link-peer-double.ts';
import { Clusterdb } from '../clusterdb/store.ts';
import { liveCatalog } from '../config/live/catalog.ts';
import type { LinkMessage } from '../protocol/link/messages.ts';
import { ConfigDesk } from './config-desk.ts';
import { LinkedBoxes } from './linked-boxes.ts';

/** A box reached by handing it the messages, one turn of the event loop later, as long as the Link is up. */
class Wire extends LinkPeerDouble {
  to: ((message: LinkMessage) => void) | undefined;

  override tell(message: LinkMessage): boolean {
    if (!this.isUp) return false;
    setImmediate(() => this.to?.(message));
    return true;
  }
}

interface Box {
  readonly db: Clusterdb;
  readonly desk: ConfigDesk;
  readonly boxes: LinkedBoxes;
}

const SECRET = 'nobody else may ever read this one';

let folder: string;
let edge: Box;
let core: Box;
let toCore: Wire;
let toEdge: Wire;

function openBox(name: 'edge' | 'core'): Box {
  const db = Clusterdb.open({ folder: join(folder, name), catalog: liveCatalog, owns: name });
  if ('refused' in db) throw new Error(db.refused);
  const boxes = new LinkedBoxes({
    db,
    own: name,
    notes: () => undefined,
    changed: () => undefined,
    answer: (what) => Promise.resolve({ asked: `${name} was asked for its ${what}` }),
  });
  const linked = { all: () => boxes.all(), ownersOf: () => boxes.all() };
  return { db, boxes, desk: new ConfigDesk({ db, name: `${name}-1`, owns: name, linked }) };
}

function connect(): void {
  toCore.isUp = true;
  toEdge.isUp = true;
  toCore.to = (message) => void core.boxes.message(toEdge, message);
  toEdge.to = (message) => void edge.boxes.message(toCore, message);
  edge.boxes.up(toCore);
  core.boxes.up(toEdge);
}

function cut(): void {
  toCore.break(false);
  toEdge.break(false);
  edge.boxes.down(toCore);
  core.boxes.down(toEdge);
}

/** What a box shows of a key, as `box: value`. */
async function shown({ desk }: Box, key: string): Promise<readonly string[]> {
  const entries = await desk.list();
  return entries.filter((entry) => entry.key === key).map(({ box, value }) => `${box}: ${JSON.stringify(value)}`);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fedway-desk-'));
  edge = openBox('edge');
  core = openBox('core');
  toCore = new Wire('core-1');
  toEdge = new Wire('edge-1');
  connect();
});

afterEach(() => {
  edge.db.close();
  core.db.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the live configuration on two boxes', () => {
  const by = { author: 'root@here', reason: 'a test' };

  test('a change on the Edge is on the Core too', async () => {
    const [outcome] = await edge.desk.change({ steps: [{ put: 'federation', value: 'on' }], ...by }, undefined);
    expect(outcome).toMatchObject({ box: 'edge-1', outcome: 'changed' });
    await expect.poll(() => shown(core, 'federation')).toEqual(['edge-1: true']);
  });

  test("a change of an Edge's key on the Core is made by the Edge, and is on both when the answer comes", async () => {
    const steps = [{ put: 'tls', value: 'optional' }] as const;
    const [outcome] = await core.desk.change({ steps, ...by }, undefined);
    expect(outcome).toMatchObject({ box: 'edge-1', outcome: 'changed' });
    expect(await shown(edge, 'tls')).toEqual(['edge-1: "optional"']);
    expect(await shown(core, 'tls')).toEqual(['edge-1: "optional"']);
  });

  test("a change of a Core's key on the Edge is made by the Core", async () => {
    const steps = [{ put: 'homes.coluc.com.federation', value: 'off' }] as const;
    const [outcome] = await edge.desk.change({ steps, ...by }, undefined);
    expect(outcome).toMatchObject({ box: 'core-1', outcome: 'changed' });
    expect(await shown(core, 'homes.coluc.com.federation')).toEqual(['core-1: false']);
    expect(await shown(edge, 'homes.coluc.com.federation')).toEqual(['core-1: false']);
  });

  test('who was slower is told of the conflict, on whichever box', async () => {
    await edge.desk.change({ steps: [{ put: 'tls', value: 'optional' }], ...by }, undefined);
    const late = { steps: [{ put: 'tls', value: 'none' }] as const, expect: { tls: 0 }, ...by };
    const [outcome] = await core.desk.change(late, undefined);
    expect(outcome?.outcome).toBe('conflict');
    expect(outcome !== undefined && 'problems' in outcome ? outcome.problems.join() : '').toMatch(/tls.*root@here/);
    expect(await shown(edge, 'tls')).toEqual(['edge-1: "optional"']);
  });

  test('while the owner is away a change is refused, and nothing has changed', async () => {
    cut();
    const [outcome] = await core.desk.change({ steps: [{ put: 'tls', value: 'none' }], ...by }, undefined);
    expect(outcome).toMatchObject({
      outcome: 'refused',
      problems: [expect.stringMatching(/tls: owned by edge-1, which cannot be reached now\. Nothing was changed/)],
    });
    expect(await shown(edge, 'tls')).toEqual([]);
  });

  test('what was changed while a box was away arrives when it is back', async () => {
    cut();
    await edge.desk.change({ steps: [{ put: 'allow.vngtp.lab', value: '' }], ...by }, undefined);
    await core.desk.change({ steps: [{ put: 'homes.coluc.com.federation', value: 'off' }], ...by }, undefined);
    connect();
    await expect.poll(() => shown(core, 'allow.vngtp.lab')).toEqual(['edge-1: ""']);
    await expect.poll(() => shown(edge, 'homes.coluc.com.federation')).toEqual(['core-1: false']);
  });

  test('keys of two owners are not changed at once', async () => {
    const steps = [
      { put: 'tls', value: 'none' },
      { put: 'homes.coluc.com.federation', value: 'off' },
    ] as const;
    const [outcome] = await edge.desk.change({ steps, ...by }, undefined);
    expect(outcome?.outcome).toBe('refused');
    expect(await shown(edge, 'tls')).toEqual([]);
  });

  test('a name that no Edge has is told with those that there are', async () => {
    const [outcome] = await core.desk.change({ steps: [{ put: 'tls', value: 'none' }], ...by }, 'edge-9');
    expect(outcome).toMatchObject({
      outcome: 'refused',
      problems: ['There is no box named edge-9 that owns tls; there are edge-1.'],
    });
  });

  test('a secret is never shown, and never reaches the box that does not need it', async () => {
    const steps = [{ put: 'dialback_secret', value: SECRET }] as const;
    expect(await core.desk.change({ steps, ...by }, undefined)).toMatchObject([{ outcome: 'changed' }]);
    expect(await shown(edge, 'dialback_secret')).toEqual(['edge-1: "(secret)"']);
    await expect.poll(() => shown(core, 'dialback_secret')).toEqual(['edge-1: "(secret)"']);
    expect(edge.db.snapshot().entries.get('dialback_secret')?.value).toBe(SECRET);
    expect(JSON.stringify([await edge.desk.log(100), await core.desk.log(100)])).not.toContain(SECRET);
    for (const name of ['edge', 'core'])
      expect(readFileSync(join(folder, name, 'clusterdb.sqlite'), 'latin1')).not.toContain(SECRET);
  });

  test('the log of either box names the box of each change', async () => {
    // A replica begins with what is in force; history is what happens from there on.
    await edge.desk.change({ steps: [{ put: 'tls', value: 'optional' }], ...by, reason: 'before' }, undefined);
    await expect.poll(() => shown(core, 'tls')).toEqual(['edge-1: "optional"']);
    await edge.desk.change({ steps: [{ put: 'federation', value: 'on' }], ...by }, undefined);
    await core.desk.change({ steps: [{ put: 'homes.coluc.com.federation', value: 'off' }], ...by }, undefined);
    await expect
      .poll(async () =>
        (await core.desk.log(10))
          .map(({ box, reason }) => `${box}: ${reason}`)
          .filter((line) => !line.endsWith('before'))
          .toSorted(),
      )
      .toEqual(['core-1: a test', 'edge-1: a test']);
  });

  test('a question of the administrator is answered by the box at the other end, and by nobody when it is away', async () => {
    expect(await edge.boxes.status()).toMatchObject([
      { asked: 'core was asked for its status', name: 'core-1', role: 'core' },
    ]);
    cut();
    expect(await edge.boxes.status()).toEqual([]);
  });
});
