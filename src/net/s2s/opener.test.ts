import { expect, it } from 'vitest';
import type { StreamEnd } from '../../protocol/end.ts';
import { type Domain, parseDomain } from '../../protocol/jid/domain.ts';
import type { Note } from '../../protocol/notes.ts';
import { AUTHENTICATED_LIMITS } from '../../protocol/xml/limits.ts';
import type { Dialed, DialFailure } from '../dial/dial.ts';
import { S2sOpener } from './opener.ts';

function domain(name: string): Domain {
  const parsed = parseDomain(name);
  if (parsed === undefined) throw new Error(`${name} is no domain`);
  return parsed;
}

/** A generator that fails at its first step. */
class Failing implements AsyncGenerator<Dialed, DialFailure> {
  next(): Promise<never> {
    return Promise.reject(new Error('a fault of ours'));
  }

  async return(value: DialFailure | PromiseLike<DialFailure>): Promise<IteratorReturnResult<DialFailure>> {
    return { done: true, value: await value };
  }

  throw(error: unknown): Promise<never> {
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** Looks for a server until it is given up. */
async function* endless(signal: AbortSignal): AsyncGenerator<Dialed, DialFailure> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  yield await promise;
  return { stage: 'tcp', detail: 'never' };
}

/** An opener whose dialing fails by a fault of our own, unless the test brings another. */
function faulty(
  notes: Note[],
  dial: (signal: AbortSignal) => AsyncGenerator<Dialed, DialFailure> = () => new Failing(),
): S2sOpener {
  return new S2sOpener({
    side: 'foreign',
    dial: (_domain, { signal }) => dial(signal),
    ruling: () => ({
      admitted: true,
      because: '',
      tls: 'required',
      authentication: 'either',
      requireCertificate: false,
    }),
    hasCertificate: () => true,
    peerMustProve: () => false,
    startTls: () => Promise.resolve({ failed: 'never asked for' }),
    authority: { key: () => '', vouches: () => false },
    timeouts: { connect: 1_000, header: 1_000, negotiation: 1_000, dialback: 1_000, close: 1_000 },
    limits: AUTHENTICATED_LIMITS,
    notes: (note) => notes.push(note),
    newHandle: () => '000000001',
  });
}

const pair = { sender: domain('coluc.com'), target: domain('vngtp.lab') };

it('a fault of ours in dialing ends the one attempt, is told, and rejects nothing', async () => {
  const notes: Note[] = [];
  const end = await new Promise<StreamEnd>((resolve) => {
    faulty(notes).open(pair, { authorized: () => undefined, leaving: () => undefined, ended: resolve });
  });
  expect(end).toEqual({ by: 'us', condition: 'internal-server-error' });
  expect(notes).toMatchObject([{ note: 'bug', where: 'dialing' }]);
});

it('D-71: the same while asking an authoritative server is an error, and never `valid`', async () => {
  const claim = { sender: pair.target, target: pair.sender, streamId: '1', key: 'k' };
  const verdict = await faulty([]).verify(claim, undefined, new AbortController().signal);
  expect(verdict.verdict).toBe('error');
});

it.each(['shutdown', 'destroy'] as const)('S-46: %s gives up what still looks for a server', async (how) => {
  const opener = faulty([], endless);
  const ended = Promise.withResolvers<StreamEnd>();
  opener.open(pair, { authorized: () => undefined, leaving: () => undefined, ended: ended.resolve });
  opener[how]();
  await expect(ended.promise).resolves.toEqual({ by: 'us', condition: 'system-shutdown' });
});

it('S-46: nothing is opened after the goodbye', async () => {
  const opener = faulty([], endless);
  opener.shutdown();
  const end = await new Promise<StreamEnd>((resolve) => {
    opener.open(pair, { authorized: () => undefined, leaving: () => undefined, ended: resolve });
  });
  expect(end).toEqual({ by: 'us', condition: 'system-shutdown' });
});
