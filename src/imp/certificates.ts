import type { HomeCertificate, LoadedCertificate } from '../net/tls/certificate-files.ts';
import { Credentials, expiring } from '../net/tls/credentials.ts';
import type { FileWatch } from '../net/tls/file-watch.ts';
import type { NoteSink } from '../protocol/notes.ts';
import type { NodeBoot } from './config/boot.ts';

/** How often the files are looked at. */
const LOOK_MS = 5_000;
const DAY_MS = 86_400_000;

/** The certificate that clients and AXL are shown, read again when its files change. */
export class NodeCertificates {
  readonly credentials: Credentials;
  private readonly notes: NoteSink;
  private watch: FileWatch | undefined;
  private timer: NodeJS.Timeout | undefined;

  private constructor(credentials: Credentials, notes: NoteSink) {
    this.credentials = credentials;
    this.notes = notes;
  }

  /** Reads the files, or tells every problem of them. */
  static async open(
    boot: NodeBoot,
    notes: NoteSink,
  ): Promise<{ readonly certificates: NodeCertificates } | { readonly problems: readonly string[] }> {
    const opened = await Credentials.open(filesOf(boot), Date.now());
    if ('problems' in opened) return opened;
    const certificates = new NodeCertificates(opened.credentials, notes);
    certificates.tell(opened.credentials.loaded, opened.warnings);
    certificates.keepWatch();
    return { certificates };
  }

  /** Takes the files of another boot file, or these again. On any problem what was loaded stays, and the problems are the answer. */
  async reload(boot: NodeBoot): Promise<readonly string[]> {
    const reloaded = await this.credentials.reload(Date.now(), filesOf(boot));
    if ('problems' in reloaded) return reloaded.problems;
    this.tell(reloaded.loaded, reloaded.warnings);
    return [];
  }

  close(): void {
    this.watch?.close();
    clearInterval(this.timer);
  }

  private keepWatch(): void {
    this.watch = this.credentials.watch(LOOK_MS, (outcome) => {
      if ('problems' in outcome) {
        for (const detail of outcome.problems) this.notes({ note: 'certificate-refused', detail }, {});
      } else this.tell(outcome.loaded, outcome.warnings);
    });
    this.timer = setInterval(() => this.tellExpiring(), DAY_MS);
    this.timer.unref();
  }

  private tell(loaded: readonly LoadedCertificate[], warnings: readonly string[]): void {
    for (const { domains, path, notAfter } of loaded)
      this.notes({ note: 'certificate-loaded', domains, path, notAfter }, {});
    for (const detail of warnings) this.notes({ note: 'certificate-doubtful', detail }, {});
    this.tellExpiring();
  }

  private tellExpiring(): void {
    for (const { path, days } of expiring(this.credentials.loaded, Date.now()))
      this.notes({ note: 'certificate-expiring', path, days }, {});
  }
}

/** What is wrong with the certificate that a boot file names; each sentence names the file and the cure. */
export async function examineNodeCertificates(
  boot: NodeBoot,
): Promise<{ readonly problems: readonly string[]; readonly warnings: readonly string[] }> {
  const opened = await Credentials.open(filesOf(boot), Date.now());
  return 'problems' in opened
    ? { problems: opened.problems, warnings: [] }
    : { problems: [], warnings: opened.warnings };
}

function filesOf({ domain, certificate, key }: NodeBoot): readonly HomeCertificate[] {
  return [{ domains: [domain], certificate, key }];
}
