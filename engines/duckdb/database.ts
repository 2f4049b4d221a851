import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { LakeError } from '../engine';
import { masked, quoteString } from '../sql';

/** A DuckDB of its own in memory, that spills to `scratch`. */
export async function openDatabase(
  scratch = join(tmpdir(), `lake-${process.pid}`),
): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', {
    temp_directory: scratch,
    // Row order carries no meaning in a table, and keeping it would hold whole files in memory.
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
  });
  return instance.connect();
}

/** The rows of a query as objects, numbers as JavaScript numbers. */
export async function rowsOf<T>(db: DuckDBConnection, sql: string): Promise<T[]> {
  const reader = await db.runAndReadAll(sql);
  const plain = (value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
  return reader
    .getRowObjectsJS()
    .map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, plain(v)])) as T);
}

/** How many rows a query gives. */
export async function countOf(db: DuckDBConnection, query: string): Promise<number> {
  const [row] = await rowsOf<{ n: number }>(db, `SELECT COUNT(*) AS n FROM (${query})`);
  return (row as { n: number }).n;
}

/** A path that DuckDB takes as it is, and not for a pattern. */
export const literalPath = (path: string) => path.replace(/[[*?]/g, '[$&]');

/** All Parquet below a folder, as a table. */
export const parquetIn = (dir: string) =>
  `read_parquet(${quoteString(join(literalPath(dir), '**', '*.parquet'))}, hive_partitioning=false)`;

/**
 * What DuckDB says, in one line and without data: binding and parsing see only the SQL, all other errors may
 * quote values.
 */
export function tellError(error: unknown): string {
  const text = String((error as LakeError).message ?? error);
  const [, kind = 'Error', what = text] =
    /^(?:Failed to extract statements: )?(\w[\w ]*? Error): ([\s\S]*)$/.exec(text) ?? [];
  if (/^(?:Binder|Catalog|Parser) Error$/.test(kind)) return what.replace(/\s*\n\s*/g, ' ').trim();
  return `${kind}: ${(masked(what).split('\n')[0] as string).replaceAll(/\d+/g, '…')}`;
}
