import { handledIn, REQUEST, writeEnable, writeResume } from '../stream/management.ts';
import type { XmlElement, XmlRoot } from '../xml/types.ts';
import { attributeOf, writeRoot } from '../xml/write.ts';
import { featuresFault, headerFault, writeLinkHeader } from './header.ts';
import { LinkStream } from './link-stream.ts';

/** The end of a Link that dialed: a Core. It resumes the session if there is one, and asks for a new one otherwise. */
export class DialingLink extends LinkStream {
  /** What the peer is to answer. */
  private asked: 'nothing' | 'resume' | 'enable' = 'nothing';

  protected override onConnected(): void {
    const xml = this.writeErrorHeader();
    this.note({ note: 'header-sent', xml, streamId: undefined });
    this.write(xml);
    this.headerSent = true;
    this.arm('header', this.common.timeouts.header);
  }

  protected override onRoot(root: XmlRoot): void {
    const { own, peer, timeouts } = this.common;
    this.note({ note: 'header-received', xml: writeRoot(root), streamId: attributeOf(root, 'id') });
    const fault = headerFault(root, { from: peer, to: own });
    if (fault !== undefined) {
      this.fail(fault.condition, fault.text);
      return;
    }
    this.disarm('header');
    this.phase = 'negotiation';
    this.arm('negotiation', timeouts.negotiation);
  }

  protected override onFeatures(features: XmlElement): void {
    if (this.phase !== 'negotiation' || this.asked !== 'nothing') {
      this.fail('bad-format', 'Features stand where none are due.');
      return;
    }
    const fault = featuresFault(features);
    if (fault !== undefined) {
      this.fail(fault.condition, fault.text);
      return;
    }
    const { session } = this;
    // From here on the count stands: what comes on a former connection is not counted, and comes again.
    session.claim(this);
    if (session.id === undefined) this.enable();
    else {
      this.asked = 'resume';
      this.send(writeResume(session.id, session.handled));
    }
  }

  protected override onAgreement(element: XmlElement): void {
    const { asked } = this;
    this.asked = 'nothing';
    if (asked !== 'nothing' && !this.session.belongsTo(this)) this.replaced();
    else if (asked === 'resume' && element.name === 'resumed') this.resumed(element);
    else if (asked === 'resume' && element.name === 'failed') this.failed(element);
    else if (asked === 'enable' && element.name === 'enabled') this.enabled(element);
    else if (asked === 'enable' && element.name === 'failed')
      this.fail('undefined-condition', 'A Link cannot do without a session.');
    else this.fail('policy-violation', 'This element of stream management is not due.');
  }

  protected override writeErrorHeader(): string {
    return writeLinkHeader({ from: this.common.own, to: this.common.peer });
  }

  private enable(): void {
    this.asked = 'enable';
    this.send(writeEnable(this.common.timeouts.hold));
  }

  private resumed(element: XmlElement): void {
    const { session } = this;
    const h = handledIn(element);
    if (attributeOf(element, 'previd') !== session.id || h === undefined || h === 'malformed')
      this.fail('bad-format', 'The answer to the resumption is not for this session.');
    else if (this.accept(h)) this.confirm(true);
  }

  /** The peer knows the session no more. If it tells what it had handled, nothing is in doubt. */
  private failed(element: XmlElement): void {
    const h = handledIn(element);
    if (h === 'malformed') this.fail('bad-format', 'The count of the former session is not one.');
    else if (h === undefined || this.accept(h, 'settle')) this.enable();
  }

  private enabled(element: XmlElement): void {
    const id = attributeOf(element, 'id');
    if (id === undefined || id === '') this.fail('bad-format', 'The session has no id, so it could not be resumed.');
    else {
      this.begin(id);
      this.confirm(false);
    }
  }

  /** The accepting end sends nothing on the session before it knows that we have heard of it. */
  private confirm(resumed: boolean): void {
    this.agree(resumed);
    this.send(REQUEST);
    this.establish();
  }
}
