/** An Edge and Cores with nothing but their Links: what they deliver and what they give up is recorded. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LinkDialers } from '../../src/link/dialers.ts';
import type { BackOff } from '../../src/link/edge-dialer.ts';
import { LinkListener } from '../../src/link/listener.ts';
import type { LinkContext, LinkPeer, LinkTiming } from '../../src/link/types.ts';
import type { StreamEnd } from '../../src/protocol/end.ts';
import { type Domain, parseDomain } from '../../src/protocol/jid/domain.ts';
import type { LinkMessage } from '../../src/protocol/link/messages.ts';
import type { Note, NoteSubject } from '../../src/protocol/notes.ts';
import type { StreamPair } from '../../src/protocol/stream/actions.ts';
import { writtenStanza } from '../../src/protocol/stream/written-stanza.ts';
import { AUTHENTICATED_LIMITS } from '../../src/protocol/xml/limits.ts';
import type { Stanza } from '../../src/protocol/xml/types.ts';
import { element } from '../../src/protocol/xml/write.ts';

const TIMING: LinkTiming = {
  hold: 20_000,
  quiet: 5_000,
  connect: 2_000,
  handshake: 4_000,
  queueStanzas: 10_000,
  queueBytes: 16 * 1024 * 1024,
};
const BACK_OFF: BackOff = { first: 10, longest: 50, hopeless: 60, revoked: 60_000 };

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new Error(`${text} is no domain`);
  return parsed;
}

/** A pair for both directions of the tests. */
export const PAIR: StreamPair = { sender: domain('coluc.com'), target: domain('far.lab') };

/** A message of the pair with this id. */
export function message(id: string, body = ''): Stanza {
  const { sender, target } = PAIR;
  return writtenStanza(
    element(
      'message',
      'jabber:server',
      { from: `eva@${sender}`, to: `jan@${target}`, id },
      ...(body === '' ? [] : [element('body', 'jabber:server', {}, body)]),
    ),
  );
}

export interface Undelivered {
  readonly id: string | undefined;
  readonly end: StreamEnd;
}

/** What a box would do with its Links, recorded. */
export class Recorder {
  /** Ids of the stanzas that arrived, in order. */
  readonly delivered: (string | undefined)[] = [];
  readonly undelivered: Undelivered[] = [];
  readonly messages: LinkMessage[] = [];
  readonly notes: { readonly note: Note; readonly subject: NoteSubject }[] = [];
  readonly ups: boolean[] = [];
  readonly downs: StreamEnd[] = [];
  readonly gone: string[] = [];
  /** What is asked for each stanza that arrives; a promise makes the Link wait. */
  room: () => Promise<void> | undefined = () => undefined;
  onMessage: (peer: LinkPeer, message: LinkMessage) => void = () => undefined;
  timing: LinkTiming = TIMING;

  readonly context: LinkContext;

  constructor() {
    const recorder = this;
    this.context = {
      deliver: (_peer, stanza) => {
        this.delivered.push(stanza.id);
        return this.room();
      },
      message: (peer, message) => {
        this.messages.push(message);
        this.onMessage(peer, message);
      },
      up: (_peer, resumed) => this.ups.push(resumed),
      down: (_peer, end) => this.downs.push(end),
      undeliverable: (_peer, stanza, _pair, end) => this.undelivered.push({ id: stanza.id, end }),
      gone: (peer) => this.gone.push(peer.name),
      limits: AUTHENTICATED_LIMITS,
      get timing() {
        return recorder.timing;
      },
      notes: (note, subject) => this.notes.push({ note, subject }),
    };
  }

  noted<N extends Note['note']>(name: N): readonly Extract<Note, { readonly note: N }>[] {
    return this.notes.flatMap(({ note }) => (note.note === name ? [note as Extract<Note, { readonly note: N }>] : []));
  }
}

/** A clock that can be set. */
export class Clock {
  ahead = 0;
  readonly now = (): number => Date.now() + this.ahead;
}

interface BoxPlan {
  readonly folder?: string;
  readonly name?: string;
  readonly clock?: Clock;
}

export class EdgeBox implements AsyncDisposable {
  readonly recorder: Recorder;
  readonly listener: LinkListener;
  readonly folder: string;
  readonly clock: Clock;
  private readonly name: string;
  port = 0;

  private constructor(
    plan: BoxPlan & { readonly limits?: { readonly strangers: number; readonly perAddress: number } },
  ) {
    this.recorder = new Recorder();
    this.folder = plan.folder ?? temporaryFolder();
    this.clock = plan.clock ?? new Clock();
    this.name = plan.name ?? 'edge-1';
    this.listener = new LinkListener({
      folder: this.folder,
      name: this.name,
      context: this.recorder.context,
      now: this.clock.now,
      ...(plan.limits === undefined ? {} : { limits: plan.limits }),
    });
  }

  static async start(
    plan: BoxPlan & {
      readonly port?: number;
      readonly timing?: Partial<LinkTiming>;
      readonly limits?: { readonly strangers: number; readonly perAddress: number };
    } = {},
  ): Promise<EdgeBox> {
    const edge = new EdgeBox(plan);
    edge.recorder.timing = { ...TIMING, ...plan.timing };
    if (!(await edge.listener.open())) throw new Error(JSON.stringify(edge.recorder.notes));
    edge.port = await edge.listener.listen('127.0.0.1', plan.port ?? 0);
    return edge;
  }

  get core(): LinkPeer {
    const [peer] = this.listener.peers();
    if (peer === undefined) throw new Error('no Core is paired');
    return peer;
  }

  async token(name = 'core-1', port = this.port, validForMs = 60_000): Promise<string> {
    const invited = await this.listener.invite({ name, domains: [], validForMs, address: `127.0.0.1:${port}` });
    if ('refused' in invited) throw new Error(invited.refused);
    return invited.token;
  }

  /** Dies without a word; another one may take its folder and its port. */
  async kill(): Promise<void> {
    this.listener.destroy();
    await untilTrue(() => this.listener.connections === 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class CoreBox implements AsyncDisposable {
  readonly recorder = new Recorder();
  readonly dialers: LinkDialers;
  readonly folder: string;
  readonly clock: Clock;

  private constructor(plan: BoxPlan & { readonly backOff?: Partial<BackOff> }) {
    this.folder = plan.folder ?? temporaryFolder();
    this.clock = plan.clock ?? new Clock();
    this.dialers = new LinkDialers({
      folder: this.folder,
      name: plan.name ?? 'core-1',
      resolve: (host) => Promise.reject(new Error(`${host} is not known here`)),
      context: this.recorder.context,
      now: this.clock.now,
      backOff: { ...BACK_OFF, ...plan.backOff },
    });
  }

  static async start(
    plan: BoxPlan & { readonly timing?: Partial<LinkTiming>; readonly backOff?: Partial<BackOff> } = {},
  ): Promise<CoreBox> {
    const core = new CoreBox(plan);
    core.recorder.timing = { ...TIMING, ...plan.timing };
    if (!(await core.dialers.start())) throw new Error(JSON.stringify(core.recorder.notes));
    return core;
  }

  get edge(): LinkPeer {
    const [peer] = this.dialers.peers();
    if (peer === undefined) throw new Error('no Edge is paired');
    return peer;
  }

  async join(token: string): Promise<void> {
    const joined = await this.dialers.join(token);
    if ('refused' in joined) throw new Error(joined.refused);
  }

  async kill(): Promise<void> {
    this.dialers.destroy();
    await untilTrue(() => this.dialers.connections === 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Both boxes, paired and connected; `port`: where the Core dials, instead of the Edge's own. */
export async function connected(edge: EdgeBox, core: CoreBox, port = edge.port): Promise<void> {
  await core.join(await edge.token('core-1', port));
  await untilTrue(() => core.edge.isUp && edge.core.isUp);
}

export async function untilTrue(condition: () => boolean, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${condition.toString()}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'fedway-link-'));
}
