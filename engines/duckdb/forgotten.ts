import type { DuckDBConnection } from '@duckdb/node-api';
import { readingOf, type SourceTable, type Table } from '../../model';
import { quoteName } from '../sql';
import type { Suppression } from '../suppression';
import { countOf, parquetIn, rowsOf } from './database';
import { rewriteTable } from './output';
import { readyKey } from './pseudonyms';

/** Refused texts of about so many bytes are judged by one statement. */
const BATCH_BYTES = 16 << 20;

/** Readies what the model's SQL asks of who was forgotten, as a run knows it. See `Forgotten`. */
export async function readyList(db: DuckDBConnection, list: Suppression): Promise<void> {
  await readyKey(db, list.key);
  await db.run('RESET VARIABLE _subject');
  await db.run('CREATE OR REPLACE TEMP TABLE _their_pseudonyms (value VARCHAR)');
  await db.run('CREATE OR REPLACE TEMP TABLE _list (kind VARCHAR, hash VARCHAR)');
  for (let i = 0; i < list.entries.length; i += 1000) {
    const rows = list.entries.slice(i, i + 1000).map(({ kind, hash }) => `('${kind}', '${hash}')`);
    await db.run(`INSERT INTO _list VALUES ${rows.join(', ')}`);
  }
}

/** The temporary table `(value)` of a column's values that the list has. */
export const listedName = ({ name }: Table, column: string) => quoteName(`_listed_${name}_${column}`);

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

/** Takes the rows of who was forgotten out of a folder that no reader knows of yet. Returns how many they were. */
export async function takeOut(db: DuckDBConnection, source: SourceTable, dir: string): Promise<number> {
  const theirs = readingOf(source).forgotten.rows;
  const names = Object.keys(source.columns).map(quoteName).join(', ');
  await db.run(`CREATE OR REPLACE TEMP VIEW _landed AS SELECT ${names} FROM ${parquetIn(dir)}`);
  const rows = await countOf(db, `SELECT 1 FROM _landed t WHERE ${theirs}`);
  if (rows > 0) await rewriteTable(db, dir, `SELECT * FROM _landed t WHERE NOT (${theirs})`);
  return rows;
}
