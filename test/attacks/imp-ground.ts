import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { LogRecord } from '../support/box-log.ts';
import type { Wire } from '../support/raw-peer.ts';
import { AttackedNode, freePorts, type ImpPlan } from './imp-node.ts';
import { AXL_PASSWORD, AXL_USER, base64, DOMAIN, passwordOf, ROUTER_SECRET } from './imp-words.ts';

/** How long a healthy client and a healthy Core may wait for each other, whatever else goes on. Milliseconds. */
const AT_ONCE = 1_000;
/** How often it is tried while an attack goes on. Milliseconds. */
const EVERY = 200;
/** Resident memory of a node that attacks have been made on. MiB. */
const MEMORY = 600;
/** How long the memory of an attack may take to be given back. Milliseconds. */
const MEMORY_BACK = 15_000;

const HEALTHY = 'healthy';
/** The S2S component of the healthy Core. */
export const GOOD_CP = 'cm-2_s2scp-1.edge-coluc-com';
const OTHER_CP = 'cm-2_s2scp-1.other-coluc-com';

/** A node under attack, with a healthy client of it and a healthy Core beside the attackers. */
export class ImpGround extends AttackedNode {
  readonly #secrets = new Set<string>();
  #healthy: Wire | undefined;
  #core: Wire | undefined;
  #other: Wire | undefined;
  #sent = 0;

  static async open(plan: ImpPlan): Promise<ImpGround> {
    const address = `127.${plan.network}.0.1`;
    const ground = new ImpGround(plan, address, await freePorts(address));
    ground.secret(AXL_PASSWORD, ROUTER_SECRET, ...[HEALTHY, ...plan.users].map((user) => passwordOf(user)));
    try {
      await ground.started();
      await ground.#prepare();
      return ground;
    } catch (error) {
      ground.process.kill('SIGKILL');
      throw new Error(`the node is not ready; its log:\n${ground.complaints}${ground.log.tail()}`, { cause: error });
    }
  }

  /** The healthy Core. */
  get core(): Wire {
    assert.ok(this.#core !== undefined);
    return this.#core;
  }

  /** The component of another Edge, through which attackers come who are not of this node: nobody is served faster than the stream that he shares. */
  get abroad(): Wire {
    assert.ok(this.#other !== undefined);
    return this.#other;
  }

  /** What goes abroad leaves through one or the other. */
  get outside(): readonly Wire[] {
    return [this.core, this.abroad];
  }

  async #prepare(): Promise<void> {
    await this.administrate(async (node) => {
      await node.administrators.add(AXL_USER, AXL_PASSWORD, 'axl');
      for (const user of [HEALTHY, ...this.plan.users]) await node.users.add(user, passwordOf(user));
    });
    await this.insertRow(GOOD_CP);
    this.#core = await this.component(GOOD_CP);
    this.#healthy = await this.login(HEALTHY, { from: this.from(250) });
    this.#healthy.send('<presence/>');
    // From now on the healthy ones use the first component.
    await this.served();
    await this.insertRow(OTHER_CP);
    this.#other = await this.component(OTHER_CP);
  }

  /** From now on these may not be in the log, plain or in base64. */
  secret(...texts: readonly string[]): void {
    for (const text of texts) for (const shape of [text, base64(text)]) this.#secrets.add(shape);
  }

  /** A message from the healthy client to the healthy Core, and one back; the milliseconds that took. */
  async served(): Promise<number> {
    const { core } = this;
    const healthy = this.#healthy;
    assert.ok(healthy !== undefined);
    this.#sent += 1;
    const id = `healthy-${this.#sent}`;
    const began = performance.now();
    healthy.send(`<message to='f@good.lab' id='${id}-out' type='chat'><body>fine</body></message>`);
    await this.#comes(core, new RegExp(`<message[^>]* id='${id}-out'[^>]*><body>fine</body></message>`), began);
    core.send(
      `<message from='f@good.lab' to='${HEALTHY}@${DOMAIN}' id='${id}-in' type='chat'><body>fine</body></message>`,
    );
    await this.#comes(healthy, new RegExp(`<message[^>]* id='${id}-in'[^>]*><body>fine</body>.*?</message>`), began);
    return performance.now() - began;
  }

  /** What has come here meanwhile counts, though the test itself was late to look. */
  async #comes(wire: Wire, pattern: RegExp, began: number): Promise<void> {
    for (;;) {
      const late = performance.now() - began > AT_ONCE;
      if (late) await new Promise((resolve) => setTimeout(resolve, 1));
      const found = pattern.exec(wire.text);
      if (found !== null) {
        // What is for others came before it, and nobody asks for it later.
        wire.text = wire.text.slice(found.index + found[0].length);
        return;
      }
      if (wire.ended || late)
        throw new Error(
          `the healthy ${wire === this.core ? 'Core' : 'client'} ${wire.ended ? `was disconnected: ${wire.text.slice(-500)}` : `is not served within ${AT_ONCE} ms`}; the log:\n${this.log.tail()}\n${wire.text.slice(-600)}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** An attack, all through which the healthy ones are served. */
  async during<T>(attack: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    const watched = (async () => {
      while (!over.signal.aborted) {
        await this.served();
        await new Promise((resolve) => setTimeout(resolve, EVERY));
      }
    })();
    const failed = watched.then(() => new Promise<never>(() => undefined));
    try {
      return await Promise.race([attack(), failed]);
    } finally {
      over.abort();
      await watched;
    }
  }

  /** What must be true after every attack. */
  async stands(mark: number): Promise<void> {
    assert.ok(this.isAlive(), `the node has ended: ${this.complaints}`);
    await this.served();
    assert.equal(this.complaints, '');
    const records = this.log.since(mark);
    assert.deepEqual(
      records.filter(({ code }) => code === 'bug').map(({ message, detail }) => [message, detail]),
      [],
    );
    this.assertNoSecrets(this.log.lines);
    assert.ok(this.memory() < MEMORY, `the node uses ${this.memory()} MiB`);
    const { status, text } = await this.sql('select pkid, cp_id from xmpps2snodes');
    assert.equal(status, 200, text);
    assert.equal(text.includes(GOOD_CP), true, 'the row of the healthy Core');
  }

  assertNoSecrets(lines: readonly string[]): void {
    for (const line of lines) {
      for (const secret of this.#secrets) assert.ok(!line.includes(secret), `a secret is in the log: ${line}`);
    }
  }

  /** The records of one kind since a mark; a line that stands for more than the log writes in a second is one too. */
  async told(code: string, mark: number, is: (record: LogRecord) => boolean = () => true): Promise<LogRecord> {
    return this.log.wait((record) => record.code === code && (is(record) || record['repeated'] !== undefined), mark);
  }

  /** MiB that the node uses more than it did; as soon as it is less than `most`, and after a while anyway, since memory goes back late. */
  async growth(before: number, most: number): Promise<number> {
    const deadline = performance.now() + MEMORY_BACK;
    while (this.memory() - before >= most && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    return this.memory() - before;
  }

  override async close(): Promise<void> {
    for (const wire of [this.#healthy, this.#core, this.#other]) wire?.destroy();
    await super.close();
  }
}

/** Opens a ground for the tests of a file; after each of them the node must stand, and at the end the file be whole. */
export function impUnderAttack(plan: ImpPlan): () => ImpGround {
  let ground: ImpGround | undefined;
  let mark = 0;
  const here = (): ImpGround => {
    if (ground === undefined) throw new Error('the node has not started');
    return ground;
  };
  beforeAll(async () => {
    ground = await ImpGround.open(plan);
  }, 40_000);
  afterEach(async () => {
    await here().stands(mark);
    mark = here().log.mark();
  });
  afterAll(async () => {
    await ground?.close();
  }, 20_000);
  return here;
}
