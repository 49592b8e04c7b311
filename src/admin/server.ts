import { createServer, type Server, type Socket } from 'node:net';
import type { BoxOperations } from '../box/operations.ts';
import type { NoteSink } from '../protocol/notes.ts';
import { linesOf } from './lines.ts';
import { type BoxFacts, perform } from './perform.ts';
import { readRequest } from './request.ts';
import { listenOn } from './socket-file.ts';
import { type AdminAnswer, type AdminRequest, LONGEST_REQUEST } from './wire.ts';

/** Commands that ask at the same time. People and health checks need a handful. */
const MOST_CONNECTIONS = 32;
/** How long a connection may be silent between requests. */
const SILENCE_MS = 30_000;
/** How long the last answer may take to be read. */
const FAREWELL_MS = 1_000;

export interface AdminContext {
  readonly operations: BoxOperations;
  readonly facts: BoxFacts;
  readonly notes: NoteSink;
  /** Milliseconds in place of the usual silence. */
  readonly silence?: number;
}

/** The admin socket of a running box: one JSON object per line and direction, answered in order. Whoever may open the file may ask. */
export class AdminServer {
  readonly #context: AdminContext;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(context: AdminContext) {
    this.#context = context;
    // Who has asked everything may close its half and still get the answers.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Opens the socket at `path`; or says what is in the way, in a sentence with the cure. */
  static async open(
    path: string,
    context: AdminContext,
  ): Promise<{ readonly server: AdminServer } | { readonly refused: string }> {
    const admin = new AdminServer(context);
    const refused = await listenOn(admin.#server, path);
    if (refused !== undefined) return { refused };
    admin.#server.on('error', (error) => admin.#fault(error));
    return { server: admin };
  }

  /** Connections that exist now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Removes the socket and closes every connection, also one that waits for an answer. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    // What is wrong with a connection ends it, and the reading loop with it.
    socket.on('error', () => socket.destroy());
    const full = this.#sockets.size >= MOST_CONNECTIONS;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (full) {
      const error = `${MOST_CONNECTIONS} commands ask this fedway already. Try again when some of them have ended.`;
      socket.write(line({ error }));
      bidFarewell(socket);
      return;
    }
    void this.#serve(socket).finally(() => bidFarewell(socket));
  }

  /** One request after the other: the next line is read when this one's answer has left. */
  async #serve(socket: Socket): Promise<void> {
    const silence = this.#context.silence ?? SILENCE_MS;
    socket.on('timeout', () => socket.destroy());
    socket.setTimeout(silence);
    try {
      for await (const request of linesOf(socket.iterator({ destroyOnReturn: false }), LONGEST_REQUEST)) {
        socket.setTimeout(0);
        const answer = typeof request === 'string' ? await this.#answer(request) : unreadable(request.unreadable);
        // Who does not read the answer is silent too.
        socket.setTimeout(silence);
        await write(socket, line(answer));
      }
    } catch (error) {
      // The other side went away in the middle. That is its affair, and nobody is left to tell.
      if (!socket.destroyed) this.#fault(error);
    }
  }

  async #answer(text: string): Promise<AdminAnswer> {
    const read = readRequest(text);
    if ('refused' in read) return { error: read.refused };
    const { operations, facts, notes } = this.#context;
    const what = deedOf(read.request);
    if (what !== undefined) notes({ note: 'admin-asked', ...what }, {});
    try {
      return await perform(read.request, operations, facts);
    } catch (error) {
      this.#fault(error);
      return { error: `A fault of fedway itself: ${messageOf(error)}. The log has more; please report it.` };
    }
  }

  #fault(error: unknown): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#context.notes({ note: 'bug', where: 'the admin socket', detail }, {});
  }
}

/** What changes something, for the log. Changes of the configuration are told by clusterdb. */
function deedOf(request: AdminRequest): { readonly author: string; readonly what: string } | undefined {
  switch (request.do) {
    case 'close-stream':
      return { author: request.author, what: `close stream ${request.connection} (${request.reason})` };
    case 'link-invite':
      return { author: request.author, what: `make a Link token for ${request.name}` };
    case 'link-join':
      return { author: request.author, what: 'join an Edge with a token' };
    case 'link-revoke':
      return { author: request.author, what: `revoke the Link ${request.name}` };
    case 'hello':
    case 'status':
    case 'streams':
    case 'config-list':
    case 'config-change':
    case 'config-log':
    case 'link-list':
      return undefined;
  }
}

/** What a peer still sends is taken and thrown away: closing with it unread would take our last answer from him. */
function bidFarewell(socket: Socket): void {
  if (socket.destroyed) return;
  socket.end();
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), FAREWELL_MS);
  socket.once('close', () => clearTimeout(timer));
}

function unreadable(why: string): AdminAnswer {
  return { error: `The request is not understood: ${why}.` };
}

function line(answer: AdminAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}

/** Resolves when there is room for more, or nobody who reads. */
function write(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed || socket.write(text)) {
      resolve();
      return;
    }
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
