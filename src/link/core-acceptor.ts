import { newStreamId } from '../net/keys/identifiers.ts';
import { faultInWords } from '../net/s2s/in-words.ts';
import { isP256 } from '../net/tls/issue.ts';
import { AcceptingLink } from '../protocol/link/accepting-link.ts';
import type { LinkMessage } from '../protocol/link/messages.ts';
import { Attempts } from './attempts.ts';
import type { LinkAuthority } from './authority.ts';
import { periodOf } from './certificates.ts';
import type { Cores, PairedCore } from './cores.ts';
import { type BoxIdentity, keyHashOf } from './identity.ts';
import { LinkedBox } from './peer.ts';
import type { Secured } from './tls.ts';
import type { LinkContext } from './types.ts';

/** A certificate lasts for months: who asks more often than this is out of order. */
const RENEWALS = { most: 10, perMs: 3_600_000 } as const;
const LONGEST_KEY = 1024;

export interface CoreAcceptorOptions {
  readonly self: BoxIdentity;
  /** `undefined` as long as the Edge does not listen. */
  authority(): LinkAuthority | undefined;
  readonly cores: Cores;
  readonly context: LinkContext;
  readonly now: () => number;
  /** The Core has ended the pairing. */
  left(acceptor: CoreAcceptor): void;
}

/** The Edge's end of the Link with one Core. */
export class CoreAcceptor {
  readonly peer: LinkedBox;
  readonly id: string;
  private readonly options: CoreAcceptorOptions;
  private readonly renewals = new Attempts(RENEWALS.most, RENEWALS.perMs);
  /** The key that the established connection has proven. */
  private key: string | undefined;

  constructor(core: PairedCore, options: CoreAcceptorOptions) {
    this.options = options;
    this.id = core.id;
    this.peer = new LinkedBox({
      own: options.self.id,
      id: core.id,
      name: () => this.stored?.name ?? core.name,
      mayServe: () => {
        const domains = this.stored?.domains ?? core.domains;
        return domains.length === 0 ? undefined : domains;
      },
      context: options.context,
      now: options.now,
      message: (message) => this.message(message),
      established: () => undefined,
    });
    this.rejoined(core);
  }

  /** The pairing was made anew. */
  rejoined(core: PairedCore): void {
    const until = core.keys.at(-1)?.until;
    if (until !== undefined) this.peer.setCertificateUntil(until);
  }

  /** Runs the Link on a connection that has proven a key of the Core. */
  async connect(secured: Secured, peer: string, key: string, certificateUntil: number): Promise<void> {
    this.key = key;
    const { cores, context } = this.options;
    try {
      cores.used(this.id, key);
    } catch (error) {
      // The former key counts until this can be written.
      context.notes({ note: 'link-storage', detail: faultInWords(error) }, { remote: this.peer.name });
    }
    await this.peer.connect({
      secured,
      peer,
      direction: 'in',
      certificateUntil,
      make: (context) => new AcceptingLink({ ...context, newId: newStreamId }),
    });
  }

  private get stored(): PairedCore | undefined {
    return this.options.cores.byId(this.id);
  }

  private message(message: LinkMessage): boolean {
    switch (message.is) {
      case 'revoked':
        this.options.left(this);
        return true;
      case 'renewed':
        return true;
      case 'renew':
        this.renew(message.publicKey).catch((error: unknown) =>
          this.options.context.notes({ note: 'bug', where: 'link', detail: faultInWords(error) }, {}),
        );
        return true;
      default:
        return false;
    }
  }

  /** Signs for a new key of the Core, which it has asked for over its own Link. */
  private async renew(publicKey: string): Promise<void> {
    const { cores, context, now } = this.options;
    const authority = this.options.authority();
    const { stored, key } = this;
    if (authority === undefined || stored === undefined || key === undefined) return;
    const { name } = stored;
    const subject = { remote: name };
    const refused = !this.renewals.take(this.id, performance.now())
      ? `it asked more than ${RENEWALS.most} times in an hour`
      : publicKey.length > LONGEST_KEY || !isP256(publicKey)
        ? 'what it asked for is no P-256 key'
        : undefined;
    if (refused !== undefined) {
      const until = stored.keys.at(-1)?.until ?? 0;
      context.notes({ note: 'link-certificate-not-renewed', box: name, detail: refused, until }, subject);
      return;
    }
    const chain = await authority.issueFor({ id: this.id, name }, publicKey, now());
    // The pairing may have ended while it was signed: the key must not count then.
    if (this.stored?.keys.some(({ hash }) => hash === key) !== true) return;
    const until = periodOf(chain).notAfter;
    try {
      cores.addKey(this.id, key, { hash: keyHashOf(publicKey), until });
    } catch (error) {
      const detail = `it could not be written: ${error instanceof Error ? error.message : String(error)}`;
      context.notes(
        { note: 'link-certificate-not-renewed', box: name, detail, until: stored.keys.at(-1)?.until ?? 0 },
        subject,
      );
      return;
    }
    context.notes({ note: 'link-certificate-renewed', box: name, until }, subject);
    this.peer.tell({ is: 'renewed', chain });
  }
}
