import type { Unreachable } from '../../src/admin/connection.ts';
import type { ProgramWorld } from '../../src/cli/program.ts';
import type { DataDesk, RunningClient } from '../../src/cli/reach.ts';
import type { Snapshot } from '../../src/clusterdb/types.ts';
import type { LoadResult } from '../../src/config/load.ts';
import { loadBootFile } from '../../src/config/load.ts';
import { standIn } from '../config/stand-in.ts';
import { KeptOperations, NOON } from './stand-in-operations.ts';
import { KeptSignals, KeptTerminal } from './stand-ins.ts';

/** The boot file of an Edge. */
const EDGE_BOOT = `role: edge
name: edge-1
data: /var/lib/fedway
s2s: { listen: ["192.0.2.2:5269"] }
link: { listen: ["192.0.2.2:7400"] }
homes: [{ domains: [coluc.com], certificate: a.pem, key: a.key }]
`;

/** A machine that is not there, with a box on it. */
export class KeptWorld implements ProgramWorld {
  readonly terminal = new KeptTerminal();
  readonly signals = new KeptSignals();
  readonly service = undefined;
  readonly author = 'root@host';
  readonly box = new KeptOperations();
  readonly files = new Map<string, string>([['/etc/fedway/fedway.yaml', EDGE_BOOT]]);
  /** Why nobody answers; `undefined`: the box runs. */
  unreachable: Unreachable | undefined;
  role: 'single' | 'edge' | 'core' = 'edge';
  name = 'edge-1';
  /** What the data folder holds, for who may read it; or why nobody may. */
  data: Snapshot | { readonly refused: string } = { refused: 'another fedway (pid 17) has it' };
  readonly opened: string[] = [];
  closed = 0;

  readonly now = (): number => NOON;
  readonly examine = async () => ({ problems: [], warnings: [] });
  readonly runBox = () => Promise.reject(new Error('nothing here starts a box'));
  readonly examineNode = async () => ({ problems: [], warnings: [] });
  readonly runNode = () => Promise.reject(new Error('nothing here starts a node'));

  readonly load = (path: string): LoadResult => {
    const files = { 'a.pem': '', 'a.key': '', ...Object.fromEntries(this.#named()) };
    return loadBootFile(path, { surroundings: standIn('/etc/fedway', files, { SECRET: 'a'.repeat(32) }) });
  };

  readonly loadWhole = (path: string): LoadResult => this.load(path);

  readonly connect = async (path: string): Promise<RunningClient | Unreachable> => {
    this.opened.push(path);
    if (this.unreachable !== undefined) return this.unreachable;
    const { name, role, box } = this;
    return {
      hello: {
        wire: 1,
        version: '0.3.0',
        name,
        role,
        config: box.config !== undefined,
        link: box.link !== undefined,
        publishers: box.publishers !== undefined,
      },
      status: (reach) => box.status(reach),
      streams: () => box.streams(),
      closeStream: (connection, reason) => box.closeStream(connection, reason),
      config: box.config,
      link: box.link,
      publishers: box.publishers,
      close: () => {
        this.closed += 1;
      },
    };
  };

  readonly openData = async (
    boot: { readonly data: string | undefined },
    how: 'alone' | 'shared',
  ): Promise<DataDesk | { readonly refused: string }> => {
    this.opened.push(`${how}: ${boot.data}`);
    const { data, box } = this;
    if ('refused' in data) return data;
    if (box.config === undefined) throw new Error('a data folder always has a configuration');
    return {
      config: box.config,
      link: box.link,
      snapshot: () => data,
      close: () => {
        this.closed += 1;
      },
    };
  };

  readonly read = async (file: string): Promise<string | { readonly why: string }> =>
    this.files.get(file) ?? { why: 'no such file' };

  readonly write = async (file: string, text: string): Promise<{ readonly why: string } | undefined> => {
    if (!file.startsWith('/root/')) return { why: 'permission denied' };
    this.files.set(file, text);
    return undefined;
  };

  #named(): readonly (readonly [string, string])[] {
    return [...this.files].map(([path, text]) => [path.replace('/etc/fedway/', ''), text]);
  }
}
