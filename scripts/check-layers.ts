/**
 * Checks that imports point down: `src/protocol` (0) ← `net`, `home`, `diagnostics`, `steering`, `link`, `clusterdb`, `axl` (1) ← `federation` (2) ←
 * `config`, `box`, `imp` (3) ← `admin` (4) ← `cli` (5) ← `main` (6). Folders of layer 1 do not import each other. Allowances are listed with their reason; one that is no longer used fails
 * as well. The protocol layer must not touch clock, timers, randomness or the platform.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const LAYERS: Readonly<Record<string, number>> = {
  protocol: 0,
  net: 1,
  home: 1,
  diagnostics: 1,
  steering: 1,
  link: 1,
  clusterdb: 1,
  axl: 1,
  federation: 2,
  config: 3,
  box: 3,
  imp: 3,
  admin: 4,
  cli: 5,
  'main.ts': 6,
};

/** `from -> to`, and why. */
const ALLOWED: Readonly<Record<string, string>> = {
  'home -> net': 'a component is a stream over a socket, as S2S is: both are driven by the same driver',
  'link -> net': 'the Link is a stream over TLS, driven by the same driver, with certificates made by the same code',
  'imp -> config': 'a node is built from its boot file, which is described in the same words as that of a box',
  'box -> config': 'a box is built from its boot file and the live settings',
};

/** What the pure layer may import from packages. */
const PURE_PACKAGES: Readonly<Record<string, string>> = { tr46: 'a pure function with the IDNA tables of Unicode' };
const IMPURE =
  /\b(?:Date\.now|new Date\(\)|performance\.|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|process\.|globalThis|Buffer\b|fetch\()/;

const root = resolve(import.meta.dirname, '..', 'src');
const problems: string[] = [];
const used = new Set<string>();

for (const file of sources(root)) {
  const place = relative(root, file);
  const text = readFileSync(file, 'utf8');
  const from = place.split('/')[0] ?? '';
  const layer = LAYERS[from];
  if (layer === undefined) {
    problems.push(`${place}: src/${from} has no layer; add it to scripts/check-layers.ts`);
    continue;
  }
  for (const specifier of imports(text)) checkImport(place, from, layer, file, specifier);
  if (from === 'protocol' && !place.endsWith('.test.ts')) checkPurity(place, text);
}
for (const allowance of Object.keys(ALLOWED)) {
  if (!used.has(allowance))
    problems.push(`the allowance "${allowance}" is not used any more: remove it from scripts/check-layers.ts`);
}

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'Layers: all imports point down.' : `Layers: ${problems.length} problem(s).`);
process.exitCode = problems.length === 0 ? 0 : 1;

function checkImport(place: string, from: string, layer: number, file: string, specifier: string): void {
  if (!specifier.startsWith('.')) {
    if (from !== 'protocol' || place.endsWith('.test.ts') || specifier in PURE_PACKAGES) return;
    problems.push(`${place}: the protocol layer is pure and may not import "${specifier}"`);
    return;
  }
  const target = relative(root, resolve(dirname(file), specifier));
  const to = target.split('/')[0] ?? '';
  if (to === '..' || place.endsWith('.test.ts') || to === from) return;
  const targetLayer = LAYERS[to];
  const allowance = `${from} -> ${to}`;
  if (targetLayer !== undefined && targetLayer < layer) return;
  if (allowance in ALLOWED) used.add(allowance);
  else
    problems.push(
      `${place}: src/${from} (layer ${layer}) may not import src/${to} (layer ${targetLayer ?? '?'}): imports point down`,
    );
}

function checkPurity(place: string, text: string): void {
  for (const [index, line] of text.split('\n').entries()) {
    const code = line.replace(/\/\/.*$|^\s*\*.*$|^\s*\/\*.*$/, '');
    const found = IMPURE.exec(code);
    if (found !== null) problems.push(`${place}:${index + 1}: the protocol layer is pure and may not use ${found[0]}`);
  }
}

function imports(text: string): string[] {
  return [
    ...text.matchAll(
      /^\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]/gm,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts')) yield path;
  }
}
