import type { Advance } from './types.ts';

/** Who is told what has been committed: everything, once, in order, also when a watcher commits something itself. */
export class Watchers {
  readonly #watchers = new Set<{ readonly watch: (advance: Advance) => void }>();
  readonly #untold: Advance[] = [];
  #isTelling = false;

  /** Adds one for what is told from now on; the function ends that. */
  add(watch: (advance: Advance) => void): () => void {
    const watcher = { watch };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  clear(): void {
    this.#watchers.clear();
  }

  queue(advance: Advance): void {
    this.#untold.push(advance);
  }

  /** Forgets what nobody could have waited for. */
  skip(): void {
    this.#untold.length = 0;
  }

  tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let advance = this.#untold.shift(); advance !== undefined; advance = this.#untold.shift()) {
      for (const { watch } of this.#watchers) tellOne(watch, advance);
    }
    this.#isTelling = false;
  }
}

/** What was committed is committed: a fault of a watcher does not reach who made the change, nor the other watchers. */
function tellOne(watch: (advance: Advance) => void, advance: Advance): void {
  try {
    watch(advance);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
