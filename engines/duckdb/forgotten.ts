import type { DuckDBConnection } from '@duckdb/node-api';
import type { Identifies, Table } from '../../model';
import { quoteName } from '../sql';
import type { Suppression } from '../suppression';
import { countOf, parquetIn } from './database';
import { rewriteTable } from './output';
import { readyKey } from './pseudonyms';

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const SPACE = `' ' || ${[9, 10, 11, 12, 13].map((code) => `chr(${code})`).join(' || ')}`;

/** `normalised()` in SQL, whose own `lower` maps more than A to Z. */
export const normalisedSql = (value: string) =>
  `translate(trim(${value}, ${SPACE}), '${UPPER}', '${UPPER.toLowerCase()}')`;

/** Lets the SQL that follows ask for the list: the temporary table `_list (kind, hash)`, and the key by `_pseudonym`. */
export async function readyList(db: DuckDBConnection, list: Suppression): Promise<void> {
  await readyKey(db, list.key);
  await db.run('CREATE OR REPLACE TEMP TABLE _list (kind VARCHAR, hash VARCHAR)');
  for (let i = 0; i < list.entries.length; i += 1000) {
    const rows = list.entries.slice(i, i + 1000).map(({ kind, hash }) => `('${kind}', '${hash}')`);
    await db.run(`INSERT INTO _list VALUES ${rows.join(', ')}`);
  }
}

/** The columns of a table that say whose a row is, by name; of one kind, or of all. */
export const identifying = ({ columns }: Table, kind?: Identifies): [string, Identifies][] =>
  Object.entries(columns).flatMap(([name, { identifies }]) =>
    identifies && (kind ?? identifies) === identifies ? [[name, identifies]] : [],
  );

/** A query for the values of a column that the list has, as they are spelled. Each is hashed once, and not each row. */
export const listedValues = (from: string, column: string, kind: Identifies): string =>
  `SELECT value FROM (SELECT DISTINCT ${quoteName(column)} AS value FROM ${from})
    WHERE _pseudonym('${kind}:' || ${normalisedSql('value')}) IN (SELECT hash FROM _list WHERE kind = '${kind}')`;

/** The temporary table `(value)` of a column's values that the list has. */
export const listedName = ({ name }: Table, column: string) => quoteName(`_listed_${name}_${column}`);

/** The condition that a row `t` names a person; never NULL. */
export const namesPerson = (table: Table): string =>
  identifying(table, 'person')
    .map(([column]) => `COALESCE(${normalisedSql(`t.${quoteName(column)}`)} <> '', false)`)
    .join(' OR ') || 'false';

/**
 * The condition that a row `t` of `from` is of somebody in the list, or of a person in it by one kind of columns only.
 * A device may be another's by now, so it only tells of rows that name no person. What the condition needs is made
 * ready.
 */
export async function theirRows(
  db: DuckDBConnection,
  table: Table,
  from: string,
  only?: Identifies,
): Promise<string> {
  const conditions: string[] = [];
  for (const [column, kind] of identifying(table, only)) {
    const listed = listedName(table, column);
    await db.run(`CREATE OR REPLACE TEMP TABLE ${listed} AS ${listedValues(from, column, kind)}`);
    const among = isAmong(column, listed);
    conditions.push(kind === 'device' ? `(${among} AND NOT (${namesPerson(table)}))` : among);
  }
  return conditions.join(' OR ') || 'false';
}

/** The condition that a column of a row `t` has a value of a table's column `value`; never NULL. */
export const isAmong = (column: string, values: string) =>
  `COALESCE(t.${quoteName(column)} IN (SELECT value FROM ${values}), false)`;

/** Takes the rows of who was forgotten out of a folder that no reader knows of yet. Returns how many they were. */
export async function takeOut(
  db: DuckDBConnection,
  table: Table,
  dir: string,
  list: Suppression,
): Promise<number> {
  await readyList(db, list);
  const from = parquetIn(dir);
  const theirs = await theirRows(db, table, from);
  const rows = await countOf(db, `SELECT 1 FROM ${from} t WHERE ${theirs}`);
  if (rows > 0) await rewriteTable(db, dir, `SELECT * FROM ${from} t WHERE NOT (${theirs})`);
  return rows;
}
