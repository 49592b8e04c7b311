import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { routerViewOf } from './router-view.ts';
import type { CpId, S2sNode } from './s2s-nodes.ts';
import { cpIdOf, deleteStatement, insertStatement, parseCpId, planOf, s2sNodesOf } from './s2s-nodes.ts';
import type { AxlRow } from './soap/types.ts';

const PKID = '055c13d9-943d-459d-a3c6-af1d1176936d';
const EFT = 'cm-2_s2scp-1.eft-xwye-a-coluc-com';

function cp(text: string): CpId {
  const parsed = parseCpId(text);
  if (parsed === undefined) throw new TypeError(text);
  return parsed;
}

const node = (cpId: string): S2sNode => ({ pkid: undefined, cpId });

/** The view as a table. */
function viewOf(values: Readonly<Record<string, string>>): readonly AxlRow[] {
  return Object.entries(values).map(([name, value]) => [
    ['name', name],
    ['value', value],
  ]);
}

describe('the component of an Edge', () => {
  test.each([
    ['eft-xwye-a.coluc.com', EFT],
    ['EFT-XWYE-A.Coluc.COM.', EFT],
    ['edge', 'cm-2_s2scp-1.edge'],
    ['xn--mnchen-3ya.lab', 'cm-2_s2scp-1.xn--mnchen-3ya-lab'],
  ])('%s is %s', (host, cpId) => {
    expect(cpIdOf(host)).toEqual({ cpId });
  });

  test.each([
    '',
    '.',
    '192.0.2.1',
    '2001:db8::1',
    'a..b',
    '-a.b',
    'a_b.c',
    "a'b",
    'münchen.lab',
    'a b',
    `${'a.'.repeat(60)}b`,
  ])('%j has none, and it is said why', (host) => {
    expect(cpIdOf(host)).toHaveProperty('problem');
  });
});

describe('a statement', () => {
  test('inserts by name and deletes by pkid, or by name when there is no pkid', () => {
    expect(insertStatement(cp(EFT))).toBe(`insert into xmpps2snodes (pkid, cp_id) values (newid(), '${EFT}')`);
    expect(deleteStatement({ pkid: PKID, cpId: EFT })).toBe(`delete from xmpps2snodes where pkid = '${PKID}'`);
    expect(deleteStatement({ pkid: undefined, cpId: EFT })).toBe(`delete from xmpps2snodes where cp_id = '${EFT}'`);
    expect(deleteStatement({ pkid: undefined, cpId: "' or '1' = '1" })).toBeUndefined();
  });

  test('has exactly the quotation marks of its literals, whatever is in the table or asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (cpId, pkid) => {
        const name = parseCpId(cpId);
        const [node] = s2sNodesOf([
          [
            ['pkid', pkid],
            ['cp_id', cpId],
          ],
        ]);
        const statements = [
          name === undefined ? undefined : insertStatement(name),
          node === undefined ? undefined : deleteStatement(node),
        ];
        for (const statement of statements) expect(statement ?? "''").toMatch(/^[^']*'[A-Za-z0-9._-]*'[^']*$/);
      }),
    );
  });
});

describe('rows', () => {
  test('are read with their pkid, if it is one; without a name they are left out', () => {
    const rows = [
      [
        ['pkid', PKID],
        ['cp_id', ` ${EFT} `],
      ],
      [
        ['cp_id', 'x'],
        ['pkid', "1' or 1=1"],
      ],
      [['pkid', PKID]],
      [['cp_id', '']],
    ] as const;
    expect(s2sNodesOf(rows)).toEqual([
      { pkid: PKID, cpId: EFT },
      { pkid: undefined, cpId: 'x' },
    ]);
  });
});

describe('a plan', () => {
  test('inserts what lacks, removes what is ours and not wanted, leaves what is not ours', () => {
    const plan = planOf({
      present: ['kept', 'ours', 'theirs'].map(node),
      wanted: [cp('kept'), cp('new')],
      ours: ['ours', 'gone', 'kept'],
    });
    expect(plan).toEqual({ insert: ['new'], remove: [node('ours')], foreign: [node('theirs')] });
  });

  test('leads to a table in which nothing is left to do, with every foreign row', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const names = fc.array(name, { maxLength: 6 });
    fc.assert(
      fc.property(names, names, names, (present, wanted, ours) => {
        const plan = planOf({ present: present.map(node), wanted: wanted.map(cp), ours });
        const left = present.filter((one) => !plan.remove.some(({ cpId }) => cpId === one));
        const after = [...left, ...plan.insert].map(node);
        const again = planOf({ present: after, wanted: wanted.map(cp), ours: [...ours, ...plan.insert] });
        expect(again).toEqual({ insert: [], remove: [], foreign: plan.foreign });
        expect(present.filter((one) => !ours.includes(one) && !left.includes(one))).toEqual([]);
      }),
    );
  });
});

describe("the view of a node's router", () => {
  test('is read by names', () => {
    const view = viewOf({ restart_needed: '1', foreign_bounces: '12', xmpp_federation: 'off', router: 'running' });
    expect(routerViewOf(view)).toEqual({ restartNeeded: true, foreignBounces: 12, federation: 'off' });
  });

  test('without names, or with values that are none, says nothing is wrong', () => {
    const nothing = { restartNeeded: false, foreignBounces: 0, federation: undefined };
    expect(routerViewOf([])).toEqual(nothing);
    expect(routerViewOf(viewOf({ restart_needed: 'yes', foreign_bounces: '-1', xmpp_federation: 'maybe' }))).toEqual(
      nothing,
    );
    expect(routerViewOf([[], [['value', '1']]])).toEqual(nothing);
  });
});
