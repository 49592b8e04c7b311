import { randomUUID } from 'node:crypto';
import type { ConfigChange, ReplicationMessage } from '../protocol/link/messages.ts';
import { keyOf } from './plan.ts';
import type { Clusterdb } from './store.ts';
import type { Catalog, ChangeOutcome, ChangeRequest, Snapshot } from './types.ts';

/** `unreachable`: nobody answered. Whether the change was made is said in the sentence. */
export type ProposalOutcome = ChangeOutcome | { readonly outcome: 'unreachable'; readonly problems: readonly string[] };

/** Milliseconds until a question without an answer is given up; an owner answers within a few. */
const PATIENCE = 30_000;
/** Questions that wait for an answer at the same time. */
const MAX_OPEN = 100;

export interface ProposalsContext {
  readonly db: Clusterdb;
  readonly peer: { readonly name: string };
  tell(message: ReplicationMessage): boolean;
  /** The replica of what the peer owns. */
  held(): Snapshot | undefined;
  now(): number;
}

/** A question that is open. */
interface Open {
  readonly request: ChangeRequest;
  /** Of the replica when the question was asked: a change that it leads to has a higher one. */
  readonly asked: number;
  /** Of the change, once the owner has accepted it; its replication is waited for. */
  revision: number | undefined;
  settle(outcome: ProposalOutcome): void;
}

/** Changes of keys that the peer owns: asked for there, and answered when they are in the replica here as well. */
export class Proposals {
  readonly #context: ProposalsContext;
  readonly #open = new Map<string, Open>();

  constructor(context: ProposalsContext) {
    this.#context = context;
  }

  propose(request: ChangeRequest): Promise<ProposalOutcome> {
    const { name } = this.#context.peer;
    if (this.#open.size >= MAX_OPEN) {
      return unreachable(
        `${name} owes the answers to ${MAX_OPEN} changes already. Nothing was asked or changed; try again later.`,
      );
    }
    const id = randomUUID();
    const asked = this.#context.held()?.revision ?? 0;
    const answer = new Promise<ProposalOutcome>((resolve) => {
      const timer = setTimeout(
        () => this.#settleUnknown(id, `did not answer within ${PATIENCE / 1000} seconds`),
        PATIENCE,
      );
      const settle = (outcome: ProposalOutcome): void => {
        clearTimeout(timer);
        this.#open.delete(id);
        resolve(outcome);
      };
      this.#open.set(id, { request, asked, revision: undefined, settle });
    });
    const { author, reason, steps, expect = {} } = request;
    if (!this.#context.tell({ is: 'propose', id, author, reason, steps, expect })) {
      const problem = `${name} is not connected. Nothing was asked or changed; try again when the Link is up, or change it there.`;
      this.#open.get(id)?.settle({ outcome: 'unreachable', problems: [problem] });
    }
    return answer;
  }

  /** The owner has made the change, or found everything as it was asked for. */
  accepted(id: string, revision: number): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    open.revision = revision;
    this.advanced();
  }

  declined(id: string, conflict: boolean, problems: readonly string[]): void {
    this.#open.get(id)?.settle({ outcome: conflict ? 'conflict' : 'refused', problems });
  }

  /** The replica has moved: what was accepted may have arrived. */
  advanced(): void {
    const held = this.#context.held();
    for (const open of this.#open.values()) {
      if (open.revision === undefined) continue;
      if (open.revision <= open.asked) open.settle({ outcome: 'unchanged', revision: open.revision });
      else if (held !== undefined && held.revision >= open.revision)
        open.settle(this.#outcomeOf(open.request, open.revision, held.origin));
    }
  }

  /** The Link is down: no answer will come. */
  down(): void {
    for (const [id, { revision }] of this.#open) {
      this.#settleUnknown(
        id,
        revision === undefined ? 'was lost before it answered' : 'was lost before the change came back',
      );
    }
  }

  /**
   * The owner answers with a revision alone. It is that of the change, or, when there was nothing to change, one that somebody else's change has.
   */
  #outcomeOf(request: ChangeRequest, revision: number, origin: string): ProposalOutcome {
    const { db } = this.#context;
    const changes = db.changesSince(origin, revision - 1, 1);
    // It came with a backfill, which has no history.
    if (changes === undefined) return { outcome: 'changed', change: this.#assumed(request, revision, origin) };
    const [change] = changes;
    return change !== undefined && isMadeOf(change, request)
      ? { outcome: 'changed', change }
      : { outcome: 'unchanged', revision };
  }

  #assumed({ steps, author, reason }: ChangeRequest, revision: number, origin: string): ConfigChange {
    const hidden = steps.map((step) =>
      'put' in step && isSecret(step.put, this.#context.db.catalog) ? { hide: step.put } : step,
    );
    return { origin, revision, time: this.#context.now(), author, reason, steps: hidden };
  }

  #settleUnknown(id: string, what: string): void {
    const open = this.#open.get(id);
    const { name } = this.#context.peer;
    const problem =
      open?.revision === undefined
        ? `${name} ${what}. It is unknown whether the change was made there: look at it before you change it again.`
        : `${name} ${what}. The change was made there (revision ${open.revision}), and is here when the Link is up again.`;
    open?.settle({ outcome: 'unreachable', problems: [problem] });
  }
}

function isMadeOf({ author, reason, steps }: ConfigChange, request: ChangeRequest): boolean {
  const keys = new Set(request.steps.map(keyOf));
  return author.startsWith(request.author) && reason === request.reason && steps.every((step) => keys.has(keyOf(step)));
}

function isSecret(key: string, catalog: Catalog): boolean {
  const kind = catalog.kindOf(key);
  return 'refused' in kind || kind.secret;
}

function unreachable(problem: string): Promise<ProposalOutcome> {
  return Promise.resolve({ outcome: 'unreachable', problems: [problem] });
}
