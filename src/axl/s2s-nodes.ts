import type { AxlRow } from './soap/types.ts';
import { columnOf } from './soap/types.ts';

declare const checked: unique symbol;

/** The name of an S2S component of an Edge, as it stands in `xmpps2snodes`: fit to be written into a statement as it is. */
export type CpId = string & { readonly [checked]: true };

const CP_ID = /^[A-Za-z0-9._-]{1,128}$/;
/** Connection manager 2, S2S command processor 1: the only component of that kind on an Edge. */
const COMPONENT = 'cm-2_s2scp-1.';
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A text as the name of a component; `undefined` when it cannot be one. */
export function parseCpId(text: string): CpId | undefined {
  return CP_ID.test(text) ? (text as CpId) : undefined;
}

/**
 * The component of the Edge with this host name: `eft-xwye-a.coluc.com` is `cm-2_s2scp-1.eft-xwye-a-coluc-com`. `problem` is a clause that says
 * why there is none. Two host names that differ only in a dot and a hyphen have the same component.
 */
export function cpIdOf(hostName: string): { readonly cpId: CpId } | { readonly problem: string } {
  const name = (hostName.endsWith('.') ? hostName.slice(0, -1) : hostName).toLowerCase();
  if (name === '') return { problem: 'an Edge needs a host name' };
  if (/^[\d.]+$/.test(name) || name.includes(':')) return { problem: 'an IP address is not the host name of an Edge' };
  if (!name.split('.').every((label) => LABEL.test(label))) {
    return {
      problem:
        'the host name of an Edge has letters, digits and hyphens between its dots; write an international name as its A-label (xn--)',
    };
  }
  const cpId = parseCpId(COMPONENT + name.replaceAll('.', '-'));
  return cpId === undefined
    ? { problem: `the host name of an Edge has at most ${128 - COMPONENT.length} characters` }
    : { cpId };
}

/** A row of `xmpps2snodes`. */
export interface S2sNode {
  /** Lower case; `undefined` when the server did not say it or it does not look like one. */
  readonly pkid: string | undefined;
  /** Anything, as somebody else may have written it. */
  readonly cpId: string;
}

/** What is to be done that the table is as it should be. */
export interface Plan {
  readonly insert: readonly CpId[];
  readonly remove: readonly S2sNode[];
  /** Rows that are not ours and not wanted: they stay. */
  readonly foreign: readonly S2sNode[];
}

export const SELECT_S2S_NODES = 'select pkid, cp_id from xmpps2snodes';

/** The rows of the table as AXL hands them out; rows without a `cp_id` are left out. */
export function s2sNodesOf(rows: readonly AxlRow[]): readonly S2sNode[] {
  return rows.flatMap((row) => {
    const cpId = columnOf(row, 'cp_id')?.trim();
    if (cpId === undefined || cpId === '') return [];
    const pkid = columnOf(row, 'pkid')?.trim();
    return [{ cpId, pkid: pkid !== undefined && PKID.test(pkid) ? pkid : undefined }];
  });
}

const PKID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Plans: what is wanted and lacks is inserted, what is ours and not wanted is removed, everything else stays.
 *
 * @param ours what we have recorded as inserted by us
 */
export function planOf({
  present,
  wanted,
  ours,
}: {
  readonly present: readonly S2sNode[];
  readonly wanted: readonly CpId[];
  readonly ours: readonly string[];
}): Plan {
  const there = new Set(present.map(({ cpId }) => cpId));
  const due = new Set<string>(wanted);
  const mine = new Set(ours);
  const surplus = present.filter(({ cpId }) => !due.has(cpId));
  return {
    insert: [...new Set(wanted)].filter((cpId) => !there.has(cpId)),
    remove: surplus.filter(({ cpId }) => mine.has(cpId)),
    foreign: surplus.filter(({ cpId }) => !mine.has(cpId)),
  };
}

/** `newid()` is Informix's, and makes a `pkid`. */
export function insertStatement(cpId: CpId): string {
  return `insert into xmpps2snodes (pkid, cp_id) values (newid(), '${cpId}')`;
}

/** By `pkid` when it is known; `undefined` for a row that can be named in no statement. */
export function deleteStatement({ pkid, cpId }: S2sNode): string | undefined {
  if (pkid !== undefined) return `delete from xmpps2snodes where pkid = '${pkid}'`;
  const name = parseCpId(cpId);
  return name === undefined ? undefined : `delete from xmpps2snodes where cp_id = '${name}'`;
}
