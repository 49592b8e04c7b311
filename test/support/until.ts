import { setTimeout as pause } from 'node:timers/promises';

/** Waits until something holds. Rejects after so many milliseconds, with what was waited for and what `seen` says then. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  milliseconds = 10_000,
  seen: () => string = () => '',
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await holds())) {
    if (performance.now() >= deadline)
      throw new Error(`${milliseconds} ms passed without: ${what}. ${seen()}`.trimEnd());
    await pause(10);
  }
}
