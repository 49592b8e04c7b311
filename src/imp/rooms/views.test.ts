import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jid, xml } from '../../../test/support/imp-accounts.ts';
import { COVEN, codesOf } from '../../../test/support/imp-rooms.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';
import { attributeOf, childOf } from '../../protocol/xml/write.ts';
import type { Packet } from '../packet.ts';
import { USUAL_LIMITS } from './limits.ts';
import { MUC } from './namespaces.ts';
import { receiveAt } from './receiving.ts';
import { Room } from './room.ts';
import { AFFILIATIONS, ROLES } from './standing.ts';
import { Turn } from './turn.ts';

const OWNER = 'owner@im.example/o';
const CLIENTS = ['a@im.example/1', 'a@im.example/2', 'b@im.example/1', 'c@x.example/1', 'd@y.example/1', OWNER];
const USERS = ['a@im.example', 'b@im.example', 'c@x.example', 'd@y.example', 'x.example', 'owner@im.example'];
const NICKS = ['Ann', 'ann', 'Bob', 'Cy', 'Dee'];

/** What one client knows: the standing of everybody, by nickname, and its own nickname while it is in the room. */
interface View {
  readonly others: Map<string, string>;
  self: string | undefined;
}

/** A room, and what each client can tell of it from the presences it got. */
class World {
  readonly room: Room;
  readonly views = new Map<string, View>(CLIENTS.map((client) => [client, { others: new Map(), self: undefined }]));
  private number = 0;

  constructor() {
    const unmeasured = { burst: 1e9, perSecond: 1 };
    this.room = new Room(
      { address: jid(COVEN), created: 0, creator: 'owner@im.example', secret: 's' },
      { ...USUAL_LIMITS, messageRate: unmeasured, presenceRate: unmeasured, sessionsPerNick: 2 },
    );
    this.room.affiliations.set('owner@im.example', 'owner', undefined);
    this.room.config = { ...this.room.config, persistent: true };
  }

  say(stanza: string): void {
    const element = xml(stanza);
    const from = jid(attributeOf(element, 'from') ?? '');
    const to = jid(attributeOf(element, 'to') ?? '');
    const kind = element.name;
    if (kind !== 'message' && kind !== 'presence' && kind !== 'iq') throw new TypeError(kind);
    const turn = new Turn({ now: 0, newId: () => `id-${(this.number += 1)}`, archive: () => undefined });
    // A client that enters has forgotten what it knew.
    if (kind === 'presence' && childOf(element, 'x', MUC.join) !== undefined && this.isLetIn(from, to))
      this.forget(printJid(from));
    receiveAt(this.room, turn, { kind, from, to, element }, () => {
      throw new Error('nobody asks the archive');
    });
    for (const packet of turn.packets) {
      this.checkDiscretion(packet);
      this.see(packet);
    }
  }

  /** In a semi-anonymous room only moderators learn the address of another (§7.2.4). */
  private checkDiscretion({ kind, to, element }: Packet): void {
    const user = childOf(element, 'x', MUC.user);
    const item = user === undefined ? undefined : childOf(user, 'item', MUC.user);
    const address = item === undefined ? undefined : attributeOf(item, 'jid');
    if (kind !== 'presence' || address === undefined || this.room.config.whois === 'anyone') return;
    const isOwn = address.startsWith(`${printJid(bareOf(to))}/`);
    if (!isOwn && this.room.occupants.of(to)?.role !== 'moderator')
      throw new Error(`${printJid(to)} learns of ${address}`);
  }

  /** Only who enters as somebody it was not before starts from nothing; a refusal leaves everything as it is. */
  private isLetIn(from: Packet['from'], to: Packet['to']): boolean {
    const here = this.room.occupants.of(from);
    const holder = this.room.occupants.resembling(to.resource ?? '');
    return here !== undefined && (holder === undefined || holder === here);
  }

  private forget(client: string): void {
    const view = this.views.get(client);
    view?.others.clear();
    if (view !== undefined) view.self = undefined;
  }

  private see({ kind, from, to, element }: Packet): void {
    const view = this.views.get(printJid(to));
    const user = childOf(element, 'x', MUC.user);
    const nick = from.resource;
    if (kind !== 'presence' || attributeOf(element, 'type') === 'error') return;
    if (view === undefined || user === undefined || nick === undefined) throw new Error('a presence for nobody');
    const item = childOf(user, 'item', MUC.user);
    const codes = codesOf(user);
    if (attributeOf(element, 'type') === 'unavailable') {
      // Whoever is not in the room is told so when it believes to be (§7.2.18).
      if (codes.includes('333') && codes.includes('307')) return this.forget(printJid(to));
      if (!view.others.delete(nick))
        throw new Error(`${printJid(to)} is told of the end of ${nick}, whom it did not know`);
      if (!codes.includes('110')) return;
      if (codes.includes('303')) view.self = item === undefined ? undefined : attributeOf(item, 'nick');
      else this.forget(printJid(to));
      return;
    }
    if (codes.includes('110')) view.self = nick;
    view.others.set(
      nick,
      `${(item && attributeOf(item, 'affiliation')) ?? ''}/${(item && attributeOf(item, 'role')) ?? ''}`,
    );
  }

  /** What clients believe and is not so. */
  untruths(): readonly string[] {
    const { occupants, affiliations } = this.room;
    const truth = occupants.all().map(({ nick, user, role }) => `${nick} ${affiliations.of(user)}/${role}`);
    return [...this.views].flatMap(([client, { others, self }]) => {
      const nick = occupants.of(jid(client))?.nick;
      const isTrue = nick === undefined ? others.size === 0 : isSame(others, truth);
      return isTrue && self === nick ? [] : [`${client} as ${self ?? 'nobody'}: ${[...others].join(', ')}`];
    });
  }
}

function isSame(others: ReadonlyMap<string, string>, truth: readonly string[]): boolean {
  const believed = new Set([...others].map(([nick, standing]) => `${nick} ${standing}`));
  return believed.size === truth.length && truth.every((each) => believed.has(each));
}

const client = fc.constantFrom(...CLIENTS);
const nick = fc.constantFrom(...NICKS);
const role = fc.constantFrom(...ROLES);
const affiliation = fc.constantFrom(...AFFILIATIONS);
const user = fc.constantFrom(...USERS);
const admin = (from: string, item: string): string =>
  `<iq type='set' id='a' from='${from}' to='${COVEN}'><query xmlns='${MUC.admin}'><item ${item}/></query></iq>`;
const config = (field: string, value: string): string =>
  `<iq type='set' id='c' from='${OWNER}' to='${COVEN}'><query xmlns='${MUC.owner}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${MUC.roomConfig}</value></field><field var='muc#roomconfig_${field}'><value>${value}</value></field></x></query></iq>`;

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(client, nick)
      .map(([from, to]) => `<presence from='${from}' to='${COVEN}/${to}'><x xmlns='${MUC.join}'/></presence>`),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(client, nick)
      .map(([from, to]) => `<presence from='${from}' to='${COVEN}/${to}'><show>away</show></presence>`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(client, nick)
      .map(([from, to]) => `<presence type='unavailable' from='${from}' to='${COVEN}/${to}'/>`),
  },
  {
    weight: 1,
    arbitrary: client.map(
      (from) =>
        `<message type='error' from='${from}' to='${COVEN}/Ann'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(client, nick, role).map(([from, who, to]) => admin(from, `nick='${who}' role='${to}'`)),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(client, user, affiliation)
      .map(([from, who, to]) => admin(from, `jid='${who}' affiliation='${to}'`)),
  },
  { weight: 3, arbitrary: fc.tuple(nick, role).map(([who, to]) => admin(OWNER, `nick='${who}' role='${to}'`)) },
  {
    weight: 3,
    arbitrary: fc.tuple(user, affiliation).map(([who, to]) => admin(OWNER, `jid='${who}' affiliation='${to}'`)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('membersonly', 'moderatedroom'), fc.constantFrom('0', '1'))
      .map(([field, value]) => config(field, value)),
  },
);

test('after anything that happens in a room, what each occupant was told is what is true, and who is out was told so', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World();
      for (const stanza of steps) {
        world.say(stanza);
        expect(world.untruths()).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});

test('whoever enters knows everybody before it is told of itself (XEP-0045 §7.2.2)', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), nick, (steps, wanted) => {
      const world = new World();
      for (const stanza of steps) world.say(stanza);
      const newcomer = 'new@z.example/1';
      world.views.set(newcomer, { others: new Map(), self: undefined });
      world.say(`<presence from='${newcomer}' to='${COVEN}/${wanted}'><x xmlns='${MUC.join}'/></presence>`);
      const view = world.views.get(newcomer);
      expect([...(view?.others.keys() ?? [])].at(-1)).toBe(view?.self);
    }),
    { numRuns: 100 },
  );
});

test('a room takes whatever is sent to it without failing, and its occupants still know what is true', () => {
  const noise = fc.tuple(
    fc.constantFrom('message', 'presence', 'iq'),
    fc.constantFrom('', "type='get'", "type='set'", "type='result'", "type='error'", "type='groupchat'", "type='chat'"),
    client,
    fc.constantFrom('', '/Ann', '/Bob', '/ '),
    fc.constantFrom('', MUC.join, MUC.user, MUC.admin, MUC.owner, MUC.discoInfo, MUC.ping, 'jabber:x:data'),
    fc.constantFrom('x', 'query', 'item', 'invite', 'error', 'ping'),
    fc.constantFrom(
      '',
      '<item/>',
      "<item nick='Ann' role='none'/>",
      '<destroy/>',
      "<invite to='q@q.example'/>",
      "<decline to='q'/>",
      '<field/>',
      'text',
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(step, noise), { maxLength: 40 }), (steps) => {
      const world = new World();
      for (const each of steps) {
        if (typeof each === 'string') {
          world.say(each);
          continue;
        }
        const [kind, type, from, resource, namespace, name, inside] = each;
        const payload = namespace === '' ? '' : `<${name} xmlns='${namespace}' type='submit'>${inside}</${name}>`;
        if (namespace === MUC.join && kind === 'presence') continue;
        world.say(`<${kind} ${type} id='n' from='${from}' to='${COVEN}${resource}'>${payload}</${kind}>`);
        if (world.room.ended) return;
        expect(world.untruths()).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});
