import { handledIn, writeEnabled, writeFailed, writeResumed } from '../stream/management.ts';
import type { XmlElement, XmlRoot } from '../xml/types.ts';
import { attributeOf, writeRoot } from '../xml/write.ts';
import { headerFault, LINK_FEATURES, writeLinkHeader } from './header.ts';
import { LinkStream, type LinkStreamContext } from './link-stream.ts';

/** What the accepting end of a Link is given. */
export interface AcceptingLinkContext extends LinkStreamContext {
  /** For a stream or a session: never the same twice. */
  newId(): string;
}

/** The end of a Link that was dialed: an Edge. It names sessions, and resumes the one that it has with this peer, never another's. */
export class AcceptingLink extends LinkStream {
  private readonly context: AcceptingLinkContext;

  constructor(context: AcceptingLinkContext) {
    super(context);
    this.context = context;
  }

  protected override onConnected(): void {
    this.note({ note: 'accepted' });
    this.arm('header', this.context.timeouts.header);
  }

  protected override onRoot(root: XmlRoot): void {
    const { own, peer, timeouts } = this.context;
    this.note({ note: 'header-received', xml: writeRoot(root), streamId: undefined });
    const fault = headerFault(root, { from: peer, to: own });
    if (fault !== undefined) {
      this.fail(fault.condition, fault.text);
      return;
    }
    this.disarm('header');
    const streamId = this.context.newId();
    const xml = writeLinkHeader({ from: own, to: peer }, streamId);
    this.note({ note: 'header-sent', xml, streamId });
    this.write(xml);
    this.headerSent = true;
    this.phase = 'negotiation';
    this.send(LINK_FEATURES);
    this.arm('negotiation', timeouts.negotiation);
  }

  protected override onFeatures(): void {
    this.fail('bad-format', 'Features are offered by the end that was dialed.');
  }

  protected override onAgreement(element: XmlElement): void {
    // XEP-0198 §3: a session is agreed upon once for each stream.
    if (this.phase !== 'negotiation') this.fail('policy-violation', 'A session is agreed upon already.');
    else if (element.name === 'enable') this.enable();
    else if (element.name === 'resume') this.resume(element);
    else this.fail('unsupported-stanza-type', 'This element of stream management is not due.');
  }

  protected override writeErrorHeader(): string {
    return writeLinkHeader({ from: this.context.own, to: this.context.peer }, this.context.newId());
  }

  private enable(): void {
    const id = this.context.newId();
    this.begin(id);
    this.send(writeEnabled(id, this.context.timeouts.hold));
    this.agree(false);
  }

  private resume(element: XmlElement): void {
    const { session } = this;
    const previous = attributeOf(element, 'previd');
    const h = handledIn(element);
    if (previous === undefined || h === undefined || h === 'malformed') {
      this.fail('bad-format', 'A resumption names a session and a count.');
      return;
    }
    if (previous !== session.id) {
      // The stream goes on, and the peer may ask for a new session.
      this.send(writeFailed(session.finallyHandled(previous)));
      return;
    }
    session.claim(this);
    if (!this.accept(h)) return;
    this.send(writeResumed(previous, session.handled));
    this.agree(true);
  }
}
