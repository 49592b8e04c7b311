import { nearest } from '../../config/nearest.ts';
import { type Command, type ShellContext, told, unsuccessful } from './command.ts';

const ROUTER = 'Cisco XCP Router';

interface Service {
  /** As the reference system calls what does the same there. */
  readonly name: string;
  readonly started: boolean;
}

/** What this node consists of, under the names that administrators know. */
function services({ operations, listeners }: ShellContext): readonly Service[] {
  const listens = (what: RegExp): boolean => listeners().some((each) => what.test(each.what));
  return [
    { name: 'Cisco AXL Web Service', started: listens(/axl/i) },
    { name: 'Cisco DB', started: true },
    { name: 'Cisco XCP Connection Manager', started: listens(/client|websocket/i) },
    { name: ROUTER, started: true },
    { name: 'Cisco XCP Text Conference Manager', started: operations.status().rooms !== undefined },
  ];
}

function printed({ name, started }: Service): string {
  return `${name} [${started ? 'STARTED' : 'STOPPED'}]${started ? '' : '  Service Not Activated'}`;
}

function named(typed: string, context: ShellContext): Service | { readonly unknown: string } {
  const all = services(context);
  const name = typed.replaceAll(/\s+/g, ' ').toLowerCase();
  const found = all.find((each) => each.name.toLowerCase() === name);
  if (found !== undefined) return found;
  const near = nearest(
    typed,
    all.map((each) => each.name),
  );
  return {
    unknown: `There is no such service. ${near === undefined ? 'See utils service list.' : `Did you mean: ${near}`}`,
  };
}

const LIST: Command = {
  words: ['utils', 'service', 'list'],
  summary: 'list the services of the node',
  takesRest: false,
  run: (_, context) => told('Requesting service status, please wait...', ...services(context).map(printed)),
};

const STATUS: Command = {
  words: ['utils', 'service', 'status'],
  usage: '<service>',
  summary: 'say whether a service runs',
  takesRest: true,
  completions: (context) => services(context).map(({ name }) => name),
  run(rest, context) {
    const service = named(rest, context);
    return 'unknown' in service ? unsuccessful(service.unknown) : told(printed(service));
  },
};

const RESTART: Command = {
  words: ['utils', 'service', 'restart'],
  usage: '<service>',
  summary: 'restart a service',
  details: [`${ROUTER} reads the table xmpps2snodes again; the components of the Edges connect anew.`],
  takesRest: true,
  loggable: (rest) => rest.slice(0, 60),
  completions: () => [ROUTER],
  async run(rest, context, { author }) {
    const service = named(rest, context);
    if ('unknown' in service) return unsuccessful(service.unknown);
    if (service.name !== ROUTER) {
      return unsuccessful(`${service.name} is part of the node and is restarted with it (systemctl restart).`);
    }
    const outcome = await context.operations.router.restart(author);
    if ('refused' in outcome) return unsuccessful(outcome.refused);
    return told('Service Manager is running', `${ROUTER} [STOPPING]`, `${ROUTER} [STARTED]`, outcome.done);
  },
};

export const SERVICE_COMMANDS: readonly Command[] = [LIST, STATUS, RESTART];
