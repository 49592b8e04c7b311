import { printEndpoint } from '../config/address.ts';
import type { BootConfig, HomeConfig } from '../config/boot.ts';
import { loadBootFile } from '../config/load.ts';
import type { FileResult, LoadOptions } from '../config/load-file.ts';
import { type Problem, printProblem } from '../config/problem.ts';
import { EXIT, type Terminal } from './terminal.ts';

export interface CheckOptions {
  readonly config: string;
  /** One JSON object on standard output instead of lines. */
  readonly json: boolean;
  /** Warnings count as problems. */
  readonly strict: boolean;
}

/** What is wrong with the certificates, keys and authorities that a boot file names; each sentence names the file and the cure. */
export interface CertificateFindings {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Where the check looks. */
export interface CheckWorld {
  readonly terminal: Terminal;
  readonly examine: (boot: BootConfig) => Promise<CertificateFindings>;
  readonly load?: typeof loadBootFile;
}

/** A kind of boot file that says `C`, and where it is checked. */
export interface FileCheck<C> {
  readonly terminal: Terminal;
  readonly load: (path: string, options: LoadOptions) => FileResult<C>;
  readonly examine: (config: C) => Promise<CertificateFindings>;
  /** What the file says, for the eye that knows what it should say. */
  readonly summary: (config: C) => readonly string[];
}

const NOTHING_FOUND: CertificateFindings = { problems: [], warnings: [] };

/**
 * `fedway check config`: every problem of the boot file, and of the certificates it names. Needs no network, no rights beyond reading the
 * files, and no running fedway.
 */
export function checkConfig(options: CheckOptions, world: CheckWorld): Promise<number> {
  const { terminal, examine, load = loadBootFile } = world;
  return checkFile(options, { terminal, load, examine, summary });
}

/** The same for any boot file. */
export async function checkFile<C>(options: CheckOptions, check: FileCheck<C>): Promise<number> {
  const { terminal } = check;
  const result = check.load(options.config, { rehearsal: true });
  const certificates = result.outcome === 'loaded' ? await check.examine(result.config) : NOTHING_FOUND;
  const status = statusOf(result, certificates, options.strict);
  if (options.json) terminal.out(JSON.stringify(report(options.config, result, certificates, status), null, 2));
  else tell(options, result, certificates, status, check);
  if (result.outcome === 'unreadable') terminal.err(`fedway: ${result.reason}. ${result.cure}`);
  return status;
}

function statusOf(result: FileResult<unknown>, certificates: CertificateFindings, strict: boolean): number {
  if (result.outcome === 'unreadable') return EXIT.failed;
  if (result.outcome === 'refused' || certificates.problems.length > 0) return EXIT.problems;
  return strict && result.warnings.length + certificates.warnings.length > 0 ? EXIT.problems : EXIT.ok;
}

function problemsOf(result: FileResult<unknown>): readonly Problem[] {
  if (result.outcome === 'unreadable') return [];
  return result.outcome === 'refused' ? result.problems : result.warnings;
}

function report(path: string, result: FileResult<unknown>, certificates: CertificateFindings, status: number): object {
  const problems = problemsOf(result);
  return {
    path,
    ok: status === EXIT.ok,
    ...(result.outcome === 'unreadable' ? { unreadable: result.reason } : {}),
    errors: count(problems, 'error') + certificates.problems.length,
    warnings: count(problems, 'warning') + certificates.warnings.length,
    problems,
    certificates,
  };
}

function tell<C>(
  options: CheckOptions,
  result: FileResult<C>,
  certificates: CertificateFindings,
  status: number,
  { terminal, summary: summaryOf }: FileCheck<C>,
): void {
  terminal.out(`Checking the configuration in ${options.config}...`);
  if (result.outcome === 'unreadable') return;
  const problems = problemsOf(result);
  for (const problem of problems) terminal.out(printProblem(problem));
  if (result.outcome === 'loaded') for (const line of summaryOf(result.config)) terminal.out(`    ${line}`);
  for (const sentence of [...certificates.problems, ...certificates.warnings]) terminal.out(sentence);
  terminal.out('Done.');
  terminal.out('');
  const errors = count(problems, 'error') + certificates.problems.length;
  terminal.out(verdict(errors, count(problems, 'warning') + certificates.warnings.length, status));
}

function verdict(errors: number, warnings: number, status: number): string {
  const found = [counted(errors, 'error'), counted(warnings, 'warning')].filter((part) => part !== '');
  if (status === EXIT.problems) return `Problems found, see above: ${found.join(', ')}.`;
  return warnings > 0
    ? `All checks passed, with ${found.join(', ')}: see above.`
    : 'All checks passed, congratulations!';
}

function count(problems: readonly Problem[], severity: Problem['severity']): number {
  return problems.filter((each) => each.severity === severity).length;
}

/** `3 errors`; empty for none. */
export function counted(count: number, noun: string): string {
  if (count === 0) return '';
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** What the file says, for the eye that knows what it should say. */
function summary(boot: BootConfig): readonly string[] {
  const { role, homes, dns, link } = boot;
  return [
    ...homes.map((home) => `${home.domains.join(', ')}: ${servedBy(home)}`),
    ...(role === 'core' ? [] : [`partners: ${partnersOf(boot)}`]),
    ...(role === 'edge' ? [`link: ${link.listen.map(printEndpoint).join(', ')}`] : []),
    ...(role === 'core' ? [`link: dials the Edges it is paired with (fedway link list)`] : []),
    ...(dns === undefined
      ? []
      : [`steering: ${dns.listen.map(printEndpoint).join(', ')} answers ${dns.answer.join(', ')}`]),
  ];
}

function partnersOf({ s2s, partners, data }: BootConfig): string {
  const direct = s2s.tlsListen.map((each) => `${printEndpoint(each)} (direct TLS)`);
  const listen = [...s2s.listen.map(printEndpoint), ...direct].join(', ');
  if (data !== undefined) return `${listen}; the rest is live (fedway config list)`;
  return `${listen}; TLS ${s2s.tls}; ${partners.default === 'allow' ? 'allowed' : 'denied'} without a rule; ${
    counted(partners.rules.length, 'rule') || 'no rules'
  }`;
}

function servedBy({ server }: HomeConfig): string {
  if (server === undefined) return 'served by the Core that announces it';
  if (server.via === 'accept_component') return 'served by the component that connects';
  return `served by ${printEndpoint(server.address)} over ${OVER[server.via]}`;
}

const OVER = { s2s: 'S2S', component: 'components', imp: 'the XCP Router' } as const;
