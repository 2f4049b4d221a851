import { readFile } from 'node:fs/promises';
import { FORMATS, formatFault } from '../model/format';
import { LakeError, type RunSummary } from './engine';

/**
 * What a file of JSON holds; nothing where there is none. Throws a LakeError where it is of another format than
 * `format`, one or several, or not what `isSound` takes, of which `damaged` says what to do.
 */
export async function readStored<T>(
  file: string,
  format: number | readonly number[],
  damaged: string,
  isSound: (value: T) => boolean,
): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  let fault: string | undefined;
  try {
    const value = JSON.parse(text);
    const known = [format].flat();
    fault = known.some((one) => formatFault(file, value, one) === undefined)
      ? undefined
      : formatFault(file, value, known.at(-1) as number);
    if (fault === undefined && isSound(value)) return value;
  } catch {
    // It is no JSON, or has not the shape that is looked into.
  }
  throw new LakeError(fault ?? `${file} ${damaged}`);
}

/** The summary of a run; nothing where there is none. */
export const readSummary = (file: string): Promise<RunSummary | undefined> =>
  readStored<RunSummary>(
    file,
    FORMATS.summary,
    'is no summary of a run; remove it',
    ({ runId, seconds, tables }) =>
      typeof runId === 'string' && typeof seconds === 'number' && Array.isArray(tables),
  );
