import type { DuckDBConnection } from '@duckdb/node-api';
import { type Job, normalisedSql, type Table } from '../../model';
import type { Case, CaseRow } from '../cases';
import { rowsOf, withDatabase } from '../database';
import { quoteName, quoteString, withParameters } from '../sql';
import { readType } from '../types';

/** Cases as jobs see them on every engine: e-mails of the sources have the form that reading gives them. */
export const asJobsSee = (job: Job, cases: readonly Case[]): Promise<Case[]> =>
  withDatabase(async (db) => {
    const seen: Case[] = [];
    for (const one of cases) seen.push({ ...one, given: await readGiven(db, job, one.given) });
    return seen;
  });

async function readGiven(
  db: DuckDBConnection,
  { inputs }: Job,
  given: Case['given'],
): Promise<Case['given']> {
  const read: Record<string, readonly CaseRow[]> = { ...given };
  for (const { name, columns, format } of inputs) {
    const emails = Object.keys(columns).filter((column) => columns[column]?.normalize === 'email');
    const rows = given[name] ?? [];
    if (format === 'iceberg' || emails.length === 0 || rows.length === 0) continue;
    const written = rows.flatMap((row) => emails.map((column) => literal(row[column] ?? null)));
    const forms = await rowsOf<{ form: string | null }>(
      db,
      `SELECT ${normalisedSql('written')} AS form FROM (SELECT unnest([${written.join(', ')}]) AS written)`,
    );
    read[name] = rows.map((row, i) => ({
      ...row,
      ...Object.fromEntries(emails.map((column, k) => [column, forms[i * emails.length + k]?.form ?? null])),
    }));
  }
  return read;
}

/** What a job's SQL makes of a case: its rows, written as the rows of a case are, in no order. */
export const runCase = (job: Job, sql: string, { given: written, parameters }: Case): Promise<CaseRow[]> =>
  withDatabase(async (db) => {
    const given = await readGiven(db, job, written);
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
  });

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
