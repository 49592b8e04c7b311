import type { Domain } from '../jid/domain.ts';
import { NS } from '../namespaces.ts';
import type { StreamTimer } from '../stream/actions.ts';
import { readResponseHeader, writeHeader } from '../stream/header.ts';
import type { XmlElement, XmlRoot } from '../xml/types.ts';
import { writeRoot } from '../xml/write.ts';
import { type ComponentContext, ComponentStream, type Senders } from './component-stream.ts';

/** What a component that connects is given. */
export interface ConnectingContext extends ComponentContext {
  /** The name we register: a foreign domain that the inside server shall reach through us. */
  readonly name: Domain;
  /** The home domains whose stanzas may arrive here. */
  readonly homes: readonly Domain[];
  /** A stanza of a domain that is no home is dropped: the server inside serves more than we do. Otherwise it ends the stream. */
  readonly dropsStrangers?: boolean;
  /** XEP-0114 §3: hex of SHA-1 over the stream id and the secret. */
  handshake(streamId: string): string;
}

/** XEP-0114 as component: we connect to the server inside and stand for a foreign domain. */
export class ConnectingComponent extends ComponentStream {
  private readonly context: ConnectingContext;
  private phase: 'header' | 'handshake' | 'open' = 'header';

  constructor(context: ConnectingContext) {
    super(context);
    this.context = context;
  }

  override addresses(): { readonly local: Domain | undefined; readonly remote: Domain | undefined } {
    return { local: this.context.name, remote: this.context.homes[0] };
  }

  protected override onConnected(): void {
    const xml = this.writeErrorHeader();
    this.note({ note: 'header-sent', xml, streamId: undefined });
    this.write(xml);
    this.headerSent = true;
    this.arm('header', this.context.timeouts.header);
  }

  protected override onRoot(root: XmlRoot): void {
    const read = readResponseHeader(root, NS.componentAccept);
    const streamId = 'refused' in read ? undefined : read.id;
    this.note({ note: 'header-received', xml: writeRoot(root), streamId });
    if ('refused' in read) {
      this.fail(read.refused, read.text);
      return;
    }
    if (streamId === undefined) {
      this.fail('bad-format', 'The stream header has no id, so no handshake can be made.');
      return;
    }
    this.disarm('header');
    this.phase = 'handshake';
    this.note({ note: 'element-sent', xml: '<handshake>(not shown)</handshake>' });
    this.write(`<handshake>${this.context.handshake(streamId)}</handshake>`);
    this.arm('negotiation', this.context.timeouts.negotiation);
  }

  protected override onElement(element: XmlElement): void {
    if (this.phase === 'handshake' && element.name === 'handshake' && element.namespace === NS.componentAccept) {
      this.phase = 'open';
      const { name, homes, dropsStrangers } = this.context;
      const senders: Senders = { domains: homes, ...(dropsStrangers === true ? { speaksFor: () => false } : {}) };
      this.open(senders, { sender: homes[0] ?? name, target: name });
    } else this.unknown(element, this.isOpen);
  }

  protected override onTimer(timer: Exclude<StreamTimer, 'close'>): void {
    const waitingFor =
      timer === 'header' ? 'the stream header of the server inside' : 'the answer to the component handshake';
    this.failAs({ by: 'timeout', waitingFor }, 'connection-timeout', 'The negotiation took too long.');
  }

  protected override writeErrorHeader(): string {
    const { name } = this.context;
    return writeHeader({
      contentNamespace: NS.componentAccept,
      from: undefined,
      to: name,
      lang: undefined,
      modern: false,
    });
  }
}
