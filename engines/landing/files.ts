import { type Dirent, lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { type SourceTable, withoutAddress } from '../../model';
import { LakeError, UsageError } from '../engine';
import { counted } from '../words';

/** The folder of a source's files. */
export const landingDir = (data: string, table: SourceTable) => join(data, table.entity, 'landing');

/** What a landing folder holds. */
export interface LandingFolder {
  readonly files: readonly string[];
  /** Says which entries are not read, if any. */
  readonly warning?: string;
}

/**
 * The files of a source, those in folders below too. Left out, and named in the warning: hidden ones, as Spark does
 * (their names begin with a dot or an underscore, or Hadoop is still copying them), what is no file, and links out of
 * the folder. Throws a LakeError for a link that leads nowhere.
 */
export async function landingFolder(data: string, table: SourceTable): Promise<LandingFolder> {
  const dir = landingDir(data, table);
  const files: string[] = [];
  const leftOut: string[] = [];
  await walk(dir, dir, files, leftOut);
  if (leftOut.length === 0) return { files };
  const names = leftOut.slice(0, NAMED).join(', ');
  const more = leftOut.length > NAMED ? ` and ${leftOut.length - NAMED} more` : '';
  const are = leftOut.length === 1 ? 'is' : 'are';
  const entries = counted(leftOut.length, 'entry', 'entries');
  return { files, warning: `${entries} of ${table.entity}/landing ${are} not read: ${names}${more}` };
}

/** How many entries a warning names. */
const NAMED = 3;

/** The files of {@link landingFolder}. */
export const landingFiles = async (data: string, table: SourceTable): Promise<readonly string[]> =>
  filesBelow(landingDir(data, table));

/** The files of a source that are read, by its folder. */
export async function filesBelow(dir: string): Promise<readonly string[]> {
  const files: string[] = [];
  await walk(dir, dir, files, []);
  return files;
}

async function walk(root: string, dir: string, files: string[], leftOut: string[]): Promise<void> {
  for (const entry of await entriesIn(dir)) {
    const path = join(dir, entry.name);
    const why = whyLeftOut(root, path, entry);
    if (why !== undefined) leftOut.push(withoutAddress(`${relative(root, path)} (${why})`));
    else if (entry.isDirectory() || (!entry.isFile() && statSync(path).isDirectory()))
      await walk(root, path, files, leftOut);
    else files.push(path);
  }
}

/** Names of entries that are not read, as Spark does not. */
export const HIDDEN = /^[._]|\._COPYING_$/;

function whyLeftOut(root: string, path: string, entry: Dirent): string | undefined {
  if (HIDDEN.test(entry.name)) return /^[._]/.test(entry.name) ? 'hidden' : 'still being copied';
  if (entry.isFile() || entry.isDirectory()) return undefined;
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new LakeError(`${path} is a link that leads nowhere; mend it, or remove it`);
  if (lstatSync(path).isSymbolicLink()) {
    const to = realpathSync(path);
    if (!isWithin(realpathSync(root), to)) return 'a link out of the folder';
    if (isWithin(to, realpathSync(dirname(path)))) return 'a link to a folder that holds it';
  }
  return found.isDirectory() || found.isFile() ? undefined : kindOf(found);
}

const isWithin = (folder: string, path: string) => path === folder || path.startsWith(folder + sep);

const kindOf = (found: Stats) => (found.isFIFO() ? 'a FIFO' : found.isSocket() ? 'a socket' : 'a device');

/** What a folder holds, by name; nothing where it is missing. */
async function entriesIn(dir: string): Promise<Dirent[]> {
  try {
    return (await readdir(dir, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
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

/** What the landing folders of a run hold. */
export interface LandingFolders {
  /** The files of each source. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly warnings: readonly string[];
}

/** Throws a LakeError that names every source that has no file. */
export async function filesOf(data: string, sources: readonly SourceTable[]): Promise<LandingFolders> {
  const files = new Map<string, readonly string[]>();
  const warnings: string[] = [];
  const missing: string[] = [];
  for (const source of sources) {
    const { files: found, warning } = await landingFolder(data, source);
    // Rows of files that are gone may stand for it.
    if (found.length > 0 || source.onMissing === 'keep') files.set(source.name, found);
    else
      missing.push(`${source.name}: no file in ${landingDir(data, source)}${warning ? `; ${warning}` : ''}`);
    if (warning !== undefined && !warnings.includes(warning)) warnings.push(warning);
  }
  if (missing.length > 0) {
    throw new LakeError(
      `the data is not whole.\n  ${missing.join('\n  ')}\nPut the files of each source there, or give another --data`,
    );
  }
  return { files, warnings };
}
