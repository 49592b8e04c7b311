import { describe, expect, test } from 'vitest';
import { ClientWorld, chat } from './client-world.ts';
import { streamError } from './xml.ts';

const BALCONY = 'juliet@example.com/balcony';
const R = "<r xmlns='urn:xmpp:sm:3'/>";

/** A session with stream management, and its id. */
function managed(options: ConstructorParameters<typeof ClientWorld>[0] = {}, attributes?: string) {
  const world = new ClientWorld(options);
  const client = world.login();
  const id = client.enable(attributes);
  return { world, client, id, session: world.session(BALCONY) };
}

function comeBack(world: ClientWorld, username = 'juliet') {
  const client = world.connect();
  client.authenticate(username);
  return client;
}

describe('acknowledgements (XEP-0198 §4)', () => {
  test('the client is asked at once; again when it has answered and more was sent, or after ten stanzas', () => {
    const { client, session } = managed();
    const heardOf = (stanzas: number): string => {
      for (let n = 0; n < stanzas; n++) session.send(chat('hi'));
      return client.raw.hear();
    };
    expect(heardOf(1).endsWith(R)).toBe(true);
    expect(heardOf(9)).not.toContain(R);
    expect(heardOf(1).endsWith(R)).toBe(true);
    expect(heardOf(2)).not.toContain(R);
    expect(client.acknowledge(1)).toBe('');
    expect(client.acknowledge(11)).toBe(R);
    expect(client.acknowledge(13)).toBe('');
    expect(heardOf(1).endsWith(R)).toBe(true);
  });

  test('a client that goes as soon as it has acknowledged what it was sent gets none of it again', () => {
    const { client, session, world } = managed();
    session.send(chat('the answer'));
    expect(client.raw.hear().endsWith(R)).toBe(true);
    client.say("<a xmlns='urn:xmpp:sm:3' h='1'/></stream:stream>");
    expect(world.told).toHaveLength(2);
    expect(world.undelivered).toEqual([]);
  });

  test('a client that acknowledges what it was never sent is told how much that was, and is out', () => {
    const { client, session, world } = managed();
    session.send(chat('one'));
    const heard = client.acknowledge(2);
    expect(streamError(heard)).toBe('undefined-condition');
    expect(heard).toContain("<handled-count-too-high xmlns='urn:xmpp:sm:3' h='2' send-count='1'/>");
    expect(world.undelivered).toEqual([chat('one')]);
  });

  test.each(["h='-1'", "h='x'", "h='4294967296'", ''])('an acknowledgement with %j is malformed', (h) => {
    const { client } = managed();
    expect(streamError(client.say(`<a xmlns='urn:xmpp:sm:3' ${h}/>`))).toBe('bad-format');
  });

  test('what the server answers by itself counts as sent, what it refuses as handled', () => {
    const { client, world } = managed();
    client.say("<iq type='get' id='1'/>");
    client.say("<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
    expect(client.say(R)).toContain("h='2'");
    expect(client.acknowledge(2)).toBe('');
    client.breakOff();
    world.clock.advance(120_000);
    expect(world.undelivered).toEqual([]);
  });

  test('it is not for sessions that have not enabled it, and is enabled once', () => {
    const world = new ClientWorld();
    const client = world.login();
    client.say(R);
    expect(client.side.ended).toBeUndefined();
    expect(client.enable()).toBe('generated-1');
    expect(client.say("<enable xmlns='urn:xmpp:sm:3'/>")).toContain('<unexpected-request ');
    expect(client.resume('generated-1', 0)).toContain('<unexpected-request ');
  });

  test('before binding it is too early', () => {
    const world = new ClientWorld();
    const client = comeBack(world);
    expect(client.say("<enable xmlns='urn:xmpp:sm:3'/>")).toContain('<unexpected-request ');
    expect(client.bind('balcony')).toContain(BALCONY);
  });

  test('a client that is silent is asked, and when it does not answer, it is away', () => {
    const { world, client } = managed();
    world.clock.advance(300_000);
    expect(client.raw.hear()).toBe(R);
    world.clock.advance(30_000);
    expect(client.side.ended).toMatchObject({ by: 'timeout' });
    expect(world.told).toEqual([`opened ${BALCONY}`]);
    world.clock.advance(120_000);
    expect(world.told).toEqual([`opened ${BALCONY}`, `ended ${BALCONY}`]);
  });

  test('any sign of life keeps it here', () => {
    const { world, client } = managed();
    for (let n = 0; n < 5; n++) {
      world.clock.advance(299_000);
      client.say(' ');
    }
    expect(client.side.ended).toBeUndefined();
  });
});

describe('how long a session is kept', () => {
  test.each([
    ["resume='true'", 120],
    ["resume='1' max='30'", 30],
    ["resume='true' max='86400'", 600],
    ["resume='true' max='soon'", 120],
  ])('%s: %d seconds', (attributes, seconds) => {
    const { world, client, id } = managed({}, attributes);
    expect(client.raw.received).toContain(`resume='true' max='${seconds}'`);
    expect(id).not.toBe('');
    client.breakOff();
    world.clock.advance(seconds * 1000 - 1);
    expect(world.told).toHaveLength(1);
    world.clock.advance(1);
    expect(world.told).toHaveLength(2);
  });

  test.each(['', "resume='false'", "resume='true' max='0'"])('with %j not at all', (attributes) => {
    const { world, client, session } = managed({}, attributes);
    expect(client.raw.received).toContain("<enabled xmlns='urn:xmpp:sm:3'/>");
    session.send(chat('in flight'));
    client.breakOff();
    expect(world.undelivered).toEqual([chat('in flight')]);
  });
});

describe('resumption (XEP-0198 §5)', () => {
  test.each([0, 1, 2, 3])(
    'of three stanzas the client had handled %d: the rest comes again, in order, once',
    (handled) => {
      const { world, client, id, session } = managed();
      const bodies = ['one', 'two', 'three'];
      for (const body of bodies) session.send(chat(body));
      client.breakOff();
      const back = comeBack(world);
      const heard = back.resume(id, handled);
      const again = [...heard.matchAll(/<body>(\w+)<\/body>/g)].map(([, body]) => body);
      expect(again).toEqual(bodies.slice(handled));
      expect(back.acknowledge(3)).toBe('');
      back.say('</stream:stream>');
      expect(world.undelivered).toEqual([]);
    },
  );

  test('what the client sends again is not handled twice, since it learns what was handled', () => {
    const { world, client, id } = managed();
    client.say('<message><body>one</body></message>');
    client.breakOff();
    expect(comeBack(world).resume(id, 0)).toContain(`<resumed xmlns='urn:xmpp:sm:3' previd='${id}' h='1'/>`);
  });

  test('a session is resumed again and again, and its counts go on', () => {
    const { world, client, id, session } = managed();
    let present = client;
    for (let round = 1; round <= 5; round++) {
      session.send(chat(`${round}`));
      present.say(`<message><body>${round}</body></message>`);
      present.breakOff();
      present = comeBack(world);
      expect(present.resume(id, round)).toContain(` h='${round}'/>`);
    }
    expect(world.told.filter((told) => told.startsWith('opened'))).toHaveLength(1);
  });

  test('a stream that is still there is told that the session goes on elsewhere', () => {
    const { world, client, id, session } = managed();
    session.send(chat('one'));
    const back = comeBack(world);
    expect(back.resume(id, 0)).toContain('<body>one</body>');
    expect(streamError(client.raw.hear())).toBe('conflict');
    session.send(chat('two'));
    expect(back.raw.hear()).toContain('<body>two</body>');
    expect(client.raw.received).not.toContain('<body>two</body>');
    expect(world.told).toEqual([`opened ${BALCONY}`]);
  });

  test('what comes on the former stream after a resumption has no effect', () => {
    const { world, client, id } = managed();
    comeBack(world).resume(id, 0);
    client.say('<message><body>ghost</body></message>');
    expect(world.told).toEqual([`opened ${BALCONY}`]);
  });

  test('after its time a session is gone; the client learns what was handled of it, and may bind', () => {
    const { world, client, id, session } = managed();
    client.say('<message/>');
    session.send(chat('in flight'));
    client.breakOff();
    session.send(chat('while away'));
    world.clock.advance(120_000);
    expect(world.undelivered).toEqual([chat('in flight'), chat('while away')]);
    const back = comeBack(world);
    const failed = back.resume(id, 0);
    expect(failed).toContain("<failed xmlns='urn:xmpp:sm:3' h='1'><item-not-found ");
    expect(back.bind('balcony')).toContain(BALCONY);
  });

  test('an owner that fails when a session ends by itself does not bring the node down', () => {
    const { world, client } = managed();
    client.breakOff();
    world.ended = () => {
      throw new Error('the disk is full');
    };
    expect(() => world.clock.advance(120_000)).not.toThrow();
    expect([...world.registry.sessions()]).toEqual([]);
    expect(world.notes).toContainEqual(expect.objectContaining({ note: 'bug', where: 'the end of a session' }));
  });

  test('the session of somebody else cannot be resumed, nor be known of', () => {
    const { world, client, id } = managed();
    client.breakOff();
    const thief = comeBack(world, 'romeo');
    const failed = thief.resume(id, 0);
    expect(failed).toContain("<failed xmlns='urn:xmpp:sm:3'><item-not-found ");
    expect(comeBack(world).resume(id, 0)).toContain('<resumed ');
  });

  test('with an impossible count the session ends', () => {
    const { world, client, id, session } = managed();
    session.send(chat('one'));
    client.breakOff();
    session.send(chat('never written'));
    const back = comeBack(world);
    expect(streamError(back.resume(id, 2))).toBe('undefined-condition');
    expect(world.undelivered).toEqual([chat('one'), chat('never written')]);
  });

  test.each(["previd='generated-1'", "h='0'", "previd='generated-1' h='x'"])('%s is malformed', (attributes) => {
    const { world, client } = managed();
    client.breakOff();
    const back = comeBack(world);
    expect(streamError(back.say(`<resume xmlns='urn:xmpp:sm:3' ${attributes}/>`))).toBe('bad-format');
    expect(world.told).toHaveLength(1);
  });

  test('binding the same resource ends the session that waits', () => {
    const { world, client, session } = managed();
    session.send(chat('one'));
    client.breakOff();
    world.login();
    expect(world.told).toHaveLength(3);
    expect(world.told[1]).toContain('<body>one</body>');
  });

  test('who closed its stream in good order has nothing to resume', () => {
    const { world, client, id } = managed();
    client.say('</stream:stream>');
    expect(comeBack(world).resume(id, 0)).toContain('<item-not-found ');
  });

  test('a stream that ended for what the client did is not resumed: it would bring the same again', () => {
    const { world, client, id } = managed();
    client.say("<message from='romeo@example.com'/>");
    expect(comeBack(world).resume(id, 0)).toContain('<item-not-found ');
  });
});

describe('more than is kept', () => {
  test('of stanzas: the session ends, and all of them are undelivered, the last one too', () => {
    const { world, client, session } = managed();
    for (let n = 0; n < 21; n++) session.send(chat(`${n}`));
    world.clock.settle();
    expect(streamError(client.raw.hear())).toBe('resource-constraint');
    expect(world.undelivered).toHaveLength(21);
  });

  test('of bytes, while the client is away', () => {
    const { world, client, session, id } = managed();
    client.breakOff();
    session.send(chat('x'.repeat(99_000)));
    expect(world.told).toHaveLength(1);
    session.send(chat('y'.repeat(2000)));
    session.send(chat('z'));
    world.clock.settle();
    expect(world.undelivered).toHaveLength(3);
    expect(comeBack(world).resume(id, 0)).toContain('<item-not-found ');
    expect(world.notes).toContainEqual(expect.objectContaining({ note: 'client-overflow', address: BALCONY }));
  });

  test('what was acknowledged makes room', () => {
    const { world, client, session } = managed();
    for (let n = 1; n <= 100; n++) {
      session.send(chat(`${n}`));
      client.acknowledge(n);
    }
    world.clock.settle();
    expect(client.side.ended).toBeUndefined();
  });
});
