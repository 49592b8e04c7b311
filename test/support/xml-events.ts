import { AUTHENTICATED_LIMITS } from '../../src/protocol/xml/limits.ts';
import { XmlReader } from '../../src/protocol/xml/reader.ts';
import type {
  ContentNamespace,
  Stanza,
  XmlElement,
  XmlEvent,
  XmlLimits,
  XmlRoot,
} from '../../src/protocol/xml/types.ts';

/** What came out of a reader, as plain data that can be compared. */
export type Seen =
  | {
      readonly type: 'root';
      readonly root: Omit<XmlRoot, 'prefixes'>;
      readonly prefixes: Readonly<Record<string, string>>;
    }
  | { readonly type: 'stanza'; readonly stanza: SeenStanza }
  | { readonly type: 'element'; readonly element: XmlElement }
  | { readonly type: 'footer' }
  | { readonly type: 'fault'; readonly condition: string; readonly detail: string; readonly tooBig: boolean };

export interface SeenStanza
  extends Pick<Stanza, 'kind' | 'from' | 'to' | 'id' | 'type' | 'lang' | 'fromDomain' | 'toDomain' | 'size'> {
  readonly tree: XmlElement;
  readonly rendered: Readonly<Record<ContentNamespace, string>>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const HEADER =
  `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' ` +
  `xmlns:db='jabber:server:dialback' from='vngtp.lab' to='coluc.com' version='1.0'>`;

export function bytesOf(xml: string | Uint8Array): Uint8Array {
  return typeof xml === 'string' ? encoder.encode(xml) : xml;
}

export function textOfBytes(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Pieces of text and single bytes, one after the other. */
export function joined(...parts: readonly (string | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...encoder.encode(part)] : part)));
}

/** A stanza's own account of itself. */
export function describeStanza(stanza: Stanza): SeenStanza {
  const { kind, from, to, id, type, lang, fromDomain, toDomain, size } = stanza;
  const render = (contentNamespace: ContentNamespace): string => textOfBytes(stanza.render({ contentNamespace }));
  return {
    kind,
    from,
    to,
    id,
    type,
    lang,
    fromDomain,
    toDomain,
    size,
    tree: stanza.tree(),
    rendered: {
      'jabber:server': render('jabber:server'),
      'jabber:component:accept': render('jabber:component:accept'),
      'jabber:client': render('jabber:client'),
    },
  };
}

function see(event: XmlEvent): Seen {
  switch (event.type) {
    case 'root': {
      const { prefixes, ...root } = event.root;
      return { type: 'root', root, prefixes: Object.fromEntries(prefixes) };
    }
    case 'stanza':
      return { type: 'stanza', stanza: describeStanza(event.stanza) };
    case 'fault':
      return {
        type: 'fault',
        condition: event.fault.condition,
        detail: event.fault.detail,
        tooBig: event.fault.tooBig === true,
      };
    default:
      return event;
  }
}

/** Every event a reader has now. */
export function drain(reader: XmlReader): Seen[] {
  const seen: Seen[] = [];
  for (let event = reader.next(); event !== undefined; event = reader.next()) seen.push(see(event));
  return seen;
}

/** The events of a stream, cut at these offsets. */
export function eventsOf(
  xml: string | Uint8Array,
  cuts: readonly number[] = [],
  limits: XmlLimits = AUTHENTICATED_LIMITS,
): Seen[] {
  const bytes = bytesOf(xml);
  const reader = new XmlReader({ limits });
  const seen: Seen[] = [];
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    reader.push(bytes.slice(start, end));
    seen.push(...drain(reader));
    start = end;
  }
  return seen;
}

/** The events of a stream that comes one byte at a time. */
export function eventsByteByByte(xml: string | Uint8Array, limits?: XmlLimits): Seen[] {
  const bytes = bytesOf(xml);
  return eventsOf(
    bytes,
    Array.from(bytes.keys(), (index) => index + 1),
    limits,
  );
}

/** The only stanza of a stream with this header. */
export function stanzaIn(xml: string, header: string = HEADER): Stanza {
  const reader = new XmlReader({ limits: AUTHENTICATED_LIMITS });
  reader.push(bytesOf(header + xml));
  reader.next();
  const event = reader.next();
  if (event?.type !== 'stanza') throw new Error(`no stanza but ${JSON.stringify(event)}`);
  return event.stanza;
}

/** The last event, which is a fault. */
export function faultOf(seen: readonly Seen[]): Extract<Seen, { readonly type: 'fault' }> | undefined {
  const last = seen.at(-1);
  return last?.type === 'fault' ? last : undefined;
}
