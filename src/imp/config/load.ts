import { boxName } from '../../config/load.ts';
import { type FileDescription, type FileResult, type LoadOptions, loadFile } from '../../config/load-file.ts';
import { indexOf } from '../../config/schema/walk.ts';
import type { NodeBoot } from './boot.ts';
import { type NodeFile, nodeSchema } from './boot-schema.ts';
import { checkNode } from './checks.ts';
import { nodeSocketIn } from './socket-path.ts';

/** What reading the boot file of a node came to. */
export type NodeLoadResult = FileResult<NodeBoot>;

const NODE_FILE: FileDescription<NodeFile, NodeBoot> = {
  schema: nodeSchema,
  keys: indexOf(nodeSchema),
  example: 'examples/imp.yaml',
  check: checkNode,
  complete: (path, file, surroundings) => {
    const { name, adminSocket, data, archive } = file;
    return Object.freeze({
      path,
      ...file,
      name: name ?? boxName(surroundings.hostName()),
      adminSocket: adminSocket ?? nodeSocketIn(data),
      archive: Object.freeze({ ...archive, keep: archive.keep.milliseconds }),
    });
  },
};

/** Reads, checks and completes the boot file of an IM&P node. `path` may be relative to the working directory; messages name it as it is given. */
export function loadNodeFile(path: string, options: LoadOptions = {}): NodeLoadResult {
  return loadFile(path, NODE_FILE, options);
}
