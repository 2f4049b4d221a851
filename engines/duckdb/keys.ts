// Beside each file of a table's rows stands what values it has of the keys that increments look for, so that a run opens no
// file that holds none of those it looks for. Where such a list is missing or damaged, the file may hold any.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { keySql, type RowKey, type Table } from '../../model';
import { parquetFile, parquetFiles, parquetIn, rowsOf } from '../database';
import { quoteString } from '../sql';
import { list } from '../store';
import { seenAs } from './tables';

/** By the ending no Parquet of the table. */
const listOf = (file: string, key: RowKey) =>
  `${file}.${typeof key === 'string' ? key : `${key.column}-day`}.keys`;

const hashesOf = (values: string) =>
  `SELECT COALESCE(md5_number_lower(CAST(key AS VARCHAR)), 0) AS hash FROM (SELECT DISTINCT key FROM (${values}))`;

/** Lists the values of keys in files of rows. */
export async function listKeys(
  db: DuckDBConnection,
  table: Table,
  keys: readonly RowKey[],
  files: readonly string[],
): Promise<void> {
  for (const file of files) {
    for (const key of keys) {
      const values = `SELECT ${keySql('t', key)} AS key FROM (SELECT ${seenAs(table)} FROM ${parquetFile(file)}) t`;
      await db.run(`COPY (${hashesOf(values)}) TO ${quoteString(listOf(file, key))} (FORMAT parquet)`);
    }
  }
}

/** The rows in a folder, but for files that hold none of the values that a query gives as `key`. */
export async function rowsWith(
  db: DuckDBConnection,
  dir: string,
  key: RowKey,
  values: string,
  options = '',
): Promise<string> {
  const all = parquetIn(dir, options);
  const files = await filesOfRows(dir);
  const lists = files.filter((file) => existsSync(listOf(file, key))).map((file) => listOf(file, key));
  if (lists.length === 0) return all;
  const found = await rowsOf<{ list: string }>(
    db,
    `SELECT DISTINCT l.list FROM ${parquetFiles(lists, ", filename='list'")} l SEMI JOIN (${hashesOf(values)}) v USING (hash)`,
  ).catch(() => undefined);
  if (found === undefined) return all;
  const holding = new Set(found.map((one) => one.list));
  const kept = files
    .map((file) => [file, listOf(file, key)] as const)
    .filter(([, named]) => !lists.includes(named) || holding.has(named))
    .map(([file]) => file);
  return kept.length === 0 ? `(FROM ${all} LIMIT 0)` : parquetFiles(kept, options);
}

/** The files of the rows in a table's folder. */
export const filesOfRows = async (dir: string): Promise<string[]> =>
  (await list(dir)).filter((name) => name.endsWith('.parquet')).map((name) => join(dir, name));
