import { join, resolve } from 'node:path';
import { quotePath } from '../problem.ts';
import { Secret } from '../secret.ts';
import { type Kind, mapped, named, optional } from './kind.ts';
import type { Place } from './place.ts';
import { word } from './scalar-kinds.ts';
import { oneKeyOf } from './section.ts';

const PATH = word('file', 'a path', /^[^\0]+$/);

/** A path, made absolute. What is there is not looked at. */
export const path: Kind<string> = named(
  'path',
  mapped(PATH, (written, place) => resolve(place.reading.context.directory, written)),
);

/** A folder that exists or can be made, as an absolute path. */
export const folder: Kind<string> = named(
  'folder',
  mapped(path, (absolute, place) =>
    place.reading.context.surroundings.look(absolute).usable
      ? place.refuse(
          `${quotePath(absolute)} is a file, not a folder`,
          'Name a folder; it is made when it does not exist.',
        )
      : absolute,
  ),
);

/** A file that can be read, as an absolute path. A private one should be closed to others. What is inside is not looked at. */
export function file(openness: 'public' | 'private'): Kind<string> {
  return mapped(PATH, (written, place) => {
    const path = resolve(place.reading.context.directory, written);
    const facts = place.reading.context.surroundings.look(path);
    if (!facts.usable) {
      return refuseFile(written, path, facts.why, place);
    }
    if (openness === 'private') warnIfOpen(path, written, facts.mode, facts.ownedByRoot, place);
    return path;
  });
}

function refuseFile(written: string, path: string, why: string, place: Place): undefined {
  const where = written === path ? '' : ` (${quotePath(path).slice(1, -1)})`;
  const start = written === path ? '' : 'Relative paths start at the folder of the boot file. ';
  return place.refuse(
    `${quotePath(written)} cannot be read: ${why}${where}`,
    `${start}The user that runs fedway must be able to read the file.`,
  );
}

/** A group may read what root owns: that is how packages give a service its key without owning it. */
function warnIfOpen(path: string, written: string, mode: number, ownedByRoot: boolean, place: Place): void {
  const open = (mode & 0o004) !== 0 ? 'everybody' : (mode & 0o040) !== 0 && !ownedByRoot ? 'its group' : undefined;
  if (open === undefined) return;
  const octal = mode.toString(8).padStart(4, '0');
  place.warn(
    `${quotePath(written)} can be read by ${open} (mode ${octal})`,
    `Close it: chmod ${ownedByRoot ? 'o-rwx' : '600'} ${path}`,
  );
}

/** Secrets are keys and passwords, not documents. */
const LONGEST_SECRET = 4096;

const SOURCES = oneKeyOf({
  file: optional(PATH, 'A file that holds nothing but the secret; one line break at its end does not count.'),
  env: optional(word('name', 'the name of an environment variable', /^[A-Za-z_]\w*$/), 'An environment variable.'),
  credential: optional(
    word('name', "the name of a credential of the service's unit", /^(?!\.{1,2}$)[\w.@-]+$/),
    "A credential that systemd's LoadCredential hands to the service.",
  ),
});

/** A secret from where the boot file points. `advised`: how many characters it should have. */
export function secret(advised = 0): Kind<Secret> {
  const kind = mapped(SOURCES, (source, place): Secret | undefined => {
    const found = source.value === undefined ? undefined : resolveSecret(source.via, source.value, place);
    if (found === undefined) return undefined;
    const { text } = found;
    if (text === undefined) return new Secret('');
    const fault = secretFault(text);
    if (fault !== undefined) return place.refuse(`the secret ${fault}`, 'It is one line of text, at most 4096 bytes.');
    if (text.length < advised) {
      place.warn(
        `the secret has ${text.length} characters, fewer than ${advised}`,
        'Who guesses it can speak for every domain of ours. Make one with: openssl rand -hex 32',
      );
    }
    return new Secret(text);
  });
  return {
    ...kind,
    words: 'secret',
    read(node, place) {
      if (node.kind === 'scalar' && node.value !== null) {
        return place.refuse(
          'a secret is written here itself',
          'The boot file is read, copied and mailed by many: put the secret into a file of its own and write { file: path }, or { env: NAME }, or { credential: name }.',
        );
      }
      return kind.read(node, place);
    },
  };
}

function secretFault(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (/[\r\n]/.test(text)) return 'has more than one line';
  if (/[\p{Cc}\uFFFD]/u.test(text)) return 'is not text (it holds control characters, or is not UTF-8)';
  return undefined;
}

/** A secret as it was found, not yet checked; without a text when only the service itself could find it. */
type Found = { readonly text: string | undefined };

function resolveSecret(via: 'file' | 'env' | 'credential', name: string, place: Place): Found | undefined {
  const { directory, surroundings, rehearsal } = place.reading.context;
  if (via === 'file') return readSecret(resolve(directory, name), name, place);
  if (via === 'env') {
    const value = surroundings.env(name);
    if (value !== undefined) return { text: value };
    const reason = `the environment variable ${name} is not set`;
    if (!rehearsal)
      return place.refuse(
        reason,
        'Set it for the service, for example in the file that EnvironmentFile= of its unit names.',
      );
    place.warn(`${reason} here`, 'It must be set for the service.');
    return { text: undefined };
  }
  const folder = surroundings.env('CREDENTIALS_DIRECTORY');
  if (folder !== undefined && folder !== '') return readSecret(join(folder, name), name, place);
  if (!rehearsal) {
    const cure = `Start fedway as a unit of systemd with LoadCredential=${name}:/path, or write { file: path }.`;
    return place.refuse('there is no credentials directory', cure);
  }
  place.warn(
    'a credential cannot be looked at from here',
    `Only the service has it; its unit needs LoadCredential=${name}:/path.`,
  );
  return { text: undefined };
}

function readSecret(path: string, written: string, place: Place): Found | undefined {
  const { surroundings } = place.reading.context;
  const bytes = surroundings.read(path, LONGEST_SECRET);
  if (!(bytes instanceof Uint8Array)) {
    return refuseFile(written, path, bytes.why, place);
  }
  const facts = surroundings.look(path);
  if (facts.usable) warnIfOpen(path, written, facts.mode, facts.ownedByRoot, place);
  return { text: new TextDecoder().decode(bytes).replace(/\r?\n$/, '') };
}
