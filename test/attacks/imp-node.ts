import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { AdminFailure } from '../../src/admin/connection.ts';
import { NodeClient } from '../../src/admin/node-client.ts';
import { componentHandshake } from '../../src/net/keys/component-keys.ts';
import { BoxLog } from '../support/box-log.ts';
import { authority, type Issued, issue } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { type Wire, wireTo } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { AXL_PASSWORD, AXL_USER, base64, bind, DOMAIN, plain, ROOMS, ROUTER_SECRET, STREAM } from './imp-words.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface ImpPlan {
  /** Second octet of every loopback address here: files run at the same time. */
  readonly network: number;
  /** Accounts besides the healthy one. */
  readonly users: readonly string[];
  /** Sections of the boot file, merged one level deep. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What HTTP answered. */
export interface HttpGot {
  readonly status: number;
  readonly text: string;
}

type ImpPorts = Readonly<Record<'tcp' | 'tls' | 'web' | 'axl' | 'router', number>>;

/** Ports on which nobody listens. */
export async function freePorts(address: string): Promise<ImpPorts> {
  const next = (): Promise<number> => freePort(address);
  return { tcp: await next(), tls: await next(), web: await next(), axl: await next(), router: await next() };
}

/** A node as a process of its own, and what one says to it. */
export class AttackedNode {
  readonly folder = mkdtempSync(join(tmpdir(), 'fedway-imp-attacks-'));
  readonly root: Issued = authority('Attack Root');
  readonly plan: ImpPlan;
  readonly ports: ImpPorts;
  readonly address: string;
  /** What the process wrote to standard error. */
  complaints = '';
  readonly log: BoxLog;
  readonly process: ChildProcess;

  constructor(plan: ImpPlan, address: string, ports: ImpPorts) {
    this.plan = plan;
    this.address = address;
    this.ports = ports;
    this.#write();
    const { process, log } = this.#spawn();
    this.process = process;
    this.log = log;
  }

  /** `127.n.1.x`, for somebody who connects. */
  from(last: number): string {
    return `127.${this.plan.network}.1.${last}`;
  }

  /** Does something with the node's admin socket. */
  async administrate<T>(work: (node: NodeClient) => Promise<T>): Promise<T> {
    const node = await NodeClient.connect(this.adminSocket, 'root@attack');
    if ('unreachable' in node) throw new Error(node.sentence);
    try {
      return await work(node);
    } finally {
      node.close();
    }
  }

  /** What the administrator's shell prints for a line, or why the node does not take it. */
  async shell(line: string): Promise<string> {
    let text = '';
    await this.administrate(async (node) => {
      try {
        await node.line(line, (piece) => {
          text += piece;
        });
      } catch (error) {
        if (!(error instanceof AdminFailure)) throw error;
        text += error.message;
      }
    });
    return text;
  }

  get adminSocket(): string {
    return join(this.folder, 'data', 'imp.sock');
  }

  // Connections

  connect(port: keyof ImpPorts, from: string = this.from(1)): Promise<Wire> {
    return wireTo(this.address, this.ports[port], from);
  }

  /** TLS to a port that begins with it. */
  async secured(port: 'tls' | 'web' | 'axl', from: string = this.from(1)): Promise<Wire> {
    const wire = await this.connect(port, from);
    await wire.startTls('client', { servername: DOMAIN });
    return wire;
  }

  /** A client with a session `user@coluc.com/resource`. */
  async login(
    user: string,
    { resource = 'r', from = this.from(1) }: { readonly resource?: string; readonly from?: string } = {},
  ): Promise<Wire> {
    const wire = await this.authenticated(user, from);
    wire.send(bind(resource));
    await wire.expect('</iq>');
    return wire;
  }

  /** A client that has still to bind a resource. */
  async authenticated(user: string, from: string = this.from(1)): Promise<Wire> {
    const wire = await this.secured('tls', from);
    wire.send(STREAM);
    await wire.expect('</stream:features>');
    wire.send(plain(user));
    await wire.expect('<success');
    wire.send(STREAM);
    await wire.expect('</stream:features>');
    return wire;
  }

  /** A connection to the router that has said who it is and knows the secret. */
  async component(cpId: string, secret: string = ROUTER_SECRET, from: string = this.from(9)): Promise<Wire> {
    const wire = await this.connect('router', from);
    wire.send(
      `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${cpId}'>`,
    );
    const header = await wire.expect(/<stream:stream[^>]*>/);
    const id = / id='([^']+)'/.exec(header)?.[1] ?? '';
    wire.send(`<handshake>${componentHandshake(id, secret)}</handshake>`);
    await wire.expect(/<handshake\/>|<stream:error>.*/s);
    return wire;
  }

  /** As a Core does it, over AXL. */
  async insertRow(cpId: string): Promise<void> {
    const { status, text } = await this.sql(
      `insert into xmpps2snodes (pkid, cp_id) values (newid(), '${cpId}')`,
      'update',
    );
    assert.equal(status, 200, text);
  }

  sql(statement: string, kind: 'query' | 'update' = 'query'): Promise<HttpGot> {
    const named = kind === 'query' ? 'executeSQLQuery' : 'executeSQLUpdate';
    const sql = statement.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    return this.soap(
      `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns="http://www.cisco.com/AXL/API/14.0"><soapenv:Body><ns:${named} sequence="1"><sql>${sql}</sql></ns:${named}></soapenv:Body></soapenv:Envelope>`,
    );
  }

  soap(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<HttpGot> {
    return this.http({
      method: 'POST',
      path: '/axl/',
      body,
      headers: { 'Content-Type': 'text/xml', ...headers },
    });
  }

  /** A request to the AXL service. */
  http({
    method = 'GET',
    path,
    body,
    headers = {},
    from = this.from(8),
    credentials = `${AXL_USER}:${AXL_PASSWORD}`,
  }: {
    readonly method?: string;
    readonly path: string;
    readonly body?: string | Uint8Array;
    readonly headers?: Readonly<Record<string, string>>;
    readonly from?: string;
    readonly credentials?: string | undefined;
  }): Promise<HttpGot> {
    return new Promise((resolve, reject) => {
      const outgoing = request({
        host: this.address,
        port: this.ports.axl,
        localAddress: from,
        method,
        path,
        rejectUnauthorized: false,
        agent: false,
        headers: {
          ...(credentials === '' ? {} : { Authorization: `Basic ${base64(credentials)}` }),
          ...headers,
        },
      });
      outgoing.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  // The process

  isAlive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Resident memory of the node, in MiB. */
  memory(): number {
    const status = readFileSync(`/proc/${this.process.pid ?? 0}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  /** Ends the node in good order and looks whether the file is whole. */
  async close(): Promise<void> {
    if (this.isAlive()) {
      this.process.kill('SIGTERM');
      const late = setTimeout(() => this.process.kill('SIGKILL'), 10_000);
      await once(this.process, 'exit');
      clearTimeout(late);
    }
    try {
      assert.equal(this.process.exitCode, 0, `the node ended with ${this.process.signalCode}: ${this.complaints}`);
      using db = new DatabaseSync(join(this.folder, 'data', 'imp.db'), { readOnly: true });
      assert.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  #spawn(): { readonly process: ChildProcess; readonly log: BoxLog } {
    const child = spawn(process.execPath, [MAIN, 'imp', 'run', '--config', join(this.folder, 'fedway.yaml')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // A test run that is broken off leaves nothing behind.
    const killed = (): void => void child.kill('SIGKILL');
    process.once('exit', killed);
    child.once('exit', () => process.off('exit', killed));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.complaints += text;
    });
    return { process: child, log: new BoxLog(child.stdout) };
  }

  /** Resolves when it listens on every port. */
  async started(): Promise<void> {
    const isUp = (port: number): boolean =>
      this.log.records.some(({ code, message }) => code === 'listening' && message.includes(`:${port}`));
    await until(
      () => !this.isAlive() || Object.values(this.ports).every(isUp),
      'the node listens',
      20_000,
      () => this.complaints + this.log.lines.join('\n'),
    );
    assert.ok(this.isAlive(), this.complaints + this.log.lines.join('\n'));
  }

  #write(): void {
    const at = (port: keyof ImpPorts): string[] => [`${this.address}:${this.ports[port]}`];
    const certificate = issue(
      { authority: false, extendedKeyUsage: ['server'], names: [{ dns: DOMAIN }, { dns: ROOMS }] },
      this.root,
    );
    mkdirSync(join(this.folder, 'data'), { mode: 0o700 });
    writeFileSync(join(this.folder, 'node.pem'), certificate.chainPem);
    writeFileSync(join(this.folder, 'node.key'), certificate.keyPem, { mode: 0o600 });
    writeFileSync(join(this.folder, 'router.secret'), `${ROUTER_SECRET}\n`, { mode: 0o600 });
    const sections: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      log: { format: 'json', level: 'verbose' },
      clients: {
        listen: at('tcp'),
        tls_listen: at('tls'),
        websocket_listen: at('web'),
        timeouts: { tls: '2s', header: '2s', negotiation: '3s', close: '1s' },
      },
      axl: { listen: at('axl'), requests_per_minute: 10_000 },
      router: { listen: at('router'), secret: { file: 'router.secret' } },
    };
    const changes = this.plan.config ?? {};
    const names = new Set([...Object.keys(sections), ...Object.keys(changes)]);
    const merged = Object.fromEntries([...names].map((name) => [name, { ...sections[name], ...changes[name] }]));
    const config = {
      name: 'imp',
      domain: DOMAIN,
      rooms: ROOMS,
      data: 'data',
      certificate: 'node.pem',
      key: 'node.key',
      ...merged,
    };
    writeFileSync(join(this.folder, 'fedway.yaml'), stringify(config));
  }
}
