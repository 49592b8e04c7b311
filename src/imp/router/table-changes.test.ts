import { describe, expect, test } from 'vitest';
import { CP_1, CP_2, RouterScene } from '../../../test/support/imp-router.ts';
import { until } from '../../../test/support/until.ts';

const OUT = "<message from='alice@coluc.com/a' to='bob@vngtp.lab' id='1'><body>hi</body></message>";

/** A message to another domain, which goes its own way. */
function outTo(domain: string, id = '1'): string {
  return `<message from='alice@coluc.com/a' to='bob@${domain}' id='${id}'><body>hi</body></message>`;
}

describe('an Edge that the table does not name', () => {
  test('is heard, and nothing leaves through it, which the log tells with its cause; errors about what it brings go back to it', async () => {
    await using scene = await new RouterScene('live').listen();
    const edge = await scene.connect(CP_1);
    edge.send("<message from='bob@vngtp.lab' to='alice@coluc.com' id='in'/>");
    expect(await scene.arrival()).toContain("id='in'");
    scene.send(OUT);
    expect(await scene.arrival()).toMatch(/<error type='wait'><remote-server-timeout .*at the moment/);
    expect(scene.noted('foreign-bounced')).toMatchObject([
      {
        because: expect.stringMatching(
          new RegExp(`^the Edge ${CP_1} is connected, and the table xmpps2snodes does not name it.*over AXL`),
        ) as unknown,
      },
    ]);
    expect(edge.text).toBe('');
    expect(scene.notifications.list()).toEqual([]);
  });

  test('another one that is named carries everything', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.insert(CP_1);
    const [edge, stranger] = [await scene.connect(CP_1), await scene.connect(CP_2)];
    for (const domain of ['one.lab', 'two.lab', 'three.lab']) scene.send(outTo(domain));
    await edge.expect(/three\.lab' id='1'/);
    expect([stranger.text, scene.received]).toEqual(['', []]);
  });
});

describe('changes of the table', () => {
  test('live: a new row counts at once, for a component that is connected already; a row that is gone ends its use and not its stream', async () => {
    await using scene = await new RouterScene('live').listen();
    const edge = await scene.connect(CP_1);
    scene.insert(CP_1);
    expect(scene.status()).toMatchObject({ components_connected: '1', components_not_in_table: '0' });
    scene.send(OUT);
    await edge.expect('</message>');
    scene.delete(CP_1);
    expect(scene.status()).toMatchObject({ components_connected: '0', components_not_in_table: '1' });
    scene.send(OUT);
    // The pair remembers its Edge, which does not count any more.
    expect(await scene.arrival()).toContain('<remote-server-timeout ');
    edge.send("<message from='bob@vngtp.lab' to='alice@coluc.com' id='still'/>");
    expect(await scene.arrival()).toContain("id='still'");
    expect(scene.notifications.list()).toEqual([]);
    expect(scene.noted('imp-edges-changed')).toMatchObject([
      { added: [CP_1], removed: [] },
      { added: [], removed: [CP_1] },
    ]);
  });

  test('restart: a new row does not count before the restart, and a notification says so until then', async () => {
    await using scene = await new RouterScene('restart').listen();
    scene.database.sql
      .prepare('INSERT INTO xmpps2snodes VALUES (?, ?)')
      .run('055c13d9-943d-459d-a3c6-af1d1176936d', CP_1);
    scene.nodes.reread();
    expect(scene.router.status()).toMatchObject({ restartNeeded: true, components: [] });
    expect(scene.status()).toMatchObject({ restart_needed: '1', changes: 'restart' });
    expect(scene.notifications.list()).toMatchObject([
      { id: 'xcp-router-restart', since: 1_000, text: expect.stringContaining('must be restarted') as unknown },
    ]);
    scene.send(OUT);
    expect(await scene.arrival()).toContain('<remote-server-timeout ');
    const early = await scene.connect(CP_1);
    scene.send(OUT);
    expect(await scene.arrival()).toContain('<remote-server-timeout ');
    early.send("<message from='bob@vngtp.lab' to='alice@coluc.com' id='in'/>");
    expect(await scene.arrival()).toContain("id='in'");
    expect(scene.noted('foreign-bounced')).toMatchObject([
      { because: expect.stringMatching(/^the XCP Router has not read .* Restart the XCP Router$/) as unknown },
      {
        because: expect.stringMatching(
          /^the Edge .* is connected, and the table .* has read it does not name it\. Restart the XCP Router$/,
        ) as unknown,
      },
    ]);

    scene.router.restart('admin');
    expect(await early.end()).toContain('<system-shutdown ');
    expect(scene.router.status()).toMatchObject({ restartNeeded: false, bounced: 0 });
    expect(scene.notifications.list()).toEqual([]);
    expect(scene.noted('imp-notification-cleared')).toHaveLength(1);
    expect(scene.status()).toMatchObject({ restart_needed: '0' });
    const edge = await scene.connect(CP_1);
    scene.send(OUT);
    await edge.expect('</message>');
  });

  test('restart: a removed row still counts until the restart, which drops the component', async () => {
    await using scene = new RouterScene('restart');
    scene.insert(CP_1);
    scene.insert(CP_2);
    await scene.listen();
    const [edge, other] = [await scene.connect(CP_1), await scene.connect(CP_2)];
    scene.delete(CP_1);
    expect(scene.router.status().restartNeeded).toBe(true);
    scene.send(outTo('one.lab', 'a'), outTo('two.lab', 'b'));
    await until(() => /id='[ab]'/.test(edge.text) && /id='[ab]'/.test(other.text), 'each has one');
    scene.router.restart('admin');
    expect(await edge.end()).toContain('<system-shutdown ');
    expect(await other.end()).toContain('<system-shutdown ');
    const [removed, left] = [await scene.connect(CP_1), await scene.connect(CP_2)];
    scene.send(outTo('one.lab'), outTo('two.lab'), outTo('three.lab'));
    await left.expect(/one\.lab.*two\.lab.*three\.lab.*<\/message>/s);
    expect(removed.text).toBe('');
  });

  test('restart: a change that is taken back needs no restart', async () => {
    await using scene = await new RouterScene('restart').listen();
    scene.insert(CP_1);
    scene.delete(CP_1);
    expect(scene.router.status().restartNeeded).toBe(false);
    expect(scene.notifications.list()).toEqual([]);
  });
});
