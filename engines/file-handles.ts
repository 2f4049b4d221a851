import { closeSync, openSync } from 'node:fs';
import { LakeError } from './engine';

/** As many as a run may have open at once, beside those that the process has. */
const NEEDED = 24;

/**
 * Throws a LakeError where the process may not open as many files as a run needs: DuckDB takes a folder that it cannot
 * open for an empty one.
 */
export function requireFileHandles(): void {
  const opened: number[] = [];
  try {
    while (opened.length < NEEDED) opened.push(openSync(__filename, 'r'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
    throw new LakeError(
      'too few files may be open at once; allow more, as by `ulimit -n 1024`, and run again',
    );
  } finally {
    for (const each of opened) closeSync(each);
  }
}
