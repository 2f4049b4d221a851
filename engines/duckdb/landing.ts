import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SourceTable } from '../../model';
import { readyList, takeOut } from '../forgotten';
import { type Landed, SourceReader } from '../landing/reader';
import { quoteString } from '../sql';
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

/** Reads a source by contract into Parquet, without what is of people who were forgotten. See {@link SourceReader}. */
export async function land(
  db: DuckDBConnection,
  table: SourceTable,
  files: readonly string[],
  to: LandingTarget,
): Promise<Landed> {
  const forgotten = to.forgotten && !to.forgotten.isEmpty ? to.forgotten : undefined;
  const reader = SourceReader.into(to.table, db, table, to.landing);
  // A table has a file, also where it has no row.
  await writeTable(db, to.table, `SELECT ${nothing(table, storedType)} WHERE false`);
  const landed = await reader.read(
    files,
    forgotten && {
      ready: (connection) => readyList(connection, forgotten),
      takeOut: () => takeOut(db, table, to.table),
    },
  );
  if (Object.keys(landed.reasons).length > 0) await copyQuarantine(db, reader.refused, to.quarantine);
  await rm(`${to.table}.refused`, { recursive: true, force: true });
  return landed;
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
