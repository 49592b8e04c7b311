/** What attacks over a Link have in common: a real box under attack, and a box at the other end that says what it likes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { LinkPeer } from '../../src/link/types.ts';
import { type Domain, parseDomain } from '../../src/protocol/jid/domain.ts';
import type { Json, LinkMessage } from '../../src/protocol/link/messages.ts';
import { writtenStanza } from '../../src/protocol/stream/written-stanza.ts';
import { element } from '../../src/protocol/xml/write.ts';
import type { DeployedBox } from '../support/deployed-box.ts';
import type { Flow, Ledger } from '../support/ledger.ts';
import { type Recorder, untilTrue } from '../support/link-boxes.ts';
import type { Sender } from '../support/load.ts';

/** How long a healthy peer may wait for its stanza to arrive, whatever a hostile box does. Milliseconds. */
const AT_ONCE = 1_500;
/** Resident memory of a box that has been attacked. MiB. */
const MEMORY = 450;

type Said<K extends LinkMessage['is']> = Extract<LinkMessage, { readonly is: K }>;
export type Proposal = Said<'propose'>;

/** A box under attack, with a healthy peer whose stanzas pass through it. */
export class Attacked {
  readonly box: DeployedBox;
  private readonly ledger: Ledger;
  private readonly sender: Sender;
  private readonly flow: Flow;
  /** What the boot file was warned of. */
  private readonly complaints: string;
  /** Where the log of the present test begins. */
  mark: number;

  constructor(box: DeployedBox, ledger: Ledger, sender: Sender, flow: Flow) {
    this.box = box;
    this.ledger = ledger;
    this.sender = sender;
    this.flow = flow;
    this.complaints = box.complaints;
    this.mark = box.log.mark();
  }

  /** A message of the healthy peer arrives at once. */
  async served(): Promise<void> {
    const before = this.ledger.deliveredOf(this.flow);
    const began = performance.now();
    assert.ok(this.sender.send(this.flow), 'the healthy peer can send');
    while (this.ledger.deliveredOf(this.flow) === before) {
      assert.ok(performance.now() - began < AT_ONCE, `a healthy peer waits for more than ${AT_ONCE} ms`);
      await pause(5);
    }
  }

  /** What must be true after every attack. */
  async stands(): Promise<void> {
    const { box } = this;
    assert.ok(box.isAlive, `${box.name} has ended: ${box.complaints}`);
    const faults = box.log.since(this.mark).filter(({ code }) => code === 'bug');
    assert.deepEqual(
      faults.map(({ message, detail }) => [message, detail]),
      [],
    );
    assert.equal(box.complaints, this.complaints);
    await this.served();
    const memory = this.memory();
    assert.ok(memory < MEMORY, `${box.name} uses ${memory} MiB`);
    this.mark = box.log.mark();
  }

  memory(): number {
    const status = readFileSync(`/proc/${this.box.pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
  }

  /** The log lines of one kind since the test began. */
  lines(code: string): readonly string[] {
    return this.box.log
      .since(this.mark)
      .filter((record) => record.code === code)
      .map(({ message }) => message);
  }
}

/** A box that has a valid pairing and is somebody else's. */
export class Hostile {
  private readonly recorder: Recorder;
  private readonly peer: () => LinkPeer;
  private numbers = 0;

  /** @param peer the box that it attacks, as it sees it */
  constructor(recorder: Recorder, peer: () => LinkPeer) {
    this.recorder = recorder;
    this.peer = peer;
  }

  tell(message: LinkMessage): void {
    this.peer().tell(message);
  }

  stanza(from: string, to: string): void {
    const pair = { sender: domainOf(from), target: domainOf(to) };
    this.peer().offer(writtenStanza(element('message', 'jabber:server', { from, to, id: 'evil' })), pair);
  }

  /** Says something, and waits for the answer that is one. */
  async say<K extends LinkMessage['is']>(
    message: LinkMessage,
    answer: K,
    is: (said: Said<K>) => boolean = () => true,
  ): Promise<Said<K>> {
    const from = this.recorder.messages.length;
    this.tell(message);
    const found = (): Said<K> | undefined =>
      this.recorder.messages.slice(from).find((each): each is Said<K> => each.is === answer && is(each as Said<K>));
    await untilTrue(() => found() !== undefined, 8_000);
    return found() as Said<K>;
  }

  async ask(what: string, about: Json = null): Promise<Json> {
    const id = this.newId();
    return (await this.say({ is: 'ask', id, what, about }, 'told', (told) => told.id === id)).answer;
  }

  /** Everything that was said before has been dealt with. */
  async settled(): Promise<void> {
    await this.ask('nothing');
  }

  /** Asks for a change; what became of it. */
  async propose(
    steps: Proposal['steps'],
    expect: Proposal['expect'] = {},
  ): Promise<Said<'accepted'> | Said<'declined'>> {
    const id = this.newId();
    const from = this.recorder.messages.length;
    this.tell({ is: 'propose', id, author: 'root', reason: '', steps, expect });
    const found = (): Said<'accepted'> | Said<'declined'> | undefined =>
      this.recorder.messages
        .slice(from)
        .filter((each) => each.is === 'accepted' || each.is === 'declined')
        .find((each) => each.id === id);
    await untilTrue(() => found() !== undefined, 8_000);
    return found() as Said<'accepted'> | Said<'declined'>;
  }

  /** A copy of a database, said to be its own. */
  backfill(origin: string, steps: readonly Said<'entry'>['step'][], revision = 1): void {
    this.tell({ is: 'backfill', origin, revision });
    for (const step of steps) this.tell({ is: 'entry', step, revision });
    this.tell({ is: 'cutover', origin, revision, entries: steps.length });
  }

  private newId(): string {
    this.numbers += 1;
    return `hostile-${this.numbers}`;
  }
}

function domainOf(address: string): Domain {
  const domain = parseDomain(address.split('@').at(-1) ?? '');
  if (domain === undefined) throw new Error(`${address} is no address`);
  return domain;
}
