/** What an administrator can ask of a running node; everything in it is plain data, fit for a socket and for HTTP. */
export interface NodeOperations {
  status(): NodeStatus;
  readonly users: UserOperations;
  readonly router: RouterOperations;
  /** What asks for somebody, newest last; the node's Notifications page. */
  notifications(): readonly Notification[];
  /** XMPP federation node status: whether this node federates by itself. Off while an Edge does it (the reference system's verification step 2). */
  federation(): 'on' | 'off';
  setFederation(state: 'on' | 'off', author: string): Outcome;
  /** Who may use AXL, and with what role. */
  readonly administrators: AdministratorOperations;
}

/** `done` is a sentence that says what was done, `refused` one that says why nothing was, with the cure. */
export type Outcome = { readonly done: string } | { readonly refused: string };

export interface NodeStatus {
  readonly name: string;
  readonly version: string;
  /** Unix milliseconds. */
  readonly since: number;
  readonly domain: string;
  /** The alias of the chat rooms. */
  readonly rooms: string | undefined;
  readonly users: number;
  readonly sessions: number;
  readonly router: RouterStatus;
  readonly federation: 'on' | 'off';
}

/** The XCP Router: what takes foreign stanzas to the Edges. */
export interface RouterStatus {
  /** Unix milliseconds of its last start. */
  readonly since: number;
  /** `restart`: a change of the table counts after a restart of the router, as in the reference system. */
  readonly changes: 'live' | 'restart';
  /** The table has changed since the router read it. */
  readonly restartNeeded: boolean;
  /** Foreign stanzas that were returned because no Edge in the router's table is connected. */
  readonly bounced: number;
  /** The S2S components of the Edges: those that the router has read from `xmpps2snodes`, then those that are connected beyond them. */
  readonly components: readonly EdgeComponent[];
}

export interface EdgeComponent {
  readonly cpId: string;
  readonly connected: boolean;
  /** The table as the router has read it names it. Without that it is heard, and nothing goes out through it. */
  readonly inTable: boolean;
}

export interface RouterOperations {
  /** `utils service restart Cisco XCP Router`: reads the table again; components connect anew. */
  restart(author: string): Promise<Outcome>;
}

export interface Notification {
  /** Stable, such as `xcp-router-restart`. */
  readonly id: string;
  /** Unix milliseconds. */
  readonly since: number;
  readonly text: string;
  readonly cure: string;
}

export interface UserFacts {
  /** The prepared localpart. */
  readonly user: string;
  readonly address: string;
  readonly active: boolean;
  readonly sessions: number;
  /** Unix milliseconds. */
  readonly created: number;
}

export interface UserOperations {
  list(): readonly UserFacts[];
  add(user: string, password: string, author: string): Promise<Outcome>;
  setPassword(user: string, password: string, author: string): Promise<Outcome>;
  /** An inactive user cannot log in, and keeps everything. */
  setActive(user: string, active: boolean, author: string): Outcome;
  /** With everything that is theirs. */
  remove(user: string, author: string): Outcome;
}

/** `axl`: may use AXL ("Standard AXL API Access"). `none`: the account exists and lacks the role, which AXL answers with 403. */
export type AdministratorRole = 'axl' | 'none';

export interface AdministratorOperations {
  list(): readonly { readonly name: string; readonly role: AdministratorRole }[];
  add(name: string, password: string, role: AdministratorRole, author: string): Promise<Outcome>;
  setPassword(name: string, password: string, author: string): Promise<Outcome>;
  setRole(name: string, role: AdministratorRole, author: string): Outcome;
  remove(name: string, author: string): Outcome;
  /** The role of the account whose password this is; `undefined`: no such account or password. In constant time, off the event loop. */
  roleOf(name: string, password: string): Promise<AdministratorRole | undefined>;
}
