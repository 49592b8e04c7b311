import type { NoteSink } from '../protocol/notes.ts';
import type { AxlAccess } from './client.ts';
import type { AxlFailure } from './failures.ts';
import type { Ledger } from './ledger.ts';
import type { RouterView } from './router-view.ts';
import { routerViewOf, SELECT_ROUTER_VIEW } from './router-view.ts';
import type { CpId, Plan, S2sNode } from './s2s-nodes.ts';
import { deleteStatement, insertStatement, planOf, SELECT_S2S_NODES, s2sNodesOf } from './s2s-nodes.ts';

/** What one round is about. */
export interface Round {
  /** The publisher's. */
  readonly name: string;
  readonly access: AxlAccess;
  readonly ledger: Ledger;
  readonly note: NoteSink;
  /** `undefined`: nobody knows yet; the table is read and not changed. */
  readonly wanted: readonly CpId[] | undefined;
  /** Whether the server may be a node of fedway's own, which has a view of its router. */
  readonly hasView: boolean;
  /** Nothing has changed since the last round. */
  readonly routine: boolean;
}

/** What came of it. What is known stays known when something fails after it. */
export interface RoundResult {
  /** The rows when they were last read; `undefined`: they could not be. */
  readonly present: readonly S2sNode[] | undefined;
  readonly router: RouterView | undefined;
  readonly hasView: boolean;
  readonly failure: AxlFailure | undefined;
}

/** Reads the table, makes it as it should be, reads it back, and asks for the view of the router. One request after the other; the first failure ends it. */
export async function runRound(round: Round): Promise<RoundResult> {
  const { access, wanted, hasView, routine } = round;
  const before = await readTable(access, routine);
  if ('failure' in before) return { present: undefined, router: undefined, hasView, failure: before.failure };
  const { present, failure } =
    wanted === undefined ? { ...before, failure: undefined } : await makeTrue(round, wanted, before.present);
  if (failure !== undefined) return { present, router: undefined, hasView, failure };
  return { present, ...(await readView(access, hasView, routine)) };
}

interface Table {
  readonly present: readonly S2sNode[];
}

async function readTable(access: AxlAccess, routine: boolean): Promise<Table | { readonly failure: AxlFailure }> {
  const outcome = await access.query(SELECT_S2S_NODES, routine);
  return 'failure' in outcome ? outcome : { present: s2sNodesOf(outcome.rows) };
}

async function makeTrue(
  round: Round,
  wanted: readonly CpId[],
  before: readonly S2sNode[],
): Promise<Pick<RoundResult, 'failure'> & Table> {
  const { name, access, ledger, note } = round;
  const plan = planOf({ present: before, wanted, ours: ledger.ours(name) });
  if (plan.insert.length === 0 && plan.remove.length === 0) {
    forgetGone(round, wanted, before);
    return { present: before, failure: undefined };
  }
  // Before the first insertion: whatever ends this process, a row that we have inserted is known as ours.
  if (plan.insert.length > 0) ledger.record(name, [...new Set([...ledger.ours(name), ...plan.insert])]);
  const failure = await carryOut(access, plan);
  if (failure !== undefined) return { present: before, failure };
  const after = await readTable(access, round.routine);
  if ('failure' in after) return { present: before, failure: after.failure };
  const { present } = after;
  const left = planOf({ present, wanted, ours: ledger.ours(name) });
  if (left.insert.length > 0 || left.remove.length > 0) return { present, failure: { code: 'not-kept' } };
  forgetGone(round, wanted, present);
  const removed = plan.remove.map(({ cpId }) => cpId);
  note({ note: 'axl-table-changed', publisher: name, inserted: plan.insert, removed }, {});
  return { present, failure: undefined };
}

async function carryOut(access: AxlAccess, { insert, remove }: Plan): Promise<AxlFailure | undefined> {
  const statements = [
    ...insert.map(insertStatement),
    ...remove.map(deleteStatement).filter((statement) => statement !== undefined),
  ];
  for (const statement of statements) {
    const outcome = await access.update(statement);
    // The row is there already: somebody was faster, or an answer was lost.
    if ('failure' in outcome && outcome.failure.code !== 'duplicate') return outcome.failure;
  }
  return undefined;
}

/** What we inserted, do not want any more, and is not there: nothing is left to remember. */
function forgetGone({ name, ledger }: Round, wanted: readonly CpId[], present: readonly S2sNode[]): void {
  const ours = ledger.ours(name);
  const known = new Set<string>([...wanted, ...present.map(({ cpId }) => cpId)]);
  const left = ours.filter((cpId) => known.has(cpId));
  if (left.length < ours.length) ledger.record(name, left);
}

/** Another product has no such view: that is no failure. */
async function readView(
  access: AxlAccess,
  hasView: boolean,
  routine: boolean,
): Promise<Pick<RoundResult, 'router' | 'hasView' | 'failure'>> {
  if (!hasView) return { router: undefined, hasView, failure: undefined };
  const outcome = await access.query(SELECT_ROUTER_VIEW, routine);
  if (!('failure' in outcome)) return { router: routerViewOf(outcome.rows), hasView, failure: undefined };
  const { failure } = outcome;
  // Any fault of SQL: the table that counts has been read under the same account.
  if ('fault' in failure) return { router: undefined, hasView: failure.code !== 'unknown-table', failure: undefined };
  return { router: undefined, hasView, failure };
}
