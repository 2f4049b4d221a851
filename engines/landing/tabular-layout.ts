import type { DuckDBConnection } from '@duckdb/node-api';
import { misreadSql, type Reading, readingOf, type SourceTable } from '../../model';
import { countOf, openDatabase, rowsOf } from '../database';
import { counted } from '../words';
import { type Look, marksIn } from './bytes';
import type { OddLayout } from './layout';
import { lookOver, nameFiles, recordsIn, verdictsOf } from './reader';

/** Finds files of CSV or Parquet that Athena would misread, by their path. Those that cannot be read are left out. */
export async function oddTables(
  table: SourceTable,
  files: readonly string[],
): Promise<ReadonlyMap<string, OddLayout>> {
  const reading = readingOf(table);
  const layouts = new Map<string, OddLayout>();
  const db = await openDatabase();
  try {
    for (const path of files) {
      const look = await lookOver(db, path, reading);
      const [verdict] = await verdictsOf(db, reading, [look]);
      if (!verdict?.shape) continue;
      const { records, lost, details } =
        reading.format === 'csv'
          ? await csvLayout(db, table, reading, look, verdict.columns as string)
          : await parquetLayout(db, misreadSql(table));
      if (details.length > 0) layouts.set(path, { path, records, lost, details, canRewrite: false });
    }
  } finally {
    db.closeSync();
  }
  return layouts;
}

/** Its SerDe takes a line for a record, and the columns in the contract's order. */
async function csvLayout(
  db: DuckDBConnection,
  table: SourceTable,
  reading: Reading,
  look: Look,
  columns: string,
): Promise<Omit<OddLayout, 'path' | 'canRewrite'>> {
  const keys = Object.keys(JSON.parse(columns) as object);
  const names = Object.keys(table.columns);
  const isOrdered = names.every((_, i) => (keys[i] ?? `_s${i}`) === `_s${i}`);
  const header = typeof table.format === 'object' && table.format.header ? 1 : 0;
  const rows = await plainRows(db, reading, look, columns);
  // Then each line is a record.
  const isPlain = rows !== undefined && rows + header === (await marksIn([look], '\n', ['\0']));
  let records = isPlain ? rows : 0;
  let spread = 0;
  if (!isPlain) {
    for await (const { first, last } of recordsIn(db, table, look)) {
      records++;
      if (last > first) spread++;
    }
  }
  const details = [
    ...(isOrdered ? [] : ['columns in another order than in the contract']),
    ...(spread > 0 ? [`${counted(spread, 'record')} over several lines`] : []),
  ];
  return { records, lost: isOrdered ? spread : records, details };
}

/** How many rows DuckDB's own reader finds, if it takes the file. */
async function plainRows(db: DuckDBConnection, reading: Reading, look: Look, columns: string) {
  await nameFiles(db, [look]);
  await db.run('SET VARIABLE _columns = $1', [columns]);
  try {
    return await countOf(db, reading.plain.rows);
  } catch {
    return undefined;
  }
}

/** Of the file in `_files`: its readers take no type for another. */
async function parquetLayout(
  db: DuckDBConnection,
  misread: string,
): Promise<Omit<OddLayout, 'path' | 'canRewrite'>> {
  const found = await rowsOf<{ detail: string; records: number }>(db, misread);
  const records = found[0]?.records ?? 0;
  return { records, lost: records, details: found.map(({ detail }) => detail) };
}
