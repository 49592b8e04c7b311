import { sameBytes } from './bytes.ts';
import type { StreamContext } from './context.ts';
import { TreeBuilder } from './parse.ts';
import { Rescoper } from './rescope.ts';
import { Slab } from './slab.ts';
import { decodeUtf8 } from './utf8.ts';

/** What the stanzas of one stream have in common. */
export class StanzaSource {
  readonly context: StreamContext;
  readonly slab = new Slab();
  readonly fromDomains = new LastDomain();
  readonly toDomains = new LastDomain();
  private builder: TreeBuilder | undefined;
  private writer: Rescoper | undefined;

  constructor(context: StreamContext) {
    this.context = context;
  }

  get trees(): TreeBuilder {
    this.builder ??= new TreeBuilder(this.context);
    return this.builder;
  }

  get rescoper(): Rescoper {
    this.writer ??= new Rescoper(this.context);
    return this.writer;
  }
}

/** Remembers the domain asked for last: from one stanza to the next it is nearly always the same. */
class LastDomain {
  private bytes: Uint8Array = new Uint8Array(0);
  private domain = '';

  /** The text of [start, end); the same string as last time for the same bytes. */
  of(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length !== this.bytes.length || !sameBytes(bytes, start, this.bytes, 0, length)) {
      this.bytes = bytes.slice(start, end);
      this.domain = decodeUtf8(bytes, start, end);
    }
    return this.domain;
  }
}
