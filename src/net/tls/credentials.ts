import type { SecureContext } from 'node:tls';
import type { Domain } from '../../protocol/jid/domain.ts';
import type { OwnCertificates } from './accept.ts';
import { type HomeCertificate, type LoadedCertificate, readCertificateFiles } from './certificate-files.ts';
import { type FileWatch, watchFiles } from './file-watch.ts';
import type { Trust } from './trust.ts';

/** What reading our certificates gave: all of them, or every problem of every file. */
export type Opened =
  | { readonly credentials: Credentials; readonly warnings: readonly string[] }
  | { readonly problems: readonly string[] };

export type Reloaded =
  | { readonly loaded: readonly LoadedCertificate[]; readonly warnings: readonly string[] }
  | { readonly problems: readonly string[] };

/**
 * Our own certificates, one per home. TLS contexts are built once, when the files are read; open streams keep theirs, new
 * handshakes get the latest.
 */
export class Credentials implements OwnCertificates {
  #files: readonly HomeCertificate[];
  #loaded: readonly LoadedCertificate[];
  #contexts: ReadonlyMap<Domain, SecureContext>;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(files: readonly HomeCertificate[], loaded: readonly LoadedCertificate[]) {
    this.#files = files;
    this.#loaded = loaded;
    this.#contexts = contextsOf(loaded);
  }

  /** @param now Unix milliseconds. */
  static async open(files: readonly HomeCertificate[], now: number): Promise<Opened> {
    const read = await readAll(files, now);
    if ('problems' in read) return read;
    return { credentials: new Credentials(files, read.loaded), warnings: read.warnings };
  }

  /** For both roles: to answer for a domain of ours, and to speak as it. `undefined` when the domain has no certificate. */
  contextFor(domain: Domain): SecureContext | undefined {
    return this.#contexts.get(domain);
  }

  get loaded(): readonly LoadedCertificate[] {
    return this.#loaded;
  }

  /**
   * Reads the files again, or other files. All of them are taken, or on any problem none: what was loaded stays in use.
   * Reloads asked for at the same time are done one after the other.
   *
   * @param now Unix milliseconds.
   */
  reload(now: number, files: readonly HomeCertificate[] = this.#files): Promise<Reloaded> {
    const reloaded = this.#turn.then(async () => {
      const read = await readAll(files, now);
      if ('problems' in read) return read;
      this.#files = files;
      this.#loaded = read.loaded;
      this.#contexts = contextsOf(read.loaded);
      return read;
    });
    this.#turn = reloaded;
    return reloaded;
  }

  /**
   * Reloads whenever a file has changed.
   *
   * @param everyMs between two looks.
   * @param told is called with the outcome of each reload.
   */
  watch(everyMs: number, told: (outcome: Reloaded) => void, clock: () => number = Date.now): FileWatch {
    const paths = (): readonly string[] => this.#files.flatMap(({ certificate, key }) => [certificate, key]);
    return watchFiles(paths, everyMs, async () => told(await this.reload(clock())));
  }
}

/**
 * The certificates that expire within 30 days, with the whole days left (0 when it is over), soonest first.
 *
 * @param now Unix milliseconds.
 */
export function expiring(
  loaded: readonly LoadedCertificate[],
  now: number,
): readonly { readonly path: string; readonly days: number }[] {
  return loaded
    .map(({ path, notAfter }) => ({ path, days: Math.max(0, Math.floor((notAfter - now) / 86_400_000)) }))
    .filter(({ days }) => days <= 30)
    .sort((one, other) => one.days - other.days);
}

/**
 * What is wrong with our certificates in the eyes of somebody who trusts whom we trust: most often, that an intermediate is missing.
 *
 * @param now Unix milliseconds.
 */
export function unverifiable(loaded: readonly LoadedCertificate[], trust: Trust, now: number): readonly string[] {
  return loaded.flatMap(({ path, chain }) => {
    const untrusted = trust.judge(chain, now)?.untrusted;
    if (untrusted === undefined) return [];
    return `certificate ${path}: whoever trusts the same authorities as fedway cannot verify it (${untrusted}); if an intermediate is missing, add the chain to the file`;
  });
}

async function readAll(files: readonly HomeCertificate[], now: number): Promise<Reloaded> {
  const read = await Promise.all(files.map((each) => readCertificateFiles(each, now)));
  const problems = read.flatMap((each) => ('problems' in each ? each.problems : []));
  if (problems.length > 0) return { problems };
  const loaded = read.flatMap((each) => ('loaded' in each ? [each.loaded] : []));
  return { loaded, warnings: loaded.flatMap(({ warnings }) => warnings) };
}

function contextsOf(loaded: readonly LoadedCertificate[]): ReadonlyMap<Domain, SecureContext> {
  return new Map(loaded.flatMap(({ domains, context }) => domains.map((domain) => [domain, context] as const)));
}
