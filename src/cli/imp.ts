import { type Command, Option } from 'commander';
import { printEndpoint } from '../config/address.ts';
import type { LogFormat } from '../config/boot.ts';
import type { NodeBoot } from '../imp/config/boot.ts';
import { loadNodeFile } from '../imp/config/load.ts';
import type { RunNode } from '../imp/running-node.ts';
import { SEVERITIES, type Severity } from '../protocol/notes.ts';
import { type CertificateFindings, checkFile } from './check.ts';
import { addConsoleCommands } from './imp-console.ts';
import { runImp } from './imp-run.ts';
import type { ServeWorld } from './serve.ts';

/** What the commands of an IM&P node need of the world. */
export interface ImpWorld extends ServeWorld {
  readonly runNode: RunNode;
  readonly examineNode: (boot: NodeBoot) => Promise<CertificateFindings>;
}

/** What the commands are added with. */
export interface ImpContext {
  readonly program: Command;
  readonly world: ImpWorld;
  /** Gets the exit status of the command that ran. */
  readonly done: (status: number) => void;
}

/** Where packages put the boot file of a node. */
const USUAL_CONFIG = '/etc/fedway/imp.yaml';

/** Adds the commands of an IM&P node: `fedway imp ...`. */
export function addImpCommands(context: ImpContext): void {
  const imp = context.program
    .command('imp')
    .description('an IM&P node: the XMPP server of an organization that has none');
  addRun(imp, context);
  addCheck(imp, context);
  addConsoleCommands(imp, { ...context, configOption });
}

function configOption(): Option {
  return new Option('-c, --config <file>', 'the boot file of the node').default(USUAL_CONFIG);
}

function addRun(imp: Command, { world, done }: ImpContext): void {
  imp
    .command('run')
    .summary('serve clients until told to stop')
    .description(
      'Serve clients, administrators and the Edges until told to stop. SIGHUP reads the certificates and the boot file again; SIGTERM and Ctrl-C close every stream and end, a second one ends at once.',
    )
    .addOption(configOption())
    .addOption(new Option('--log-format <format>', 'in place of log.format').choices(LOG_FORMATS))
    .addOption(new Option('--log-level <level>', 'in place of log.level').choices(SEVERITIES))
    .action(async (options: { config: string; logFormat?: LogFormat; logLevel?: Severity }) => {
      const { config, logFormat, logLevel } = options;
      done(await runImp({ config, logFormat, logLevel }, world));
    });
}

function addCheck(imp: Command, { world, done }: ImpContext): void {
  const { terminal, examineNode: examine } = world;
  imp
    .command('check')
    .summary("name every problem of the node's boot file")
    .description(
      "Name every problem of the node's boot file, and of its certificate. Needs no network and no running node.",
    )
    .addOption(configOption())
    .option('--json', 'one JSON object instead of lines')
    .option('--strict', 'warnings count as problems')
    .action(async ({ config, json, strict }: { config: string; json?: true; strict?: true }) => {
      done(
        await checkFile(
          { config, json: json ?? false, strict: strict ?? false },
          { terminal, load: loadNodeFile, examine, summary },
        ),
      );
    });
}

/** What the file says, for the eye that knows what it should say. */
function summary({ domain, rooms, clients, axl, router }: NodeBoot): readonly string[] {
  const { listen, tlsListen, websocketListen } = clients;
  const ports = [
    ['clients', [...listen, ...tlsListen, ...websocketListen]],
    ['AXL', axl.listen],
    ['router', router.listen],
  ] as const;
  return [
    `users: ${domain}; rooms: ${rooms ?? 'none'}`,
    ...ports.map(([what, endpoints]) => `${what}: ${endpoints.map(printEndpoint).join(', ') || 'nowhere'}`),
    `changes of xmpps2snodes: ${router.changes}`,
  ];
}

const LOG_FORMATS = ['text', 'json', 'expressway'] satisfies LogFormat[];
