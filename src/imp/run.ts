import { type OpenLog, openLog } from '../diagnostics/open.ts';
import { NodeCertificates } from './certificates.ts';
import type { NodeBoot } from './config/boot.ts';
import { NODE_PARTS, Node } from './node.ts';
import { openNodeDatabase } from './node-database.ts';
import type { RunNodeOptions } from './running-node.ts';

/** How long the last log lines may take. */
const LOG_FLUSH_MS = 1_000;

/** Runs an IM&P node; see `RunNode`. */
export async function runNode(boot: NodeBoot, options: RunNodeOptions): Promise<number> {
  const opened = openLog(boot.log);
  const atExit = (): void => opened.flushSync();
  process.on('exit', atExit);
  try {
    return await runWith(boot, options, opened.log);
  } finally {
    await opened.flush(LOG_FLUSH_MS);
    process.off('exit', atExit);
  }
}

/** The same with a log of the caller's. */
export async function runWith(
  boot: NodeBoot,
  options: RunNodeOptions,
  log: Pick<OpenLog['log'], 'note' | 'configure'>,
): Promise<number> {
  log.note({ note: 'starting', version: options.version, role: 'imp', config: boot.path }, {});
  const refuse = (problems: readonly string[]): number => {
    log.note({ note: 'config-refused', path: boot.path, problems }, {});
    return 1;
  };
  const read = await NodeCertificates.open(boot, log.note);
  if ('problems' in read) return refuse(read.problems);
  const opened = openNodeDatabase(boot.data, NODE_PARTS);
  if ('refused' in opened) {
    read.certificates.close();
    return refuse([opened.refused]);
  }
  const node = new Node({
    boot,
    log,
    version: options.version,
    certificates: read.certificates,
    database: opened.database,
  });
  try {
    if (!(await node.start())) return 1;
    options.started(node);
    await node.ended;
    log.note({ note: 'stopped' }, {});
    return 0;
  } finally {
    // A listener that stays open would keep the process from ending.
    await node.stop();
    opened.database[Symbol.dispose]();
  }
}
