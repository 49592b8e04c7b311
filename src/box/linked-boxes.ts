import { randomUUID } from 'node:crypto';
import { Replication } from '../clusterdb/replication.ts';
import type { Clusterdb } from '../clusterdb/store.ts';
import type { KeyOwner } from '../clusterdb/types.ts';
import { Attempts } from '../link/attempts.ts';
import type { LinkPeer } from '../link/types.ts';
import type { Json, LinkMessage } from '../protocol/link/messages.ts';
import type { NoteSink } from '../protocol/notes.ts';
import type { BoxStatus, StreamStatus } from './operations.ts';
import type { OtherBoxes } from './wiring.ts';

/** How long an administrator waits for the other box. */
const PATIENCE_MS = 3_000;
/** Questions that one box may ask: administrators ask them. An answer may be long, and takes work. */
const QUESTIONS = { most: 20, perMs: 1_000 } as const;

/** What the boxes at the other ends are told, and asked. */
export interface LinkedBoxesContext {
  readonly db: Clusterdb;
  readonly own: KeyOwner;
  readonly notes: NoteSink;
  /** Why a linked box may not ask for a change of a key of this one, as half a sentence; without: of every key it may. */
  readonly objection?: (key: string) => string | undefined;
  /** A replica has changed. */
  changed(): void;
  /** Answers a question of the administrator of the other box. */
  answer(what: string, about: Json): Promise<Json>;
}

/** A box at the other end of a Link, with the replica of what it owns. */
export interface LinkedBox {
  readonly peer: LinkPeer;
  readonly replication: Replication;
}

/** The boxes that this one is paired with: replication of the configuration, and the questions of administrators. */
export class LinkedBoxes implements OtherBoxes {
  private readonly context: LinkedBoxesContext;
  private readonly boxes = new Map<string, LinkedBox>();
  private readonly asked = new Attempts(QUESTIONS.most, QUESTIONS.perMs);
  private readonly questions = new Map<string, { readonly to: LinkPeer; resolve(answer: Json | undefined): void }>();

  constructor(context: LinkedBoxesContext) {
    this.context = context;
  }

  all(): readonly LinkedBox[] {
    return [...this.boxes.values()];
  }

  /** The box behind a peer; made when it is first seen. */
  boxOf(peer: LinkPeer): LinkedBox {
    const known = this.boxes.get(peer.id);
    if (known !== undefined && known.peer === peer) return known;
    known?.replication.down();
    const { db, own, notes, objection } = this.context;
    const replication = new Replication({
      db,
      peer: { id: peer.id, name: peer.name },
      own,
      peerOwns: own === 'edge' ? 'core' : 'edge',
      ...(objection === undefined ? {} : { objection }),
      tell: (message) => peer.tell(message),
      changed: () => this.context.changed(),
      notes,
      now: Date.now,
    });
    const box = { peer, replication };
    this.boxes.set(peer.id, box);
    return box;
  }

  up(peer: LinkPeer): void {
    this.boxOf(peer).replication.up();
  }

  down(peer: LinkPeer): void {
    this.boxOf(peer).replication.down();
    for (const question of this.questions.values()) if (question.to === peer) question.resolve(undefined);
  }

  /** The pairing has ended: what the box said counts no more. */
  gone(peer: LinkPeer): void {
    this.down(peer);
    this.boxes.get(peer.id)?.replication.forget();
    this.boxes.delete(peer.id);
    this.context.changed();
  }

  /** Whose word counts for what may be another now. */
  reconsider(): void {
    this.context.changed();
  }

  /** Whether the message was for us. */
  message(peer: LinkPeer, message: LinkMessage): boolean {
    switch (message.is) {
      case 'ask':
        void this.answer(peer, message.id, message.what, message.about);
        return true;
      case 'told':
        if (this.questions.get(message.id)?.to === peer) this.questions.get(message.id)?.resolve(message.answer);
        return true;
      case 'homes':
      case 'homes-judged':
      case 'renew':
      case 'renewed':
      case 'revoked':
        return false;
      default:
        this.boxOf(peer).replication.receive(message);
        return true;
    }
  }

  /** What the others say of themselves. It is shown, never acted upon; whose it is, they do not say. */
  async status(): Promise<readonly BoxStatus[]> {
    const role = this.context.own === 'edge' ? 'core' : 'edge';
    const answers = await this.askAll('status', null);
    return answers.flatMap(({ peer, answer }) =>
      isObject(answer) ? [{ ...(answer as unknown as BoxStatus), name: peer.name, role }] : [],
    );
  }

  async streams(): Promise<readonly StreamStatus[]> {
    const answers = await this.askAll('streams', null);
    return answers.flatMap(({ peer, answer }) => {
      const streams = Array.isArray(answer) ? (answer as readonly Json[]).filter(isObject) : [];
      return streams.map((stream) => ({ ...(stream as unknown as StreamStatus), box: peer.name }));
    });
  }

  /** What the box that had the stream says of it; `undefined`: none had it. */
  async closeStream(connection: string, reason: string): Promise<string | undefined> {
    const answers = await this.askAll('close-stream', { connection, reason });
    return answers.map(({ answer }) => answer).find((answer) => typeof answer === 'string');
  }

  /** The answers of those who are there and give one in time. */
  private async askAll(
    what: string,
    about: Json,
  ): Promise<readonly { readonly peer: LinkPeer; readonly answer: Json }[]> {
    const asked = this.all().map(async ({ peer }) => ({ peer, answer: (await this.ask(peer, what, about)) ?? null }));
    return (await Promise.all(asked)).filter(({ answer }) => answer !== null);
  }

  private ask(peer: LinkPeer, what: string, about: Json): Promise<Json | undefined> {
    const id = randomUUID();
    return new Promise((resolve) => {
      const done = (answer: Json | undefined): void => {
        clearTimeout(timer);
        this.questions.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => done(undefined), PATIENCE_MS);
      this.questions.set(id, { to: peer, resolve: done });
      if (!peer.tell({ is: 'ask', id, what, about })) done(undefined);
    });
  }

  private async answer(peer: LinkPeer, id: string, what: string, about: Json): Promise<void> {
    const isTooMuch = !this.asked.take(peer.id, performance.now());
    peer.tell({ is: 'told', id, answer: isTooMuch ? null : await this.context.answer(what, about) });
  }
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
