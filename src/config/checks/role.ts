import { type BootFile, bootSchema } from '../boot-schema.ts';
import { ROLE_RULES, refusalOf, type Setup } from '../roles.ts';
import type { Kind } from '../schema/kind.ts';
import { keyUnder, type Reading } from '../schema/place.ts';
import { camelCase } from '../schema/section.ts';
import type { Draft } from './draft.ts';

/**
 * Whether the box has every key that its role needs, and none that is not for it. The answer is the configuration without what was
 * refused here: the other checks have nothing to say of it.
 */
export function checkRole(boot: Draft<BootFile>, reading: Reading): Draft<BootFile> {
  const setup = setupOf(boot, reading);
  if (setup === undefined) return boot;
  // The same sections and lists, with `undefined` in place of what was refused: that is what a draft is.
  return new RoleCheck(setup, reading).part(bootSchema, boot, '', '') as Draft<BootFile>;
}

function setupOf({ role }: Draft<BootFile>, reading: Reading): Setup | undefined {
  if (role !== 'single') return role;
  return reading.isWritten('data') ? 'single with data' : 'single';
}

class RoleCheck {
  readonly #setup: Setup;
  readonly #reading: Reading;

  constructor(setup: Setup, reading: Reading) {
    this.#setup = setup;
    this.#reading = reading;
  }

  /** `path` is as the rules have it, `key` as the file has it: `homes[]` and `homes[0]`. */
  part(kind: Kind<unknown>, value: unknown, path: string, key: string): unknown {
    const { inside } = kind;
    if (inside.form === 'list' && Array.isArray(value)) {
      return value.map((item, index) => this.part(inside.item, item, `${path}[]`, `${key}[${index}]`));
    }
    if (inside.form !== 'section' || typeof value !== 'object' || value === null) return value;
    const parts = Object.keys(inside.keys).map((name) => {
      const property = camelCase(name);
      const part: unknown = Reflect.get(value, property);
      return [property, this.#key(inside.keys[name]?.kind, part, keyUnder(path, name), key, name)];
    });
    return Object.freeze(Object.fromEntries(parts));
  }

  #key(kind: Kind<unknown> | undefined, value: unknown, path: string, section: string, name: string): unknown {
    const key = keyUnder(section, name);
    if (!this.#reading.isWritten(key)) {
      this.#missing(path, key, section, name);
      return value;
    }
    const refusal = refusalOf(path, this.#setup);
    if (refusal === undefined) return kind === undefined ? value : this.part(kind, value, path, key);
    this.#reading.forget(key);
    this.#reading.error(key, refusal.reason, refusal.cure(value));
    return undefined;
  }

  #missing(path: string, key: string, section: string, name: string): void {
    const needed = ROLE_RULES[path]?.needed;
    if (needed === undefined || !needed.by.includes(this.#setup) || !this.#reading.isMissing(key)) return;
    const cure =
      needed.example === '' ? 'Add the section; fedway.example.yaml shows it.' : `Write "${name}: ${needed.example}".`;
    this.#reading.tell('error', this.#reading.positionOf(section), key, 'is missing', cure);
  }
}
