import type { BootConfig } from '../config/boot.ts';
import type { HomeCertificate, LoadedCertificate } from '../net/tls/certificate-files.ts';
import { Credentials, unverifiable } from '../net/tls/credentials.ts';
import { type OwnCertificate, secureContext } from '../net/tls/parameters.ts';
import { selfSignedCertificate } from '../net/tls/self-signed.ts';
import { authoritiesIn, loadTrust, systemAuthorities } from '../net/tls/trust.ts';
import { type HomeTrust, InsideTrust } from './inside-trust.ts';
import { TlsSide } from './tls-side.ts';

/** What was read from certificate files for one configuration. */
export interface TlsMaterials {
  readonly foreign: TlsSide;
  readonly inside: TlsSide;
  /** Who may sign the certificates of IM&P publishers, as PEM texts; none: the authorities of the system. */
  readonly publisherAuthorities: readonly string[];
  /** Files that are watched: the certificates of the homes, and that of the inside listener where one is configured. */
  readonly credentials: readonly Credentials[];
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
  return boot.homes.flatMap(({ domains, certificate, key }) =>
    certificate === undefined || key === undefined ? [] : [{ domains, certificate, key }],
  );
}

/** Reads everything TLS needs, or tells every problem. */
export async function readTlsMaterials(
  boot: BootConfig,
  selfSigned: InsideCertificate,
): Promise<TlsMaterials | { readonly problems: readonly string[] }> {
  const [opened, inside, trust, insideTrust, publishers] = await Promise.all([
    Credentials.open(certificatesOf(boot), Date.now()),
    insideContext(boot, selfSigned),
    loadTrust({ system: boot.s2s.trust.system, files: boot.s2s.trust.authorities }),
    insideTrustOf(boot),
    publisherAuthoritiesOf(boot),
  ]);
  const problems = [opened, inside, trust, insideTrust, publishers].flatMap((each) =>
    'problems' in each ? each.problems : [],
  );
  if ('problems' in opened || 'problems' in inside || 'problems' in trust || 'problems' in insideTrust)
    return { problems };
  if ('problems' in publishers) return { problems };
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
    certificates: { contextFor: inside.context },
    contextToShow: inside.context,
    trust: insideTrust.trust,
    timeoutMs,
  });
  const watched = inside.credentials === undefined ? [credentials] : [credentials, inside.credentials];
  const { pems: publisherAuthorities } = publishers;
  const { loaded } = credentials;
  return { foreign, inside: insideSide, publisherAuthorities, credentials: watched, loaded, warnings };
}

/** The context shown to the inside: asked anew for each handshake, since the files may change. */
async function insideContext(
  boot: BootConfig,
  selfSigned: InsideCertificate,
): Promise<
  | { readonly context: () => ReturnType<typeof secureContext>; readonly credentials: Credentials | undefined }
  | { readonly problems: readonly string[] }
> {
  const { certificate, key } = boot.inside;
  const made = secureContext(selfSigned);
  if (certificate === undefined || key === undefined) return { context: () => made, credentials: undefined };
  const opened = await Credentials.open([{ domains: [], certificate, key }], Date.now());
  if ('problems' in opened) return opened;
  const { credentials } = opened;
  return { context: () => credentials.loaded[0]?.context ?? made, credentials };
}

/** Further authorities stand beside those of the system. */
async function publisherAuthoritiesOf(
  boot: BootConfig,
): Promise<{ readonly pems: readonly string[] } | { readonly problems: readonly string[] }> {
  const read = await Promise.all(boot.publishers.authorities.map(authoritiesIn));
  const problems = read.flatMap((each) => ('problem' in each ? [each.problem] : []));
  if (problems.length > 0) return { problems };
  const own = read.flatMap((each) => ('certificates' in each ? each.certificates : []));
  const all = own.length === 0 ? [] : [...systemAuthorities(), ...own];
  return { pems: all.map(String) };
}

/** Servers inside are verified by the authorities of their home, never by those of the world or of another home. */
async function insideTrustOf(
  boot: BootConfig,
): Promise<{ readonly trust: InsideTrust } | { readonly problems: readonly string[] }> {
  const nobody = await loadTrust({ system: false, files: [] });
  const homes: HomeTrust[] = [];
  const problems = 'problems' in nobody ? [...nobody.problems] : [];
  for (const { domains, server } of boot.homes) {
    if (server?.via !== 's2s' || server.authorities === undefined) continue;
    const loaded = await loadTrust({ system: false, files: server.authorities });
    if ('problems' in loaded) problems.push(...loaded.problems);
    else homes.push({ domains, trust: loaded.trust });
  }
  if ('problems' in nobody || problems.length > 0) return { problems: [...new Set(problems)] };
  return { trust: new InsideTrust(homes, nobody.trust) };
}
