import type { Retention } from '../../src/imp/archive/store.ts';
import type { IqRequest } from '../../src/imp/messaging/ports.ts';
import type { ClientSession } from '../../src/imp/sessions.ts';
import { type Jid, parseJid } from '../../src/protocol/jid/jid.ts';
import { parseElement } from '../../src/protocol/xml/parse.ts';
import type { XmlElement } from '../../src/protocol/xml/types.ts';
import { writeElement } from '../../src/protocol/xml/write.ts';

/** More than a test puts into an archive. */
export const AMPLE: Retention = { messages: 1_000, octets: 1024 ** 3, age: undefined };

/** An address that has to be one. */
export function jid(text: string): Jid {
  const address = parseJid(text);
  if (address === undefined) throw new TypeError(`${text} is no address`);
  return address;
}

/** XML as it stands in a stream of a client. */
export function xml(text: string): XmlElement {
  return parseElement(text, { defaultNamespace: 'jabber:client', prefixes: new Map() });
}

/** As `xml` reads it. */
export function text(element: XmlElement): string {
  return writeElement(element, 'jabber:client');
}

/** A client that keeps what it is sent. */
export class RecordedSession implements ClientSession {
  readonly address: Jid;
  private readonly received: XmlElement[] = [];

  constructor(address: string) {
    this.address = jid(address);
  }

  send(stanza: XmlElement): void {
    this.received.push(stanza);
  }

  end(): void {
    throw new Error('nobody ends this session');
  }

  /** What has come since the last call, as text. */
  take(): readonly string[] {
    return this.received.splice(0).map(text);
  }
}

/** A request of a user to their own account. */
export function ownRequest(session: ClientSession, type: 'get' | 'set', payload: string): IqRequest {
  return { type, from: session.address, account: session.address.local, isOwner: true, session, payload: xml(payload) };
}

/** A request of somebody to the account of somebody else. */
export function foreignRequest(from: string, account: string, type: 'get' | 'set', payload: string): IqRequest {
  return { type, from: jid(from), account, isOwner: false, session: undefined, payload: xml(payload) };
}
