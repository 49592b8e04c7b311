import { printEndpoint } from '../config/address.ts';
import type { BootConfig, HomeConfig } from '../config/boot.ts';
import { type LoadResult, loadBootFile } from '../config/load.ts';
import { type Problem, printProblem } from '../config/problem.ts';
import { EXIT, type Terminal } from './terminal.ts';

export interface CheckOptions {
  readonly config: string;
  /** One JSON object on standard output instead of lines. */
  readonly json: boolean;
  /** Warnings count as problems. */
  readonly strict: boolean;
}

/** `fedway check config`: every problem of the boot file. Needs no network and no running fedway. */
export function checkConfig(options: CheckOptions, terminal: Terminal, load = loadBootFile): number {
  const result = load(options.config, { rehearsal: true });
  const status = statusOf(result, options.strict);
  if (options.json) terminal.out(JSON.stringify(report(options.config, result, status), null, 2));
  else tell(options, result, status, terminal);
  if (result.outcome === 'unreadable') terminal.err(`fedway: ${result.reason}. ${result.cure}`);
  return status;
}

function statusOf(result: LoadResult, strict: boolean): number {
  if (result.outcome === 'unreadable') return EXIT.failed;
  if (result.outcome === 'refused') return EXIT.problems;
  return strict && result.warnings.length > 0 ? EXIT.problems : EXIT.ok;
}

function problemsOf(result: LoadResult): readonly Problem[] {
  if (result.outcome === 'unreadable') return [];
  return result.outcome === 'refused' ? result.problems : result.warnings;
}

function report(path: string, result: LoadResult, status: number): object {
  const problems = problemsOf(result);
  const count = (severity: Problem['severity']): number => problems.filter((each) => each.severity === severity).length;
  return {
    path,
    ok: status === EXIT.ok,
    ...(result.outcome === 'unreadable' ? { unreadable: result.reason } : {}),
    errors: count('error'),
    warnings: count('warning'),
    problems,
  };
}

function tell(options: CheckOptions, result: LoadResult, status: number, terminal: Terminal): void {
  terminal.out(`Checking the configuration in ${options.config}...`);
  if (result.outcome === 'unreadable') return;
  const problems = problemsOf(result);
  for (const problem of problems) terminal.out(printProblem(problem));
  if (result.outcome === 'loaded') for (const line of summary(result.config)) terminal.out(`    ${line}`);
  terminal.out('Done.');
  terminal.out('');
  terminal.out(verdict(problems, status));
}

function verdict(problems: readonly Problem[], status: number): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const found = [counted(errors, 'error'), counted(problems.length - errors, 'warning')].filter((part) => part !== '');
  if (status === EXIT.problems) return `Problems found, see above: ${found.join(', ')}.`;
  return problems.length > 0
    ? `All checks passed, with ${found.join(', ')}: see above.`
    : 'All checks passed, congratulations!';
}

/** `3 errors`; empty for none. */
export function counted(count: number, noun: string): string {
  if (count === 0) return '';
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** What the file says, for the eye that knows what it should say. */
function summary({ homes, s2s, dns, partners }: BootConfig): readonly string[] {
  return [
    ...homes.map((home) => `${home.domains.join(', ')}: ${servedBy(home)}`),
    `partners: ${s2s.listen.map(printEndpoint).join(', ')}; TLS ${s2s.tls}; ${
      partners.default === 'allow' ? 'allowed' : 'denied'
    } without a rule; ${counted(partners.rules.length, 'rule') || 'no rules'}`,
    ...(dns === undefined
      ? []
      : [`steering: ${dns.listen.map(printEndpoint).join(', ')} answers ${dns.answer.join(', ')}`]),
  ];
}

function servedBy({ server }: HomeConfig): string {
  if (server.via === 'accept_component') return 'served by the component that connects';
  return `served by ${printEndpoint(server.address)} over ${server.via === 's2s' ? 'S2S' : 'components'}`;
}
