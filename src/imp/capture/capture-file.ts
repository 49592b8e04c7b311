import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** A file name that is no path, with an ending that tools know. Without one, it gets `.cap`. */
export function captureName(typed: string): { readonly name: string } | { readonly refused: string } {
  const name = /\.(?:pcap|cap)$/i.test(typed) ? typed : `${typed}.cap`;
  if (/^[A-Za-z0-9][\w.-]*$/.test(name) && name.length <= LONGEST_NAME) return { name };
  return {
    refused: `The name of a capture has letters, digits, dots, - and _, at most ${LONGEST_NAME} characters, and no path; it ends in .pcap or .cap.`,
  };
}

const LONGEST_NAME = 128;

export interface CaptureFile {
  readonly name: string;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly changed: number;
}

/** The captures of a node: a folder of its own, which only the node reads. */
export class CaptureFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** By name. A folder that is not there yet is empty. */
  async list(): Promise<readonly CaptureFile[]> {
    const names = await readdir(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const files = await Promise.all(
      names.map(async (name) => {
        const { size, mtimeMs } = await stat(join(this.path, name));
        return { name, bytes: size, changed: mtimeMs };
      }),
    );
    return files.sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Removes one; `missing`: there is none of that name. @param name of `captureName` */
  async remove(name: string): Promise<'removed' | 'missing'> {
    try {
      await unlink(join(this.path, name));
      return 'removed';
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'missing';
      throw error;
    }
  }

  /** A new file; or why there is none, in a sentence. @param name of `captureName` */
  async create(name: string): Promise<{ readonly stream: WriteStream } | { readonly refused: string }> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    return new Promise((resolve) => {
      const stream = createWriteStream(join(this.path, name), { flags: 'wx', mode: 0o600 });
      stream.once('open', () => resolve({ stream }));
      stream.once('error', (error: NodeJS.ErrnoException) => {
        resolve({
          refused:
            error.code === 'EEXIST'
              ? `There is a capture ${name} already. Choose another name, or delete it: file delete activelog platform/cli/${name}`
              : `The capture ${name} cannot be written: ${error.message}.`,
        });
      });
    });
  }
}
