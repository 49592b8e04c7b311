import type { Domain } from '../jid/domain.ts';
import { NS } from '../namespaces.ts';
import type { StreamTimer } from '../stream/actions.ts';
import { readInitialHeader, writeHeader } from '../stream/header.ts';
import type { XmlElement, XmlRoot } from '../xml/types.ts';
import { textOf, writeRoot } from '../xml/write.ts';
import { type ComponentContext, ComponentStream, type Senders } from './component-stream.ts';

/** A component we know, and whom it may speak for: of a home, its name and the other domains of the same home. */
export interface KnownComponent extends Senders {
  /** Whether one is connected under this name. */
  connected(): boolean;
  /** Whether the handshake was made from the stream id and the secret; compared in constant time (checklist P-03, P-04). */
  accepts(streamId: string, handshake: string): boolean;
}

/** What a stream that accepts a component is given. */
export interface AcceptingContext extends ComponentContext {
  /** A domain to name ourselves by in an error. */
  readonly defaultDomain: Domain | undefined;
  component(name: Domain): KnownComponent | undefined;
  newStreamId(): string;
}

/** XEP-0114 as server: a component connects to us, be it a home server that serves its domain or the S2S of an Edge. */
export class AcceptingComponent extends ComponentStream {
  private readonly context: AcceptingContext;
  private known: { readonly name: Domain; readonly component: KnownComponent } | undefined;
  private streamId = '';

  constructor(context: AcceptingContext) {
    super(context);
    this.context = context;
  }

  /** Whom the component writes to differs from stanza to stanza. */
  override addresses(): { readonly local: Domain | undefined; readonly remote: Domain | undefined } {
    return { local: undefined, remote: this.known?.name };
  }

  protected override onConnected(): void {
    this.note({ note: 'accepted' });
    this.arm('header', this.context.timeouts.header);
  }

  protected override onRoot(root: XmlRoot): void {
    const read = readInitialHeader(root, NS.componentAccept);
    this.note({ note: 'header-received', xml: writeRoot(root), streamId: undefined });
    if ('refused' in read) {
      this.fail(read.refused, read.text);
      return;
    }
    this.disarm('header');
    const component = read.to === undefined ? undefined : this.context.component(read.to);
    if (read.to === undefined || component === undefined) {
      this.fail('host-unknown', 'No component of this name is configured.');
      return;
    }
    this.known = { name: read.to, component };
    if (component.connected()) {
      this.fail('conflict', 'A component of this name is connected.');
      return;
    }
    this.streamId = this.context.newStreamId();
    const xml = writeHeader({
      contentNamespace: NS.componentAccept,
      from: read.to,
      to: undefined,
      id: this.streamId,
      lang: undefined,
      modern: false,
    });
    this.note({ note: 'header-sent', xml, streamId: this.streamId });
    this.write(xml);
    this.headerSent = true;
    this.arm('negotiation', this.context.timeouts.negotiation);
  }

  protected override onElement(element: XmlElement): void {
    const { known } = this;
    if (
      element.name !== 'handshake' ||
      element.namespace !== NS.componentAccept ||
      this.isOpen ||
      known === undefined
    ) {
      // XEP-0114 knows no other element; a second handshake is one too many (checklist P-13).
      if (element.name === 'handshake') this.fail('unsupported-stanza-type', 'This is not the handshake that is due.');
      else this.unknown(element, this.isOpen);
      return;
    }
    if (!known.component.accepts(this.streamId, textOf(element).trim())) {
      this.fail('not-authorized', 'The handshake does not fit the secret.');
      return;
    }
    // Two may have come this far at once (checklist P-06).
    if (known.component.connected()) {
      this.fail('conflict', 'A component of this name is connected.');
      return;
    }
    this.send('<handshake/>');
    this.open(known.component, { sender: known.name, target: known.name });
  }

  protected override onTimer(timer: Exclude<StreamTimer, 'close'>): void {
    if (timer === 'header' && !this.headerSent)
      this.drop({ by: 'timeout', waitingFor: 'the stream header of the component' });
    else
      this.failAs(
        { by: 'timeout', waitingFor: 'the component handshake' },
        'connection-timeout',
        'The negotiation took too long.',
      );
  }

  protected override writeErrorHeader(): string {
    const from = this.known?.name ?? this.context.defaultDomain ?? '';
    return writeHeader({
      contentNamespace: NS.componentAccept,
      from,
      to: undefined,
      id: this.context.newStreamId(),
      lang: undefined,
      modern: false,
    });
  }
}
