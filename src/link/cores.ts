import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { BoxIdentity } from './identity.ts';
import { isBoxId, isBoxName, NAME_RULE } from './identity.ts';
import { readIfThere, replaceFile, storageFault } from './storage.ts';
import { arrayIn, isHash, isTime, numberIn, objectIn, parseVersion1, textIn, textsIn } from './stored.ts';

const WHAT = 'the pairings of the Link';
/** Of invitations that can still be used; one that is forgotten ends by itself. */
const OPEN_INVITATIONS = 32;
/** Invitations that are used or too old are kept so that the log can say what was wrong with a token. */
const SPENT_INVITATIONS = 100;
const LONGEST_VALIDITY_MS = 30 * 86_400_000;
/** The key in use, and one that was signed and may be in use next. */
const KEYS = 2;

/** A Core that may connect. */
export interface PairedCore extends BoxIdentity {
  /** Homes that it may announce; none: all. */
  readonly domains: readonly string[];
  /** Unix milliseconds. */
  readonly since: number;
  /** Its public keys, the newest last. */
  readonly keys: readonly CoreKey[];
}

interface CoreKey {
  /** Hex of SHA-256 over the SubjectPublicKeyInfo. */
  readonly hash: string;
  /** Unix milliseconds: the end of its certificate. */
  readonly until: number;
}

interface StoredInvitation {
  readonly name: string;
  readonly domains: readonly string[];
  /** Hex of SHA-256 over the secret, which nobody can be asked for any more. */
  readonly hash: string;
  readonly expires: number;
  readonly used: boolean;
  /** It was seen to have ended, or was withdrawn: a clock that is set back does not bring it to life again. */
  readonly over: boolean;
}

interface State {
  readonly invitations: readonly StoredInvitation[];
  readonly cores: readonly PairedCore[];
}

/** What a secret came to. `because` is for the log of the Edge alone; the Core hears only that it is refused. */
export type Admission =
  | { readonly invitation: { readonly name: string; readonly domains: readonly string[] } }
  | { readonly because: string };

/** The Cores of an Edge and its invitations, in one file. Every change is on disk when the method returns; a method that throws changed nothing. */
export class Cores {
  private readonly file: string;
  private state: State;

  private constructor(file: string, state: State) {
    this.file = file;
    this.state = state;
  }

  /** Reads the file, or begins with none. A problem is a sentence with file and cure. */
  static open(file: string): Cores | { readonly problem: string } {
    try {
      const text = readIfThere(file);
      if (text === undefined) return new Cores(file, { invitations: [], cores: [] });
      const state = readState(text);
      if (state !== undefined) return new Cores(file, state);
    } catch (error) {
      return { problem: storageFault(WHAT, file, error) };
    }
    return {
      problem: `${WHAT} ${file}: the file is damaged or of a newer fedway; restore it from a backup, or remove it and invite every Core again`,
    };
  }

  get all(): readonly PairedCore[] {
    return this.state.cores;
  }

  /** The Core with this key, if the key still counts. */
  byKey(id: string, hash: string): PairedCore | undefined {
    return this.state.cores.find((core) => core.id === id && core.keys.some((key) => key.hash === hash));
  }

  byId(id: string): PairedCore | undefined {
    return this.state.cores.find((core) => core.id === id);
  }

  byName(name: string): PairedCore | undefined {
    return this.state.cores.find((core) => core.name === name);
  }

  /** Makes an invitation; the secret is in the answer and nowhere else. */
  invite(
    { name, domains, validForMs }: { name: string; domains: readonly string[]; validForMs: number },
    now: number,
  ): { readonly secret: string; readonly expires: number } | { readonly refused: string } {
    if (!isBoxName(name)) return { refused: `The name of the Core is not one: ${NAME_RULE}.` };
    if (!(validForMs > 0 && validForMs <= LONGEST_VALIDITY_MS))
      return { refused: 'An invitation is valid for a time between a moment and 30 days.' };
    const open = this.state.invitations.filter((each) => isOpen(each, now));
    const others = open.filter((each) => each.name !== name);
    if (others.length >= OPEN_INVITATIONS)
      return {
        refused: `There are ${OPEN_INVITATIONS} open invitations already: use one, or wait until one has ended.`,
      };
    const secret = randomBytes(32).toString('base64url');
    const expires = now + validForMs;
    const made: StoredInvitation = { name, domains, hash: hashOf(secret), expires, used: false, over: false };
    // A new invitation for a name takes the place of an open one: the former token may have gone to the wrong place.
    const withdrawn = open.filter((each) => each.name === name).map((each) => ({ ...each, expires: now, over: true }));
    this.put({ ...this.state, invitations: trimmed([...this.spent(now), ...withdrawn, ...others, made], now) });
    return { secret, expires };
  }

  /** Looks for the invitation a secret belongs to, in a time that does not depend on the secret. */
  admits(secret: string, core: BoxIdentity, now: number): Admission {
    const invitation = this.find(secret);
    if (invitation === undefined)
      return { because: 'the token is not one of this Edge, or it was withdrawn a long time ago' };
    const { name, domains, used, expires, over } = invitation;
    if (used) return { because: `the token for ${name} was used already; a token is good once` };
    if (over || now >= expires) {
      if (!over) this.end(invitation);
      return {
        because: `the token for ${name} was valid until ${new Date(expires).toISOString()}, and the clock here says ${new Date(now).toISOString()}`,
      };
    }
    const namesake = this.byName(name);
    if (namesake !== undefined && namesake.id !== core.id)
      return { because: `another box is paired as ${name}; revoke it first (fedway link revoke ${name})` };
    const itself = this.state.cores.find(({ id }) => id === core.id);
    if (itself !== undefined && itself.name !== name)
      return {
        because: `the box is paired as ${itself.name} already; invite it under that name, or revoke it first (fedway link revoke ${itself.name})`,
      };
    return { invitation: { name, domains } };
  }

  /**
   * Uses the invitation up and pairs the Core; its former pairing, and the keys of it, are gone.
   *
   * @param certificate of the new key
   * @returns why not, when something has changed since it was looked for
   */
  admit(
    secret: string,
    core: BoxIdentity,
    certificate: CoreKey,
    now: number,
  ): PairedCore | { readonly because: string } {
    const admission = this.admits(secret, core, now);
    if ('because' in admission) return admission;
    const invitation = this.find(secret);
    const { name, domains } = admission.invitation;
    const paired: PairedCore = { id: core.id, name, domains, since: now, keys: [certificate] };
    this.put({
      invitations: this.state.invitations.map((each) => (each === invitation ? { ...each, used: true } : each)),
      cores: [...this.state.cores.filter(({ id }) => id !== core.id), paired],
    });
    return paired;
  }

  /** A further key of a Core; it counts from now on, and those in use go on counting until it is seen. */
  addKey(id: string, current: string, key: CoreKey): void {
    this.change(id, (core) => ({
      ...core,
      keys: [...core.keys.filter(({ hash }) => hash === current), key].slice(-KEYS),
    }));
  }

  /** The Core has shown this key: those before it count no more. */
  used(id: string, hash: string): void {
    const core = this.state.cores.find((each) => each.id === id);
    const at = core?.keys.findIndex((key) => key.hash === hash) ?? -1;
    if (at > 0) this.change(id, (each) => ({ ...each, keys: each.keys.slice(at) }));
  }

  /** `false`: there is none. */
  remove(id: string): boolean {
    const cores = this.state.cores.filter((core) => core.id !== id);
    if (cores.length === this.state.cores.length) return false;
    this.put({ ...this.state, cores });
    return true;
  }

  private change(id: string, how: (core: PairedCore) => PairedCore): void {
    this.put({ ...this.state, cores: this.state.cores.map((core) => (core.id === id ? how(core) : core)) });
  }

  private spent(now: number): readonly StoredInvitation[] {
    return this.state.invitations.filter((each) => !isOpen(each, now)).map((each) => ({ ...each, over: true }));
  }

  /** Kept in memory, and written with the next change: somebody with an old token is no reason to write. */
  private end(invitation: StoredInvitation): void {
    const invitations = this.state.invitations.map((each) => (each === invitation ? { ...each, over: true } : each));
    this.state = { ...this.state, invitations };
  }

  private find(secret: string): StoredInvitation | undefined {
    const hash = Buffer.from(hashOf(secret), 'hex');
    let found: StoredInvitation | undefined;
    // All are compared, whichever it is.
    for (const each of this.state.invitations) if (timingSafeEqual(Buffer.from(each.hash, 'hex'), hash)) found = each;
    return found;
  }

  private put(state: State): void {
    replaceFile(this.file, `${JSON.stringify({ version: 1, ...state }, undefined, 2)}\n`);
    this.state = state;
  }
}

function isOpen({ used, expires, over }: StoredInvitation, now: number): boolean {
  return !used && !over && now < expires;
}

function trimmed(invitations: readonly StoredInvitation[], now: number): readonly StoredInvitation[] {
  const spent = invitations.filter((each) => !isOpen(each, now));
  const forgotten = new Set(spent.slice(0, Math.max(0, spent.length - SPENT_INVITATIONS)));
  return invitations.filter((each) => !forgotten.has(each));
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function readState(text: string): State | undefined {
  const file = parseVersion1(text);
  const invitations = arrayIn(file, 'invitations')?.map(readInvitation);
  const cores = arrayIn(file, 'cores')?.map(readCore);
  if (invitations?.every((each) => each !== undefined) !== true) return undefined;
  return cores?.every((each) => each !== undefined) === true ? { invitations, cores } : undefined;
}

function readInvitation(value: unknown): StoredInvitation | undefined {
  const from = objectIn(value);
  const name = textIn(from, 'name', isBoxName);
  const domains = textsIn(from, 'domains');
  const hash = textIn(from, 'hash', isHash);
  const expires = numberIn(from, 'expires', isTime);
  const used = from?.['used'];
  const over = from?.['over'] === true;
  if (name === undefined || domains === undefined || hash === undefined || expires === undefined) return undefined;
  return typeof used === 'boolean' ? { name, domains, hash, expires, used, over } : undefined;
}

function readCore(value: unknown): PairedCore | undefined {
  const from = objectIn(value);
  const id = textIn(from, 'id', isBoxId);
  const name = textIn(from, 'name', isBoxName);
  const domains = textsIn(from, 'domains');
  const since = numberIn(from, 'since', isTime);
  const keys = arrayIn(from, 'keys')?.map(readKey);
  if (id === undefined || name === undefined || domains === undefined || since === undefined) return undefined;
  return keys?.every((each) => each !== undefined) === true ? { id, name, domains, since, keys } : undefined;
}

function readKey(value: unknown): CoreKey | undefined {
  const from = objectIn(value);
  const hash = textIn(from, 'hash', isHash);
  const until = numberIn(from, 'until', isTime);
  return hash === undefined || until === undefined ? undefined : { hash, until };
}
