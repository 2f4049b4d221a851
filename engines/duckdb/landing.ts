import { link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { readingOf, type SourceTable } from '../../model';
import { literalPath, parquetFile } from '../database';
import { readyList, takeOut } from '../forgotten';
import { type Batch, type Delivery, groupsOf, keepBatches, statesOf, sumOf } from '../landing/batches';
import { type Landed, SourceReader, verdictOn } from '../landing/reader';
import { quoteString } from '../sql';
import { list } from '../store';
import type { Suppression } from '../suppression';
import { nothing, storedType } from '../types';
import { writeTable } from './output';

export interface LandingTarget {
  /** Folder from which quarantine names the files. */
  readonly landing: string;
  /** Folder that takes the table's Parquet. */
  readonly table: string;
  /** File that takes the refused records; written only where there are any. */
  readonly quarantine: string;
  /** Who was forgotten. Default: nobody. */
  readonly forgotten?: Suppression;
  /** How the files are read, as it is kept beside the rows. */
  readonly how: string;
  /** Folder of the rows whose batches are kept. */
  readonly before?: string;
}

/** Ends the name of a batch's refused records: no Parquet of the table. */
const REFUSED = '.refused';

/**
 * Reads the files of a delivery by contract into Parquet, without what is of people who were forgotten, beside the
 * batches that are kept. See {@link SourceReader}.
 */
export async function land(
  db: DuckDBConnection,
  table: SourceTable,
  { kept, files }: Pick<Delivery, 'kept' | 'files'>,
  to: LandingTarget,
): Promise<Landed> {
  await mkdir(to.table, { recursive: true });
  const batches: Batch[] = [];
  const parts = to.before === undefined ? [] : await readdir(to.before);
  for (const batch of kept) {
    const own = parts.filter((name) => name.startsWith(`${batch.id}-`));
    for (const name of own) await link(join(to.before as string, name), join(to.table, name));
    batches.push(batch);
  }
  let next = Math.max(-1, ...kept.map(({ id }) => Number(id.slice(1)))) + 1;
  for (const group of groupsOf(files)) batches.push(await landBatch(db, table, `b${next++}`, group, to));
  await keepBatches(to.table, to.how, batches);
  const all = sumOf(batches);
  const names = await list(to.table);
  // A table has a file, also where it has no row.
  if (!names.some((name) => name.endsWith('.parquet'))) await writeTable(db, to.table, emptyOf(table));
  const refused = names.filter((name) => name.endsWith(REFUSED));
  if (refused.length > 0) {
    const queries = refused.map((name) => `FROM ${parquetFile(join(to.table, name))}`);
    await copyQuarantine(db, queries.join(' UNION ALL '), to.quarantine);
  }
  return { ...all, failure: await verdictOn(db, readingOf(table), all, all.first) };
}

/** Whether the refused records of a table's batches can be read. */
export async function hasRefused(db: DuckDBConnection, dir: string): Promise<boolean> {
  const names = (await list(dir)).filter((name) => name.endsWith(REFUSED));
  const queries = names.map(
    (name) => `FROM parquet_file_metadata(${quoteString(literalPath(join(dir, name)))})`,
  );
  return (
    names.length === 0 ||
    db.run(queries.join(' UNION ALL ')).then(
      () => true,
      () => false,
    )
  );
}

const emptyOf = (table: SourceTable) => `SELECT ${nothing(table, storedType)} WHERE false`;

async function landBatch(
  db: DuckDBConnection,
  table: SourceTable,
  id: string,
  files: readonly string[],
  to: LandingTarget,
): Promise<Batch> {
  const dir = `${to.table}.batch`;
  const forgotten = to.forgotten && !to.forgotten.isEmpty ? to.forgotten : undefined;
  const reader = SourceReader.into(dir, db, table, to.landing);
  await mkdir(dir, { recursive: true });
  // Of no file nothing could be taken out.
  if (forgotten) await writeTable(db, dir, emptyOf(table));
  const states = statesOf(files, to.landing);
  const { failure: _, ...landed } = await reader.read(
    files,
    forgotten && {
      ready: (connection) => readyList(connection, forgotten),
      takeOut: () => takeOut(db, table, dir),
    },
  );
  if (Object.keys(landed.reasons).length > 0) {
    await copyQuarantine(db, reader.refused, join(to.table, `${id}-0${REFUSED}`));
  }
  await rm(`${dir}.refused`, { recursive: true, force: true });
  for (const name of await readdir(dir)) await rename(join(dir, name), join(to.table, `${id}-${name}`));
  await rm(dir, { recursive: true });
  return { id, files: states, landed };
}

/** Writes refused records as Parquet. */
export async function copyQuarantine(db: DuckDBConnection, query: string, to: string): Promise<void> {
  await mkdir(join(to, '..'), { recursive: true });
  // Raw texts may be long, and DuckDB holds a whole row group of them for each of its threads.
  const options = "FORMAT parquet, ROW_GROUP_SIZE_BYTES '1MB'";
  await db.run('SET threads = 1');
  try {
    await db.run(`COPY (${query}) TO ${quoteString(to)} (${options})`);
  } finally {
    await db.run('RESET threads');
  }
}
