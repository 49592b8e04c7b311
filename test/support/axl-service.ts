/** The AXL service of a node with operations that only remember, and a client that can also misbehave. */
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { readAnswer } from '../../src/axl/soap/read.ts';
import type { AxlLimits } from '../../src/imp/axl/limits.ts';
import { AxlServer } from '../../src/imp/axl/server.ts';
import { NO_TAP, type Tap } from '../../src/imp/capture/tap.ts';
import type { NodeOperations, Outcome } from '../../src/imp/operations.ts';
import type { SqlAnswer, SqlKind } from '../../src/imp/sql/guard.ts';
import { secureContext } from '../../src/net/tls/parameters.ts';
import { selfSignedCertificate } from '../../src/net/tls/self-signed.ts';
import type { Note } from '../../src/protocol/notes.ts';

/** Of the accounts `core`, which has the role, and `clerk`, which has not. */
export const PASSWORD = 'correct horse';

const own = await selfSignedCertificate(['localhost'], Date.now());
const certificate = secureContext(own);

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  /** `''`: without credentials. */
  readonly user?: string;
  readonly password?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export class AxlService {
  readonly server: AxlServer;
  /** What every statement is answered with. */
  answer: SqlAnswer | Promise<SqlAnswer> = { columns: ['pkid', 'cp_id'], rows: [['p', 'c']] };
  readonly statements: [sql: string, kind: SqlKind][] = [];
  /** How often the table was read again. */
  changes = 0;
  readonly deeds: unknown[][] = [];
  readonly notes: Note[] = [];
  port = 0;

  private constructor(limits: Partial<AxlLimits>, tap: Tap) {
    this.server = new AxlServer({
      operations: {
        administrators: {
          roleOf: (name, password) =>
            Promise.resolve(password === PASSWORD ? (name === 'core' ? 'axl' : 'none') : undefined),
        } as NodeOperations['administrators'],
        users: this.users(),
      },
      sql: {
        run: (sql, kind) => {
          this.statements.push([sql, kind]);
          return Promise.resolve(this.answer);
        },
      },
      tableChanged: () => {
        this.changes += 1;
      },
      node: { name: 'imp-1', version: '0.1.0' },
      tls: () => certificate,
      tap,
      notes: (note) => this.notes.push(note),
      limits,
    });
  }

  static async start(limits: Partial<AxlLimits> = {}, tap: Tap = NO_TAP): Promise<AxlService> {
    const service = new AxlService(limits, tap);
    service.port = await service.server.listen('127.0.0.1', 0);
    return service;
  }

  ask({ method = 'GET', path = '/axl/', user = 'core', password = PASSWORD, headers = {}, body }: Ask): Promise<Got> {
    const auth = user === '' ? {} : { auth: `${user}:${password}` };
    const where = { host: '127.0.0.1', port: this.port, path, method, headers };
    return new Promise((resolve, reject) => {
      const asking = httpsRequest({ ...where, ...auth, rejectUnauthorized: false, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      });
      asking.on('error', reject);
      asking.end(body);
    });
  }

  soap(body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Promise<Got> {
    return this.ask({ method: 'POST', headers: { 'Content-Type': 'text/xml; charset=utf-8', ...headers }, body });
  }

  /** A connection on which the test writes bytes as it likes. */
  async raw(): Promise<TLSSocket> {
    const socket = connect({ host: '127.0.0.1', port: this.port, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return socket;
  }

  /** Resolves when every connection is gone. */
  async quiet(): Promise<void> {
    while (this.server.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  private users(): NodeOperations['users'] {
    const done = (...deed: unknown[]): Outcome => {
      this.deeds.push(deed);
      return { done: 'Done.' };
    };
    return {
      list: () => [{ user: 'alice', address: 'alice@coluc.com', active: true, sessions: 2, created: 0 }],
      add: (user, password, author) =>
        Promise.resolve(
          user === 'taken' ? { refused: 'There is a user taken already.' } : done('add', user, password, author),
        ),
      setPassword: (user, password, author) => Promise.resolve(done('password', user, password, author)),
      setActive: (user, active, author) => done('active', user, active, author),
      remove: (user, author) => done('remove', user, author),
    };
  }
}

/** Everything that comes on a connection until it ends. */
export async function everythingOn(socket: TLSSocket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return text;
}

/** What a Core sends. */
export function envelope(fn: string, sql: string, version = '14.0'): string {
  return `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns="http://www.cisco.com/AXL/API/${version}"><soapenv:Body><ns:${fn} sequence="7"><sql>${sql}</sql></ns:${fn}></soapenv:Body></soapenv:Envelope>`;
}

/** The words of a SOAP fault; `undefined`: the answer is none. */
export function soapFault({ body }: Got): string | undefined {
  const read = readAnswer(Buffer.from(body));
  return 'soapFault' in read ? read.soapFault.faultstring : undefined;
}

/** The header of an account. */
export function basic(user = 'core', password = PASSWORD): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
