import { pbkdf2Sync } from 'node:crypto';
import {
  CLIENT_LIMITS,
  type ClientLimits,
  ClientListeners,
  type ClientListenersOptions,
} from '../../src/imp/clients/listeners.ts';
import { SCRAM_CRYPTO } from '../../src/imp/clients/scram-crypto.ts';
import type { Credentials } from '../../src/imp/credentials.ts';
import type { ClientSession, SessionOwner } from '../../src/imp/sessions.ts';
import { secureContext } from '../../src/net/tls/parameters.ts';
import type { Domain } from '../../src/protocol/jid/domain.ts';
import { printJid } from '../../src/protocol/jid/print.ts';
import type { Note } from '../../src/protocol/notes.ts';
import type { XmlElement } from '../../src/protocol/xml/types.ts';
import { attributeOf, element } from '../../src/protocol/xml/write.ts';
import { authority, type Issued, issue } from './certificates.ts';

export const AUTHORITY = authority('Lab CA');
const PASSWORDS = new Map([
  ['juliet', 'pencil'],
  ['romeo', 'rose'],
]);
const ITERATIONS = 16;
const DOMAIN = 'example.com' as Domain;

/** A messaging server that is none: it records, answers every request with an empty result, and hands messages to the session with the full address. */
class RecordingOwner implements SessionOwner {
  readonly sessions = new Map<string, ClientSession>();
  readonly stanzas: { readonly from: string; readonly stanza: XmlElement }[] = [];
  readonly over: { readonly address: string; readonly undelivered: readonly XmlElement[] }[] = [];

  opened(session: ClientSession): void {
    this.sessions.set(printJid(session.address), session);
  }

  stanza(session: ClientSession, stanza: XmlElement): void {
    const from = printJid(session.address);
    this.stanzas.push({ from, stanza });
    const type = attributeOf(stanza, 'type');
    if (stanza.name === 'iq' && (type === 'get' || type === 'set')) {
      const id = attributeOf(stanza, 'id');
      session.send(element('iq', 'jabber:client', { type: 'result', to: from, id }));
    }
    if (stanza.name !== 'message') return;
    const attributes = stanza.attributes.filter(({ name }) => name !== 'from');
    const to = this.sessions.get(attributeOf(stanza, 'to') ?? '');
    to?.send({ ...stanza, attributes: [...attributes, { name: 'from', namespace: '', value: from }] });
  }

  ended(session: ClientSession, undelivered: readonly XmlElement[]): void {
    const address = printJid(session.address);
    this.sessions.delete(address);
    this.over.push({ address, undelivered });
  }
}

export interface ClientNode extends AsyncDisposable {
  readonly listeners: ClientListeners;
  readonly owner: RecordingOwner;
  readonly notes: Note[];
  /** STARTTLS, direct TLS, WebSocket. */
  readonly ports: { readonly tcp: number; readonly tls: number; readonly web: number };
  /** Shows another certificate from now on. */
  renew(certificate: Issued): void;
}

/** The certificate of the node: for its domain, and for the address that tests connect to. */
export function nodeCertificate(): Issued {
  const names = [{ dns: 'example.com' }, { ip: [127, 0, 0, 1] }];
  return issue({ authority: false, extendedKeyUsage: ['server'], names }, AUTHORITY);
}

/** The ports of a node for clients on 127.0.0.1, with the accounts `juliet` (`pencil`) and `romeo` (`rose`). */
export async function clientNode(
  changes: Omit<Partial<ClientListenersOptions>, 'limits'> & { readonly limits?: Partial<ClientLimits> } = {},
): Promise<ClientNode> {
  const owner = new RecordingOwner();
  const notes: Note[] = [];
  let context = contextOf(nodeCertificate());
  const anyPort = [{ host: '127.0.0.1', port: 0 }];
  const listeners = new ClientListeners({
    domain: DOMAIN,
    listen: anyPort,
    tlsListen: anyPort,
    websocketListen: anyPort,
    credentials: CREDENTIALS,
    owner,
    certificates: { contextFor: () => context },
    decoys: { iterations: ITERATIONS },
    notes: (note) => notes.push(note),
    ...changes,
    limits: { ...CLIENT_LIMITS, ...changes.limits },
  });
  if (!(await listeners.start())) throw new Error(`not listening: ${JSON.stringify(notes)}`);
  const { listen, tlsListen, websocketListen } = listeners.ports;
  return {
    listeners,
    owner,
    notes,
    ports: { tcp: listen[0] ?? 0, tls: tlsListen[0] ?? 0, web: websocketListen[0] ?? 0 },
    renew: (certificate) => {
      context = contextOf(certificate);
    },
    [Symbol.asyncDispose]: async () => {
      listeners.destroy();
      await Promise.resolve();
    },
  };
}

const CREDENTIALS: Credentials = {
  keysOf: (username, hash) => {
    const password = PASSWORDS.get(username);
    if (password === undefined) return undefined;
    const salt = Buffer.from(`salt of ${username}`);
    const name = hash === 'sha-1' ? 'sha1' : 'sha256';
    const salted = pbkdf2Sync(password, salt, ITERATIONS, hash === 'sha-1' ? 20 : 32, name);
    const hmac = (text: string): Uint8Array => SCRAM_CRYPTO.hmac(hash, salted, Buffer.from(text));
    const storedKey = SCRAM_CRYPTO.digest(hash, hmac('Client Key'));
    return { salt, iterations: ITERATIONS, storedKey, serverKey: hmac('Server Key') };
  },
  isPassword: (username, password) => Promise.resolve(PASSWORDS.get(username) === password),
};

function contextOf(certificate: Issued) {
  return secureContext({ chain: certificate.chainPem, key: certificate.keyPem });
}
