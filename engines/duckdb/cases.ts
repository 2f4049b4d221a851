import type { DuckDBConnection } from '@duckdb/node-api';
import type { Job, Table } from '../../model';
import type { Case, CaseRow } from '../cases';
import { quoteName, quoteString, withParameters } from '../sql';
import { openDatabase, rowsOf } from './database';
import { readType } from './types';

/** What a job's SQL makes of a case: its rows, written as the rows of a case are, in no order. */
export async function runCase(job: Job, sql: string, { given, parameters }: Case): Promise<CaseRow[]> {
  const db = await openDatabase();
  try {
    for (const input of job.inputs) await fill(db, input, given[input.name] ?? []);
    const rows = await rowsOf<Readonly<Record<string, CaseRow[string] | Date>>>(
      db,
      withParameters(sql, job.parameters, parameters),
    );
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => {
          if (!(value instanceof Date)) return [name, value];
          const iso = value.toISOString();
          return [name, job.output.columns[name]?.type === 'date' ? iso.slice(0, 'YYYY-MM-DD'.length) : iso];
        }),
      ),
    );
  } finally {
    db.closeSync();
  }
}

/** Makes an input table of the rows, typed as a job's SQL sees it. */
async function fill(db: DuckDBConnection, table: Table, rows: readonly CaseRow[]) {
  const columns = Object.entries(table.columns);
  const types = columns.map(([name, column]) => `${quoteName(name)} ${readType(column)}`);
  await db.run(`CREATE TABLE ${quoteName(table.name)} (${types.join(', ')})`);
  if (rows.length === 0) return;
  const values = rows.map((row) => `(${columns.map(([name]) => literal(row[name] ?? null)).join(', ')})`);
  await db.run(`INSERT INTO ${quoteName(table.name)} VALUES ${values.join(', ')}`);
}

const literal = (value: CaseRow[string]) => (typeof value === 'string' ? quoteString(value) : String(value));
