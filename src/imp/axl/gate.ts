import type { NoteSink, NoteSubject } from '../../protocol/notes.ts';
import type { AdministratorOperations } from '../operations.ts';
import { type Reply, retryAfter, textReply } from './reply.ts';
import { TokenBuckets } from './token-bucket.ts';

export interface GateContext {
  readonly administrators: Pick<AdministratorOperations, 'roleOf'>;
  readonly notes: NoteSink;
  /** Unix milliseconds. */
  readonly clock: () => number;
  readonly delay: (milliseconds: number) => Promise<void>;
}

/** Who wants in, and where from. */
export interface Visitor {
  /** The header `Authorization`. */
  readonly authorization: string | undefined;
  /** What is counted together: an address, or its /64. */
  readonly source: string;
  readonly subject: NoteSubject;
}

/** Failed logins: ten at once, then six per minute. A Core that has a wrong password and tries again every now and then is below that. */
const FAILURES = { burst: 10, every: 10_000 };
/** Each failure of late makes the answer to the next one slower, up to the second number, in milliseconds. */
const SLOWER_MS = 200;
const SLOWEST_MS = 2_000;
/** Passwords that are checked at the same time, and that wait for it. */
const CHECKS = 4;
const WAITING_CHECKS = 32;
/** How long an account that has logged in from a source is spared what others do to the account, in milliseconds. */
const TRUST_MS = 24 * 3_600_000;
const MOST_TRUSTED = 10_000;
/** UTF-16 units of the header. */
const LONGEST_HEADER = 4_096;

/**
 * Who may come in: HTTP Basic (RFC 7617) against the administrators' accounts. Failures are counted per source and per account, and when there are too
 * many the password is not even looked at. That somebody else fails as an account does not lock it out from where it has logged in.
 */
export class Gate {
  readonly #context: GateContext;
  readonly #bySource = new TokenBuckets(FAILURES);
  readonly #byAccount = new TokenBuckets(FAILURES);
  /** Pairs of source and account, and when they were seen last. */
  readonly #trusted = new Map<string, number>();
  readonly #queue: (() => void)[] = [];
  #checks = 0;

  constructor(context: GateContext) {
    this.#context = context;
  }

  /** Never rejects. */
  async admit(
    visitor: Visitor,
  ): Promise<{ readonly user: string } | { readonly refused: Reply; readonly user?: string }> {
    const credentials = basicCredentials(visitor.authorization);
    if (credentials === undefined) return { refused: unauthorized('no credentials') };
    const { user, password } = credentials;
    const reserved = this.#reserve(visitor, user);
    if ('refused' in reserved) return { ...reserved, user };
    const role = await this.#roleOf(user, password);
    if (role === 'busy') {
      reserved.giveBack();
      return { refused: textReply(503, 'Too many logins at once.', { headers: retryAfter(1_000), close: true }), user };
    }
    if (role === undefined) return { refused: await this.#failed(visitor, user), user };
    reserved.giveBack();
    this.#trust(visitor.source, user);
    if (role === 'axl') return { user };
    return { refused: textReply(403, 'This account lacks the role "Standard AXL API Access".', { close: true }), user };
  }

  /** Takes the tokens of a failure in advance, so that guesses at the same time are no way around. Whose login is no failure gives them back. */
  #reserve({ source, subject }: Visitor, user: string): { giveBack(): void } | { readonly refused: Reply } {
    const { notes, clock } = this.#context;
    const account = accountKey(user);
    const now = clock();
    const bySource = this.#bySource.take(source, now);
    const byAccount = this.#byAccount.take(account, now);
    const giveBack = (): void => {
      if (bySource === undefined) this.#bySource.give(source, clock());
      if (byAccount === undefined) this.#byAccount.give(account, clock());
    };
    const trusted = (this.#trusted.get(pairKey(source, user)) ?? -Infinity) > now - TRUST_MS;
    if (trusted || (bySource === undefined && byAccount === undefined)) return { giveBack };
    giveBack();
    if (bySource?.first === true) notes({ note: 'imp-axl-login-storm', of: 'source', name: source }, subject);
    if (byAccount?.first === true) notes({ note: 'imp-axl-login-storm', of: 'account', name: account }, subject);
    const headers = retryAfter(Math.max(bySource?.wait ?? 0, byAccount?.wait ?? 0));
    return { refused: textReply(429, 'Too many failed logins. Try again later.', { headers, close: true }) };
  }

  #trust(source: string, user: string): void {
    const key = pairKey(source, user);
    this.#trusted.delete(key);
    this.#trusted.set(key, this.#context.clock());
    const [oldest] = this.#trusted.keys();
    if (this.#trusted.size > MOST_TRUSTED && oldest !== undefined) this.#trusted.delete(oldest);
  }

  async #failed({ source, subject }: Visitor, user: string): Promise<Reply> {
    const { notes, delay, clock } = this.#context;
    this.#trusted.delete(pairKey(source, user));
    notes(
      { note: 'imp-axl-login-refused', user: accountKey(user), because: 'no such account with this password' },
      subject,
    );
    await delay(Math.min(SLOWEST_MS, SLOWER_MS * this.#bySource.used(source, clock())));
    return unauthorized('wrong credentials');
  }

  /** The derivation of a key is expensive: only a few at a time. */
  async #roleOf(user: string, password: string): Promise<'axl' | 'none' | 'busy' | undefined> {
    if (this.#checks >= CHECKS) {
      if (this.#queue.length >= WAITING_CHECKS) return 'busy';
      // Whoever is done hands over the place.
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else this.#checks += 1;
    try {
      return await this.#context.administrators.roleOf(user, password);
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#checks -= 1;
      else next();
    }
  }
}

/** RFC 7617 §2. What is no such header counts as none. */
export function basicCredentials(
  header: string | undefined,
): { readonly user: string; readonly password: string } | undefined {
  if (header === undefined || header.length > LONGEST_HEADER) return undefined;
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined; // not UTF-8: the one thing TextDecoder throws for
  }
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function unauthorized(because: string): Reply {
  return textReply(401, 'The AXL account and its password are needed.', {
    headers: { 'WWW-Authenticate': 'Basic realm="fedway AXL", charset="UTF-8"' },
    because,
    close: true,
  });
}

/** Somebody else chose it: short, and letters of either case are one account. */
function accountKey(user: string): string {
  return user.slice(0, 255).toLowerCase();
}

function pairKey(source: string, user: string): string {
  return JSON.stringify([source, accountKey(user)]);
}
