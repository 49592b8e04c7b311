import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { standIn } from '../../test/config/stand-in.ts';
import type { BootConfig } from './boot.ts';
import { loadBootFile } from './load.ts';
import { printProblem } from './problem.ts';
import { restartNeeded } from './snapshot.ts';

const FILES = { 'dialback.secret': '0123456789abcdef0123456789abcdef\r\n', 'a.pem': '', 'a.key': '' };

const GOOD = `
role: single
s2s:
  listen: ["192.0.2.2:5269"]
  dialback_secret: { file: dialback.secret }
homes:
  - domains: [coluc.com]
    certificate: a.pem
    key: /etc/fedway/a.key
    server: { s2s: { address: "prosody.inside:5269" } }
inside: { listen: ["10.0.0.2:5269"] }
`;

type Env = Readonly<Record<string, string>>;

function load(text: string | Uint8Array, env: Env = {}, rehearsal = false): ReturnType<typeof loadBootFile> {
  const surroundings = standIn(
    '/etc/fedway',
    { ...FILES, '/run/credentials/dialback': 'a'.repeat(32), 'fedway.yaml': text },
    env,
  );
  return loadBootFile('/etc/fedway/fedway.yaml', { surroundings, rehearsal });
}

function good(text: string, env: Env = {}): BootConfig {
  const result = load(text, env);
  if (result.outcome !== 'loaded') throw new Error(JSON.stringify(result));
  return result.config;
}

describe('loadBootFile', () => {
  test('a secret is resolved, without the line break at the end of its file', () => {
    expect(good(GOOD).s2s.dialbackSecret?.reveal()).toBe('0123456789abcdef0123456789abcdef');
  });

  test('a secret comes from the environment or from the credentials of the unit', () => {
    const env = { DIALBACK: 'b'.repeat(32), CREDENTIALS_DIRECTORY: '/run/credentials' };
    const from = (source: string): string | undefined =>
      good(GOOD.replace('file: dialback.secret', source), env).s2s.dialbackSecret?.reveal();
    expect(from('env: DIALBACK')).toBe('b'.repeat(32));
    expect(from('credential: dialback')).toBe('a'.repeat(32));
  });

  test.each(['env: DIALBACK', 'credential: dialback'])(
    '{ %s } may be absent when the file is only checked, with a warning',
    (source) => {
      const text = GOOD.replace('file: dialback.secret', source);
      expect(load(text).outcome).toBe('refused');
      const rehearsed = load(text, {}, true);
      expect(rehearsed).toMatchObject({ outcome: 'loaded', warnings: [{ key: 's2s.dialback_secret' }] });
    },
  );

  test('a configuration cannot be changed, and shows no secret when it is printed', () => {
    const config = good(GOOD);
    const open: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null || value instanceof Map) return;
      if (!Object.isFrozen(value)) open.push(path);
      for (const [name, part] of Object.entries(value)) visit(part, `${path}.${name}`);
    };
    visit(config, 'config');
    expect(open).toEqual([]);
    expect(JSON.stringify(config)).not.toContain('0123456789abcdef');
  });

  test('an alias is read as what it stands for', () => {
    const rules =
      'partners: { rules: [{ domain: a.lab, route: &r ["192.0.2.20:5269"] }, { domain: "*.LAB", route: *r }] }';
    expect(good(`${GOOD}${rules}`).partners.rules.map(({ domain, route }) => ({ domain, route }))).toEqual([
      { domain: { match: 'exact', domain: 'a.lab' }, route: [{ host: '192.0.2.20', port: 5269, directTls: false }] },
      { domain: { match: 'below', domain: 'lab' }, route: [{ host: '192.0.2.20', port: 5269, directTls: false }] },
    ]);
  });

  test('aliases that multiply are refused before they fill the memory', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const items = level === 0 ? '1' : Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ');
      return `x${level}: &a${level} [${items}]`;
    });
    const result = load(levels.join('\n'));
    const reasons = result.outcome === 'refused' ? result.problems.map(({ reason }) => reason) : [];
    expect(reasons).toContain('the file holds more than 200000 values');
  });

  test.each([
    ['brackets', '['.repeat(50_000)],
    ['closed brackets', `a: ${'['.repeat(500)}${']'.repeat(500)}`],
    ['dashes', '- '.repeat(20_000)],
    ['maps', 'a: {'.repeat(2000)],
  ])('nesting without end is refused: %s', (_name, text) => {
    const result = load(text);
    expect(result.outcome === 'refused' && result.problems.length).toBeGreaterThan(0);
  });

  test('whatever the bytes of the file are, they are read or refused without a throw, and every problem has a place and a cure', () => {
    const fragment = fc.oneof(
      fc.constantFrom(...GOOD.split('\n')),
      fc.constantFrom(...(GOOD.match(/\w+|[^\w]/g) ?? [])),
      fc.constantFrom(
        '&a',
        '*a',
        '!!str ',
        '!x ',
        '? ',
        '<<: ',
        '---\n',
        '%YAML 1.1\n',
        '\t',
        '|',
        '>-\n',
        '"',
        "'",
        '\u0000',
        '\u2028',
        '__proto__: ',
        'constructor: ',
      ),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    const text = fc.array(fragment, { maxLength: 60 }).map((parts) => new TextEncoder().encode(parts.join('')));
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const result = load(bytes);
        if (result.outcome !== 'refused') return;
        expect(result.problems.length).toBeGreaterThan(0);
        for (const problem of result.problems) {
          expect(problem.line).toBeGreaterThan(0);
          expect(problem.column).toBeGreaterThan(0);
          expect(printProblem(problem)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
          expect(problem.reason).not.toBe('');
          expect(problem.cure).not.toBe('');
        }
      }),
      { numRuns: 1500 },
    );
  });

  test('whatever one value of a good file is replaced by, the file is read or refused without a throw', () => {
    const spots = [...GOOD.matchAll(/(?<=: )[^\n{[]+|"[^"]+"/g)];
    fc.assert(
      fc.property(fc.constantFrom(...spots), fc.oneof(fc.json(), fc.string()), (spot, value) => {
        const text = GOOD.slice(0, spot.index) + value.replaceAll('\n', ' ') + GOOD.slice(spot.index + spot[0].length);
        expect(['loaded', 'refused']).toContain(load(text).outcome);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('loadBootFile on this machine', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fedway-config-'));
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text, { mode: 0o600 });
    writeFileSync(join(folder, 'fedway.yaml'), GOOD.replace('/etc/fedway/a.key', 'a.key'));
    mkdirSync(join(folder, 'folder'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('files named in it are found beside it, from whatever folder fedway is started', () => {
    const result = loadBootFile(relative(process.cwd(), join(folder, 'fedway.yaml')));
    expect(result).toMatchObject({ outcome: 'loaded', warnings: [] });
    expect(result.outcome === 'loaded' && result.config.homes[0]?.key).toBe(join(folder, 'a.key'));
    expect(result.outcome === 'loaded' && result.config.path).toBe(join(folder, 'fedway.yaml'));
  });

  test('a key that everybody can read is warned of', () => {
    chmodSync(join(folder, 'a.key'), 0o644);
    expect(loadBootFile(join(folder, 'fedway.yaml'))).toMatchObject({
      outcome: 'loaded',
      warnings: [{ key: 'homes[0].key' }],
    });
    chmodSync(join(folder, 'a.key'), 0o600);
  });

  test.each([
    ['missing.yaml', 'no such file or directory'],
    ['folder', 'it is a directory'],
    ['fedway.yaml/below', 'not a directory'],
  ])('%s cannot be read, and the answer says why and what to do', (name, why) => {
    expect(loadBootFile(join(folder, name))).toMatchObject({
      outcome: 'unreadable',
      reason: expect.stringContaining(why) as string,
      cure: expect.stringContaining('--config') as string,
    });
  });

  test('a file without end is not read', () => {
    expect(loadBootFile('/dev/zero')).toMatchObject({
      outcome: 'unreadable',
      reason: expect.stringContaining('not a file') as string,
    });
  });
});

const EDGE = `
role: edge
data: data
link: { listen: ["192.0.2.2:7400", "[2001:db8::2]:7400"] }
s2s: { listen: ["192.0.2.2:5269"] }
homes: [{ domains: [coluc.com], certificate: a.pem, key: a.key }]
`;

const CORE = `
role: core
data: /var/lib/fedway
homes: [{ domains: [coluc.com], server: { s2s: { address: "10.0.0.10:5269" } } }]
inside: { listen: ["10.0.0.3:5269"] }
`;

describe('what follows from other keys', () => {
  test('a box is called by the first label of its host name, unless it has a name', () => {
    expect(good(GOOD).name).toBe('edge-1');
    expect(good(`${GOOD}name: Box-7`).name).toBe('Box-7');
  });

  test.each([
    ['box_7.coluc.com', 'box-7'],
    ['', 'fedway'],
    [`${'a'.repeat(70)}.lab`, 'a'.repeat(63)],
    ['büro', 'b-ro'],
  ])('the host name %j, which is no box name, makes the box name %j', (hostName, name) => {
    const surroundings = { ...standIn('/etc/fedway', { ...FILES, 'fedway.yaml': GOOD }), hostName: () => hostName };
    expect(loadBootFile('/etc/fedway/fedway.yaml', { surroundings })).toMatchObject({ config: { name } });
  });

  test('the admin socket is in the data folder, unless it is written; without both there is none', () => {
    expect(good(GOOD)).toMatchObject({ data: undefined, adminSocket: undefined });
    expect(good(`${GOOD}admin_socket: admin`)).toMatchObject({ data: undefined, adminSocket: '/etc/fedway/admin' });
    expect(good(EDGE)).toMatchObject({ data: '/etc/fedway/data', adminSocket: '/etc/fedway/data/admin.sock' });
    expect(good(`${CORE}admin_socket: /run/fedway.sock`)).toMatchObject({ adminSocket: '/run/fedway.sock' });
  });

  test('an Edge is dialed where it listens first, unless it is written, or listens everywhere', () => {
    expect(good(EDGE).link.address).toEqual({ host: '192.0.2.2', port: 7400 });
    expect(good(EDGE.replace('192.0.2.2:7400', '0.0.0.0:7400')).link.address).toBeUndefined();
    const written = EDGE.replace('link: {', 'link: { address: "edge.coluc.com:17400",');
    expect(good(written).link.address).toEqual({ host: 'edge.coluc.com', port: 17_400 });
  });

  test('a role without a section has its defaults: the Link, the inside, the outside', () => {
    expect(good(CORE)).toMatchObject({
      link: { listen: [], address: undefined, dialFrom: [], hold: 60_000, quiet: 5000, connect: 10_000 },
      s2s: { listen: [], dialbackSecret: undefined, timeouts: { idle: 1_800_000 }, limits: { stanza: 262_144 } },
      homes: [{ certificate: undefined, key: undefined }],
    });
    expect(good(EDGE)).toMatchObject({ inside: { listen: [] }, dns: undefined, homes: [{ server: undefined }] });
    expect(good(GOOD).link).toMatchObject({ listen: [], queueStanzas: 10_000, queueBytes: 16_777_216 });
  });
});

describe('restartNeeded', () => {
  test('another name, folder, socket or address of the Link needs a restart, how long it waits does not', () => {
    const next = EDGE.replace('data: data', 'data: other\nname: edge-2')
      .replace('192.0.2.2:7400', '192.0.2.3:7400')
      .replace('link: {', 'link: { hold: 30s, address: "edge.coluc.com:7400",');
    expect(restartNeeded(good(EDGE), good(next))).toEqual(['name', 'data', 'admin_socket', 'link.listen']);
    expect(restartNeeded(good(EDGE), good(CORE))).toContain('role');
  });

  test('nothing differs: nothing needs a restart', () => {
    expect(restartNeeded(good(GOOD), good(GOOD))).toEqual([]);
  });

  test('listeners need a restart, everything else is taken over', () => {
    const next = `${GOOD.replace('192.0.2.2:5269', '192.0.2.3:5269').replace('coluc.com', 'other.com').replace('10.0.0.2:5269', '10.0.0.2:5270')}
dns: { listen: ["10.0.0.2:53"], answer: ["10.0.0.2"], port: 5270 }
log: { level: debug }
partners: { default: deny, rules: [{ domain: a.lab, federation: allow }] }
`;
    expect(restartNeeded(good(GOOD), good(next))).toEqual(['s2s.listen', 'inside.listen', 'dns.listen']);
    expect(restartNeeded(good(next), good(GOOD))).toEqual(['s2s.listen', 'inside.listen', 'dns.listen']);
  });

  test('the order of listeners is no reason, when they are the same', () => {
    const two = GOOD.replace('["192.0.2.2:5269"]', '["192.0.2.2:5269", "192.0.2.3:5269"]');
    const swapped = GOOD.replace('["192.0.2.2:5269"]', '["192.0.2.3:5269", "192.0.2.2:5269"]');
    expect(restartNeeded(good(two), good(swapped))).toEqual([]);
  });
});
