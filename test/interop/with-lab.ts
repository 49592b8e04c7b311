import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Lab, type LabOptions, prepareLab } from '../lab/lab.ts';

/**
 * Boots a lab for the tests of the surrounding `describe` and ends it after them. When one fails the lab's folder stays, with every log in
 * it, and its path is printed.
 */
export function withLab(options: LabOptions): () => Lab {
  let lab: Lab | undefined;
  let failed = false;
  beforeAll(async () => {
    const prepared = await prepareLab(options);
    lab = prepared;
    try {
      await prepared.start();
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') failed = true;
    // The cause of all that fails from here on, said once and in its own words.
    try {
      lab?.fedway?.assertRunning();
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  afterAll(async () => {
    await lab?.stop(failed);
    if (failed && lab !== undefined) console.error(`The logs of ${options.name} are in ${lab.folder}`);
  });
  return () => {
    if (lab === undefined) throw new Error('the lab is not there yet');
    return lab;
  };
}
