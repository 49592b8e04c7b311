import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { LogFile } from '../lab/log-file.ts';
import type { SiteProgram } from './program.ts';

/** A capture on a node, started in its shell by a process of its own. */
export interface Capture {
  /** The file that it writes. */
  readonly file: string;
  /** What the command has printed. */
  said(): string;
  /** Whether it has packets of the interface, and not the node's own conversations. */
  isOfPackets(): boolean;
  /** Ctrl-C; resolves when the command has ended well. */
  end(): Promise<void>;
}

/** Starts `utils network capture`; resolves when it captures. */
export async function capture(node: SiteProgram, command: readonly string[]): Promise<Capture> {
  const name = command[command.indexOf('file') + 1] ?? '';
  const output = path.join(node.folder, `${name}.said`);
  const process = node.launchCommand(['imp', 'shell', '--config', node.configFile, ...command], output);
  const log = new LogFile(output, () => process.assertRunning());
  await log.waitFor(/^Capturing /, 0);
  const said = (): string => readFileSync(output, 'utf8');
  return {
    file: path.join(node.folder, 'data', 'captures', name),
    said,
    isOfPackets: () => /^Capturing packets of /m.test(said()),
    async end() {
      process.signal('SIGINT');
      const { code, signal } = await process.exited;
      if (code !== 0) throw new Error(`the capture ended with ${code ?? signal}: ${said()}`);
    },
  };
}

/** The packets of a capture that a display filter of tshark leaves, a line each. AXL at 8443 is within TLS, unless the node has decoded it. */
export function dissect(file: string, filter: string, axl: 'tls' | 'http' = 'tls'): string {
  const protocols = ['-d', 'tcp.port==7400,xmpp', '-d', `tcp.port==8443,${axl}`];
  const { stdout, stderr, status } = spawnSync('tshark', ['-r', file, ...protocols, '-Y', filter], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`tshark cannot read ${file}: ${stderr}`);
  return stdout;
}
