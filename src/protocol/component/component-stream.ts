import type { Domain } from '../jid/domain.ts';
import { parseJid } from '../jid/jid.ts';
import { NS } from '../namespaces.ts';
import type { StreamPair } from '../stream/actions.ts';
import { AuthorizedPairs } from '../stream/authorized-pairs.ts';
import { bounceOf, unanswerable } from '../stream/bounce.ts';
import { StreamMachine } from '../stream/machine.ts';
import type { AuthorizedPair } from '../stream/negotiated.ts';
import { rescoped } from '../stream/written-stanza.ts';
import type { Stanza, XmlElement, XmlLimits } from '../xml/types.ts';
import { writeElement } from '../xml/write.ts';

/** Time-outs of a component stream, in milliseconds. */
export interface ComponentTimeouts {
  readonly header: number;
  readonly negotiation: number;
  readonly close: number;
}

/** What both ends of XEP-0114 need. */
export interface ComponentContext {
  readonly timeouts: ComponentTimeouts;
  readonly limits: XmlLimits;
  /** A stanza from the peer whose sender domain it may speak for. It is valid during the call only. */
  deliver(stanza: Stanza, pair: StreamPair): void;
  /** Whether the next stanza is looked at now; else a `go-on` comes when it is time. Without: always. */
  mayRead?(): boolean;
}

/** Whom the peer of a component stream may speak for. */
export interface Senders {
  /** By name. */
  readonly domains: readonly Domain[];
  /**
   * A component that stands for a whole server, such as the S2S component of an Edge, speaks for more than can be listed. A stanza of anybody else is dropped:
   * it must not end the stream for everybody.
   */
  speaksFor?(sender: Domain): boolean;
}

/**
 * What the two ends of an XEP-0114 stream share once the handshake is done: the peer speaks for its domains, and writes to whomever the
 * router lets it.
 */
export abstract class ComponentStream extends StreamMachine {
  protected readonly common: ComponentContext;
  private readonly pairs: AuthorizedPairs;
  private senders: Senders = { domains: [] };
  /** Whom an error of ours is from when the stanza's own address cannot be used. */
  private name: Domain | undefined;

  constructor(common: ComponentContext) {
    super(NS.componentAccept, common.timeouts.close);
    this.common = common;
    // Where a stanza may go is the router's decision: it answers with a stanza error what S2S answers by ending the stream.
    this.pairs = new AuthorizedPairs({
      serves: () => true,
      admits: () => true,
      speaksFor: (sender) => this.senders.speaksFor?.(sender) === true,
    });
  }

  protected get isOpen(): boolean {
    return this.pairs.size > 0;
  }

  /** The handshake is done: the peer may speak for `senders`; `pair` is the one the stream is for. */
  protected open(senders: Senders, pair: StreamPair): void {
    this.disarm('negotiation');
    this.setLimits(this.common.limits);
    this.senders = senders;
    this.name = pair.target;
    for (const sender of senders.domains) this.pairs.add({ sender, target: pair.target }, 'component');
    this.act({ do: 'authorized', pair, by: 'component' });
    this.note({ note: 'authorized', ...pair, by: 'component' });
    this.become('connected');
  }

  protected override onStanza(stanza: Stanza): void {
    const judgment = this.pairs.judge(stanza);
    if (judgment.may === 'pass') this.common.deliver(stanza, judgment.pair);
    else if (judgment.may === 'drop') this.note({ note: 'dropped', kind: stanza.kind, because: judgment.because });
    else if (judgment.condition === 'improper-addressing' && this.answerMalformed(stanza)) return;
    else if (this.senders.speaksFor !== undefined)
      this.note({
        note: 'dropped',
        kind: stanza.kind,
        because:
          judgment.condition === 'invalid-from'
            ? "the component may not speak for the domain of its 'from'"
            : 'its addresses are malformed or missing',
      });
    else this.fail(judgment.condition, judgment.text);
  }

  protected override mayRead(): boolean {
    return !this.isOpen || (this.common.mayRead?.() ?? true);
  }

  private isSender(domain: Domain): boolean {
    return this.senders.domains.includes(domain) || this.senders.speaksFor?.(domain) === true;
  }

  /**
   * One stream carries the stanzas of a whole server: a user who mistyped an address is told (RFC 6120 §8.3.3.8), and does not end it
   * for everybody. The bad address is not used (checklist R-07).
   */
  private answerMalformed(stanza: Stanza): boolean {
    const { name } = this;
    const { from, to } = stanza;
    const sender = from === undefined ? undefined : parseJid(from);
    if (name === undefined || to === undefined || to === '' || sender === undefined) return false;
    if (!this.isSender(sender.domain)) return false;
    const never = unanswerable(stanza);
    if (never === undefined) {
      const error = {
        condition: 'jid-malformed',
        type: 'modify',
        text: "The stanza's 'to' is not an address.",
      } as const;
      const bounce = bounceOf({ kind: stanza.kind, from, to: name, id: stanza.id }, error, undefined);
      this.write(writeElement(rescoped(bounce, NS.componentAccept), NS.componentAccept));
    }
    this.note({ note: 'dropped', kind: stanza.kind, because: "its 'to' is not an address" });
    return true;
  }

  /** A handshake is made from the shared secret: it is not written to a log. */
  protected override shown(element: XmlElement): XmlElement {
    return element.name === 'handshake' && element.children.length > 0
      ? { ...element, children: ['(not shown)'] }
      : element;
  }

  protected override authorizedPairs(): readonly AuthorizedPair[] {
    return this.pairs.all();
  }

  protected override onSecured(): void {
    throw new Error('a component stream has no STARTTLS, so nothing can have secured it');
  }

  protected override onDecision(): void {
    // Components are configured, not authorized by policy: the router judges each pair.
  }
}
