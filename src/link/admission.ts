import { sourceOf } from '../net/s2s/per-source.ts';
import type { NoteSink } from '../protocol/notes.ts';
import { Attempts } from './attempts.ts';
import type { LinkAuthority } from './authority.ts';
import { periodOf } from './certificates.ts';
import type { Cores, PairedCore } from './cores.ts';
import { type BoxIdentity, keyHashOf } from './identity.ts';
import { JOIN_BYTES, type JoinAnswer, type JoinRequest, readJoinRequest, writeJoinAnswer } from './join-messages.ts';
import { readLine } from './line.ts';
import type { Secured } from './tls.ts';

/** What one source may try; somebody who types tokens needs no more. */
const ATTEMPTS = { most: 10, perMs: 60_000 } as const;
/** How long the Core may keep TCP open after our answer. */
const LINGER_MS = 2_000;

export interface AdmissionContext {
  readonly edge: BoxIdentity;
  readonly authority: LinkAuthority;
  readonly cores: Cores;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Milliseconds for the request. */
  timeout(): number;
  /** A Core is paired, for the first time or anew. */
  joined(core: PairedCore): void;
  readonly notes: NoteSink;
}

/** The Edge's side of joining: one request, one answer, and to everybody who is not admitted the same one. */
export class Admission {
  private readonly context: AdmissionContext;
  private readonly attempts = new Attempts(ATTEMPTS.most, ATTEMPTS.perMs);

  constructor(context: AdmissionContext) {
    this.context = context;
  }

  /** Serves a connection to its end. `peer` is its address and port, for the log. */
  async serve({ socket }: Secured, address: string, peer: string): Promise<void> {
    const { context } = this;
    const line = await readLine(socket, { bytes: JOIN_BYTES.request, timeoutMs: context.timeout() });
    // Counted when the request is there, and judged afterwards: whether a token is good is not to be had by trying.
    const admitted = this.attempts.take(sourceOf(address), performance.now())
      ? await this.judge(line)
      : {
          because: `more than ${ATTEMPTS.most} attempts in ${ATTEMPTS.perMs / 1000} seconds from this address; the token was not looked at`,
        };
    if ('because' in admitted) context.notes({ note: 'link-join-refused', because: admitted.because }, { peer });
    const answer: JoinAnswer = 'because' in admitted ? 'refused' : { edge: context.edge, chain: admitted.chain };
    socket.end(writeJoinAnswer(answer));
    socket.resume();
    const linger = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(linger));
    if ('because' in admitted) return;
    const { core, until } = admitted;
    context.notes({ note: 'link-joined', box: core.name, certificateUntil: until }, { peer, remote: core.name });
    context.joined(core);
  }

  private async judge(
    line: string | undefined,
  ): Promise<
    { readonly core: PairedCore; readonly chain: string; readonly until: number } | { readonly because: string }
  > {
    const { cores, authority } = this.context;
    if (line === undefined) return { because: 'no request came in time, or it was too long' };
    const request = readJoinRequest(line);
    if (request === undefined) return { because: 'its request is none; is it a fedway of another version?' };
    const { secret, core } = request;
    const now = this.context.now();
    const admission = cores.admits(secret, core, now);
    if ('because' in admission) return admission;
    const { name } = admission.invitation;
    const chain = await authority.issueFor({ id: core.id, name }, request.publicKey, now);
    return this.pair(request, chain, now);
  }

  private pair(
    { secret, core, publicKey }: JoinRequest,
    chain: string,
    now: number,
  ): { readonly core: PairedCore; readonly chain: string; readonly until: number } | { readonly because: string } {
    const until = periodOf(chain).notAfter;
    try {
      // The invitation may have been used while the certificate was made.
      const paired = this.context.cores.admit(secret, core, { hash: keyHashOf(publicKey), until }, now);
      return 'because' in paired ? paired : { core: paired, chain, until };
    } catch (error) {
      return { because: `the pairing could not be written: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
}
