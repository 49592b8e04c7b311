import { stat } from 'node:fs/promises';

/** Ends a watch. */
export interface FileWatch {
  close(): void;
}

/**
 * Looks at files again and again and tells when any of them has changed.
 *
 * Looking is by `stat`, not by `fs.watch`: a certificate is renewed by swapping a symbolic link, its folder, or a link further up
 * (certbot, Kubernetes), and no event for the name we know comes of that. `stat` follows the links and sees another inode.
 * A change is told once two looks in a row agree, so that files still being written are not read half-way.
 *
 * @param paths asked for at each look.
 * @param everyMs between two looks; the timer does not keep the process alive.
 * @param changed is awaited before the next look.
 */
export function watchFiles(paths: () => readonly string[], everyMs: number, changed: () => Promise<void>): FileWatch {
  let open = true;
  let timer: NodeJS.Timeout;
  // The first look is what later ones are compared with.
  let told: string | undefined;
  let last: string | undefined;

  async function look(): Promise<void> {
    const now = await stampOf(paths());
    told ??= now;
    const settled = now === last;
    last = now;
    if (!open || !settled || now === told) return;
    told = now;
    await changed();
  }

  function next(): void {
    if (!open) return;
    timer = setTimeout(() => void look().finally(next), everyMs);
    timer.unref();
  }

  void look().finally(next);
  return {
    close: () => {
      open = false;
      clearTimeout(timer);
    },
  };
}

/** What tells one state of the files from another: identity, size and times of what each path leads to. */
async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    paths.map(async (path) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
        return [path, dev, ino, size, mtimeNs, ctimeNs].join(' ');
      } catch {
        // Not there, or not readable: a state like any other; the reload says what is wrong.
        return `${path} -`;
      }
    }),
  );
  return stamps.join('\n');
}
