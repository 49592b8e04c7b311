import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { standIn } from '../../test/config/stand-in.ts';
import type { BootConfig } from './boot.ts';
import { bootSchema } from './boot-schema.ts';
import { printJsonSchema } from './json-schema.ts';
import { printSettingsReference } from './live/reference.ts';
import { loadBootFile } from './load.ts';
import { printProblem } from './problem.ts';
import { printReference } from './reference.ts';
import { ROLE_RULES, type Setup, setupsOf } from './roles.ts';
import type { Kind } from './schema/kind.ts';
import { isPlain } from './schema/section.ts';
import { keysOf } from './schema/walk.ts';
import { type ConfigNode, readYaml } from './yaml.ts';

const ROOT = new URL('../../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, ROOT), 'utf8');

/** A line of the example that is a key, or a list entry, behind `# `. Prose begins with a capital letter or is no `key:`. */
const COMMENTED = /^( *)# ( *(?:- )?[a-z0-9_.]+:(?: .*)?)$/;

/** The example with every commented key put in force, except those of `without`. */
function uncomment(without: readonly string[] = [], example = 'fedway.example.yaml'): string {
  const lines = read(example).split('\n');
  const kept: string[] = [];
  let skippedDepth: number | undefined;
  for (const line of lines.map((each) => each.replace(COMMENTED, '$1$2'))) {
    const depth = line.search(/\S/);
    if (skippedDepth !== undefined && depth > skippedDepth) continue;
    skippedDepth = undefined;
    const name = /^ *([a-z0-9_]+):/.exec(line)?.[1];
    if (name !== undefined && without.includes(name)) skippedDepth = depth;
    else kept.push(line);
  }
  return kept.join('\n');
}

/** Every key path that a text uses, as `keysOf` writes them. */
function* pathsIn(node: ConfigNode | undefined, kind: Kind<unknown>, path = ''): Generator<string> {
  if (node?.kind === 'list' && kind.inside.form === 'list') {
    for (const item of node.items) yield* pathsIn(item, kind.inside.item, `${path}[]`);
  }
  if (node?.kind !== 'map' || (kind.inside.form !== 'section' && kind.inside.form !== 'one of')) return;
  for (const { name, value } of node.entries) {
    const inner = path === '' ? name : `${path}.${name}`;
    yield inner;
    const key = kind.inside.keys[name];
    if (key !== undefined) yield* pathsIn(value, key.kind, inner);
  }
}

const FILES = {
  'dialback.secret': '0123456789abcdef0123456789abcdef',
  'component.secret': 'component',
  'router.secret': 'router',
  'certs/coluc.com.pem': '',
  'certs/coluc.com.key': '',
  'inside-ca.pem': '',
  'inside.pem': '',
  'inside.key': '',
};

function load(text: string): ReturnType<typeof loadBootFile> {
  return loadBootFile('/etc/fedway/fedway.yaml', {
    surroundings: standIn('/etc/fedway', { ...FILES, 'fedway.yaml': text }),
  });
}

function said(text: string): string[] {
  const result = load(text);
  if (result.outcome === 'unreadable') return [result.reason];
  return (result.outcome === 'loaded' ? result.warnings : result.problems).map(printProblem);
}

function config(text: string): BootConfig {
  const result = load(text);
  if (result.outcome !== 'loaded') throw new Error(JSON.stringify(result));
  return result.config;
}

/** Every key of an example, be it commented out. */
function shownIn(example: string): readonly string[] {
  return [...new Set(pathsIn(readYaml(uncomment([], example)).root, bootSchema))];
}

/** Every key that a box may have; where a secret comes from is shown once. */
function keysFor(setup: Setup): readonly string[] {
  const paths = [...keysOf(bootSchema)].map(({ path }) => path);
  return [...new Set(paths)].filter(
    (path) => !/secret\.(?:env|credential)$/.test(path) && setupsOf(path).includes(setup),
  );
}

describe('the example, the description and what is generated from it', () => {
  test('the example as it is shipped is in order, without a warning', () => {
    expect(said(read('fedway.example.yaml'))).toEqual([]);
  });

  test.each([
    ['s2s', ['component', 'accept_component', 'imp', 'authorities', 'data']],
    ['component', ['s2s:', 'accept_component', 'imp', 'data']],
    ['imp', ['s2s:', 'component', 'accept_component', 'data']],
  ])('the example with every commented key in force is in order, with the server inside by %s', (via, without) => {
    const text = via === 's2s' ? uncomment(without) : serverOnly(via);
    expect(said(text)).toEqual([]);
  });

  test('the example with a component that connects is in order', () => {
    const text = serverOnly('accept_component').replace('component_listen: []', 'component_listen: ["10.0.0.2:5347"]');
    expect(said(text)).toEqual([]);
  });

  test('every key that a single box may have is in the example, and every key of the example in the description', () => {
    expect(shownIn('fedway.example.yaml').toSorted()).toEqual(keysFor('single').toSorted());
  });

  test.each(['edge', 'core'] as const)(
    'the example of role %s is in order, as it is shipped and with every commented key in force',
    (role) => {
      expect(said(read(`examples/${role}.yaml`))).toEqual([]);
      expect(said(uncomment([], `examples/${role}.yaml`))).toEqual([]);
      expect(config(read(`examples/${role}.yaml`)).role).toBe(role);
    },
  );

  test.each(['edge', 'core'] as const)('every key that a box of role %s may have is in one of the examples', (role) => {
    const shown = new Set([...shownIn('fedway.example.yaml'), ...shownIn(`examples/${role}.yaml`)]);
    expect(keysFor(role).filter((path) => !shown.has(path))).toEqual([]);
  });

  test.each(['edge', 'core'] as const)('a commented key of the example of role %s shows its default', (role) => {
    const shipped = config(read(`examples/${role}.yaml`));
    expect(config(uncomment([], `examples/${role}.yaml`))).toEqual(shipped);
  });

  test('a commented key of the example shows its default, unless its line says "e.g."', () => {
    const { root } = readYaml(uncomment());
    const lines = read('fedway.example.yaml').split('\n');
    const wrong: string[] = [];
    let compared = 0;
    for (const { path, key } of keysOf(bootSchema)) {
      if (key.presence.must || !isPlain(key.presence.standard)) continue;
      const node = find(root, path.replaceAll('[]', '.0').split('.'));
      const line = lines[(node?.position.line ?? 0) - 1] ?? '';
      if (node === undefined || !COMMENTED.test(line) || inExample(lines, node.position.line)) continue;
      compared += 1;
      if (JSON.stringify(plain(node)) !== JSON.stringify(key.presence.standard)) wrong.push(`${path}: ${line.trim()}`);
    }
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(25);
  });

  test('fedway.schema.json is what `fedway schema` prints', () => {
    expect(JSON.parse(read('docs/reference/fedway.schema.json'))).toEqual(JSON.parse(printJsonSchema()));
  });

  test('configuration.md is what `fedway schema --format markdown` prints', () => {
    expect(read('docs/reference/configuration.md')).toBe(printReference());
  });

  test('settings.md is what `fedway schema --format settings` prints', () => {
    expect(read('docs/reference/settings.md')).toBe(printSettingsReference());
  });

  test('every rule about a role is about a key that there is', () => {
    const known = new Set([...keysOf(bootSchema)].map(({ path }) => path));
    expect(Object.keys(ROLE_RULES).filter((path) => !known.has(path))).toEqual([]);
  });

  test('every key says what it means', () => {
    const mute = [...keysOf(bootSchema)].filter(({ key }) => !/^[^ ].{4,}[.)]$/.test(key.meaning));
    expect(mute.map(({ path }) => path)).toEqual([]);
  });

  test('the example gives this value: defaults filled in, durations in milliseconds, sizes in bytes, paths absolute', () => {
    const result = load(read('fedway.example.yaml'));
    expect(result.outcome).toBe('loaded');
    if (result.outcome !== 'loaded') return;
    expect(result.config).toMatchSnapshot();
  });
});

/** The example with one of the commented ways to the server inside, in place of the one in force. */
function serverOnly(via: string): string {
  const others = ['component', 'accept_component', 'imp'].filter((name) => name !== via);
  const lines = uncomment([...others, 'data']).split('\n');
  const first = lines.findIndex((line) => /^ {6}s2s:/.test(line));
  const end = lines.findIndex((line, index) => index > first && /^ {0,6}\S/.test(line));
  return lines.toSpliced(first, end - first).join('\n');
}

function indent(line: string): number {
  return line.replace(COMMENTED, '$1$2').search(/\S/);
}

/** Whether a line, or a group it stands in, is marked as an example. */
function inExample(lines: readonly string[], line: number): boolean {
  let depth = indent(lines[line - 1] ?? '') + 1;
  for (let index = line - 1; index >= 0 && depth > 0; index -= 1) {
    const text = lines[index] ?? '';
    if (text.trim() === '' || indent(text) >= depth) continue;
    if (text.includes('e.g.')) return true;
    depth = indent(text);
  }
  return false;
}

function find(node: ConfigNode | undefined, path: readonly string[]): ConfigNode | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return node;
  if (node?.kind === 'list') return find(node.items[Number(name)], rest);
  if (node?.kind === 'map') return find(node.entries.find((entry) => entry.name === name)?.value, rest);
  return undefined;
}

function plain(node: ConfigNode | undefined): unknown {
  if (node?.kind === 'list') return node.items.map(plain);
  if (node?.kind === 'map') return Object.fromEntries(node.entries.map(({ name, value }) => [name, plain(value)]));
  return node?.value;
}
