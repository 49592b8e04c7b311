import { NS } from '../../protocol/namespaces.ts';
import { writeHeader } from '../../protocol/stream/header.ts';
import { AUTHENTICATED_LIMITS } from '../../protocol/xml/limits.ts';
import { XmlReader } from '../../protocol/xml/reader.ts';

const HEADER = new TextEncoder().encode(
  writeHeader({ contentNamespace: NS.componentAccept, from: undefined, to: undefined, lang: undefined, modern: false }),
);

/**
 * Tells what a component would take, by reading as it reads. A stanza may have grown since a client sent it: by its sender's address, and by declarations
 * that stood in the header of the client's stream. What is over a limit of the other end would make it close the stream that carries everybody.
 */
export class StanzaGauge {
  private readonly most: number;
  private reader: XmlReader;

  /** @param most bytes of one stanza */
  constructor(most: number) {
    this.most = most;
    this.reader = this.newReader();
  }

  /** Whether the bytes of a stanza are within all limits. */
  admits(stanza: Uint8Array): boolean {
    this.reader.push(stanza);
    if (this.reader.next()?.type === 'stanza') return true;
    this.reader = this.newReader();
    return false;
  }

  private newReader(): XmlReader {
    const reader = new XmlReader({ limits: { ...AUTHENTICATED_LIMITS, element: this.most } });
    reader.push(HEADER);
    reader.next();
    return reader;
  }
}
