import type { WriteStream } from 'node:fs';
import { isIP } from 'node:net';
import type { NoteSink } from '../../protocol/notes.ts';
import { type CaptureFile, CaptureFolder, captureName } from './capture-file.ts';
import { interfaceOf, openPackets, type PacketSource } from './packet-source.ts';
import { fileHeader, record, WHOLE_PACKET } from './pcap.ts';
import type { Conversation } from './tap.ts';
import { Wiretap } from './wiretap.ts';

/** What `utils network capture` is asked. */
export interface CaptureOrder {
  /** `eth0`: the interface of the node's listeners; `any`, or the name of another. */
  readonly device: string;
  readonly file: string;
  /** Packets. */
  readonly count: number;
  /** Bytes of each packet that are kept; `undefined`: all. */
  readonly size: number | undefined;
  readonly port: number | undefined;
  readonly host: string | undefined;
  /** `decoded`: the node's own conversations even when packets could be had. */
  readonly source: 'best' | 'decoded';
  readonly author: string;
}

export interface CaptureLimits {
  /** Milliseconds of one capture. */
  readonly time: number;
  /** Bytes of one file, and of all. */
  readonly file: number;
  readonly folder: number;
  /** Bytes that wait for the disk; what comes then is left out. */
  readonly waiting: number;
}

export const CAPTURE_LIMITS: CaptureLimits = {
  time: 3_600_000,
  file: 256 * 1024 ** 2,
  folder: 1024 ** 3,
  waiting: 16 * 1024 ** 2,
};

export interface CapturesContext {
  /** The folder of the captures; it need not exist. */
  readonly folder: string;
  readonly notes: NoteSink;
  /** The addresses that the node listens on. */
  readonly addresses: () => readonly string[];
  readonly limits?: CaptureLimits;
  /** Unix milliseconds. */
  readonly clock?: () => number;
}

/** How a capture ended. */
export interface CaptureEnd {
  readonly packets: number;
  readonly bytes: number;
  /** Packets that came faster than the disk takes them. */
  readonly left: number;
  /** As a clause: `1000 packets`, `stopped`. */
  readonly because: string;
}

export interface RunningCapture {
  readonly file: string;
  readonly what: string;
  /** Why it is not packets of the interface, as a clause. */
  readonly instead: string | undefined;
  readonly done: Promise<CaptureEnd>;
  stop(because: string): void;
}

/** Captures into files, one at a time. `tap` is what the node's listeners tell of their conversations. */
export class Captures {
  readonly tap = new Wiretap();
  readonly folder: CaptureFolder;
  readonly #context: CapturesContext;
  readonly #limits: CaptureLimits;
  readonly #clock: () => number;
  #running: { readonly name: string; stop(because: string): void } | undefined;

  constructor(context: CapturesContext) {
    this.#context = context;
    this.#limits = context.limits ?? CAPTURE_LIMITS;
    this.#clock = context.clock ?? Date.now;
    this.folder = new CaptureFolder(context.folder);
  }

  /** Begins a capture, or says in a sentence why not. */
  async start(order: CaptureOrder): Promise<RunningCapture | { readonly refused: string }> {
    const named = captureName(order.file);
    if ('refused' in named) return named;
    const { name } = named;
    if (this.#running !== undefined) {
      return { refused: `The capture ${this.#running.name} is still running. Stop it first: there is one at a time.` };
    }
    // Taken before anything is waited for.
    this.#running = { name, stop: () => undefined };
    const begun = await this.#begin(order, name).catch((error: unknown) => ({
      refused: `The capture cannot begin: ${error instanceof Error ? error.message : String(error)}.`,
    }));
    if ('refused' in begun) {
      this.#running = undefined;
      return begun;
    }
    this.#running = { name, stop: (because) => begun.stop(because) };
    const { author } = order;
    this.#context.notes({ note: 'imp-capture-started', author, file: name, source: begun.what }, {});
    void this.#tellEnd(name, begun.done);
    return begun;
  }

  async #tellEnd(file: string, done: Promise<CaptureEnd>): Promise<void> {
    const end = await done;
    this.#running = undefined;
    this.#context.notes({ note: 'imp-capture-ended', file, ...end }, {});
  }

  /** Ends a capture that runs; the node stops. */
  close(): void {
    this.#running?.stop('the node stops');
  }

  async #begin(order: CaptureOrder, name: string): Promise<RunningCapture | { readonly refused: string }> {
    const { folder, file } = this.#limits;
    const used = sumOf(await this.folder.list());
    if (used + file > folder) {
      return {
        refused: `The captures take ${used} bytes already. Delete some: file list activelog platform/cli/*, then file delete activelog platform/cli/NAME`,
      };
    }
    const created = await this.folder.create(name);
    if ('refused' in created) return created;
    const writing = new Writing(created.stream, order, this.#limits);
    const opened = order.source === 'best' ? await this.#packets(order, writing) : { refused: 'asked for' };
    const source = 'refused' in opened ? this.#decoded(order, writing) : opened;
    const timer = setTimeout(() => writing.stop(`${this.#limits.time / 60_000} minutes`), this.#limits.time);
    timer.unref();
    void stopWith(source, writing);
    const done = writing.done.then((end) => {
      clearTimeout(timer);
      source.stop();
      return end;
    });
    const instead = 'refused' in opened && order.source === 'best' ? opened.refused : undefined;
    return { file: name, what: source.what, instead, done, stop: (because) => writing.stop(because) };
  }

  #packets(order: CaptureOrder, writing: Writing): Promise<PacketSource | { readonly refused: string }> {
    const { device, size, port, host } = order;
    const real = device === 'eth0' ? interfaceOf(this.#context.addresses()) : device;
    return openPackets(real, size ?? WHOLE_PACKET, { port, host }, (part) => writing.part(part));
  }

  #decoded({ port, host, size }: CaptureOrder, writing: Writing): PacketSource {
    const snap = size ?? WHOLE_PACKET;
    writing.part(fileHeader(snap));
    this.tap.sink = {
      wants: ({ local, remote }: Conversation) =>
        (port === undefined || local.port === port || remote.port === port) &&
        (host === undefined || [local, remote].some(({ address }) => plain(address) === plain(host))),
      take: (frames) => {
        for (const frame of frames) writing.part(record(this.#clock(), frame, snap));
      },
    };
    const stop = (): void => {
      this.tap.sink = undefined;
    };
    return { what: "the node's conversations, decoded", stop, ended: new Promise(() => undefined) };
  }
}

/** Writes the parts of a pcap file until something stops it. */
class Writing {
  readonly done: Promise<CaptureEnd>;
  readonly #stream: WriteStream;
  readonly #count: number;
  readonly #limits: CaptureLimits;
  readonly #settle: (end: CaptureEnd) => void;
  #packets = -1;
  #bytes = 0;
  #left = 0;
  #over = false;

  constructor(stream: WriteStream, { count }: CaptureOrder, limits: CaptureLimits) {
    this.#stream = stream;
    this.#count = count;
    this.#limits = limits;
    const { promise, resolve } = Promise.withResolvers<CaptureEnd>();
    this.done = promise;
    this.#settle = resolve;
    stream.on('error', (error) => this.stop(error.message));
  }

  /** The header of the file, then one packet each. */
  part(bytes: Uint8Array): void {
    if (this.#over) return;
    if (this.#stream.writableLength > this.#limits.waiting) {
      this.#left += 1;
      return;
    }
    this.#stream.write(bytes);
    this.#bytes += bytes.length;
    this.#packets += 1;
    if (this.#packets >= this.#count) this.stop(`${this.#count} packets`);
    else if (this.#bytes >= this.#limits.file) this.stop(`${this.#limits.file} bytes`);
  }

  stop(because: string): void {
    if (this.#over) return;
    this.#over = true;
    const end = { packets: Math.max(0, this.#packets), bytes: this.#bytes, left: this.#left, because };
    // The file is whole when its end is told; a disk that fails has told that already.
    this.#stream.end(() => this.#settle(end));
    this.#stream.once('error', () => this.#settle(end));
    if (this.#stream.errored !== null) this.#settle(end);
  }
}

/** A program that ends by itself ends the capture. */
async function stopWith(source: PacketSource, writing: Writing): Promise<void> {
  const words = await source.ended;
  if (words !== undefined) writing.stop(words);
}

function sumOf(files: readonly CaptureFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** An IPv4 address is the same in the clothes of IPv6. */
function plain(address: string): string {
  const text = address.toLowerCase().replace(/^::ffff:/, '');
  return isIP(text) === 4 ? text : address.toLowerCase();
}
