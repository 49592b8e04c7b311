import type { Domain } from '../../protocol/jid/domain.ts';
import type { Jid } from '../../protocol/jid/jid.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, element } from '../../protocol/xml/write.ts';
import type { Requests } from '../messaging/requests.ts';
import { type CapsMention, DISCO_INFO, featuresIn, isVerified } from './capabilities.ts';

/** What a client wants to be told of: the nodes before `+notify` among its features (XEP-0163 §4.3.2). */
export type Interests = ReadonlySet<string>;

/** Asks for the capabilities of somebody on behalf of an account. */
export interface CapabilitiesSource {
  /**
   * Asks `to` with disco#info about the node of its capabilities (XEP-0115 §6.2), from the bare address of the account.
   *
   * @returns the `<query/>` of the answer; `undefined` for an error, or when nobody answers in time. Never rejects.
   */
  askCaps(account: string, to: Jid, node: string): Promise<XmlElement | undefined>;
}

/** Asks by IQ requests of the server. `domain`: of the accounts. */
export function capabilitiesBy(requests: Pick<Requests, 'ask'>, domain: Domain): CapabilitiesSource {
  return {
    askCaps: (account, to, node) =>
      new Promise((resolve) => {
        const from = { local: account, domain, resource: undefined };
        requests.ask(from, to, 'get', element('query', DISCO_INFO, { node }), (answer) => {
          const isResult = answer !== undefined && attributeOf(answer, 'type') === 'result';
          resolve(isResult ? childOf(answer, 'query', DISCO_INFO) : undefined);
        });
      }),
  };
}

/** Hashes that are remembered; there are a few hundred in the world at any time. */
const REMEMBERED = 4_000;
/** Questions that are open at once, and nodes that one client may be interested in. */
const MOST_QUESTIONS = 500;
const MOST_INTERESTS = 128;

const SUFFIX = '+notify';
const NONE: Interests = new Set();

/** What clients are interested in, by the hash of their capabilities, each of which is asked for once. */
export class InterestCache {
  private readonly source: CapabilitiesSource;
  private readonly known = new Map<string, Interests>();
  /** Questions whose answer may do for others. */
  private readonly asked = new Map<string, Promise<Interests | undefined>>();
  private open = 0;

  constructor(source: CapabilitiesSource) {
    this.source = source;
  }

  /** What is known already of a hash. */
  peek({ hash, ver }: CapsMention): Interests | undefined {
    const key = keyOf(hash, ver);
    const interests = this.known.get(key);
    if (interests === undefined) return undefined;
    // The one that was used last is the last to be forgotten.
    this.known.delete(key);
    this.known.set(key, interests);
    return interests;
  }

  /**
   * Asks a client what its hash stands for. An answer that the hash proves counts for everybody (XEP-0115 §5.4), another one for this client alone. Without
   * an answer it is interested in nothing. Never rejects.
   */
  async learn(account: string, from: Jid, mention: CapsMention): Promise<Interests> {
    const key = keyOf(mention.hash, mention.ver);
    const pending = this.asked.get(key);
    if (pending !== undefined) {
      // Another client with the same hash is being asked: its answer will do, unless it is not what the hash was made of.
      const proven = await pending;
      if (proven !== undefined) return proven;
    }
    if (this.open >= MOST_QUESTIONS) return NONE;
    this.open += 1;
    const answer = this.source.askCaps(account, from, `${mention.node}#${mention.ver}`);
    const question = answer.then((info) =>
      info !== undefined && isVerified(mention, info) ? interestsIn(info) : undefined,
    );
    this.asked.set(key, question);
    const interests = await question;
    this.open -= 1;
    if (this.asked.get(key) === question) this.asked.delete(key);
    if (interests !== undefined) this.remember(key, interests);
    const info = await answer;
    return interests ?? (info === undefined ? NONE : interestsIn(info));
  }

  private remember(key: string, interests: Interests): void {
    this.known.set(key, interests);
    if (this.known.size <= REMEMBERED) return;
    const [oldest] = this.known.keys();
    if (oldest !== undefined) this.known.delete(oldest);
  }
}

function interestsIn(info: XmlElement): Interests {
  const nodes = featuresIn(info)
    .filter((feature) => feature.endsWith(SUFFIX))
    .map((feature) => feature.slice(0, -SUFFIX.length));
  return new Set(nodes.slice(0, MOST_INTERESTS));
}

function keyOf(hash: string, ver: string): string {
  return `${hash} ${ver}`;
}
