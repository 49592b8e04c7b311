import type { NodeOperations } from '../imp/operations.ts';
import type { Shell } from '../imp/shell/shell.ts';
import type { NoteSink } from '../protocol/notes.ts';
import { type LineConversation, LineServer } from './line-server.ts';
import type { Unreadable } from './lines.ts';
import { readNodeRequest } from './node-request.ts';
import { LONGEST_NODE_REQUEST, type NodeAnswers, type NodeHello, type NodeRequest } from './node-wire.ts';
import { WIRE } from './wire.ts';

export interface NodeAdminContext {
  readonly operations: NodeOperations;
  readonly shell: Pick<Shell, 'run' | 'complete'>;
  readonly facts: Pick<NodeHello, 'version' | 'name'>;
  readonly notes: NoteSink;
  /** Milliseconds in place of the usual silence. */
  readonly silence?: number;
}

/** How long a connection may be silent between requests: somebody sits before a shell and thinks. */
const SILENCE_MS = 3_600_000;

/** The admin socket of a running IM&P node: one JSON object per line and direction. Whoever may open the file may ask. */
export class NodeAdminServer {
  readonly #lines: LineServer;

  private constructor(lines: LineServer) {
    this.#lines = lines;
  }

  /** Opens the socket at `path`; or says what is in the way, in a sentence with the cure. */
  static async open(
    path: string,
    context: NodeAdminContext,
  ): Promise<{ readonly server: NodeAdminServer } | { readonly refused: string }> {
    const opened = await LineServer.open(path, {
      longest: LONGEST_NODE_REQUEST,
      begin: () => new NodeConversation(context),
      fault: (error) => tellFault(context.notes, error),
    });
    return 'refused' in opened ? opened : { server: new NodeAdminServer(opened.server) };
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

type Answer = (value: unknown) => Promise<void>;

/** One connection. Answers come in the order of the requests; a line of the shell that goes on is the one thing that can be interrupted. */
class NodeConversation implements LineConversation {
  readonly #context: NodeAdminContext;
  #running: { readonly over: Promise<void>; interrupt(): void } | undefined;

  constructor(context: NodeAdminContext) {
    this.#context = context;
  }

  async take(line: string | Unreadable, answer: Answer): Promise<void> {
    if (typeof line !== 'string') {
      await answer({ error: `The request is not understood: ${line.unreadable}.` });
      return;
    }
    const read = readNodeRequest(line);
    if ('refused' in read) {
      await this.#running?.over;
      await answer({ error: read.refused });
      return;
    }
    const { request } = read;
    if (request.do === 'interrupt') {
      this.#running?.interrupt();
      return;
    }
    await this.#running?.over;
    await this.#perform(request, answer);
  }

  silence(): number {
    return this.#running === undefined ? (this.#context.silence ?? SILENCE_MS) : 0;
  }

  ended(): void {
    this.#running?.interrupt();
  }

  async #perform(request: Exclude<NodeRequest, { readonly do: 'interrupt' }>, answer: Answer): Promise<void> {
    try {
      if (request.do === 'line') await this.#line(request, answer);
      else await answer({ ok: await performNode(request, this.#context) });
    } catch (error) {
      tellFault(this.#context.notes, error);
      await answer({
        error: `A fault of fedway itself: ${messageOf(error)}. The log has more; please report it.`,
      });
    }
  }

  async #line(request: Extract<NodeRequest, { readonly do: 'line' }>, answer: Answer): Promise<void> {
    const { text, failed, goesOn } = await this.#context.shell.run(request.line, { author: request.author });
    const ending = failed === undefined ? {} : { failed };
    if (goesOn === undefined) {
      await answer({ ok: { text, ...ending } });
      return;
    }
    const over = goesOn.done.then((last) => {
      this.#running = undefined;
      return answer({ ok: { text: last } });
    });
    this.#running = { over, interrupt: () => goesOn.interrupt() };
    await answer({ ok: { text, more: true } });
  }
}

/** Does what a request says. Rejects when the operation does: that is a fault of the node. */
function performNode(
  request: Exclude<NodeRequest, { readonly do: 'line' | 'interrupt' }>,
  { operations, shell, facts }: NodeAdminContext,
): NodeAnswers[keyof NodeAnswers] | Promise<NodeAnswers[keyof NodeAnswers]> {
  const { users, administrators } = operations;
  switch (request.do) {
    case 'hello':
      return { wire: WIRE, node: true, ...facts };
    case 'status':
      return operations.status();
    case 'notifications':
      return operations.notifications();
    case 'complete':
      return shell.complete(request.line);
    case 'user-list':
      return users.list();
    case 'user-add':
      return users.add(request.user, request.password, request.author);
    case 'user-password':
      return users.setPassword(request.user, request.password, request.author);
    case 'user-active':
      return users.setActive(request.user, request.active === 'yes', request.author);
    case 'user-remove':
      return users.remove(request.user, request.author);
    case 'admin-list':
      return administrators.list();
    case 'admin-add':
      return administrators.add(request.name, request.password, request.role, request.author);
    case 'admin-password':
      return administrators.setPassword(request.name, request.password, request.author);
    case 'admin-role':
      return administrators.setRole(request.name, request.role, request.author);
    case 'admin-remove':
      return administrators.remove(request.name, request.author);
  }
}

function tellFault(notes: NoteSink, error: unknown): void {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  notes({ note: 'bug', where: 'the admin socket of the node', detail }, {});
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
