import type { BootConfig } from '../config/boot.ts';
import { type HomeCertificate, type LoadedCertificate, readCertificateFiles } from '../net/tls/certificate-files.ts';
import { Credentials, sameForAll, unverifiable } from '../net/tls/credentials.ts';
import { type OwnCertificate, secureContext } from '../net/tls/parameters.ts';
import { selfSignedCertificate } from '../net/tls/self-signed.ts';
import { loadTrust, type TrustSources } from '../net/tls/trust.ts';
import { TlsSide } from './tls-side.ts';

/** What was read from certificate files for one configuration. */
export interface TlsMaterials {
  readonly foreign: TlsSide;
  readonly inside: TlsSide;
  readonly credentials: Credentials;
  readonly loaded: readonly LoadedCertificate[];
  /** What will not stop us, but may stop some partners. */
  readonly warnings: readonly string[];
}

/** The certificate made at start for the inside listener, kept over reloads. */
export type InsideCertificate = OwnCertificate;

/** Makes the certificate that the inside sees when none is configured. */
export function makeInsideCertificate(): Promise<InsideCertificate> {
  return selfSignedCertificate(['fedway.invalid'], Date.now());
}

/**
 * Reads all files that TLS needs and gives back what is wrong with them: for `fedway check config`. Each sentence names the file and the
 * cure.
 */
export async function examineTlsMaterials(
  boot: BootConfig,
): Promise<{ readonly problems: readonly string[]; readonly warnings: readonly string[] }> {
  const read = await readTlsMaterials(boot, await makeInsideCertificate());
  return 'problems' in read ? { problems: read.problems, warnings: [] } : { problems: [], warnings: read.warnings };
}

/** The certificates and keys of a configuration's homes. */
function certificatesOf(boot: BootConfig): readonly HomeCertificate[] {
  return boot.homes.map(({ domains, certificate, key }) => ({ domains, certificate, key }));
}

/** Reads everything TLS needs, or tells every problem. */
export async function readTlsMaterials(
  boot: BootConfig,
  selfSigned: InsideCertificate,
): Promise<TlsMaterials | { readonly problems: readonly string[] }> {
  const [opened, inside, trust, insideTrust] = await Promise.all([
    Credentials.open(certificatesOf(boot), Date.now()),
    insideContext(boot, selfSigned),
    loadTrust({ system: boot.s2s.trust.system, files: boot.s2s.trust.authorities }),
    loadTrust(insideTrustSources(boot)),
  ]);
  const problems = [opened, inside, trust, insideTrust].flatMap((each) => ('problems' in each ? each.problems : []));
  if ('problems' in opened || 'problems' in inside || 'problems' in trust || 'problems' in insideTrust)
    return { problems };
  const { credentials } = opened;
  const warnings = [...opened.warnings, ...unverifiable(credentials.loaded, trust.trust, Date.now())];
  const timeoutMs = boot.s2s.timeouts.tls;
  const anonymous = secureContext(undefined);
  const foreign = new TlsSide({
    certificates: credentials,
    contextToShow: (local) => (local === undefined ? undefined : credentials.contextFor(local)) ?? anonymous,
    trust: trust.trust,
    timeoutMs,
  });
  const insideSide = new TlsSide({
    certificates: sameForAll(inside.context),
    contextToShow: () => inside.context,
    trust: insideTrust.trust,
    timeoutMs,
  });
  return { foreign, inside: insideSide, credentials, loaded: credentials.loaded, warnings };
}

async function insideContext(
  boot: BootConfig,
  selfSigned: InsideCertificate,
): Promise<{ readonly context: ReturnType<typeof secureContext> } | { readonly problems: readonly string[] }> {
  const { certificate, key } = boot.inside;
  if (certificate === undefined || key === undefined) return { context: secureContext(selfSigned) };
  const read = await readCertificateFiles({ domains: [], certificate, key }, Date.now());
  return 'problems' in read ? read : { context: read.loaded.context };
}

/** Servers inside are verified by the authorities of their home, never by those of the world. */
function insideTrustSources(boot: BootConfig): TrustSources {
  const files = boot.homes.flatMap(({ server }) => (server.via === 's2s' ? (server.authorities ?? []) : []));
  return { system: false, files: [...new Set(files)] };
}
