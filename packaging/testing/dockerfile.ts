import { globSync, statSync } from 'node:fs';
import path from 'node:path';

/** One instruction. Flags are the `--name=value` in front of its arguments. */
export interface Instruction {
  readonly name: string;
  readonly flags: Readonly<Record<string, string>>;
  /** The rest, as it is written. */
  readonly text: string;
  /** The rest, when it is in the exec form (a JSON list). */
  readonly list: readonly string[] | undefined;
}

/** The instructions from one FROM to the next. */
export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

const KNOWN = new Set(
  'FROM RUN COPY USER WORKDIR EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD ENV ARG LABEL VOLUME'.split(' '),
);

/** Reads the Dockerfiles of this project: one instruction a line. Throws on what it does not know. */
export function readDockerfile(text: string): readonly Stage[] {
  const stages: { image: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const instruction = readInstruction(line);
    if (instruction.name === 'FROM') {
      const [image = '', , name] = instruction.text.split(/\s+/);
      stages.push({ image, name, instructions: [] });
    } else {
      const stage = stages.at(-1);
      if (stage === undefined) throw new Error(`before the first FROM: ${line}`);
      stage.instructions.push(instruction);
    }
  }
  return stages;
}

function readInstruction(line: string): Instruction {
  const match = /^([A-Z]+)((?: --[a-z-]+=\S+)*) (.+)$/.exec(line);
  const [, name = '', flagText = '', rest = ''] = match ?? [];
  if (!KNOWN.has(name)) throw new Error(`not understood: ${line}`);
  const flags = Object.fromEntries(
    flagText
      .split(' ')
      .filter((flag) => flag !== '')
      .map((flag) => [flag.slice(2, flag.indexOf('=')), flag.slice(flag.indexOf('=') + 1)]),
  );
  // HEALTHCHECK has its command behind CMD.
  const text = name === 'HEALTHCHECK' ? rest.replace(/^CMD /, '') : rest;
  return { name, flags, text, list: text.startsWith('[') ? (JSON.parse(text) as string[]) : undefined };
}

/**
 * The files of a build context, by the rules of a .dockerignore: the last pattern that matches wins, `!` takes a file in again. Patterns name
 * folders with all that is in them.
 */
export function contextFiles(root: string, ignore: string): readonly string[] {
  const rules = ignore
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ ignored: !line.startsWith('!'), pattern: line.replace(/^!/, '') }));
  const files = globSync('**', { cwd: root, exclude: (name) => /^(?:node_modules|\.git)(?:\/|$)/.test(name) });
  return files.filter((file) => {
    if (!statSync(path.join(root, file)).isFile()) return false;
    const last = rules.findLast(
      ({ pattern }) => path.matchesGlob(file, pattern) || path.matchesGlob(file, `${pattern}/**`),
    );
    return last?.ignored !== true;
  });
}
