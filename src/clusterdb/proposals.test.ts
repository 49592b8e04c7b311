import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { problemsOf, put, useDatabases, valuesIn } from '../../test/support/clusterdb.ts';
import type { ReplicatedBox } from '../../test/support/replicated.ts';
import { linkedPairOf, pairOf } from '../../test/support/replicated.ts';
import type { ChangeRequest } from './types.ts';

const databases = useDatabases();

function request(values: Readonly<Record<string, string | number>>, more: Partial<ChangeRequest> = {}): ChangeRequest {
  const steps = Object.entries(values).map(([key, value]) => ({ put: key, value }));
  return { steps, author: 'root', reason: 'from the other side', ...more };
}

describe('a proposal', () => {
  test('is made by the owner, in the name of who asked and where, and answered when it is here', async () => {
    const both = linkedPairOf(databases);
    const answer = both.core.replication.propose(request({ tls: 'none' }));
    both.settle();
    expect(await answer).toMatchObject({
      outcome: 'changed',
      change: { origin: both.edge.db.origin, revision: 1, author: 'root via core-1', reason: 'from the other side' },
    });
    expect(valuesIn(both.core.db.snapshot(both.edge.db.origin))).toEqual({ tls: 'none' });
    const again = both.core.replication.propose(request({ tls: 'none' }));
    both.settle();
    expect(await again).toEqual({ outcome: 'unchanged', revision: 1 });
    const other = both.edge.replication.propose(request({ 'homes.a.lab.federation': 'off' }, { author: 'anna@vm' }));
    both.settle();
    expect(await other).toMatchObject({ outcome: 'changed', change: { author: 'anna@vm via edge-1' } });
  });

  test('of a secret brings it to the owner, and nothing of it back', async () => {
    const both = linkedPairOf(databases);
    const answer = both.core.replication.propose(request({ dialback_secret: 'hunter2hunter2' }));
    both.deliver(both.core);
    expect(JSON.stringify(both.edge.sent)).not.toContain('hunter2');
    both.settle();
    expect(JSON.stringify(await answer)).toContain('{"hide":"dialback_secret"}');
    expect(valuesIn(both.edge.db.snapshot())).toEqual({ dialback_secret: 'hunter2hunter2' });
  });

  test('that comes too late is a conflict, with who was faster', async () => {
    const both = linkedPairOf(databases);
    put(both.edge.db, { tls: 'required' });
    both.settle();
    put(both.edge.db, { tls: 'optional' });
    const answer = both.core.replication.propose(request({ tls: 'none' }, { expect: { tls: 1 } }));
    both.settle();
    expect(await answer).toMatchObject({ outcome: 'conflict' });
    expect(problemsOf(await answer)[0]).toMatch(/you saw revision 1, and root@edge-1 set it to "optional"/);
    expect(both.edge.notes).toMatchObject([{ note: 'proposal-declined', box: 'core-1', author: 'root' }]);
  });

  test('of keys that the peer does not own, or of none, is refused by it', async () => {
    const both = linkedPairOf(databases);
    const notTheirs = both.core.replication.propose(request({ 'homes.a.lab.federation': 'off' }));
    const noKey = both.core.replication.propose(request({ tsl: 'none' }));
    both.settle();
    expect(await notTheirs).toEqual({
      outcome: 'refused',
      problems: ['homes.a.lab.federation: it does not belong to this box.'],
    });
    expect(await noKey).toEqual({ outcome: 'refused', problems: ['tsl: there is no such key; did you mean "tls"?'] });
    both.edge.replication.receive({
      is: 'propose',
      id: '1',
      author: 'x',
      reason: '',
      steps: [{ hide: 'dialback_secret' }],
      expect: {},
    });
    expect(both.edge.sent).toMatchObject([
      { is: 'declined', conflict: false, problems: ['dialback_secret: its value is missing.'] },
    ]);
  });

  test('without a Link is refused at once: nothing was changed', async () => {
    const both = pairOf(databases);
    expect(await both.core.replication.propose(request({ tls: 'none' }))).toEqual({
      outcome: 'unreachable',
      problems: [
        'edge-1 is not connected. Nothing was asked or changed; try again when the Link is up, or change it there.',
      ],
    });
  });

  test('that a break overtakes is told as unknown, or as made when the owner has said so', async () => {
    const both = linkedPairOf(databases);
    const unknown = both.core.replication.propose(request({ tls: 'none' }));
    both.down();
    expect(problemsOf(await unknown)).toEqual([
      'edge-1 was lost before it answered. It is unknown whether the change was made there: look at it before you change it again.',
    ]);
    both.up();
    both.settle();
    const made = both.core.replication.propose(request({ tls: 'none' }));
    both.core.replication.receive({ is: 'accepted', id: proposedBy(both.core), revision: 7 });
    both.down();
    expect(problemsOf(await made)).toEqual([
      'edge-1 was lost before the change came back. The change was made there (revision 7), and is here when the Link is up again.',
    ]);
  });

  test('that nobody answers is given up after a while', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const both = linkedPairOf(databases);
    const answer = both.core.replication.propose(request({ tls: 'none' }));
    vi.advanceTimersByTime(30_000);
    expect(problemsOf(await answer)[0]).toMatch(/^edge-1 did not answer within 30 seconds\. It is unknown/);
  });

  test('whose change comes back in a backfill is answered all the same', async () => {
    const both = linkedPairOf(databases);
    const answer = both.core.replication.propose(request({ tls: 'none', dialback_secret: 'hunter2hunter2' }));
    const id = proposedBy(both.core);
    both.core.sent.length = 0;
    put(both.edge.db, { tls: 'none', dialback_secret: 'hunter2hunter2' });
    both.edge.sent.length = 0;
    both.edge.replication.receive({ is: 'follow', origin: undefined, since: 0, digest: undefined });
    both.core.replication.receive({ is: 'accepted', id, revision: 1 });
    both.settle();
    expect(await answer).toEqual({
      outcome: 'changed',
      change: {
        origin: both.edge.db.origin,
        revision: 1,
        time: 0,
        author: 'root',
        reason: 'from the other side',
        steps: [{ put: 'tls', value: 'none' }, { hide: 'dialback_secret' }],
      },
    });
  });
});

function proposedBy(box: ReplicatedBox): string {
  const message = box.sent.find(({ is }) => is === 'propose');
  return message?.is === 'propose' ? message.id : '';
}
