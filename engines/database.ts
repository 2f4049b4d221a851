import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { LakeError } from './engine';
import { masked, quoteString } from './sql';

const instances = new WeakMap<DuckDBConnection, DuckDBInstance>();

/** A DuckDB of its own in memory. What does not fit goes to files in `scratch`; without it, it does not fit. */
export async function openDatabase(scratch?: string): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', {
    temp_directory: scratch ?? '',
    // Row order carries no meaning in a table, and keeping it would hold whole files in memory.
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
  });
  const db = await instance.connect();
  instances.set(db, instance);
  return db;
}

/** Opens a database of its own for some work, and closes it. */
export async function withDatabase<T>(work: (db: DuckDBConnection) => Promise<T>): Promise<T> {
  const db = await openDatabase();
  try {
    return await work(db);
  } finally {
    db.closeSync();
    instances.get(db)?.closeSync();
  }
}

/** Another connection to the same database, with temporary tables and variables of its own. */
export async function connectTo(db: DuckDBConnection): Promise<DuckDBConnection> {
  const other = await (instances.get(db) as DuckDBInstance).connect();
  instances.set(other, instances.get(db) as DuckDBInstance);
  return other;
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
  return row?.n as number;
}

/** Makes a temporary table of what a query gives, and returns how many rows it has. */
export async function makeTemporary(db: DuckDBConnection, name: string, query: string): Promise<number> {
  const made = await db.runAndReadAll(`CREATE OR REPLACE TEMP TABLE ${name} AS ${query}`);
  return Number(made.getRows()[0]?.[0]);
}

/** A path that DuckDB takes as it is, and not for a pattern. */
export const literalPath = (path: string) => path.replace(/[[*?]/g, '[$&]');

/** A Parquet file as a table. Without Hive's partitions: a folder of the path named `a=b` is no column. */
export const parquetFile = (file: string) => parquet(quoteString(literalPath(file)));

/** Several as one. */
export const parquetFiles = (files: readonly string[], options = '') =>
  parquet(`[${files.map((file) => quoteString(literalPath(file))).join(', ')}]`, options);

/** All Parquet below a folder, as a table. */
export const parquetIn = (dir: string, options = '') => parquet(patternIn(dir), options);

/** The columns of a table by its Parquet: how a file was read may have left one of its own there, which begins with `_`. */
export const OWN_COLUMNS = "COLUMNS('^[^_]')";

/** A query for the rows of a Parquet file, each with the number `id` of its place. */
export const numberedRows = (file: string) =>
  `SELECT file_row_number AS id, * EXCLUDE (file_row_number) FROM ${parquet(quoteString(literalPath(file)), ', file_row_number=true')}`;

const patternIn = (dir: string) => quoteString(join(literalPath(dir), '**', '*.parquet'));
const parquet = (pattern: string, options = '') =>
  `read_parquet(${pattern}, hive_partitioning=false${options})`;

/** A query for the files of a table by their paths, and how many rows the footer of each says that it has. */
export const footersIn = (dir: string) =>
  `SELECT file_name AS file, num_rows::BIGINT AS rows FROM parquet_file_metadata(${patternIn(dir)})`;

/** Whether the footers of a table's files say that all of its rows are there. */
export async function isReadable(db: DuckDBConnection, dir: string, rows: number): Promise<boolean> {
  const sum = `SELECT sum(rows)::BIGINT AS rows FROM (${footersIn(dir)})`;
  const [found] = await rowsOf<{ rows: number }>(db, sum).catch(() => []);
  return found?.rows === rows;
}

/**
 * Throws a LakeError that names every published table of which a file is damaged or gone: the footers of all say how many
 * rows there are.
 */
export async function requireReadable(
  db: DuckDBConnection,
  tables: Iterable<{ readonly table: string; readonly dir: string; readonly rows: number }>,
): Promise<void> {
  const faults: string[] = [];
  for (const { table, dir, rows } of tables) {
    if (!(await isReadable(db, dir, rows)))
      faults.push(`${table} cannot be read: files in ${dir} are missing or damaged`);
  }
  if (faults.length === 0) return;
  throw new LakeError(
    `${faults.sort().join('\n')}\nRestore them, or make all tables anew: npx lake run --data DIR, with the same --lake`,
  );
}

/** How texts begin that put values in quotes. Others may be anything: `error()` and patterns give values bare. */
const QUOTES_VALUES =
  /^(?:Could not|Failed to|Malformed JSON|Cannot|No files|(?:TIMESTAMP|DATE) value out of range|E[A-Z]+: )/;

/** DuckDB offers ANY_VALUE, which Spark and Trino may not have. */
const NOT_GROUPED = 'Add it to the GROUP BY list, or take MIN or MAX of it.';

/**
 * What DuckDB says, in one line and without data: binding and parsing see only the SQL, all other errors may
 * quote values.
 */
export function tellError(error: unknown): string {
  const text = String((error as LakeError).message ?? error);
  const [, kind = 'Error', what = text] =
    /^(?:Failed to extract statements: )?(\w[\w ]*? Error): ([\s\S]*)$/.exec(text) ?? [];
  if (/^(?:Binder|Catalog|Parser) Error$/.test(kind)) {
    return what
      .replace(/\s*\n\s*/g, ' ')
      .replace(/Either add it to the GROUP BY list, or use "ANY_VALUE.*?not important\./, NOT_GROUPED)
      .trim();
  }
  if (/^(?:Invalid Input )?Error$/.test(kind) && !QUOTES_VALUES.test(what)) {
    const place = /\n\s*at (?:.*\()?(.*?:\d+:\d+)\)?/.exec((error as Error).stack ?? '')?.[1];
    const name = kind === 'Error' ? `${(error as Error).name} in ${place}` : kind;
    return `${name}; what it says is left out, as it may quote data`;
  }
  // After the message comes the line of the SQL, which has quotes of its own.
  const [message = ''] = masked(what.replace(/\s*\nLINE \d+: [\s\S]*$/, '')).split('\n');
  return `${kind}: ${message.replaceAll(/\d+/g, '…')}`;
}
