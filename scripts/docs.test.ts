import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadBootFile } from '../src/config/load.ts';
import { printProblem } from '../src/config/problem.ts';
import { NOTE_NAMES, ROWS } from '../src/diagnostics/describe.ts';
import { MODULES } from '../src/diagnostics/row.ts';
import { loadNodeFile } from '../src/imp/config/load.ts';
import { standIn } from '../test/config/stand-in.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const PAGES = [...globSync('*.md', { cwd: ROOT }), ...globSync('docs/**/*.md', { cwd: ROOT })].toSorted();

/** What the examples name; every boot file of the documents is checked as if it lay beside these. */
const FILES = {
  'dialback.secret': '0f1e2d3c4b5a69788796a5b4c3d2e1f0\n',
  'component.secret': 'component\n',
  'router.secret': '0123456789abcdef0123456789abcdef\n',
  'certs/imp.pem': 'an authority',
  'certs/imp-tomcat.pem': 'an authority',
  'certs/coluc.com.pem': 'chain',
  'certs/coluc.com.key': 'key',
};

/** What a part of a boot file is completed with. */
const BASE = {
  role: 'single',
  s2s: { listen: ['192.0.2.2:5269'], dialback_secret: { file: 'dialback.secret' } },
  homes: [
    {
      domains: ['coluc.com'],
      certificate: 'certs/coluc.com.pem',
      key: 'certs/coluc.com.key',
      server: { s2s: { address: '10.0.0.10:5269' } },
    },
  ],
  inside: { listen: ['10.0.0.2:5269'] },
};

/** The same for a Core, and for an IM&P node. */
const CORE_BASE = {
  role: 'core',
  name: 'core-1',
  data: '/var/lib/fedway',
  homes: [{ domains: ['coluc.com'], server: { s2s: { address: '10.0.0.10:5269' } } }],
  inside: { listen: ['10.0.0.2:5269'] },
};
const NODE_BASE = {
  domain: 'coluc.com',
  data: '/var/lib/fedway-imp',
  certificate: 'certs/coluc.com.pem',
  key: 'certs/coluc.com.key',
  clients: { listen: ['10.0.0.20:5222'] },
};

interface Example {
  readonly name: string;
  readonly yaml: string;
  readonly load: typeof loadBootFile | typeof loadNodeFile;
}

/** How the first line of a block says what it is. */
const KINDS: readonly [RegExp, Example['load'], base?: object][] = [
  [/^# fedway\.yaml\n|^role: /, loadBootFile],
  [/^# part of fedway\.yaml\n/, loadBootFile, BASE],
  [/^# part of core\.yaml\n/, loadBootFile, CORE_BASE],
  [/^# imp\.yaml\n/, loadNodeFile],
  [/^# part of imp\.yaml\n/, loadNodeFile, NODE_BASE],
];

/** The boot files of a page. A block of a list is indented as the list is. */
function examplesIn(page: string): readonly Example[] {
  return blocks(textOf(page).replaceAll(/^ {3}(?! )/gm, ''), 'yaml').flatMap((yaml, index) => {
    const kind = KINDS.find(([first]) => first.test(yaml));
    if (kind === undefined) return [];
    const [, load, base] = kind;
    const name = `${page}, block ${index + 1}`;
    // `parse` gives `any`; what a block is gets checked by the loader.
    return [{ name, load, yaml: base === undefined ? yaml : stringify({ ...base, ...(parse(yaml) as object) }) }];
  });
}

function textOf(page: string): string {
  return readFileSync(path.join(ROOT, page), 'utf8');
}

/** Fenced blocks of one language. */
function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].flatMap(([, of, body = '']) =>
    of === language ? [body] : [],
  );
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^```[^]*?^```$/gm, '');
}

/** The anchor that a heading has, as forges make it. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll(/[`*]/g, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsIn(page: string): readonly string[] {
  return [...withoutBlocks(textOf(page)).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

describe('boot files in the documents', () => {
  const examples = PAGES.flatMap(examplesIn);

  test('there are some on the pages that an administrator copies from', () => {
    const pages = ['getting-started', 'edge-and-core', 'deployment', 'prosody', 'imp-node', 'cisco-imp'];
    for (const page of ['README.md', ...pages.map((name) => `docs/guide/${name}.md`)])
      expect(examples.map(({ name }) => name).join('\n')).toContain(page);
  });

  test.each(examples)('$name passes the check, without a warning', ({ yaml, load }) => {
    const surroundings = standIn('/etc/fedway', { ...FILES, 'boot.yaml': yaml });
    const result = load('/etc/fedway/boot.yaml', { surroundings });
    const problems =
      result.outcome === 'loaded' ? result.warnings : result.outcome === 'refused' ? result.problems : [];
    expect(problems.map(printProblem)).toEqual([]);
    expect(result.outcome).toBe('loaded');
  });
});

describe('links in the documents', () => {
  test.each(PAGES)('%s leads to files and headings that exist', (page) => {
    const links = [...withoutBlocks(textOf(page)).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target);
    const broken = links.filter((target) => {
      if (/^https?:\/\//.test(target)) return false;
      const [file = '', anchor] = target.split('#');
      const place = file === '' ? page : path.join(path.dirname(page), file);
      if (!existsSync(path.join(ROOT, place))) return true;
      return anchor !== undefined && !anchorsIn(place).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('every page can be found from the README', () => {
    const found = new Set<string>();
    const visit = (page: string): void => {
      if (found.has(page)) return;
      found.add(page);
      for (const [, target = ''] of withoutBlocks(textOf(page)).matchAll(/\]\(([^()\s#]+\.md)/g)) {
        if (!/^https?:\/\//.test(target)) visit(path.join(path.dirname(page), target));
      }
    };
    visit('README.md');
    expect(PAGES.filter((page) => !found.has(page))).toEqual([]);
  });

  test('file names in code marks of SECURITY.md exist', () => {
    const named = [...textOf('SECURITY.md').matchAll(/`(src\/[^`]+)`/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !existsSync(path.join(ROOT, name)))).toEqual([]);
  });
});

describe('reference pages', () => {
  test('docs/reference/log.md has every code with its module and level', () => {
    const rows = [...textOf('docs/reference/log.md').matchAll(/^\| `([a-z-]+)` \| `([a-z0-9.]+)` \| ([a-z ]+) \|/gm)];
    const written = rows.map(([, code = '', module = '', level = '']) => `${code} ${module} ${level}`).toSorted();
    const real = NOTE_NAMES.map((code) => {
      const { module, severity, severityOf } = ROWS[code];
      return `${code} ${module} ${severity}${severityOf === undefined ? '' : ' or less'}`;
    });
    expect(written).toEqual(real.toSorted());
  });

  test('docs/reference/log.md has every module', () => {
    const [, table = ''] = textOf('docs/reference/log.md').split('| module | about |\n');
    const written = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `([a-z0-9.]+)` \|/gm)].map(
      ([, name = '']) => name,
    );
    expect(written.toSorted()).toEqual(MODULES.toSorted());
  });

  test('docs/reference/dependencies.md has every package with its version', () => {
    const manifest = JSON.parse(textOf('package.json')) as Readonly<Record<string, Readonly<Record<string, string>>>>;
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    const real = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
    const rows = [...textOf('docs/reference/dependencies.md').matchAll(/^\| `([^`]+)` \| (\d\S*) \|/gm)];
    const written = rows.map(([, name = '', version = '']) => `${name} ${version}`).toSorted();
    expect(written).toEqual(real.map(([name, version]) => `${name} ${version}`).toSorted());
  });
});
