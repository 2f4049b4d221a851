import type { DuckDBConnection } from '@duckdb/node-api';
import { ENTRIES, readingOf, type SourceTable } from '../model';
import { countOf, parquetIn, rowsOf } from './database';
import { rewriteTable } from './duckdb/output';
import { readyKey } from './duckdb/pseudonyms';
import { quoteName } from './sql';
import type { Hash, Suppression } from './suppression';

/** Refused texts of about so many bytes are judged by one statement. */
const BATCH_BYTES = 16 << 20;

/** Readies what the model's SQL asks of who was forgotten. See `Forgotten`. Only a forget knows its `subject`. */
export async function readyList(db: DuckDBConnection, list: Suppression, subject?: string): Promise<void> {
  await readyKey(db, list.key);
  await db.run('SET VARIABLE _subject = $1', [subject ?? null]);
  await db.run('CREATE OR REPLACE TEMP TABLE _list (kind VARCHAR, hash VARCHAR)');
  const rows = await db.createAppender('_list');
  for (const { kind, hash } of list.entries) {
    rows.appendVarchar(kind);
    rows.appendVarchar(hash);
    rows.endRow();
  }
  rows.closeSync();
  await db.run('CREATE TEMP TABLE IF NOT EXISTS _found (kind VARCHAR, value VARCHAR, person VARCHAR)');
}

/** Notes what `_landed`, rows of a source, says of people. */
export async function findIn(db: DuckDBConnection, source: SourceTable): Promise<void> {
  const { found } = readingOf(source).forgotten;
  if (found !== undefined) await db.run(`INSERT INTO _found ${found}`);
}

/** The hashes that are to be entered by what was found. That of the subject, if there is one, is of kind `person`. */
export const hashesFound = (db: DuckDBConnection): Promise<Hash[]> => rowsOf<Hash>(db, ENTRIES);

/** The ids that `refused`, SQL of the model, gives of the refused texts `(id, raw)` of a query. */
export async function theirIds(db: DuckDBConnection, from: string, refused: string): Promise<number[]> {
  const batches = await rowsOf<{ first: number; last: number }>(
    db,
    `SELECT min(id) AS first, max(id) AS last
      FROM (SELECT id, sum(strlen(raw)) OVER (ORDER BY id) // ${BATCH_BYTES} AS batch FROM (${from})) GROUP BY batch`,
  );
  const ids: number[] = [];
  for (const { first, last } of batches) {
    await db.run(
      `CREATE OR REPLACE TEMP TABLE _refused AS SELECT * FROM (${from}) WHERE id BETWEEN ${first} AND ${last}`,
    );
    for (const { id } of await rowsOf<{ id: number }>(db, refused)) ids.push(id);
  }
  return ids;
}

/** Makes `_landed` the rows of a source in some Parquet, of which the model's SQL asks whose they are. */
export async function readyRows(db: DuckDBConnection, source: SourceTable, parquet: string): Promise<void> {
  const names = Object.keys(source.columns).map(quoteName).join(', ');
  await db.run(`CREATE OR REPLACE TEMP VIEW _landed AS SELECT ${names} FROM ${parquet}`);
}

/** Takes the rows of who was forgotten out of a folder that no reader knows of yet. Returns how many they were. */
export async function takeOut(db: DuckDBConnection, source: SourceTable, dir: string): Promise<number> {
  const theirs = readingOf(source).forgotten.rows;
  await readyRows(db, source, parquetIn(dir));
  // A file that came late may say of a device that nobody knew of, or when somebody moved.
  await findIn(db, source);
  const rows = await countOf(db, `SELECT 1 FROM _landed t WHERE ${theirs}`);
  if (rows > 0) await rewriteTable(db, dir, `SELECT * FROM _landed t WHERE NOT (${theirs})`);
  return rows;
}
