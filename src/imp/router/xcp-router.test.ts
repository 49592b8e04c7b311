import { describe, expect, test } from 'vitest';
import { CP_1, CP_2, domainOf, packetOf, RouterScene } from '../../../test/support/imp-router.ts';
import { until } from '../../../test/support/until.ts';

const OUT = "<message from='alice@coluc.com/a' to='bob@vngtp.lab' id='1'><body>hi</body></message>";

/** A message to another domain, which goes its own way. */
function outTo(domain: string, id = '1'): string {
  return `<message from='alice@coluc.com/a' to='bob@${domain}' id='${id}'><body>hi</body></message>`;
}

describe('packets inside of the node', () => {
  test('nothing is delivered before send returns, and everything in the order it was sent', async () => {
    await using scene = await new RouterScene('live').listen();
    for (let id = 0; id < 600; id += 1) scene.send(`<message from='a@coluc.com' to='b@coluc.com' id='${id}'/>`);
    expect(scene.received).toEqual([]);
    await until(() => scene.received.length === 600, 'all of them');
    expect(scene.received.map((xml) => Number(/id='(\d+)'/.exec(xml)?.[1]))).toEqual([...Array(600).keys()]);
  });

  test('a destination that throws is a bug of ours: its sender is answered, and the others get theirs', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.router.register(packetOf(OUT).from.domain, {
      receive: ({ element }) => {
        if (element.name === 'iq') throw new Error('on purpose');
        scene.received.push(element.name);
      },
    });
    scene.send(
      "<iq type='get' from='r@chat.coluc.com/a' to='b@coluc.com' id='7'/>",
      "<message from='r@chat.coluc.com/a' to='b@coluc.com'/>",
    );
    await until(() => scene.received.length === 2, 'the message, and the answer to the room');
    expect(scene.received[0]).toBe('message');
    expect(scene.received[1]).toMatch(
      /<iq type='error' id='7' from='b@coluc\.com' to='r@chat\.coluc\.com\/a'>.*internal-server-error/,
    );
    expect(scene.noted('bug')).toMatchObject([{ where: 'delivery to coluc.com' }]);
  });
});

describe('components', () => {
  test('one is let in by the secret, in the table or not, a wrong secret hears not-authorized', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.insert(CP_1);
    await scene.connect(CP_1);
    expect(scene.router.status().components).toEqual([{ cpId: CP_1, connected: true, inTable: true }]);
    expect(scene.status()).toMatchObject({ router: 'running', components_connected: '1', changes: 'live' });
    await scene.connect(CP_2);
    expect(scene.router.status().components).toEqual([
      { cpId: CP_1, connected: true, inTable: true },
      { cpId: CP_2, connected: true, inTable: false },
    ]);
    expect(scene.status()).toMatchObject({ components_connected: '1', components_not_in_table: '1' });
    expect(scene.noted('xcp-component-connected')).toMatchObject([{ inTable: true }, { inTable: false }]);
    expect(await (await scene.open('cm-2_s2scp-1.another', 'a guess')).end()).toContain('<not-authorized ');
  });

  test('what has no name of a component of an Edge hears host-unknown, unless the table has it', async () => {
    await using scene = await new RouterScene('live').listen();
    for (const name of ['edge.coluc.com', 'cm-2_s2scp-1', 'cm-_s2scp-1.edge', `x.${CP_1}`]) {
      expect(await (await scene.open(name)).end()).toContain('<host-unknown ');
    }
    scene.insert('edge.coluc.com');
    await scene.connect('edge.coluc.com');
  });

  test('a second one of the same name is turned away while the first is there, and let in when it is gone', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.insert(CP_1);
    const first = await scene.connect(CP_1);
    expect(await (await scene.open(CP_1)).end()).toContain('<conflict ');
    first.fin();
    await until(() => scene.noted('xcp-component-lost').length === 1, 'the end of the first');
    await scene.connect(CP_1);
  });

  test('a row that no component can have as its name is told, and harms nobody', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.database.sql.exec(
      "INSERT INTO xmpps2snodes VALUES ('055c13d9-943d-459d-a3c6-af1d1176936d', 'no domain at all')",
    );
    scene.nodes.reread();
    scene.insert(CP_1);
    await scene.connect(CP_1);
    expect(scene.noted('xcp-row-unusable')).toMatchObject([{ cpId: 'no domain at all' }, { cpId: 'no domain at all' }]);
  });

  test('a pkid is a UUID in lower case, and a cp_id stands in one row', async () => {
    await using scene = await new RouterScene('live').listen();
    const insert = (pkid: string) => () =>
      scene.database.sql.prepare('INSERT INTO xmpps2snodes VALUES (?, ?)').run(pkid, CP_1);
    expect(insert('055C13D9-943D-459D-A3C6-AF1D1176936D')).toThrow(/CHECK/);
    expect(insert('055c13d9-943d-459d-a3c6-af1d1176936')).toThrow(/CHECK/);
    insert('055c13d9-943d-459d-a3c6-af1d1176936d')();
    expect(insert('155c13d9-943d-459d-a3c6-af1d1176936d')).toThrow(/UNIQUE/);
  });
});

describe('outward', () => {
  test('the stanza leaves in the namespace of components, and a message that it forwards stays a message of clients', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.insert(CP_1);
    const edge = await scene.connect(CP_1);
    scene.send(
      "<message from='alice@coluc.com/a' to='bob@vngtp.lab' xml:lang='de'><body>hi</body>" +
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>old</body></message></forwarded></message>",
    );
    expect(await edge.expect('</message></forwarded></message>')).toBe(
      "<message from='alice@coluc.com/a' to='bob@vngtp.lab' xml:lang='de'><body>hi</body>" +
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>old</body></message></forwarded></message>",
    );
  });

  test('with nobody in the table it goes back as remote-server-not-found, with nobody connected as remote-server-timeout', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.send(OUT);
    expect(await scene.arrival()).toMatch(
      /<message type='error' id='1' from='bob@vngtp\.lab' to='alice@coluc\.com\/a'><error type='cancel'><remote-server-not-found .*does not exchange/,
    );
    scene.insert(CP_1);
    scene.send(OUT);
    expect(await scene.arrival()).toMatch(/<error type='wait'><remote-server-timeout .*at the moment/);
    expect(scene.router.status().bounced).toBe(2);
    expect(scene.noted('foreign-bounced')).toMatchObject([
      {
        sender: 'coluc.com',
        target: 'vngtp.lab',
        because: expect.stringContaining('no Edge is in the table') as unknown,
      },
      { because: expect.stringContaining('no Edge that the XCP Router knows is connected') as unknown },
    ]);
    expect(scene.status()).not.toMatchObject({ foreign_bounces: '2' });
    scene.tick();
    expect(scene.status()).toMatchObject({ foreign_bounces: '2' });
  });

  test('errors and results are never answered, and not counted', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.send(
      "<iq type='result' from='alice@coluc.com/a' to='bob@vngtp.lab' id='1'/>",
      "<message type='error' from='alice@coluc.com/a' to='bob@vngtp.lab' id='1'/>",
      "<message from='a@coluc.com' to='b@coluc.com' id='last'/>",
    );
    expect(await scene.arrival()).toContain("id='last'");
    expect(scene.router.status().bounced).toBe(0);
    expect(scene.noted('dropped')).toHaveLength(2);
  });

  test('of several Edges a pair keeps the one it has while that is up, and pairs are spread over them', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.insert(CP_1);
    scene.insert(CP_2);
    const first = await scene.connect(CP_1);
    scene.send(outTo('one.lab'));
    await first.expect('</message>');
    const second = await scene.connect(CP_2);
    for (let id = 2; id < 8; id += 1) scene.send(outTo('one.lab', String(id)), outTo('two.lab', String(id)));
    await first.expect(/one\.lab' id='7'.*<\/message>/s);
    await second.expect(/two\.lab' id='7'.*<\/message>/s);
    expect(first.text).not.toContain('two.lab');
    expect(second.text).not.toContain('one.lab');
    first.fin();
    await until(() => scene.noted('xcp-component-lost').length === 1, 'the end of the first');
    scene.send(outTo('one.lab', '9'));
    await second.expect(/one\.lab' id='9'/);
  });

  test('what an Edge does not take waits within bounds, and then goes back with resource-constraint', async () => {
    await using scene = await new RouterScene('live', { stanza: 262_144, stanzas: 2, bytes: 10_000_000 }).listen();
    scene.insert(CP_1);
    const edge = await scene.connect(CP_1);
    edge.socket.pause();
    const body = 'x'.repeat(200_000);
    for (let id = 0; id < 80; id += 1)
      scene.send(`<message from='alice@coluc.com/a' to='bob@vngtp.lab' id='${id}'><body>${body}</body></message>`);
    expect(await scene.arrival()).toContain('<resource-constraint ');
    const returned = 1 + (await settledCount(scene));
    edge.recording = false;
    edge.socket.resume();
    const taken = 80 - returned;
    await until(() => edge.bytes > taken * 200_000, `the other ${taken} stanzas`);
  });

  test('a stanza that the other end would close the stream for goes back to its sender alone', async () => {
    await using scene = await new RouterScene('live', { stanza: 10_000, stanzas: 3, bytes: 100_000 }).listen();
    scene.insert(CP_1);
    const edge = await scene.connect(CP_1);
    const large = OUT.replace('hi', 'x'.repeat(9_950));
    const attributes = Array.from({ length: 62 }, (_, index) => `a${index}=''`).join(' ');
    const prefixed = Array.from({ length: 40 }, (_, index) => `xmlns:p${index}='urn:${index}'`).join(' ');
    const used = Array.from({ length: 40 }, (_, index) => `p${index}:a=''`).join(' ');
    const intricate = [
      OUT.replace('<message', `<message ${attributes}`),
      OUT.replace('<body>', `<body ${prefixed}><x ${used}/></body><body>`),
    ];
    scene.send(large, ...intricate, OUT);
    for (let stanza = 0; stanza < 3; stanza += 1)
      expect(await scene.arrival()).toMatch(/<error type='modify'><policy-violation /);
    expect(await edge.expect('</message>')).toBe(OUT);
  });

  test('what waited for an Edge that goes is sent by another one', async () => {
    await using scene = await new RouterScene('live', { stanza: 262_144, stanzas: 100, bytes: 100_000_000 }).listen();
    scene.insert(CP_1);
    const edge = await scene.connect(CP_1);
    edge.socket.pause();
    const body = 'x'.repeat(200_000);
    for (let id = 0; id < 80; id += 1)
      scene.send(`<message from='alice@coluc.com/a' to='bob@vngtp.lab' id='${id}'><body>${body}</body></message>`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    scene.insert(CP_2);
    const other = await scene.connect(CP_2);
    edge.socket.destroy();
    await other.expect(/id='79'><body>x+<\/body><\/message>/);
    expect(scene.received).toEqual([]);
  });
});

/** How many more come back, once nothing more does. */
async function settledCount(scene: RouterScene): Promise<number> {
  let before = -1;
  while (before !== scene.received.length) {
    before = scene.received.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return before;
}

describe('inward', () => {
  test('a stanza arrives in the namespace of clients, with both addresses prepared', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.insert(CP_1);
    const edge = await scene.connect(CP_1);
    edge.send("<message from='Bob@VNGTP.lab/Home' to='ALICE@coluc.com'><body>hi</body></message>");
    expect(await scene.arrival()).toBe(
      "<message from='bob@vngtp.lab/Home' to='alice@coluc.com'><body>hi</body></message>",
    );
    edge.send("<presence from='bob@vngtp.lab/Home' to='room@chat.coluc.com/bob'/>");
    expect(await scene.arrival()).toContain('<presence ');
  });

  test('a sender of ours is refused without ending the stream that carries everybody', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.insert(CP_1);
    const edge = await scene.connect(CP_1);
    edge.send(
      "<message from='alice@coluc.com' to='carol@coluc.com' id='spoof'/><message from='x@chat.coluc.com' to='carol@coluc.com' id='spoof'/>" +
        "<message from='bob@vngtp.lab' to='carol@coluc.com' id='true'/>",
    );
    expect(await scene.arrival()).toContain("id='true'");
    expect(scene.received).toEqual([]);
    expect(scene.noted('dropped')).toHaveLength(2);
  });

  test('an address that cannot be prepared is answered with jid-malformed, a domain that is not ours with item-not-found', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.insert(CP_1);
    const edge = await scene.connect(CP_1);
    edge.send("<iq type='get' from='bob@vngtp.lab/a' to='al\u2163ce@coluc.com' id='1'/>");
    expect(await edge.expect('</iq>')).toMatch(
      /id='1' from='al\u2163ce@coluc\.com' to='bob@vngtp\.lab\/a'>.*jid-malformed/,
    );
    edge.send("<iq type='get' from='bob@vngtp.lab/a' to='alice@elsewhere.lab' id='2'/>");
    expect(await edge.expect('</iq>')).toMatch(/id='2' .*item-not-found/);
    edge.send(
      "<iq type='error' from='bob@vngtp.lab/a' to='alice@elsewhere.lab' id='3'/><iq type='get' from='bob@vngtp.lab/a' to='alice@elsewhere.lab' id='4'/>",
    );
    expect(await edge.expect('</iq>')).toContain("id='4'");
  });
});

describe('what makes many packets', () => {
  test('a component whose last stanza did is not read while there is too much of that, and is forgotten when it is gone', async () => {
    await using scene = await new RouterScene('live').listen();
    let received = 0;
    scene.router.register(domainOf('rooms.coluc.com'), { multiplies: true, receive: () => void (received += 1) });
    const toRoom =
      "<message from='alice@coluc.com/a' to='team@rooms.coluc.com' type='groupchat'><body>x</body></message>";
    const crowd = Array.from({ length: 16 }, () => toRoom);
    scene.insert(CP_1);
    const edge = await scene.connect(CP_1);
    edge.send(toRoom.replace('alice@coluc.com', 'bob@vngtp.lab'));
    await until(() => received === 1, 'the message at the room');
    scene.send(...crowd);
    expect(scene.router.crowdedFor(CP_1)).toBeInstanceOf(Promise);
    edge.fin();
    await until(() => scene.noted('xcp-component-lost').length === 1, 'the end of the component');
    scene.send(...crowd);
    expect([scene.router.crowded(true), scene.router.crowdedFor(CP_1)]).toEqual([expect.any(Promise), undefined]);
  });
});

describe('XMPP federation node status', () => {
  test('On while an Edge is in the table is a conflict, and nothing foreign goes to the Edge', async () => {
    await using scene = await new RouterScene('live').listen();
    scene.insert(CP_1);
    const edge = await scene.connect(CP_1);
    scene.federation = 'on';
    scene.router.federationChanged();
    expect(scene.notifications.list()).toMatchObject([{ id: 'federation-conflict' }]);
    expect(scene.noted('imp-notification-raised')).toMatchObject([
      { cure: expect.stringContaining('to Off') as unknown },
    ]);
    expect(scene.status()).toMatchObject({ xmpp_federation: 'on' });
    scene.send(OUT);
    expect(await scene.arrival()).toContain('<remote-server-not-found ');
    expect(edge.text).toBe('');
    scene.federation = 'off';
    scene.router.federationChanged();
    expect(scene.notifications.list()).toEqual([]);
    scene.send(OUT);
    await edge.expect('</message>');
  });
});
