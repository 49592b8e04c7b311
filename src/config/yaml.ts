import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { type Position, quote, quoteName } from './problem.ts';

/**
 * A value of the boot file and where it stands. Aliases are resolved, and every key is a text that occurs once in its map.
 * A value that was refused here already is `undefined` in its list or map, so that nobody takes it for missing.
 */
export type ConfigNode =
  | { readonly kind: 'map'; readonly position: Position; readonly entries: readonly ConfigEntry[] }
  | { readonly kind: 'list'; readonly position: Position; readonly items: readonly (ConfigNode | undefined)[] }
  | { readonly kind: 'scalar'; readonly position: Position; readonly value: string | number | boolean | null };

interface ConfigEntry {
  readonly name: string;
  /** Of the name. */
  readonly position: Position;
  readonly value: ConfigNode | undefined;
}

/** Why a text is not YAML as the boot file needs it. */
interface YamlFault {
  readonly position: Position;
  readonly key: string;
  readonly reason: string;
  readonly cure: string;
}

/** `root` is `undefined` when the text could not be read as one document. With faults it is what is left without the faulty parts. */
export interface YamlReading {
  readonly root: ConfigNode | undefined;
  readonly faults: readonly YamlFault[];
}

/** Bounds, far above any real boot file: aliases multiply, and depth is recursion. */
const MAX_NODES = 200_000;
const MAX_DEPTH = 32;
/** A broken text makes cascades of follow-up errors; the first ones tell. */
const MAX_SYNTAX_FAULTS = 5;

const START: Position = { line: 1, column: 1 };

/** Reads YAML 1.2 (core schema) into nodes. Never throws, whatever the text is. */
export function readYaml(text: string): YamlReading {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    // Found below, where both places are known.
    uniqueKeys: false,
    logLevel: 'error',
    version: '1.2',
    merge: false,
    resolveKnownTags: false,
  });
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    const exhausted = document.errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
    const told = exhausted === undefined ? document.errors : [exhausted];
    return {
      root: undefined,
      faults: told.slice(0, MAX_SYNTAX_FAULTS).map(({ code, message, pos }) => ({
        position: positionOf(pos[0]),
        key: '',
        ...syntaxFault(code, message),
      })),
    };
  }
  if (document.directives.yaml.version !== '1.2') {
    const cure = 'Remove the %YAML line; the boot file is YAML 1.2.';
    return {
      root: undefined,
      faults: [{ position: START, key: '', reason: 'the file declares another version of YAML', cure }],
    };
  }
  const conversion = new Conversion(positionOf);
  const root = document.contents === null ? undefined : conversion.node(document.contents, '', 0);
  return { root, faults: conversion.faults };
}

/** From the library's nodes to ours. Aliases are followed while walking: an anchor always stands before its aliases. */
class Conversion {
  readonly faults: YamlFault[] = [];
  readonly #positionOf: (offset: number) => Position;
  readonly #anchors = new Map<string, ParsedNode>();
  /** Collections being walked, from the top: an alias to one of them has no end. */
  readonly #open = new Set<ParsedNode>();
  #nodes = 0;

  constructor(positionOf: (offset: number) => Position) {
    this.#positionOf = positionOf;
  }

  /** `undefined`: refused, and said why. */
  node(node: ParsedNode, key: string, depth: number): ConfigNode | undefined {
    const position = this.#place(node);
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) {
      const cure = 'Write fewer entries, or fewer aliases (*) of large parts.';
      if (this.#nodes === MAX_NODES + 1)
        this.#fault(position, key, `the file holds more than ${MAX_NODES} values`, cure);
      return undefined;
    }
    if (depth > MAX_DEPTH) {
      return this.#fault(position, key, 'is nested too deeply', 'No key of fedway is that deep.');
    }
    if (isAlias(node)) return this.#follow(node.source, position, key, depth);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (node.tag !== undefined && !CORE_TAGS.has(node.tag)) {
      // Neither tags nor aliases are repeated: they may be an unquoted secret.
      const cure = 'The boot file has no use for tags; a value that starts with ! must stand in quotes.';
      return this.#fault(position, key, 'a tag (!) that is unknown', cure);
    }
    if (isScalar(node)) return this.#scalar(node.value, position, key);
    this.#open.add(node);
    const converted = isMap(node) ? this.#map(node, position, key, depth) : this.#list(node, position, key, depth);
    this.#open.delete(node);
    return converted;
  }

  #follow(name: string, position: Position, key: string, depth: number): ConfigNode | undefined {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      const cure = 'A value that starts with * must stand in quotes.';
      return this.#fault(position, key, 'an alias (*) without an anchor (&) of its name before it', cure);
    }
    if (this.#open.has(target)) {
      return this.#fault(position, key, 'an alias (*) inside of what it repeats', 'Write the value out.');
    }
    return this.node(target, key, depth);
  }

  #scalar(value: unknown, position: Position, key: string): ConfigNode | undefined {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null) {
      return { kind: 'scalar', position, value };
    }
    return this.#fault(position, key, 'this kind of value is unknown', 'Write a text, a number, true or false.');
  }

  #list(node: ParsedNode, position: Position, key: string, depth: number): ConfigNode {
    const parsed = isSeq<ParsedNode>(node) ? node.items : [];
    const items = parsed.map((item, index) => this.node(item, `${key}[${index}]`, depth + 1));
    return { kind: 'list', position, items };
  }

  #map(node: ParsedNode, position: Position, key: string, depth: number): ConfigNode {
    const entries: ConfigEntry[] = [];
    const seen = new Map<string, Position>();
    for (const pair of isMap<ParsedNode, ParsedNode | null>(node) ? node.items : []) {
      const named = this.#place(pair.key);
      const name = isScalar(pair.key) ? pair.key.value : undefined;
      if (typeof name !== 'string' && typeof name !== 'number' && typeof name !== 'boolean') {
        this.#fault(named, key, 'a key is not a plain name', 'Quote it when it holds special characters, such as "*".');
        continue;
      }
      const inner = key === '' ? quoteName(String(name)) : `${key}.${quoteName(String(name))}`;
      const first = seen.get(String(name));
      if (first !== undefined) {
        const cure = 'Keep one of them, or join what stands below them.';
        this.#fault(named, inner, `is written twice, first in line ${first.line}`, cure);
        continue;
      }
      seen.set(String(name), named);
      if (isScalar(pair.key) && pair.key.anchor !== undefined) this.#anchors.set(pair.key.anchor, pair.key);
      const value: ConfigNode | undefined =
        pair.value === null
          ? { kind: 'scalar', position: named, value: null }
          : this.node(pair.value, inner, depth + 1);
      entries.push({ name: String(name), position: named, value });
    }
    return { kind: 'map', position, entries };
  }

  #place(node: ParsedNode): Position {
    return this.#positionOf(node.range[0]);
  }

  #fault(position: Position, key: string, reason: string, cure: string): undefined {
    this.faults.push({ position, key, reason, cure });
    return undefined;
  }
}

/** Tags that only say what a plain value is anyway. */
const CORE_TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

/** The library's message where it is good enough, and what to do about it. */
function syntaxFault(code: string, message: string): { reason: string; cure: string } {
  switch (code) {
    case 'TAB_AS_INDENT':
      return { reason: 'a tab is used as indentation', cure: 'YAML is indented with spaces only.' };
    case 'RESOURCE_EXHAUSTION':
      return { reason: 'the file is nested too deeply', cure: 'No key of fedway is that deep.' };
    case 'MULTIPLE_DOCS':
      return { reason: 'a second document starts here', cure: 'Remove the line "---": the boot file is one document.' };
    case 'BLOCK_AS_IMPLICIT_KEY':
      return {
        reason: 'a key and a value where a value was expected',
        cure: 'Look at the indentation of the next lines; a value that holds ": " must stand in quotes.',
      };
    case 'MULTILINE_IMPLICIT_KEY':
    case 'MISSING_CHAR':
      return {
        reason: `this is not YAML (${tidy(message)})`,
        cure: 'A key ends with ": "; a quote or bracket that is opened must be closed.',
      };
    case 'UNEXPECTED_TOKEN':
      return {
        reason: `this is not YAML (${tidy(message)})`,
        cure: 'Quote values that hold brackets, braces or colons, such as "[::]:5269".',
      };
    case 'BAD_SCALAR_START':
    case 'BAD_DQ_ESCAPE':
      return {
        reason: `this is not YAML (${tidy(message)})`,
        cure: "Put the value in 'single quotes', where every character stands for itself.",
      };
    case 'BAD_INDENT':
      return {
        reason: `this is not YAML (${tidy(message)})`,
        cure: 'Indent what belongs below a key by two more spaces, and close every bracket.',
      };
    default:
      return { reason: `this is not YAML (${tidy(message)})`, cure: 'The mistake may stand a few lines above.' };
  }
}

function tidy(message: string): string {
  const firstLine = message.split('\n')[0] ?? '';
  return quote(firstLine.replace(/[:.]$/, ''), 200).slice(1, -1).replaceAll('\\"', '"');
}
