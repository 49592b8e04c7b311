import type { Domain } from '../protocol/jid/domain.ts';
import type { NoteSink } from '../protocol/notes.ts';
import type { Accounts } from './accounts/accounts.ts';
import type { Notifications } from './notifications.ts';
import type {
  AdministratorOperations,
  NodeOperations,
  NodeStatus,
  Notification,
  Outcome,
  RouterOperations,
  UserOperations,
} from './operations.ts';
import type { XcpRouter } from './router/xcp-router.ts';
import type { NodeSettings } from './settings.ts';

export interface OperationsContext {
  readonly name: string;
  readonly version: string;
  /** When the node was started, in Unix milliseconds. */
  readonly since: number;
  readonly domain: Domain;
  readonly rooms: Domain | undefined;
  readonly accounts: Accounts;
  readonly users: UserOperations;
  readonly administrators: AdministratorOperations;
  readonly router: XcpRouter;
  readonly notifications: Notifications;
  readonly settings: NodeSettings;
  readonly notes: NoteSink;
  /** Sessions of clients that exist now. */
  sessions(): number;
}

/** What an administrator can ask of a running node. */
export class Operations implements NodeOperations {
  readonly users: UserOperations;
  readonly administrators: AdministratorOperations;
  readonly router: RouterOperations;
  private readonly context: OperationsContext;

  constructor(context: OperationsContext) {
    this.context = context;
    this.users = context.users;
    this.administrators = context.administrators;
    this.router = { restart: (author) => Promise.resolve(this.restartRouter(author)) };
  }

  status(): NodeStatus {
    const { name, version, since, domain, rooms, accounts, router } = this.context;
    return {
      name,
      version,
      since,
      domain,
      rooms,
      users: accounts.count,
      sessions: this.context.sessions(),
      router: router.status(),
      federation: this.federation(),
    };
  }

  notifications(): readonly Notification[] {
    return this.context.notifications.list();
  }

  federation(): 'on' | 'off' {
    return this.context.settings.federation;
  }

  setFederation(state: 'on' | 'off', author: string): Outcome {
    const { settings, notes, router } = this.context;
    const from = settings.federation;
    if (from === state) return { done: `XMPP Federation Node Status is ${state} already.` };
    settings.federation = state;
    notes({ note: 'imp-federation-changed', from, to: state, author }, {});
    router.federationChanged();
    const effect =
      state === 'on'
        ? 'Stanzas for foreign domains do not go to the Edges any more.'
        : 'Stanzas for foreign domains go to the Edges.';
    return { done: `XMPP Federation Node Status is ${state}. ${effect}` };
  }

  private restartRouter(author: string): Outcome {
    const { router } = this.context;
    router.restart(author);
    const { components } = router.status();
    const known = components.filter(({ inTable }) => inTable).map(({ cpId }) => cpId);
    const said =
      known.length === 0
        ? 'The table xmpps2snodes is empty: foreign domains are not reached.'
        : `Stanzas for foreign domains leave through the S2S components ${known.join(', ')}.`;
    return { done: `The XCP Router is restarted. ${said}` };
  }
}
