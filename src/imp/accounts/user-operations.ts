import type { Domain } from '../../protocol/jid/domain.ts';
import { prepareLocal } from '../../protocol/jid/prepare.ts';
import { printJid } from '../../protocol/jid/print.ts';
import type { ImpNodeNote } from '../../protocol/notes/imp-node.ts';
import type { NoteSink } from '../../protocol/notes.ts';
import type { Outcome, UserFacts, UserOperations } from '../operations.ts';
import { accountName, newPassword } from './account-words.ts';
import type { Accounts } from './accounts.ts';

/** What else of a node a user has. */
export interface UserBelongings {
  /** Sessions that exist now. */
  sessionsOf(user: string): number;
  /** Ends every session of the user. */
  endSessions(user: string, text: string): void;
  /** Removes everything that is kept for the user: rosters, messages, cards. Called while the account still exists. */
  forget(user: string): void;
}

export interface UserContext {
  readonly domain: Domain;
  readonly accounts: Accounts;
  readonly belongings: UserBelongings;
  readonly notes: NoteSink;
}

type Change = Extract<ImpNodeNote, { note: 'imp-user-changed' }>['what'];

/** What an administrator does with users. */
export class Users implements UserOperations {
  private readonly context: UserContext;

  constructor(context: UserContext) {
    this.context = context;
  }

  list(): readonly UserFacts[] {
    const { accounts, belongings } = this.context;
    return accounts.list().map(({ name, active, created }) => ({
      user: name,
      address: this.addressOf(name),
      active,
      sessions: belongings.sessionsOf(name),
      created,
    }));
  }

  async add(user: string, password: string, author: string): Promise<Outcome> {
    const named = accountName(user);
    if ('refused' in named) return named;
    const chosen = newPassword(password);
    if ('refused' in chosen) return chosen;
    const { name } = named;
    if (!(await this.context.accounts.add(name, chosen.password)))
      return { refused: `There is a user ${name} already. Choose another name, or set the password of this one.` };
    return this.done(name, 'added', author, `Added ${this.addressOf(name)}.`);
  }

  async setPassword(user: string, password: string, author: string): Promise<Outcome> {
    const chosen = newPassword(password);
    if ('refused' in chosen) return chosen;
    const name = prepareLocal(user);
    if (name === undefined || !(await this.context.accounts.setPassword(name, chosen.password))) return NO_SUCH_USER;
    const said = `The password of ${this.addressOf(name)} is changed; sessions that exist stay.`;
    return this.done(name, 'password changed', author, said);
  }

  setActive(user: string, active: boolean, author: string): Outcome {
    const { accounts, belongings } = this.context;
    const name = prepareLocal(user);
    if (name === undefined || !accounts.setActive(name, active)) return NO_SUCH_USER;
    if (active) return this.done(name, 'activated', author, `${this.addressOf(name)} may log in.`);
    belongings.endSessions(name, 'The account is inactive.');
    return this.done(name, 'deactivated', author, `${this.addressOf(name)} may not log in; everything is kept.`);
  }

  remove(user: string, author: string): Outcome {
    const { accounts, belongings } = this.context;
    const name = prepareLocal(user);
    if (name === undefined || !accounts.exists(name)) return NO_SUCH_USER;
    // First nobody logs in any more, then nothing is written for the user any more.
    accounts.setActive(name, false);
    belongings.endSessions(name, 'The account is removed.');
    belongings.forget(name);
    accounts.remove(name);
    return this.done(name, 'removed', author, `Removed ${this.addressOf(name)} and everything that was kept for it.`);
  }

  private done(user: string, what: Change, author: string, said: string): Outcome {
    this.context.notes({ note: 'imp-user-changed', user, what, author }, {});
    return { done: said };
  }

  private addressOf(name: string): string {
    return printJid({ local: name, domain: this.context.domain, resource: undefined });
  }
}

const NO_SUCH_USER: Outcome = { refused: 'There is no such user. See: fedway imp user list' };
