import { link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { readingOf, type SourceTable } from '../../model';
import { isReadable, literalPath, parquetFile } from '../database';
import { readyList, takeOut } from '../forgotten';
import { type Batch, type Delivery, groupsOf, isOf, keepBatches, statesOf, sumOf } from '../landing/batches';
import { type Judged, SourceReader, verdictOn } from '../landing/reader';
import { quoteString } from '../sql';
import { list, type Pointer, type Store, type Version } from '../store';
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
  { how, before, kept, files }: Pick<Delivery, 'how' | 'before' | 'kept' | 'files'>,
  to: LandingTarget,
): Promise<Judged> {
  await mkdir(to.table, { recursive: true });
  const linked = before === undefined ? [] : (await list(before)).filter((name) => isOf(kept, name));
  for (const name of linked) await link(join(before as string, name), join(to.table, name));
  const batches = [...kept];
  let next = Math.max(-1, ...kept.map(({ id }) => Number(id.slice(1)))) + 1;
  for (const group of groupsOf(files)) batches.push(await landBatch(db, table, `b${next++}`, group, to));
  await keepBatches(to.table, how, batches);
  const all = sumOf(batches);
  const names = await list(to.table);
  // A table has a file, also where it has no row.
  if (!names.some((name) => name.endsWith('.parquet'))) await writeTable(db, to.table, emptyOf(table));
  const refused = names.filter((name) => name.endsWith(REFUSED));
  if (refused.length > 0) {
    const queries = refused.map((name) => `FROM ${parquetFile(join(to.table, name))}`);
    await copyQuarantine(db, queries.join(' UNION ALL '), to.quarantine);
  }
  return { ...all, failure: await verdictOn(db, readingOf(table), all) };
}

/** A published version of a table; nothing where there is none, or its files are damaged. */
export async function readableVersion(
  db: DuckDBConnection,
  store: Store,
  { tables }: Pointer,
  name: string,
): Promise<Version | undefined> {
  const version = tables[name];
  const isThere = version && (await isReadable(db, store.publishedDir(name, version), version.rows));
  return isThere ? version : undefined;
}

/** The folder of a source's published rows, where its batches can be kept: their refused records have to be there too. */
export async function keptRows(
  db: DuckDBConnection,
  store: Store,
  pointer: Pointer,
  { name }: SourceTable,
): Promise<string | undefined> {
  const version = await readableVersion(db, store, pointer, name);
  if (!version) return undefined;
  const dir = store.publishedDir(name, version);
  const refused = (await list(dir)).filter((file) => file.endsWith(REFUSED));
  const footers = refused.map(
    (file) => `FROM parquet_file_metadata(${quoteString(literalPath(join(dir, file)))})`,
  );
  if (footers.length === 0) return dir;
  return db.run(footers.join(' UNION ALL ')).then(
    () => dir,
    () => undefined,
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
  const landed = await reader.read(
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
