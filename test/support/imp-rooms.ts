import { ArchiveIds } from '../../src/imp/archive/ids.ts';
import { RoomArchive } from '../../src/imp/archive/room-archive.ts';
import { ArchiveStore } from '../../src/imp/archive/store.ts';
import { ARCHIVE_TABLES } from '../../src/imp/archive/tables.ts';
import { NodeDatabase } from '../../src/imp/database/database.ts';
import { elementsIn } from '../../src/imp/elements.ts';
import type { Packet } from '../../src/imp/packet.ts';
import { type RoomLimits, USUAL_LIMITS } from '../../src/imp/rooms/limits.ts';
import { Rooms } from '../../src/imp/rooms/rooms.ts';
import { ROOM_TABLES } from '../../src/imp/rooms/tables.ts';
import { prepareJid } from '../../src/protocol/jid/prepare.ts';
import { printJid } from '../../src/protocol/jid/print.ts';
import type { Note } from '../../src/protocol/notes.ts';
import { readStanzaError } from '../../src/protocol/stream/stanza-error.ts';
import type { XmlElement } from '../../src/protocol/xml/types.ts';
import { attributeOf, childOf, textOf } from '../../src/protocol/xml/write.ts';
import { AMPLE, jid, text, xml } from './imp-accounts.ts';

const CLIENT = 'jabber:client';
const USER = 'http://jabber.org/protocol/muc#user';

/** The service that the tests speak of, and its usual room. */
export const SERVICE = 'chat.example';
export const COVEN = `coven@${SERVICE}`;
/** Whose users may make rooms. */
const LOCAL = 'im.example';

/** Chat rooms over a database in memory: what is said to them, and what they answer. */
export class RoomsOnTrial {
  now = Date.UTC(2026, 0, 1);
  readonly notes: Note[] = [];
  readonly limits: RoomLimits;
  readonly database = new NodeDatabase(':memory:', [ARCHIVE_TABLES, ROOM_TABLES]);
  private sent: Packet[] = [];
  private number = 0;
  private random = 0;
  rooms: Rooms;

  constructor(limits: Partial<RoomLimits> = {}) {
    // Tests are faster than people.
    const unmeasured = { burst: 1_000_000, perSecond: 1_000 };
    this.limits = { ...USUAL_LIMITS, messageRate: unmeasured, presenceRate: unmeasured, ...limits };
    this.rooms = this.start();
  }

  /** The node ends without a word and starts again. */
  restart(): void {
    this.rooms = this.start();
  }

  /** Says something, with `from` and `to` in it, and returns all that this leads to. */
  say(stanza: string): readonly Packet[] {
    const element = xml(stanza);
    const { name } = element;
    if (name !== 'message' && name !== 'presence' && name !== 'iq') throw new TypeError(`${name} is no stanza`);
    this.rooms.receive({ kind: name, from: address(element, 'from'), to: address(element, 'to'), element });
    return this.taken();
  }

  /** What was sent since somebody asked. */
  taken(): readonly Packet[] {
    const sent = this.sent;
    this.sent = [];
    return sent;
  }

  /** The same as `say`, in short. */
  hear(stanza: string): readonly string[] {
    return this.say(stanza).map(inShort);
  }

  enter(from: string, nick: string, inside: string = '', room: string = COVEN): readonly string[] {
    return this.hear(
      `<presence from='${from}' to='${room}/${nick}'><x xmlns='http://jabber.org/protocol/muc'>${inside}</x></presence>`,
    );
  }

  /** Makes the room with this owner, and configures it with fields of `muc#roomconfig`, given by what follows the `_`. */
  open(owner: string, nick: string, config: Readonly<Record<string, string>> = {}, room: string = COVEN): void {
    this.enter(owner, nick, '', room);
    this.configure(owner, config, room);
  }

  configure(owner: string, config: Readonly<Record<string, string>>, room: string = COVEN): readonly string[] {
    const fields = Object.entries(config).map(([name, value]) =>
      field(name.includes('#') ? name : `muc#roomconfig_${name}`, value),
    );
    const about = fields.length === 0 ? '' : field('FORM_TYPE', 'http://jabber.org/protocol/muc#roomconfig');
    return this.hear(
      `<iq type='set' id='c' from='${owner}' to='${room}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>${about}${fields.join('')}</x></query></iq>`,
    );
  }

  /** A request of moderators and admins; `items` as XML attributes. */
  administrate(from: string, ...items: readonly string[]): readonly string[] {
    const query = items.map((item) => `<item ${item}/>`).join('');
    return this.hear(
      `<iq type='set' id='a' from='${from}' to='${COVEN}'><query xmlns='http://jabber.org/protocol/muc#admin'>${query}</query></iq>`,
    );
  }

  leave(from: string, nick: string, room: string = COVEN): readonly string[] {
    return this.hear(`<presence type='unavailable' from='${from}' to='${room}/${nick}'/>`);
  }

  groupchat(from: string, body: string, room: string = COVEN): readonly string[] {
    return this.hear(`<message type='groupchat' id='m' from='${from}' to='${room}'><body>${body}</body></message>`);
  }

  private start(): Rooms {
    const random = (octets: number): Uint8Array => new Uint8Array(octets).fill((this.random += 1));
    const archive = new RoomArchive(new ArchiveStore(this.database, new ArchiveIds(random), AMPLE), () => this.now);
    return new Rooms({
      domain: jid(SERVICE).domain,
      database: this.database,
      archive,
      post: { send: (packet) => void this.sent.push(packet) },
      notes: (note) => void this.notes.push(note),
      now: () => this.now,
      newId: () => `id-${(this.number += 1)}`,
      mayCreate: ({ domain }) => domain === LOCAL,
      version: '1.2.3',
      limits: this.limits,
    });
  }
}

/**
 * A packet in a line: whom it goes to, which nickname it is from (`-`: the room itself), what it is. A presence has affiliation, role, status codes, and
 * what else its item says.
 */
export function inShort(packet: Packet): string {
  const { element } = packet;
  const who = `${printJid(packet.to)} <- ${packet.from.resource ?? '-'}`;
  const type = attributeOf(element, 'type');
  const error = childOf(element, 'error', CLIENT);
  if (error !== undefined) return `${who} ${packet.kind} error ${readStanzaError(error)}`;
  switch (packet.kind) {
    case 'presence':
      return `${who} ${type ?? 'available'} ${presenceOf(element)}`.trimEnd();
    case 'iq':
      return `${who} iq ${type ?? ''}`;
    case 'message':
      return `${who} ${type ?? 'normal'} ${messageOf(element)}`.trimEnd();
  }
}

function presenceOf(presence: XmlElement): string {
  const user = childOf(presence, 'x', USER);
  if (user === undefined) return '';
  const item = childOf(user, 'item', USER);
  const words = [...(item === undefined ? [] : wordsOf(item)), ...codesOf(user)];
  return words.join(' ');
}

function wordsOf(item: XmlElement): readonly string[] {
  const jidText = attributeOf(item, 'jid');
  const nick = attributeOf(item, 'nick');
  return [
    `${attributeOf(item, 'affiliation') ?? ''}/${attributeOf(item, 'role') ?? ''}`,
    ...(jidText === undefined ? [] : [`(${jidText})`]),
    ...(nick === undefined ? [] : [`>${nick}`]),
  ];
}

/** The status codes in an `<x/>`, in the order they stand there. */
export function codesOf(user: XmlElement): readonly string[] {
  return elementsIn(user)
    .filter(({ name }) => name === 'status')
    .map((status) => attributeOf(status, 'code') ?? '');
}

function messageOf(message: XmlElement): string {
  const body = childOf(message, 'body', CLIENT);
  const subject = childOf(message, 'subject', CLIENT);
  const user = childOf(message, 'x', USER);
  if (body !== undefined) return JSON.stringify(textOf(body));
  if (subject !== undefined) return `subject ${JSON.stringify(textOf(subject))}`;
  return user === undefined ? text(message) : codesOf(user).join(' ');
}

function field(name: string, value: string): string {
  return `<field var='${name}'><value>${value}</value></field>`;
}

function address(element: XmlElement, name: 'from' | 'to') {
  const prepared = prepareJid(jid(attributeOf(element, name) ?? ''));
  if (prepared === undefined) throw new TypeError(`${name} cannot be prepared`);
  return prepared;
}
