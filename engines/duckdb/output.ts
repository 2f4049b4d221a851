import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DerivedTable } from '../../model';
import { quoteName, quoteString } from '../sql';
import { makePseudonyms } from './pseudonyms';

/**
 * Writes the rows of a query as Parquet in a new folder, and returns how many. Not in a folder a day, where the
 * contract partitions by day: DuckDB skips by the ranges that Parquet keeps of every row group, and a laptop's
 * lake would come to nothing but small files. Iceberg's writers partition.
 */
export async function writeTable(db: DuckDBConnection, dir: string, query: string): Promise<number> {
  await mkdir(dir, { recursive: true });
  const { rowsChanged } = await db.run(
    `COPY (${query}) TO ${quoteString(join(dir, 'part-0.parquet'))} (FORMAT parquet)`,
  );
  return rowsChanged;
}

export const pseudonymColumns = (table: DerivedTable): string[] =>
  Object.entries(table.columns).flatMap(([name, column]) => (column.type === 'pseudonym' ? [name] : []));

/** The query that gives a table's columns from rows in the clear, pseudonyms in place of what they stand for. */
export async function pseudonymised(
  db: DuckDBConnection,
  table: DerivedTable,
  from: string,
  key: () => Promise<Buffer>,
): Promise<string> {
  const names = Object.keys(table.columns);
  const hidden = pseudonymColumns(table);
  if (hidden.length === 0) return `SELECT ${names.map(quoteName).join(', ')} FROM ${from}`;
  const values = hidden.map((name) => `SELECT ${quoteName(name)} AS value FROM ${from}`);
  await makePseudonyms(db, values.join(' UNION ALL '), await key());
  const list = names.map((name) => {
    const i = hidden.indexOf(name);
    return i < 0 ? `c.${quoteName(name)}` : `p${i}.pseudonym AS ${quoteName(name)}`;
  });
  const joins = hidden.map((name, i) => `LEFT JOIN _pseudonyms p${i} ON p${i}.value = c.${quoteName(name)}`);
  return `SELECT ${list.join(', ')} FROM ${from} c ${joins.join(' ')}`;
}
