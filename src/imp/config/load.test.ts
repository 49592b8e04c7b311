import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { standIn } from '../../../test/config/stand-in.ts';
import { printProblem } from '../../config/problem.ts';
import type { Kind } from '../../config/schema/kind.ts';
import { keysOf } from '../../config/schema/walk.ts';
import { restartKeys } from '../../config/snapshot.ts';
import { type ConfigNode, readYaml } from '../../config/yaml.ts';
import type { NodeBoot } from './boot.ts';
import { nodeSchema } from './boot-schema.ts';
import { printNodeJsonSchema } from './json-schema.ts';
import { loadNodeFile, type NodeLoadResult } from './load.ts';
import { printNodeReference } from './reference.ts';

const ROOT = new URL('../../../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, ROOT), 'utf8');

const FILES = {
  'certs/coluc.com.pem': '',
  'certs/coluc.com.key': '',
  'router.secret': '0123456789abcdef0123456789abcdef\n',
  'short.secret': 'short',
};

const GOOD = `
domain: coluc.com
data: /var/lib/fedway-imp
certificate: certs/coluc.com.pem
key: certs/coluc.com.key
clients: { listen: ["127.0.0.1:5222"] }
`;

function load(text: string | Uint8Array): NodeLoadResult {
  return loadNodeFile('/etc/fedway/imp.yaml', {
    surroundings: standIn('/etc/fedway', { ...FILES, 'imp.yaml': text }),
  });
}

function good(text: string): NodeBoot {
  const result = load(text);
  if (result.outcome !== 'loaded') throw new Error(JSON.stringify(result));
  return result.config;
}

function said(text: string): readonly string[] {
  const result = load(text);
  if (result.outcome === 'unreadable') return [result.reason];
  return (result.outcome === 'loaded' ? result.warnings : result.problems).map(printProblem);
}

/** A line of the example that is a key behind `# `. */
const COMMENTED = /^( *)# ( *[a-z0-9_.]+:(?: .*)?)$/;

function uncommented(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(COMMENTED, '$1$2'))
    .join('\n');
}

function* pathsIn(node: ConfigNode | undefined, kind: Kind<unknown>, path = ''): Generator<string> {
  if (node?.kind !== 'map' || (kind.inside.form !== 'section' && kind.inside.form !== 'one of')) return;
  for (const { name, value } of node.entries) {
    const inner = path === '' ? name : `${path}.${name}`;
    yield inner;
    const key = kind.inside.keys[name];
    if (key !== undefined) yield* pathsIn(value, key.kind, inner);
  }
}

describe('the boot file of an IM&P node', () => {
  test('what is not written has its default, the socket its place in the data folder, the node the name of its host', () => {
    const boot = good(GOOD);
    expect(boot).toMatchObject({
      name: 'edge-1',
      rooms: undefined,
      adminSocket: '/var/lib/fedway-imp/imp.sock',
      router: { listen: [], secret: undefined, changes: 'live' },
      archive: { keep: 365 * 86_400_000 },
      offline: { messages: 500 },
    });
  });

  test.each([
    ['90d', 90 * 86_400_000],
    ['2y', 730 * 86_400_000],
    ['forever', undefined],
  ])('an archive that keeps %s', (written, milliseconds) => {
    expect(good(`${GOOD}archive: { keep: ${written} }`).archive.keep).toBe(milliseconds);
  });

  test.each([
    [
      'an unknown key is found with its place, and what it was meant to be',
      'room: chat.coluc.com',
      /imp\.yaml:7:1: room: .*Did you mean "rooms"\?/,
    ],
    ['a key of another section is sent where it belongs', 'changes: live', /"changes" belongs under router/],
    ['the rooms need a domain of their own', 'rooms: coluc.com', /rooms: "coluc\.com" is the domain of the users/],
    ['a router that listens needs a secret', 'router: { listen: ["127.0.0.1:7400"] }', /router\.secret: is missing/],
    ['a secret is never written itself', 'router: { secret: geheim }', /a secret is written here itself/],
    [
      'no two listeners share an address',
      'axl: { listen: ["127.0.0.1:5222"] }',
      /is already taken by clients\.listen\[0\]/,
    ],
    ['an age is days, years or for ever', 'archive: { keep: 30s }', /archive\.keep: is not "90d"/],
    [
      'a client cannot be promised more than the most',
      'clients: { timeouts: { resume: 20m } }',
      /longer than clients\.timeouts\.resume_most/,
    ],
  ])('%s', (_, line, expected) => {
    const text = line.startsWith('clients') ? GOOD.replace(/clients:.*\n/, '') : GOOD;
    const result = load(`${text}${line}\n`);
    expect(result.outcome).toBe('refused');
    expect(said(`${text}${line}\n`).join('\n')).toMatch(expected);
  });

  test('a router that the world may reach, and a secret that can be guessed, are warned of', () => {
    const text = `${GOOD}router: { listen: ["0.0.0.0:7400"], secret: { file: short.secret } }\n`;
    expect(load(text).outcome).toBe('loaded');
    expect(said(text).join('\n')).toMatch(/is every address, and what travels there is not encrypted[^]*fewer than 16/);
  });

  test('more messages that wait than a session can be given are warned of', () => {
    expect(said(`${GOOD}offline: { messages: 2501 }`)).toEqual([
      expect.stringMatching(/offline\.messages: has no effect beyond 2500/),
    ]);
    expect(said(`${GOOD}offline: { messages: 2500 }`)).toEqual([]);
  });

  test('whatever the bytes of the file are, they are read or refused without a throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ maxLength: 200 })), (bytes) => {
        expect(['loaded', 'refused']).toContain(load(bytes).outcome);
      }),
      { numRuns: 200 },
    );
  });

  test('only the certificate and the log change without a restart', () => {
    const next = good(
      GOOD.replace('certs/coluc.com.pem', 'router.secret')
        .replace('5222', '5333')
        .concat('log: { level: debug }\narchive: { keep: 30d }\n'),
    );
    expect(restartKeys(nodeSchema, good(GOOD), next)).toEqual(['clients.listen', 'archive.keep']);
  });
});

describe('the example and the reference page of an IM&P node', () => {
  test('the example is in order, as it is shipped and with every commented key in force', () => {
    const example = read('examples/imp.yaml');
    expect(said(example)).toEqual([]);
    expect(said(uncommented(example))).toEqual([]);
  });

  test('every key is in the example, and what its comments call defaults are the defaults', () => {
    const example = read('examples/imp.yaml');
    const paths = [...keysOf(nodeSchema)].map(({ path }) => path);
    const shown = [...new Set(pathsIn(readYaml(uncommented(example)).root, nodeSchema))];
    const expected = paths.filter((path) => !/secret\.(?:env|credential)$/.test(path));
    expect(shown.toSorted()).toEqual(expected.toSorted());
    const { name, adminSocket, log, ...rest } = good(uncommented(example));
    const { name: _name, adminSocket: _socket, log: shippedLog, ...shipped } = good(example);
    expect(rest).toEqual(shipped);
    expect({ ...log, modules: new Map() }).toEqual(shippedLog);
    expect([name, adminSocket]).toEqual(['imp-1', '/run/fedway-imp/imp.sock']);
  });

  test('the reference page is what the description says', () => {
    expect(read('docs/reference/imp-configuration.md')).toBe(printNodeReference());
  });

  test('imp.schema.json is what `fedway schema --format imp-json` prints', () => {
    expect(JSON.parse(read('docs/reference/imp.schema.json'))).toEqual(JSON.parse(printNodeJsonSchema()));
  });
});
