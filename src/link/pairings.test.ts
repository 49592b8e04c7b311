import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { selfSignedCertificate } from '../net/tls/self-signed.ts';
import { Cores } from './cores.ts';
import { Edges, type PairedEdge } from './edges.ts';
import { ownIdentity } from './own-identity.ts';
import { replaceFile } from './storage.ts';

const NOW = 1_795_000_000_000;
const HOUR = 3_600_000;
const CORE = { id: 'core-0000-0001', name: 'whatever it calls itself' };
const KEY = { hash: 'aa'.repeat(32), until: NOW + HOUR };

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fedway-pairings-'));
  file = join(folder, 'pairings.json');
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

function cores(): Cores {
  const opened = Cores.open(file);
  if ('problem' in opened) throw new Error(opened.problem);
  return opened;
}

function invited(store: Cores, name = 'core-1', validForMs = HOUR, now = NOW): string {
  const made = store.invite({ name, domains: ['coluc.com'], validForMs }, now);
  if ('refused' in made) throw new Error(made.refused);
  return made.secret;
}

describe('invitations', () => {
  test('are good for one Core, survive a restart, and say afterwards what became of them', () => {
    const secret = invited(cores());
    const store = cores();
    expect(store.admits(secret, CORE, NOW)).toEqual({ invitation: { name: 'core-1', domains: ['coluc.com'] } });
    expect(store.admit(secret, CORE, KEY, NOW)).toMatchObject({ id: CORE.id, name: 'core-1' });
    expect(cores().admits(secret, CORE, NOW)).toMatchObject({ because: expect.stringContaining('used') as string });
    expect(cores().admit(secret, CORE, KEY, NOW)).toHaveProperty('because');
    expect(cores().byKey(CORE.id, KEY.hash)?.name).toBe('core-1');
  });

  test('end', () => {
    const secret = invited(cores());
    expect(cores().admits(secret, CORE, NOW + HOUR - 1)).toHaveProperty('invitation');
    expect(cores().admits(secret, CORE, NOW + HOUR)).toMatchObject({
      because: expect.stringContaining('was valid until') as string,
    });
  });

  test('a new one for a name withdraws the open one', () => {
    const store = cores();
    const former = invited(store);
    const secret = invited(store);
    expect(store.admits(former, CORE, NOW)).toHaveProperty('because');
    expect(store.admits(secret, CORE, NOW)).toHaveProperty('invitation');
  });

  test('are bounded in number while they are open, and forgotten in the end', () => {
    const store = cores();
    for (let index = 0; index < 32; index++) invited(store, `core-${index}`);
    expect(store.invite({ name: 'one-more', domains: [], validForMs: HOUR }, NOW)).toMatchObject({
      refused: expect.stringContaining('32 open invitations') as string,
    });
    for (let index = 0; index < 150; index++) invited(store, 'core-0', HOUR, NOW + 2 * HOUR);
    expect((JSON.parse(readFileSync(file, 'utf8')) as { invitations: unknown[] }).invitations.length).toBe(101);
  });

  test.each([
    ['a name with a space', 'a b', HOUR],
    ['no name', '', HOUR],
    ['no time', 'core-1', 0],
    ['a year', 'core-1', 365 * 24 * HOUR],
    ['a time that is none', 'core-1', Number.NaN],
  ])('are not made for %s', (_what, name, validForMs) => {
    expect(cores().invite({ name, domains: [], validForMs }, NOW)).toHaveProperty('refused');
    expect(existsSync(file)).toBe(false);
  });
});

describe('keys of a Core', () => {
  function paired(): Cores {
    const store = cores();
    store.admit(invited(store), CORE, KEY, NOW);
    return store;
  }
  const NEXT = { hash: 'bb'.repeat(32), until: NOW + 2 * HOUR };
  const THIRD = { hash: 'cc'.repeat(32), until: NOW + 3 * HOUR };

  test('a renewed one counts beside the one in use, until it is seen', () => {
    const store = paired();
    store.addKey(CORE.id, KEY.hash, NEXT);
    expect([KEY, NEXT].map(({ hash }) => store.byKey(CORE.id, hash) !== undefined)).toEqual([true, true]);
    store.used(CORE.id, KEY.hash);
    expect(store.byKey(CORE.id, NEXT.hash)).toBeDefined();
    store.used(CORE.id, NEXT.hash);
    expect([KEY, NEXT].map(({ hash }) => cores().byKey(CORE.id, hash) !== undefined)).toEqual([false, true]);
  });

  test('a renewal whose answer was lost does not cost the key in use', () => {
    const store = paired();
    store.addKey(CORE.id, KEY.hash, NEXT);
    store.addKey(CORE.id, KEY.hash, THIRD);
    expect(store.all[0]?.keys).toEqual([KEY, THIRD]);
  });

  test('of another Core do not count', () => {
    expect(paired().byKey('core-0000-0002', KEY.hash)).toBeUndefined();
  });

  test('joining again leaves the new one alone; after a revocation none is left', () => {
    const store = paired();
    store.admit(invited(store), CORE, NEXT, NOW);
    expect(store.all.map(({ keys }) => keys)).toEqual([[NEXT]]);
    expect(store.remove(CORE.id)).toBe(true);
    expect(store.remove(CORE.id)).toBe(false);
    expect(cores().all).toEqual([]);
  });
});

describe('the file', () => {
  test('a damaged or foreign one is a sentence with the cure, and is left as it is', () => {
    for (const text of [
      '',
      '{',
      '[]',
      '{"version":2,"invitations":[],"cores":[]}',
      '{"version":1,"invitations":[{}],"cores":[]}',
    ]) {
      writeFileSync(file, text);
      expect(Cores.open(file)).toMatchObject({
        problem: expect.stringMatching(/damaged or of a newer fedway; restore/) as string,
      });
      expect(Edges.open(file)).toMatchObject({
        problem: expect.stringMatching(/damaged or of a newer fedway; restore/) as string,
      });
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
  });

  test('whatever is in it, reading it does not throw', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (invitations, list) => {
        writeFileSync(file, `{"version":1,"invitations":${invitations},"cores":${list},"edges":${list}}`);
        expect(Cores.open(file)).toBeDefined();
        expect(Edges.open(file)).toBeDefined();
      }),
    );
  });

  test('is replaced whole: a leftover of a crash is overwritten, and nobody else can read the new one', () => {
    writeFileSync(file, 'former', { mode: 0o644 });
    writeFileSync(`${file}.new`, 'a longer text that a crash left behind', { mode: 0o666 });
    replaceFile(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(`${file}.new`)).toBe(false);
  });

  test('what cannot be written changes nothing', () => {
    const store = cores();
    const secret = invited(store);
    // In the place of the file that is written beside.
    rmSync(file);
    const blocked = Cores.open(join(folder, 'not-there', 'pairings.json'));
    if ('problem' in blocked) throw new Error(blocked.problem);
    expect(() => blocked.invite({ name: 'core-1', domains: [], validForMs: HOUR }, NOW)).toThrow('ENOENT');
    expect(blocked.admits(secret, CORE, NOW)).toHaveProperty('because');
  });
});

async function edge(id: string, name: string): Promise<PairedEdge> {
  const { chain, key } = await selfSignedCertificate([], NOW);
  const addresses = [{ host: '2001:db8::1', port: 7400 }];
  return { id, name, addresses, authority: chain, key, chain, since: NOW, revoked: undefined };
}

describe('Edges of a Core', () => {
  test('are read as they were written, and replaced by id', async () => {
    const store = Edges.open(file);
    if ('problem' in store) throw new Error(store.problem);
    const [one, two] = [await edge('edge-0000-0001', 'edge-1'), await edge('edge-0000-0002', 'edge-2')];
    store.set(one);
    store.set(two);
    store.set({ ...one, revoked: NOW });
    const again = Edges.open(file);
    if ('problem' in again) throw new Error(again.problem);
    expect(again.byName('edge-1')).toEqual({ ...one, revoked: NOW });
    expect(again.byId(two.id)).toEqual(two);
    again.remove(one.id);
    expect(again.all).toEqual([two]);
  });

  test('a key that does not belong to the certificate is a damage', async () => {
    const one = await edge('edge-0000-0001', 'edge-1');
    const { key } = await edge('edge-0000-0002', 'edge-2');
    replaceFile(file, JSON.stringify({ version: 1, edges: [{ ...one, key, addresses: ['a:1'] }] }));
    expect(new X509Certificate(one.chain).subject).toBe('CN=fedway');
    expect(Edges.open(file)).toHaveProperty('problem');
  });
});

describe('the identity of a box', () => {
  test('is made once; the name may change', () => {
    const first = ownIdentity(join(folder, 'link'), 'core-1');
    const second = ownIdentity(join(folder, 'link'), 'core-2');
    expect(first).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string, name: 'core-1' });
    expect(second).toEqual({ ...first, name: 'core-2' });
  });

  test('that is damaged is not made anew', () => {
    writeFileSync(join(folder, 'identity.json'), '{}');
    expect(ownIdentity(folder, 'core-1')).toMatchObject({ problem: expect.stringContaining('is damaged') as string });
    expect(ownIdentity(folder, 'a b')).toMatchObject({ problem: expect.stringContaining('does not do') as string });
  });
});
