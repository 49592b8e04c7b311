import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { faultSentence, isSystemFault } from './fault.ts';
import { syncFolderOf } from './folder.ts';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
/** NIST SP 800-38D §5.2.1.1: the length that GCM is made for; §8.2.2: random ones are good for 2^32 uses of a key. */
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Seals secrets for one database with the key in a file of its own. */
export class Seal {
  readonly #path: string;
  #key: Buffer | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads the key. A sentence when it cannot be had: it is missing, open to others, or none. */
  #unlock(): { readonly refused: string } | undefined {
    if (this.#key !== undefined) return undefined;
    const key = this.#read();
    if (key === undefined) return { refused: this.#cure('is missing') };
    if (!Buffer.isBuffer(key)) return key;
    this.#key = key;
    return undefined;
  }

  /** Reads the key, or makes one where there is none: for the first secret. Only who may write to the database calls this. */
  unlockOrMake(): { readonly refused: string } | undefined {
    if (this.#key !== undefined) return undefined;
    if (this.#read() === undefined) {
      try {
        this.#make();
      } catch (error) {
        return { refused: faultSentence(error, this.#path) };
      }
    }
    return this.#unlock();
  }

  /** Only after `unlockOrMake`. `place` says what the value belongs to: it does not open anywhere else. */
  seal(plaintext: string, place: SealedPlace): Uint8Array {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#unlocked(), iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(placeBytes(place));
    return Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** What was sealed there, or a sentence: the key is another one, or the value was changed or comes from elsewhere. */
  open(sealed: Uint8Array, place: SealedPlace): { readonly plaintext: string } | { readonly refused: string } {
    const locked = this.#unlock();
    if (locked !== undefined) return locked;
    if (sealed.length < IV_BYTES + TAG_BYTES) return { refused: this.#cure('does not open', place.key) };
    const iv = sealed.subarray(0, IV_BYTES);
    const decipher = createDecipheriv(ALGORITHM, this.#unlocked(), iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(placeBytes(place));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const start = decipher.update(sealed.subarray(IV_BYTES, sealed.length - TAG_BYTES));
    try {
      return { plaintext: Buffer.concat([start, decipher.final()]).toString('utf8') };
    } catch {
      // `final` throws for nothing but a tag that does not match (NIST SP 800-38D §7.2: the answer is FAIL, and no more is told).
      return { refused: this.#cure('does not open', place.key) };
    }
  }

  #read(): Buffer | undefined | { readonly refused: string } {
    let text: string;
    try {
      if ((statSync(this.#path).mode & 0o077) !== 0) {
        return { refused: `${this.#path} is open to other users of this machine. Close it: chmod 0600 ${this.#path}.` };
      }
      text = readFileSync(this.#path, 'latin1').trim();
    } catch (error) {
      return isSystemFault(error, 'ENOENT') ? undefined : { refused: faultSentence(error, this.#path) };
    }
    if (!/^[0-9a-f]{64}$/.test(text)) return { refused: this.#cure(`is no key (${2 * KEY_BYTES} hexadecimal digits)`) };
    return Buffer.from(text, 'hex');
  }

  /** On disk before the first secret is: a sealed value without its key is lost. Renamed when complete: a half key is none. */
  #make(): void {
    const fresh = `${this.#path}.new`;
    // What a crash left there may have another mode, or be open elsewhere.
    rmSync(fresh, { force: true });
    const file = openSync(fresh, 'wx', 0o600);
    try {
      writeSync(file, `${randomBytes(KEY_BYTES).toString('hex')}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, this.#path);
    syncFolderOf(this.#path);
  }

  #unlocked(): Buffer {
    if (this.#key === undefined) throw new Error('the key of clusterdb is used before it is unlocked');
    return this.#key;
  }

  #cure(what: string, key?: string): string {
    const fault =
      key === undefined
        ? `${this.#path} ${what}, and the database beside it has secrets that are sealed with it.`
        : `${this.#path} is not the key that ${key} was sealed with, or the sealed value was altered: it ${what}.`;
    return `${fault} Put the right file back from the backup the database came from. If it is lost, so are the secrets: move clusterdb.sqlite away together with the files beside it that begin with its name, import an export, and set the secrets anew.`;
  }
}

/** Where a sealed value belongs. */
export interface SealedPlace {
  readonly origin: string;
  readonly key: string;
}

function placeBytes({ origin, key }: SealedPlace): Buffer {
  return Buffer.from(`${origin}\0${key}`, 'utf8');
}
