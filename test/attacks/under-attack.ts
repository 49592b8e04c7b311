import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { Box, type BoxPlan } from '../support/box.ts';
import type { LogRecord } from '../support/box-log.ts';
import type { Issued } from '../support/certificates.ts';
import { authenticated } from '../support/peer-streams.ts';
import { PeerServer, type Script, type Wire } from '../support/raw-peer.ts';

/** How long a healthy peer may wait for its stanza to arrive inside, whatever else goes on. Milliseconds. */
const AT_ONCE = 1_000;
/** Resident memory of a box that small attacks have been made on. MiB. */
const MEMORY = 400;

/** A box under attack, and a healthy peer beside the attackers. */
export class Ground {
  readonly box: Box;
  #healthy: Wire;
  #sent = 0;
  #domains = 0;
  readonly #servers: PeerServer[] = [];

  static async open(plan: BoxPlan): Promise<Ground> {
    const box = await Box.start(plan);
    return new Ground(box, await authenticated(box, 'healthy.lab', box.peerAddress(200)));
  }

  private constructor(box: Box, healthy: Wire) {
    this.box = box;
    this.#healthy = healthy;
  }

  /** Sends a stanza of the healthy peer and waits until it is inside; the milliseconds that took. */
  async served(): Promise<number> {
    this.#sent += 1;
    const id = `healthy-${this.#sent}`;
    const started = performance.now();
    this.#healthy.send(`<message from='h@healthy.lab' to='eva@coluc.com' id='${id}'><body>fine</body></message>`);
    const before = await this.box.home.wire.expect(
      new RegExp(`<message[^>]* id='${id}'[^>]*><body>fine</body></message>`),
      AT_ONCE,
    );
    const others = before.replaceAll(/<message[^>]* id='healthy-\d+'[^>]*><body>fine<\/body><\/message>/g, '');
    assert.equal(others, '', 'what reached the inside besides the stanzas of the healthy peer');
    return performance.now() - started;
  }

  /**
   * Resolves when everything the box has done until now is in the log. Its lines come over a pipe, so what a peer sees on its wire may be ahead of them;
   * they keep their order, and this waits for one that comes after all of them.
   */
  async logged(): Promise<void> {
    const wire = await this.box.connect(this.box.peerAddress(201));
    await this.box.log.wait(({ peer }) => peer === wire.name);
    wire.destroy();
  }

  /** What must be true after every attack. */
  async stands(mark: number): Promise<void> {
    assert.ok(this.box.isAlive(), `fedway has ended: ${this.box.complaints}`);
    const faults = this.box.log.since(mark).filter((record) => record.code === 'bug');
    assert.deepEqual(
      faults.map(({ message, detail }) => [message, detail]),
      [],
    );
    assert.equal(this.box.complaints, '');
    await this.served();
    assert.ok(this.box.memory() < MEMORY, `fedway uses ${this.box.memory()} MiB`);
  }

  /** A fresh domain and a server for it that fedway finds in DNS. */
  async partner(script: Script, address = this.box.peerAddress(2)): Promise<Partner> {
    this.#domains += 1;
    const domain = `partner${this.#domains}.lab`;
    const server = await PeerServer.listen(address, script);
    this.#servers.push(server);
    this.box.dns.srv(domain, [0, 0, server.port, `xmpp.${domain}`]).a(`xmpp.${domain}`, server.address);
    return { domain, server, certificate: this.box.certificate(domain) };
  }

  /** A domain nobody has used on this ground. */
  freshDomain(): string {
    this.#domains += 1;
    return `fresh${this.#domains}.lab`;
  }

  /** Has the home send a message to a domain. */
  sendTo(domain: string, id = 'out'): void {
    this.box.home.send(`<message from='eva@coluc.com' to='jan@${domain}' id='${id}'><body>hello</body></message>`);
  }

  /** The bounce that the home gets for a message to a domain: condition and text. */
  async bounce(domain: string, milliseconds = 8_000): Promise<{ condition: string; text: string }> {
    const xml = await this.box.home.wire.expect(
      new RegExp(`<message(?=[^>]* type='error')[^>]* from='jan@${domain}'[^>]*>.*?</message>`, 's'),
      milliseconds,
    );
    return {
      condition: /<([a-z-]+) xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/.exec(xml)?.[1] ?? 'none',
      text: /<text[^>]*>([^<]*)</.exec(xml)?.[1] ?? '',
    };
  }

  /** The sentence that tells why the connection of a peer ended, or the one that stands for many like it; see `told`. */
  ended(wire: Wire, mark: number): Promise<string> {
    return this.#sentence((record) => record.peer === wire.name, mark);
  }

  /** The same for connections that fedway opened to a domain; a reset may come before there is a stream on one. */
  endedTo(domain: string, mark: number): Promise<string> {
    const is = (record: LogRecord): boolean => record.direction === 'out' && record.remote === domain;
    return this.#sentence(is, mark, ['ended', 'connect-failed']);
  }

  async #sentence(
    is: (record: LogRecord) => boolean,
    mark: number,
    codes: readonly string[] = ['ended'],
  ): Promise<string> {
    const record = await this.box.log.wait(
      (record) => codes.includes(record.code) && (is(record) || record['repeated'] !== undefined),
      mark,
    );
    return record.message;
  }

  async close(): Promise<void> {
    this.#healthy.destroy();
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
    await this.box[Symbol.asyncDispose]();
  }
}

/** A partner of a test: a name in DNS, a scripted server behind it, and the certificate it should have. */
export interface Partner {
  readonly domain: string;
  readonly server: PeerServer;
  readonly certificate: Issued;
}

/** A sentence of the log that names a cause, or that stands for more sentences in a second than the log writes. */
export function told(cause: string): RegExp {
  return new RegExp(
    `${cause.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}|only the first \\d+ of a second are written`,
  );
}

/** Opens a ground for the tests of a file; after each of them the box must stand. */
export function underAttack(plan: BoxPlan): () => Ground {
  let ground: Ground | undefined;
  let mark = 0;
  const here = (): Ground => {
    if (ground === undefined) throw new Error('the box has not started');
    return ground;
  };
  beforeAll(async () => {
    ground = await Ground.open(plan);
  }, 20_000);
  afterEach(async () => {
    await here().stands(mark);
    mark = here().box.log.mark();
  });
  afterAll(async () => {
    await ground?.close();
  });
  return here;
}
