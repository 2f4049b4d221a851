import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { SourceTable } from '../../model';
import { LakeError, UsageError } from '../engine';

/** The folder of a source's files. */
export const landingDir = (data: string, table: SourceTable) => join(data, table.entity, 'landing');

/**
 * The files of a source, those in folders below too; hidden ones, those that begin with an underscore and those
 * that Hadoop is still copying are left out, as Spark does. Throws a LakeError for a link that leads nowhere.
 */
export async function landingFiles(data: string, table: SourceTable): Promise<string[]> {
  return filesBelow(landingDir(data, table));
}

async function filesBelow(dir: string): Promise<string[]> {
  const files: string[] = [];
  for (const name of await namesIn(dir)) {
    if (/^[._]|\._COPYING_$/.test(name)) continue;
    const path = join(dir, name);
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw new LakeError(`${path} is a link that leads nowhere; mend it, or remove it`);
    if (found.isDirectory()) files.push(...(await filesBelow(path)));
    else if (found.isFile()) files.push(path);
  }
  return files;
}

/** Names in a folder, in their order; none where it is missing. */
async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The folder of a run's data as a whole path. Throws a UsageError where it is none. */
export function dataDir(data: string): string {
  const dir = resolve(data);
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`--data ${data} is no folder; it should hold <entity>/landing/`);
  }
  return dir;
}

/** The files of each source. Throws a LakeError that names every source that has none. */
export async function filesOf(
  data: string,
  sources: readonly SourceTable[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const files = new Map<string, string[]>();
  const missing: string[] = [];
  for (const source of sources) {
    const found = await landingFiles(data, source);
    if (found.length > 0) files.set(source.name, found);
    else missing.push(`${source.name}: no file in ${landingDir(data, source)}`);
  }
  if (missing.length > 0) {
    throw new LakeError(
      `the data is not whole.\n  ${missing.join('\n  ')}\nPut the JSON files of each source there, or give another --data`,
    );
  }
  return files;
}
