import type { Domain } from '../../protocol/jid/domain.ts';
import type { Jid } from '../../protocol/jid/jid.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';
import type { NoteSink } from '../../protocol/notes.ts';
import { attributeOf, childOf } from '../../protocol/xml/write.ts';
import type { RoomArchive } from '../archive/room-archive.ts';
import type { NodeDatabase } from '../database/database.ts';
import { elementsIn } from '../elements.ts';
import type { Destination, Packet, Post } from '../packet.ts';
import { shown } from './archived-sender.ts';
import { enter, notHere } from './entering.ts';
import { expel } from './leaving.ts';
import { type RoomLimits, USUAL_LIMITS } from './limits.ts';
import { MUC } from './namespaces.ts';
import { recall } from './recalling.ts';
import { receiveAt } from './receiving.ts';
import { Room } from './room.ts';
import { RoomStore } from './room-store.ts';
import { receiveAtService } from './service.ts';
import { packetOf, type Refusal, resultOf } from './stanzas.ts';
import { succeed } from './succession.ts';
import { Turn } from './turn.ts';

export interface RoomsContext {
  /** The alias of the rooms: `coven@<domain>` is a room. */
  readonly domain: Domain;
  /** With the tables of `ROOM_TABLES`. */
  readonly database: NodeDatabase;
  readonly archive: RoomArchive;
  readonly post: Post;
  readonly notes: NoteSink;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** A text that is new each time and that nobody can guess: ids, and the secrets of rooms. */
  readonly newId: () => string;
  /** Whether a user, given by bare address, may make rooms. */
  readonly mayCreate: (user: Jid) => boolean;
  /** Told to whoever asks (XEP-0092). */
  readonly version: string;
  readonly limits?: RoomLimits;
}

/** The chat rooms of a node (XEP-0045). Occupants are from anywhere: a foreign one differs by its domain, and by nothing else. */
export class Rooms implements Destination {
  readonly multiplies = true;
  private readonly context: RoomsContext;
  private readonly limits: RoomLimits;
  private readonly store: RoomStore;
  /** By localpart. */
  private readonly rooms = new Map<string, Room>();
  /** Rooms from the database whose history has not been asked for yet. */
  private readonly unread = new WeakSet<Room>();
  private closed = false;

  /** Reads the persistent rooms. Throws Node's error when the database cannot be read. */
  constructor(context: RoomsContext) {
    this.context = context;
    this.limits = context.limits ?? USUAL_LIMITS;
    this.store = new RoomStore(context.database);
    for (const room of this.store.load(context.domain, this.limits)) {
      this.rooms.set(room.address.local ?? '', room);
      this.unread.add(room);
    }
  }

  receive(packet: Packet): void {
    if (this.closed) return;
    const turn = this.turn();
    const name = packet.to.local;
    if (name === undefined) {
      receiveAtService(turn, packet, { rooms: this.rooms.values(), version: this.context.version });
      return this.finish(turn, undefined);
    }
    const room = this.rooms.get(name);
    if (room === undefined) return this.finish(turn, this.receiveAtNoRoom(turn, packet, name));
    this.readHistory(room, turn);
    receiveAt(room, turn, packet, (question) => {
      this.askArchive(room, turn, question);
    });
    this.finish(turn, room);
  }

  /** An account of this node is no more, and with it what it was in rooms: whoever gets the name later is somebody else. */
  userRemoved(user: Jid): void {
    for (const room of this.rooms.values()) {
      const turn = this.turn();
      succeed(room, turn, bareOf(user));
      this.finish(turn, room);
    }
  }

  /** The node ends: everybody is told that they are out of the rooms (XEP-0045 §11.2). */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const room of this.rooms.values()) {
      const turn = this.turn();
      expel(
        room,
        turn,
        room.occupants.all().map((occupant) => ({ occupant, code: 332 })),
      );
      for (const packet of turn.packets) this.context.post.send(packet);
    }
  }

  private turn(): Turn {
    const { now, newId, archive } = this.context;
    const turn: Turn = new Turn({
      now: now(),
      newId,
      archive: (occupant, message) => this.guarded(turn, occupant, () => archive.keep(occupant, message)),
    });
    return turn;
  }

  /** Stores what has changed, then lets the packets go: what somebody was told is on disk. */
  private finish(turn: Turn, room: Room | undefined): void {
    if (room !== undefined) this.keep(turn, room);
    for (const note of turn.notes) this.context.notes(note, {});
    for (const packet of turn.packets) this.context.post.send(packet);
  }

  private keep(turn: Turn, room: Room): void {
    if (room.ended) {
      this.rooms.delete(room.address.local ?? '');
      if (!turn.notes.some(({ note }) => note === 'room-ended'))
        turn.notes.push({ note: 'room-ended', room: room.text, because: 'empty', by: undefined });
    }
    this.guarded(turn, room.address, () => {
      // With the room goes what was said there: a later one of the same name has other members.
      if (this.store.save(room) === 'removed') this.context.archive.removeRoom(room.address);
    });
  }

  /** Runs what needs the disk. When that fails the rooms go on without it, and an administrator is told. */
  private guarded<T>(turn: Turn, room: Jid, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      const detail = error instanceof Error ? error.message : 'an unknown fault';
      turn.notes.push({ note: 'room-not-stored', room: printJid(bareOf(room)), detail });
      return undefined;
    }
  }

  /** The room that the stanza makes, if it makes one. */
  private receiveAtNoRoom(turn: Turn, packet: Packet, name: string): Room | undefined {
    const type = attributeOf(packet.element, 'type');
    if (packet.kind !== 'presence') {
      // XEP-0410 §3.3: whoever asks for itself in a room that ended, with the node for instance, is not in it.
      const isOccupants = packet.kind === 'iq' && packet.to.resource !== undefined;
      turn.refuse(packet, isOccupants ? GONE_OCCUPANT : NO_ROOM);
      return undefined;
    }
    if (type !== undefined) return undefined;
    const join = childOf(packet.element, 'x', MUC.join);
    const nick = packet.to.resource;
    if (nick === undefined || join === undefined) {
      if (nick === undefined)
        turn.refuse(packet, { condition: 'jid-malformed', text: 'A nickname is needed to enter.' });
      else turn.send(notHere(packet));
      return undefined;
    }
    const creator = bareOf(packet.from);
    const by = printJid(creator);
    const refusal = this.refusalToCreate(creator, name);
    if (refusal !== undefined) {
      turn.notes.push({ note: 'room-refused', room: printJid(bareOf(packet.to)), by, because: refusal.text });
      turn.refuse(packet, refusal);
      return undefined;
    }
    const { now, newId } = this.context;
    const room = new Room({ address: bareOf(packet.to), created: now(), creator: by, secret: newId() }, this.limits);
    room.locked = true;
    room.affiliations.set(by, 'owner', undefined);
    enter(room, turn, packet, nick, join, true);
    if (room.occupants.size === 0) return undefined;
    this.rooms.set(name, room);
    turn.notes.push({ note: 'room-created', room: room.text, by });
    return room;
  }

  /** XEP-0045 §10.1.1: the privilege to make rooms can be restricted. */
  private refusalToCreate(creator: Jid, name: string): Refusal | undefined {
    if (!this.context.mayCreate(creator))
      return { condition: 'not-allowed', text: 'There is no such room, and you may not make rooms here.' };
    if (name.length > this.limits.name)
      return { condition: 'not-allowed', text: `The name of a room has at most ${this.limits.name} characters.` };
    const by = printJid(creator);
    let own = 0;
    for (const room of this.rooms.values()) if (room.origin.creator === by) own += 1;
    if (own >= this.limits.roomsPerCreator || this.rooms.size >= this.limits.rooms)
      return { condition: 'resource-constraint', text: 'There are too many rooms already.' };
    return undefined;
  }

  /** After a restart of the node the history of an archived room is what its archive has. */
  private readHistory(room: Room, turn: Turn): void {
    if (!this.unread.delete(room)) return;
    this.guarded(turn, room.address, () => {
      recall(room, this.context.archive.recent(room.address, this.limits.history));
    });
  }

  private askArchive(room: Room, turn: Turn, question: Packet): void {
    const [payload] = elementsIn(question.element);
    if (payload === undefined) return;
    const seesAddresses = room.config.whois === 'anyone' || room.standingOf(question.from).role === 'moderator';
    const answer = this.guarded(turn, room.address, () =>
      this.context.archive.answer(room.address, {
        type: attributeOf(question.element, 'type') === 'set' ? 'set' : 'get',
        payload,
        send: (result) => {
          const message = shown(result, seesAddresses);
          turn.send(packetOf('message', room.address, question.from, { id: turn.newId() }, message));
        },
      }),
    );
    if (answer === undefined)
      turn.refuse(question, { condition: 'internal-server-error', text: 'The archive cannot be read.' });
    else if ('error' in answer)
      turn.refuse(question, { condition: answer.error, text: answer.text ?? 'The archive refuses this.' });
    else turn.send(resultOf(question, answer.result));
  }
}

const NO_ROOM: Refusal = { condition: 'item-not-found', text: 'There is no such room.' };
const GONE_OCCUPANT: Refusal = { condition: 'not-acceptable', text: 'You are not in the room.' };
