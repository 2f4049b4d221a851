import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { version as duckdb } from '@duckdb/node-api';
import { readingOf, type SourceTable } from '../../model';
import { FORMATS } from '../../model/format';
import type { Suppression } from '../suppression';
import { codeVersion } from '../version';
import { stateOf } from './bytes';
import { landingDir } from './files';
import { batchesOf, type Landed } from './reader';

/** How far the clock of a file system may be behind: a file may change within that and say the same of itself. */
const CLOCK_MS = 20;

/** Files that were read together, and what became of their records. */
export interface Batch {
  /** Begins the names of its Parquet in the table's folder. */
  readonly id: string;
  /** The state of each file, by its name in the landing folder; empty where another look is needed. */
  readonly files: Readonly<Record<string, string>>;
  readonly landed: Landed;
}

/** How the rows of a source came to be, kept beside them. */
interface Kept {
  readonly version: number;
  /** Another one says that the files would be read otherwise. */
  readonly how: string;
  readonly batches: readonly Batch[];
}

/** What a run has to read of a source. */
export interface Delivery {
  /** How its files are read, as it is kept beside the rows. */
  readonly how: string;
  /** Folder of the rows whose batches are kept. */
  readonly before?: string;
  /** Batches whose files are all as they were. */
  readonly kept: readonly Batch[];
  /** Files to read, of which `fresh` are new, and `changed` are not what they were. */
  readonly files: readonly string[];
  readonly fresh: number;
  readonly changed: number;
  /** Files that were read and are no more. */
  readonly gone: number;
  /** Why all files are read; nothing where they are not. */
  readonly whole?: 'first' | 'otherwise';
}

/**
 * A delivery beside which another source has new files: files with records of people who were forgotten are read again,
 * as only they say which devices those people had. Of rows that are kept nothing is theirs.
 */
function besideOthers(delivery: Delivery, landing: string): Delivery {
  const again = delivery.kept.filter(({ landed }) => landed.filtered > 0);
  const names = again.flatMap(({ files }) => Object.keys(files));
  return {
    ...delivery,
    kept: delivery.kept.filter((batch) => !again.includes(batch)),
    files: [...delivery.files, ...names.map((name) => join(landing, name))],
  };
}

/** Whether a file in the folder of a table's rows is of one of these batches. */
export const isOf = (batches: readonly Batch[], name: string): boolean =>
  batches.some(({ id }) => name.startsWith(`${id}-`));

export const isIdle = ({ files, gone }: Delivery) => files.length === 0 && gone === 0;

/** What tells by which rules files are read, and without whom. */
const howRead = (table: SourceTable, { entries }: Suppression): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        ...[codeVersion(), duckdb(), readingOf(table), entries, withoutDescriptions(table)],
        table.expectations.map(({ sql }) => sql(table.name)),
      ]),
    )
    .digest('hex');

/** Another description makes no other row. */
export const withoutDescriptions = (value: unknown): string =>
  JSON.stringify(value, (key, one) => (key === 'description' ? undefined : one));

const fileIn = (dir: string) => join(dir, 'landed.json');

export async function keepBatches(dir: string, how: string, batches: readonly Batch[]): Promise<void> {
  const kept: Kept = { version: FORMATS.landed, how, batches };
  await writeFile(fileIn(dir), JSON.stringify(kept));
}

/** The batches in a table's folder; nothing where that does not say, as of older lakes or after somebody was forgotten. */
async function batchesIn(dir: string): Promise<Kept | undefined> {
  try {
    const kept: Kept = JSON.parse(await readFile(fileIn(dir), 'utf8'));
    return kept.version === FORMATS.landed ? kept : undefined;
  } catch {
    // Then all files are read.
    return undefined;
  }
}

/** Holds the files of a source to those that its rows were read from. `before`: the folder of these rows. */
async function deliveryOf(
  files: readonly string[],
  landing: string,
  how: string,
  before: string | undefined,
): Promise<Delivery> {
  const was = before === undefined ? undefined : await batchesIn(before);
  if (was?.how !== how) {
    const whole = was === undefined ? 'first' : 'otherwise';
    return { how, kept: [], files, fresh: files.length, changed: 0, gone: 0, whole };
  }
  const now = new Map(files.map((path) => [relative(landing, path), path]));
  const isSame = (name: string, state: string) => {
    const path = now.get(name);
    return path !== undefined && state !== '' && state === stateOf(path);
  };
  const kept = was.batches.filter((batch) =>
    Object.entries(batch.files).every(([name, state]) => isSame(name, state)),
  );
  const known = new Set(kept.flatMap((batch) => Object.keys(batch.files)));
  const all = was.batches.flatMap((batch) => Object.entries(batch.files));
  const names = new Set(all.map(([name]) => name));
  return {
    how,
    ...(before !== undefined && { before }),
    kept,
    files: files.filter((path) => !known.has(relative(landing, path))),
    fresh: [...now.keys()].filter((name) => !names.has(name)).length,
    changed: all.filter(([name, state]) => now.has(name) && !isSame(name, state)).length,
    gone: all.filter(([name]) => !now.has(name)).length,
  };
}

/**
 * What there is to read of each source. `before` gives the folder of its rows, where they may be kept. Nothing is read
 * again where nothing has come.
 */
export async function deliveriesOf(
  sources: readonly SourceTable[],
  data: string,
  files: ReadonlyMap<string, readonly string[]>,
  forgotten: Suppression,
  before: (source: SourceTable) => Promise<string | undefined>,
): Promise<ReadonlyMap<string, Delivery>> {
  const found = new Map<string, Delivery>();
  for (const source of sources) {
    const all = files.get(source.name) ?? [];
    const how = howRead(source, forgotten);
    found.set(source.name, await deliveryOf(all, landingDir(data, source), how, await before(source)));
  }
  if ([...found.values()].every(isIdle)) return found;
  for (const source of sources) {
    const delivery = found.get(source.name) as Delivery;
    found.set(source.name, besideOthers(delivery, landingDir(data, source)));
  }
  return found;
}

/** The states of files that are about to be read, by their names. */
export function statesOf(files: readonly string[], landing: string): Record<string, string> {
  const now = Date.now();
  return Object.fromEntries(
    files.map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      const isSettled = stat && now - Math.max(stat.mtimeMs, stat.ctimeMs) > CLOCK_MS;
      return [relative(landing, path), isSettled ? stateOf(path) : ''];
    }),
  );
}

/** Files in groups that are read together: of one that changes, those beside it are read again. */
export const groupsOf = (files: readonly string[]): string[][] =>
  batchesOf(files.map((path) => ({ path, bytes: statSync(path, { throwIfNoEntry: false })?.size ?? 0 }))).map(
    (group) => group.map(({ path }) => path),
  );

/** What became of the records of all batches. */
export function sumOf(batches: readonly Batch[]): Landed {
  const sum = (key: 'read' | 'accepted' | 'refused' | 'filtered' | 'bytes' | 'refusedBytes') =>
    batches.reduce((total, { landed }) => total + landed[key], 0);
  const reasons: Record<string, number> = {};
  for (const { landed } of batches)
    for (const [reason, n] of Object.entries(landed.reasons)) reasons[reason] = (reasons[reason] ?? 0) + n;
  return {
    read: sum('read'),
    accepted: sum('accepted'),
    refused: sum('refused'),
    filtered: sum('filtered'),
    bytes: sum('bytes'),
    refusedBytes: sum('refusedBytes'),
    reasons: Object.fromEntries(Object.entries(reasons).sort(([a], [b]) => (a < b ? -1 : 1))),
    first: batches.flatMap(({ landed }) => landed.first),
  };
}
