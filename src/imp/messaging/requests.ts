import type { Jid } from '../../protocol/jid/jid.ts';
import { printJid } from '../../protocol/jid/print.ts';
import { NS } from '../../protocol/namespaces.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, element } from '../../protocol/xml/write.ts';
import type { Packet, Post } from '../packet.ts';
import { packetOf } from './stanzas.ts';

/** Requests that wait at a time; one more is not sent. Whoever makes the server ask, such as by new capabilities, cannot fill the memory with it. */
const MOST_WAITING = 1_000;
/** A client that has not answered in this time is away. */
const PATIENCE_MS = 30_000;

export interface RequestsContext {
  readonly post: Post;
  newId(): string;
  /** Calls back once after so many milliseconds; what it returns cancels that. */
  later(milliseconds: number, work: () => void): () => void;
}

interface Waiting {
  readonly from: string;
  readonly to: string;
  readonly cancel: () => void;
  readonly answered: (answer: XmlElement | undefined) => void;
}

/** IQ requests that the server itself makes, in its own name or that of an account. */
export class Requests {
  private readonly context: RequestsContext;
  private readonly waiting = new Map<string, Waiting>();

  constructor(context: RequestsContext) {
    this.context = context;
  }

  /**
   * Sends a request.
   *
   * @param answered gets the stanza of type `result` or `error`; `undefined`: none came, or there was no room for one more request. Called once, never
   *   before this returns.
   */
  ask(
    from: Jid,
    to: Jid,
    type: 'get' | 'set',
    payload: XmlElement,
    answered: (answer: XmlElement | undefined) => void,
  ): void {
    if (this.waiting.size >= MOST_WAITING) {
      this.context.later(0, () => answered(undefined));
      return;
    }
    const id = this.context.newId();
    const cancel = this.context.later(PATIENCE_MS, () => {
      this.waiting.delete(id);
      answered(undefined);
    });
    this.waiting.set(id, { from: printJid(from), to: printJid(to), cancel, answered });
    this.context.post.send(packetOf('iq', from, to, element('iq', NS.client, { type, id }, payload)));
  }

  /** An IQ of type `result` or `error`: takes it when it answers a request. What answers none is nobody's. */
  settle({ from, to, element: answer }: Packet): void {
    const id = attributeOf(answer, 'id');
    const request = id === undefined ? undefined : this.waiting.get(id);
    // RFC 6120 §8.1.3: an answer comes from who was asked.
    if (id === undefined || request?.to !== printJid(from) || request.from !== printJid(to)) return;
    this.waiting.delete(id);
    request.cancel();
    request.answered(answer);
  }
}
