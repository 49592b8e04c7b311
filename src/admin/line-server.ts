import { createServer, type Server, type Socket } from 'node:net';
import { linesOf, type Unreadable } from './lines.ts';
import { listenOn } from './socket-file.ts';

/** Commands that ask at the same time. People and health checks need a handful. */
const MOST_CONNECTIONS = 32;
/** How long the last answer may take to be read. */
const FAREWELL_MS = 1_000;

/** What is said on one connection. */
export interface LineConversation {
  /** Answers a line, with one answer or several; the next line is read when this has settled. A rejection is a fault of ours and ends the connection. */
  take(line: string | Unreadable, answer: (value: unknown) => Promise<void>): Promise<void>;
  /** Milliseconds that the other side may be silent from now on; 0: as long as it likes. */
  silence(): number;
  /** The connection is over. */
  ended(): void;
}

export interface LineServerContext {
  /** A new connection. */
  begin(): LineConversation;
  /** Bytes of one line. */
  readonly longest: number;
  /** Something that nobody could have sent went wrong. */
  fault(error: unknown): void;
}

/** A unix socket on which JSON is spoken, one value per line and direction. Whoever may open the file may ask. */
export class LineServer {
  readonly #context: LineServerContext;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(context: LineServerContext) {
    this.#context = context;
    // Who has asked everything may close its half and still get the answers.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Opens the socket at `path`; or says what is in the way, in a sentence with the cure. */
  static async open(
    path: string,
    context: LineServerContext,
  ): Promise<{ readonly server: LineServer } | { readonly refused: string }> {
    const lines = new LineServer(context);
    const refused = await listenOn(lines.#server, path);
    if (refused !== undefined) return { refused };
    lines.#server.on('error', (error) => context.fault(error));
    return { server: lines };
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
      socket.write(lineOf({ error }));
      bidFarewell(socket);
      return;
    }
    void this.#serve(socket).finally(() => bidFarewell(socket));
  }

  /** One line after the other. */
  async #serve(socket: Socket): Promise<void> {
    const conversation = this.#context.begin();
    socket.once('close', () => conversation.ended());
    socket.on('timeout', () => socket.destroy());
    socket.setTimeout(conversation.silence());
    const answer = (value: unknown): Promise<void> => {
      // Who does not read the answer is silent too.
      socket.setTimeout(conversation.silence());
      return write(socket, lineOf(value));
    };
    try {
      for await (const line of linesOf(socket.iterator({ destroyOnReturn: false }), this.#context.longest)) {
        socket.setTimeout(0);
        await conversation.take(line, answer);
        socket.setTimeout(conversation.silence());
      }
    } catch (error) {
      // The other side went away in the middle. That is its affair, and nobody is left to tell.
      if (!socket.destroyed) this.#context.fault(error);
    }
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

function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
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
