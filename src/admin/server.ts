import type { BoxOperations } from '../box/operations.ts';
import type { NoteSink } from '../protocol/notes.ts';
import { type LineConversation, LineServer } from './line-server.ts';
import { type BoxFacts, perform } from './perform.ts';
import { readRequest } from './request.ts';
import { type AdminAnswer, type AdminRequest, LONGEST_REQUEST } from './wire.ts';

/** How long a connection may be silent between requests. */
const SILENCE_MS = 30_000;

export interface AdminContext {
  readonly operations: BoxOperations;
  readonly facts: BoxFacts;
  readonly notes: NoteSink;
  /** Milliseconds in place of the usual silence. */
  readonly silence?: number;
}

/** The admin socket of a running box: one JSON object per line and direction, answered in order. Whoever may open the file may ask. */
export class AdminServer {
  readonly #lines: LineServer;

  private constructor(lines: LineServer) {
    this.#lines = lines;
  }

  /** Opens the socket at `path`; or says what is in the way, in a sentence with the cure. */
  static async open(
    path: string,
    context: AdminContext,
  ): Promise<{ readonly server: AdminServer } | { readonly refused: string }> {
    const desk = new AdminDesk(context);
    const opened = await LineServer.open(path, {
      longest: LONGEST_REQUEST,
      begin: () => desk.conversation(),
      fault: (error) => desk.fault(error),
    });
    return 'refused' in opened ? opened : { server: new AdminServer(opened.server) };
  }

  /** Connections that exist now. */
  get connections(): number {
    return this.#lines.connections;
  }

  /** Removes the socket and closes every connection, also one that waits for an answer. */
  close(): Promise<void> {
    return this.#lines.close();
  }
}

/** Answers requests. */
class AdminDesk {
  readonly #context: AdminContext;

  constructor(context: AdminContext) {
    this.#context = context;
  }

  conversation(): LineConversation {
    return {
      take: async (line, answer) => {
        await answer(typeof line === 'string' ? await this.#answer(line) : unreadable(line.unreadable));
      },
      silence: () => this.#context.silence ?? SILENCE_MS,
      ended: () => undefined,
    };
  }

  fault(error: unknown): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#context.notes({ note: 'bug', where: 'the admin socket', detail }, {});
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
      this.fault(error);
      return { error: `A fault of fedway itself: ${messageOf(error)}. The log has more; please report it.` };
    }
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
    case 'publisher-refresh':
      return { author: request.author, what: `refresh ${request.name ?? 'every IM&P publisher'}` };
    case 'hello':
    case 'status':
    case 'streams':
    case 'config-list':
    case 'config-change':
    case 'config-log':
    case 'link-list':
    case 'publisher-list':
      return undefined;
  }
}

function unreadable(why: string): AdminAnswer {
  return { error: `The request is not understood: ${why}.` };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
