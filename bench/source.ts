import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { sampleUnder } from './sample';

const ROOT = resolve(__dirname, '..');
/** Where benches keep their data. */
export const BENCH = join(ROOT, '.bench');
const REAL_DATA = resolve(ROOT, '..', 'shared', 'data', 'stedi');

/** The folder to copy. What was asked for has to be there; only the default gives way to a sample. */
export async function sourceOf(data: string | undefined, say: (text: string) => void): Promise<string> {
  if (data !== undefined) return data;
  if (existsSync(REAL_DATA)) return REAL_DATA;
  say(`There is no ${REAL_DATA}; what follows is about a generated sample of the same size.\n`);
  return sampleUnder(BENCH);
}

/** Does something with a folder of its own, and removes it. */
export async function inFreshFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(BENCH, 'run-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
