import type { AlarmCondition } from './alarms.ts';
import type { NamedEdge } from './edge-names.ts';
import type { RouterFacts } from './home-components.ts';
import type { PublisherFacts } from './operations.ts';
import { completionOf } from './publisher-cure.ts';

/** How long a router may be away before somebody has to know: a restart of it takes less. */
const AWAY_MS = 15_000;

/** What is looked at for alarms. Times are Unix milliseconds. */
export interface PublisherView {
  readonly now: number;
  readonly edges: readonly NamedEdge[];
  readonly publishers: readonly PublisherFacts[];
  /** Publishers whose router has returned foreign stanzas lately. */
  readonly bouncing: ReadonlySet<string>;
  /** Publishers whose router has to be restarted. */
  readonly restarting: ReadonlySet<string>;
  /** Publishers whose servers federate by themselves. */
  readonly federating: ReadonlySet<string>;
  readonly routers: readonly RouterFacts[];
}

/** What is wrong between this box, its Edges and the IM&P servers: all conditions that hold now. Pure. */
export function conditionsOf(view: PublisherView): readonly AlarmCondition[] {
  const federates = view.edges.some((edge) => edge.federates);
  return [
    ...view.publishers.flatMap((publisher) => ofPublisher(publisher, federates, view)),
    ...unnamed(view.edges),
    ...namesakes(view.edges),
    ...view.routers.flatMap((router) => ofRouter(router, view)),
  ];
}

function ofPublisher(
  publisher: PublisherFacts,
  federates: boolean,
  { bouncing, restarting, federating }: PublisherView,
): readonly AlarmCondition[] {
  const { name, missing, failure } = publisher;
  const found: AlarmCondition[] = [];
  if (missing.length > 0) found.push(incomplete(name, missing));
  if (failure !== undefined) {
    const { sentence, cause, cure } = failure;
    // The symptom that people come with: replies bounce while messages from outside arrive.
    const lacks = federates && publisher.rows.some(({ wanted, present }) => wanted && !present);
    const symptom = lacks ? ', so that messages from the world come in and none goes out' : '';
    const what = `The IM&P publisher ${name} could not be told the Edges${symptom}`;
    found.push({ id: 25023, about: name, what, detail: sentence, cause, cure });
  }
  if (!federates) return found;
  if (federating.has(name)) {
    found.push({
      id: 25024,
      about: name,
      what: `XMPP federation is on at the IM&P servers of ${name} while an Edge federates`,
      detail: undefined,
      cause: 'Two ways lead to the world, and only one of them can be right: stanzas are lost or come twice.',
      cure: 'Switch it off there: Presence > Inter-Domain Federation > XMPP Federation > Settings > XMPP Federation Node Status > Off; on a node of fedway: set xmpp federation off. Then fedway publisher refresh.',
    });
  }
  if (restarting.has(name)) found.push(restart(name, `The XCP Router of ${name} has to be restarted`));
  // A router that has to be restarted bounces: that is one alarm, not two.
  else if (bouncing.has(name)) {
    found.push({
      id: 90002,
      about: name,
      what: `The XCP Router of ${name} returns stanzas for foreign domains to their senders`,
      detail: undefined,
      cause:
        'No Edge that its table names is connected with it, or it has not read the table since it was changed, which is not always announced.',
      cure: `${RESTART} If it goes on, see whether homes with server.imp have a connection (fedway streams list --side home); at last reboot the IM&P cluster.`,
    });
  }
  return found;
}

const RESTART =
  'Restart the XCP Router on every node of the cluster: Cisco Unified IM and Presence Serviceability > Tools > Control Center - Network Services > Cisco XCP Router; on a node of fedway: utils service restart Cisco XCP Router.';

function restart(about: string, what: string): AlarmCondition {
  return {
    id: 90001,
    about,
    what: `${what}; until then it returns stanzas for foreign domains`,
    detail: undefined,
    cause: 'The table of the Edges (xmpps2snodes) was changed, and the router reads it when it starts.',
    cure: RESTART,
  };
}

function incomplete(name: string, missing: readonly string[]): AlarmCondition {
  const keys = missing.map((key) => `publishers.${name}.${key}`);
  return {
    id: 25024,
    about: name,
    what: `The IM&P publisher ${name} is configured without ${keys.join(', ')}: it is not told of the Edges`,
    detail: undefined,
    cause: 'A publisher takes address, user and password.',
    cure: `${completionOf(name, missing)}; or forget it: fedway config unset, with every key of publishers.${name}.`,
  };
}

function unnamed(edges: readonly NamedEdge[]): readonly AlarmCondition[] {
  return edges.flatMap(({ name, federates, component }) => {
    if (!federates || !('problem' in component)) return [];
    const what = `The IM&P servers cannot be told of ${name}`;
    const cure = 'Give the Edge its name: fedway config set host_name edge-1.example.org';
    return [{ id: 25024 as const, about: name, what, detail: undefined, cause: component.problem, cure }];
  });
}

/** Edges that IM&P servers cannot tell apart. */
function namesakes(edges: readonly NamedEdge[]): readonly AlarmCondition[] {
  const byComponent = new Map<string, string[]>();
  for (const { name, federates, component } of edges) {
    if (!federates || !('cpId' in component)) continue;
    const names = byComponent.get(component.cpId) ?? [];
    names.push(name);
    byComponent.set(component.cpId, names);
  }
  return [...byComponent].flatMap(([cpId, names]) => {
    if (names.length < 2) return [];
    return [
      {
        id: 90003 as const,
        about: cpId,
        what: `The Edges ${names.join(' and ')} are one to the IM&P servers: both are ${cpId}`,
        detail: undefined,
        cause: 'They have the same host_name, or names that differ in a dot and a hyphen only.',
        cure: 'Give each Edge its own: fedway config set host_name edge-1.example.org --edge NAME',
      },
    ];
  });
}

function ofRouter({ homes, connections }: RouterFacts, view: PublisherView): readonly AlarmCondition[] {
  const [home = ''] = homes;
  if (connections.some(({ isUp }) => isUp)) return unknownTo(home, connections, view);
  const away = connections.filter(({ isUnknown, since, because }) => {
    return !isUnknown && because !== undefined && view.now - since >= AWAY_MS;
  });
  const [first] = away;
  if (first === undefined || away.length < connections.length) return unknownTo(home, connections, view);
  return [
    {
      id: 90004,
      about: home,
      what: `There is no connection with the XCP Router of ${home}, so that nothing reaches its users and nothing leaves`,
      detail: first.because,
      cause: 'The router is down, the network is in the way, or the secret is another one there.',
      cure: 'See that it runs, that homes[].server.imp in the boot file has its address and its secret, and that this box may connect there; it is tried again by itself.',
    },
  ];
}

/** A router that does not know an Edge: it was not told of it, or has not read it. */
function unknownTo(
  home: string,
  connections: RouterFacts['connections'],
  { publishers, restarting }: PublisherView,
): readonly AlarmCondition[] {
  const unknown = connections.filter(({ isUnknown }) => isUnknown).map(({ name }) => name);
  if (unknown.length === 0) return [];
  if (publishers.length === 0) {
    return [
      {
        id: 25024,
        about: home,
        what: `The XCP Router of ${home} does not know ${unknown.join(', ')}, and this box is to tell no IM&P publisher`,
        detail: undefined,
        cause: 'The Edges are not in the table xmpps2snodes of the cluster.',
        cure: 'Name its publisher: fedway config set publishers.NAME.address HOST, and .user and .password.',
      },
    ];
  }
  // That they could not be told, or that the router says so itself, is an alarm already.
  const isTold = publishers.some(({ rows }) => rows.some(({ cpId, present }) => present && unknown.includes(cpId)));
  if (!isTold || restarting.size > 0) return [];
  return [restart(home, `The XCP Router of ${home} does not know ${unknown.join(', ')}, which is in its table`)];
}
