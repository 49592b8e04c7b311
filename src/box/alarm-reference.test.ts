import { describe, expect, test } from 'vitest';
import { publisher } from '../../test/cli/stand-in-operations.ts';
import { AXL_FAILURES } from '../axl/failures.ts';
import { ALARMS } from '../diagnostics/alarms.ts';
import type { AlarmCondition } from './alarms.ts';
import { namedEdge } from './edge-names.ts';
import type { RouterFacts } from './home-components.ts';
import { conditionsOf, type PublisherView } from './publisher-alarms.ts';
import { cureOf } from './publisher-cure.ts';

const PAGE = new URL('../../docs/reference/alarms.md', import.meta.url).pathname;
const NOW = 1_000_000;
const CP_ID = 'cm-2_s2scp-1.edge-1-coluc-com';
const EDGE = namedEdge('edge-1', 'edge-1.coluc.com', true);

function behind(connection: Partial<RouterFacts['connections'][number]>): RouterFacts {
  const usual = { name: CP_ID, isUp: false, since: 0, because: undefined, isUnknown: false };
  return { homes: ['coluc.com'], connections: [{ ...usual, ...connection }] };
}

const { cause, cure } = AXL_FAILURES.credentials;
const REFUSED = {
  code: 'credentials',
  sentence: 'NAME does not accept the AXL user.',
  cause,
  cure: cureOf('NAME', { code: 'credentials', cure }),
} as const;

/** One view for each condition that is an alarm. */
const VIEWS: readonly Partial<PublisherView>[] = [
  { publishers: [publisher({ name: 'NAME', state: 'failed', failure: REFUSED })] },
  { publishers: [publisher({ name: 'NAME' })], federating: new Set(['NAME']) },
  { publishers: [publisher({ name: 'NAME', state: 'incomplete', missing: ['password'] })] },
  { edges: [namedEdge('edge-1-', undefined, true)] },
  { publishers: [], routers: [behind({ isUnknown: true })] },
  { publishers: [publisher({ name: 'NAME' })], restarting: new Set(['NAME']) },
  { publishers: [publisher({ name: 'NAME' })], bouncing: new Set(['NAME']) },
  { edges: [EDGE, namedEdge('edge-2', 'edge-1-coluc.com', true)] },
  { routers: [behind({ because: 'connection refused' })] },
];

function conditions(): readonly AlarmCondition[] {
  const nobody = new Set<string>();
  const sets = { bouncing: nobody, restarting: nobody, federating: nobody };
  const usual = { now: NOW, edges: [EDGE], publishers: [], ...sets, routers: [] };
  return VIEWS.flatMap((view) => conditionsOf({ ...usual, ...view })).toSorted((a, b) => a.id - b.id);
}

function section(id: number, title: string, found: readonly AlarmCondition[]): string {
  const rows = found.map((each) => `| ${[each.what, each.cause, each.cure].map(cell).join(' | ')} |`);
  return `## ${id}: ${title}\n\n| what is said | cause | cure |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('xmpps2snodes', '`xmpps2snodes`');
}

const HEAD = `# Alarms

<!-- Written by src/box/alarm-reference.test.ts, from what the code says: vitest run --project unit src/box/alarm-reference.test.ts -u -->

An alarm is something that somebody has to end: it is raised when it is found, and over when it is. \`fedway status\` shows those that stand, with their causes and
cures, and exits with status 3; the log has \`alarm-raised\` and \`alarm-cleared\`. A Core raises them, or a single box with a \`data\` folder; an Edge shows those of its Core, without addresses.

25023 and 25024 are numbers and titles of Cisco Expressway, for the conditions that it raises them for. Those from 90001 on are fedway's own. Whether an XCP Router has to be restarted, what
it returns, and whether IM&P federates by itself is known of [fedway's own nodes](../guide/imp-node.md) alone: another product does not say so over AXL.

NAME is the name of a publisher here, as in \`publishers.NAME.address\`. Each publisher, home or Edge has alarms of its own.
`;

const FOOT = `The causes and cures of 25023 are those of [what the publisher answered](axl.md#failures); above is the one for a wrong password.
`;

describe('docs/reference/alarms.md', () => {
  test('has every alarm, with the words, causes and cures of the code; after a change, run this test with -u and read the page', async () => {
    const found = conditions();
    const sections = Object.entries(ALARMS).map(([id, title]) =>
      section(
        Number(id),
        title,
        found.filter((each) => each.id === Number(id)),
      ),
    );
    await expect(`${[HEAD, ...sections].join('\n')}\n${FOOT}`).toMatchFileSnapshot(PAGE);
  });

  test('no alarm of the catalogue lacks a condition', () => {
    const raised = new Set(conditions().map(({ id }) => String(id)));
    expect(Object.keys(ALARMS).filter((id) => !raised.has(id))).toEqual([]);
  });
});
