import { mkdir, rename, rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type DerivedTable, hasPseudonyms, type Job } from '../../model';
import { quoteName, quoteString } from '../sql';
import { type Rows, reading } from './difference';
import { pseudonymOf, readyPseudonyms } from './pseudonyms';

export const partName = (n: number) => `part-${n}.parquet`;

const GROUP_ROWS = 122_880;
const FILE_GROUPS = 8;
/** Rows of a file that has all that it may: who changes one of them writes no more than these again. */
export const FILE_ROWS = GROUP_ROWS * FILE_GROUPS;

/**
 * Writes the rows of a query as Parquet in a new folder, and returns how many. Not in a folder a day, where the
 * contract partitions by day: DuckDB skips by the ranges that Parquet keeps of every row group, and a laptop's
 * lake would come to nothing but small files. Iceberg's writers partition.
 */
export async function writeTable(db: DuckDBConnection, dir: string, query: string): Promise<number> {
  await mkdir(dir, { recursive: true });
  const { rowsChanged } = await db.run(
    `COPY (${query}) TO ${quoteString(dir)} (FORMAT parquet, FILENAME_PATTERN 'part-{i}',
      ROW_GROUP_SIZE ${GROUP_ROWS}, ROW_GROUPS_PER_FILE ${FILE_GROUPS})`,
  );
  return rowsChanged;
}

/** Puts the rows of a query, which may read the folder, in place of all that is in it; no reader knows of it yet. */
export async function rewriteTable(db: DuckDBConnection, dir: string, query: string): Promise<void> {
  const next = `${dir}.next`;
  await writeTable(db, next, query);
  await rm(dir, { recursive: true });
  await rename(next, dir);
}

/** Readies the pseudonyms of a job's output, if it has any. `rows`: what stands for its inputs. Default: they themselves. */
export async function readyOutput(
  db: DuckDBConnection,
  { output, inputs }: Job,
  key: () => Promise<Buffer>,
  rows: Rows = {},
): Promise<void> {
  if (!hasPseudonyms(output)) return;
  // What a job hides is nearly always a personal text that it was given.
  const likely = inputs.flatMap((input) =>
    Object.entries(input.columns).flatMap(([name, column]) =>
      column.pii && column.type === 'text'
        ? [`SELECT ${quoteName(name)} AS value FROM ${quoteName(input.name)}`]
        : [],
    ),
  );
  const none = 'SELECT CAST(NULL AS VARCHAR) AS value';
  await readyPseudonyms(db, reading(rows, [none, ...likely].join(' UNION ALL ')), await key());
}

/** The query that gives columns of an output from rows in the clear, pseudonyms in place of what they stand for. */
export function hiddenQuery(
  { columns: contract }: DerivedTable,
  names: readonly string[],
  clear: string,
): string {
  const columns = names.map((name, i) => {
    const value = `c.${quoteName(name)}`;
    if (contract[name]?.type !== 'pseudonym') return { expression: value, join: '' };
    const { expression, join } = pseudonymOf(value, `p${i}`);
    return { expression: `${expression} AS ${quoteName(name)}`, join };
  });
  return `SELECT ${columns.map((c) => c.expression).join(', ')} FROM ${clear} c ${columns.map((c) => c.join).join(' ')}`;
}
