import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as later } from 'node:timers/promises';
import { AXL_VERSIONS } from '../../axl/soap/types.ts';
import { PerSource, sourceOf } from '../../net/s2s/per-source.ts';
import type { NoteSink, NoteSubject } from '../../protocol/notes.ts';
import type { TappedConversation } from '../capture/tap.ts';
import type { NodeOperations } from '../operations.ts';
import { mediaType, readBody } from './body.ts';
import { Gate } from './gate.ts';
import { stars, tapBody } from './http-tap.ts';
import type { AxlLimits } from './limits.ts';
import { servicePage } from './page.ts';
import { type Place, placeOf } from './place.ts';
import { type Reply, retryAfter, textReply } from './reply.ts';
import { answerCall, type ServiceContext } from './service.ts';
import { TokenBuckets } from './token-bucket.ts';
import { answerUsers } from './users-api.ts';

export interface DeskContext extends ServiceContext {
  readonly operations: Pick<NodeOperations, 'administrators' | 'users'>;
  /** How the node calls itself, and fedway's version. */
  readonly node: { readonly name: string; readonly version: string };
  readonly notes: NoteSink;
}

/** One request, before anything of it is known. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly subject: NoteSubject;
  readonly tapped: TappedConversation | undefined;
}

/** What came of a request. */
export interface Served {
  readonly reply: Reply;
  /** As far as the client has said. */
  readonly user: string | undefined;
  /** For the log: the function of AXL, or method and path. */
  readonly function: string;
}

const CLOSE = { close: true } as const;
const NOTHING = new Uint8Array();

/** Decides what a request is answered with: first whether there is such a place, then who asks, then how often, and only then is a body read. */
export class AxlDesk {
  readonly #context: DeskContext;
  readonly #limits: AxlLimits;
  readonly #clock: () => number;
  readonly #gate: Gate;
  readonly #perAccount: TokenBuckets;
  readonly #ofAll: TokenBuckets;
  /** Requests, by account. */
  readonly #working = new PerSource();

  /** @param clock Unix milliseconds */
  constructor(context: DeskContext, limits: AxlLimits, clock: () => number) {
    this.#context = context;
    this.#limits = limits;
    this.#clock = clock;
    this.#perAccount = new TokenBuckets(perMinute(limits.requestsPerMinute));
    this.#ofAll = new TokenBuckets(perMinute(limits.requestsPerMinuteOfAll));
    this.#gate = new Gate({
      administrators: context.operations.administrators,
      notes: context.notes,
      clock,
      delay: (milliseconds) => later(milliseconds, undefined, { ref: false }),
    });
  }

  /** Rejects for a fault of ours alone. */
  async serve(visit: Visit): Promise<Served> {
    const { request, subject } = visit;
    const { method = '', url = '' } = request;
    const place = placeOf(url);
    const asked = `${/^[A-Z]{1,10}$/.test(method) ? method : '?'} ${place?.path ?? '(no such path)'}`;
    const told = (reply: Reply, user?: string): Served => ({ reply, user, function: asked });
    if (place === undefined) return told(textReply(404, 'There is nothing here. AXL is at /axl/.', CLOSE));
    if (!place.methods.includes(method)) {
      const allowed = place.methods.join(', ');
      return told(textReply(405, `Use ${allowed} here.`, { headers: { Allow: allowed }, ...CLOSE }));
    }
    const source = sourceOf(request.socket.remoteAddress ?? '');
    const admitted = await this.#gate.admit({ authorization: request.headers.authorization, source, subject });
    if ('refused' in admitted) return told(admitted.refused, admitted.user);
    const { user } = admitted;
    const throttled = this.#throttle(user, subject);
    if (throttled !== undefined) return told(throttled, user);
    const account = user.toLowerCase();
    this.#working.take(account);
    try {
      const answer = await this.#answer(visit, place, user);
      return { function: asked, ...answer, user };
    } finally {
      this.#working.give(account);
    }
  }

  #throttle(user: string, subject: NoteSubject): Reply | undefined {
    const { concurrent, concurrentPerAccount, requestsPerMinute, requestsPerMinuteOfAll } = this.#limits;
    const now = this.#clock();
    const refuse = (because: string, wait: number): Reply => {
      this.#context.notes({ note: 'imp-axl-throttled', user, because }, subject);
      return textReply(503, 'Too many requests. Try again later.', { headers: retryAfter(wait), because, ...CLOSE });
    };
    const account = user.toLowerCase();
    if (this.#working.total >= concurrent) return refuse(`${concurrent} requests are worked on already`, 1_000);
    if (this.#working.of(account) >= concurrentPerAccount)
      return refuse(`${concurrentPerAccount} requests of the account are worked on already`, 1_000);
    const own = this.#perAccount.take(account, now);
    if (own !== undefined) return refuse(`more than ${requestsPerMinute} requests per minute`, own.wait);
    const all = this.#ofAll.take('', now);
    return all === undefined
      ? undefined
      : refuse(`more than ${requestsPerMinuteOfAll} requests per minute of all accounts`, all.wait);
  }

  async #answer(
    visit: Visit,
    place: Place,
    user: string,
  ): Promise<{ readonly reply: Reply; readonly function?: string }> {
    const { request, subject, tapped } = visit;
    const { method = '' } = request;
    const takesBody = method === 'POST' || method === 'PATCH';
    const read = takesBody ? await this.#bodyOf(visit, place) : { body: NOTHING };
    if ('refused' in read) return { reply: read.refused };
    const { body } = read;
    if (tapped !== undefined && takesBody) tapBody(tapped, request, place.at === 'users' ? stars(body.length) : body);
    if (place.at === 'users') {
      return { reply: await answerUsers({ method, user: place.user, body, author: user }, this.#context.operations) };
    }
    if (!takesBody) return { reply: this.#page(user) };
    const action = request.headers['soapaction'];
    return answerCall({ user, action: Array.isArray(action) ? action[0] : action, body, subject }, this.#context);
  }

  async #bodyOf(
    { request, response }: Visit,
    place: Place,
  ): Promise<{ readonly body: Uint8Array } | { readonly refused: Reply }> {
    const type = place.at === 'axl' ? 'text/xml' : 'application/json';
    if (mediaType(request) !== type) return { refused: textReply(415, `The Content-Type has to be ${type}.`, CLOSE) };
    if (request.headers.expect !== undefined) response.writeContinue();
    return readBody(request, this.#limits.body);
  }

  #page(user: string): Reply {
    const { name, version } = this.#context.node;
    const body = servicePage({ node: name, version, user, axlVersions: AXL_VERSIONS });
    // The page has one style of its own, and nothing else that a browser should load or run.
    const headers = {
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    };
    return { status: 200, type: 'text/html', body, headers };
  }
}

function perMinute(requests: number): { burst: number; every: number } {
  return { burst: requests, every: 60_000 / requests };
}
