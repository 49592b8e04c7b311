import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PASSWORD } from '../lab/organization.ts';
import { PYTHON } from './requirements.ts';
import type { Site } from './site.ts';

/** Milliseconds; longer than any of the programs waits for a single thing. */
const PATIENCE = 60_000;

/** Clients of others, each a process of its own. Every method resolves with what the client said, and rejects with it when the client was not content. */
export class ClientPrograms {
  readonly #folder: string;
  readonly #authorities: string;
  readonly #running = new Set<ChildProcess>();

  /** `folder`: where clients keep what they remember; `authorities`: a PEM file of what they trust. */
  constructor(folder: string, authorities: string) {
    this.#folder = folder;
    this.#authorities = authorities;
    mkdirSync(folder, { recursive: true });
  }

  /** slixmpp at the node of a site; what `words` there are is told in the program. `address` may name the resource. */
  slixmpp(site: Site, address: string, over: 'starttls' | 'tls', ...words: readonly string[]): Promise<string> {
    const port = over === 'tls' ? '5223' : '5222';
    const program = programOf('slixmpp_client.py');
    return this.#run(PYTHON, [program, address, site.nodeAddress, port, over, this.#authorities, ...words]);
  }

  /** profanity on a terminal; what `steps` there are is told in the program. */
  profanity(...steps: readonly string[]): Promise<string> {
    return this.#run(PYTHON, [programOf('profanity_client.py'), ...steps]);
  }

  /** go-sendxmpp, with a message on its standard input as in a script. */
  goSendxmpp(site: Site, user: string, message: string, ...words: readonly string[]): Promise<string> {
    const port = words.includes('-t') ? '5223' : '5222';
    const account = ['-u', `${user}@${site.domain}`, '-p', PASSWORD, '-j', `${site.nodeAddress}:${port}`];
    return this.#run('go-sendxmpp', [...account, ...words], `${message}\n`);
  }

  /** @xmpp/client over a WebSocket that it finds by host-meta: sends `text` and waits for the answer `re: text`. */
  web(site: Site, user: string, to: string, text: string): Promise<string> {
    return this.#run(process.execPath, [programOf('xmpp-client.ts'), site.domain, site.nodeAddress, user, to, text]);
  }

  /** Ends what still runs. */
  stop(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }

  #run(command: string, args: readonly string[], input = ''): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const child = spawn(command, args, {
      env: {
        ...process.env,
        PASSWORD,
        HOME: mkdtempSync(path.join(this.#folder, 'home-')),
        SSL_CERT_FILE: this.#authorities,
        NODE_EXTRA_CA_CERTS: this.#authorities,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: PATIENCE,
      killSignal: 'SIGKILL',
    });
    this.#running.add(child);
    let said = '';
    for (const out of [child.stdout, child.stderr]) out.on('data', (chunk: Buffer) => (said += chunk.toString()));
    // A client that ends early does not read.
    child.stdin.on('error', () => undefined);
    child.on('error', reject);
    child.on('close', (status, signal) => {
      this.#running.delete(child);
      if (status === 0) resolve(said);
      else reject(new Error(`${path.basename(args[0] ?? command)} ended with ${status ?? signal}:\n${said}`));
    });
    child.stdin.end(input);
    // A test that has failed for another reason no longer waits for its clients.
    promise.catch(() => undefined);
    return promise;
  }
}

function programOf(name: string): string {
  return fileURLToPath(new URL(`programs/${name}`, import.meta.url));
}
