import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { countOf, OWN_COLUMNS, parquetIn, rowsOf, withDatabase } from '../database';
import { masker } from '../findings';
import { quoteName } from '../sql';
import { Store } from '../store';
import { textsOf } from './query';

/** A table as two lakes have it. */
export interface Comparison {
  readonly table: string;
  /** Rows. */
  readonly before: number;
  readonly after: number;
  /** By which rows are the same; absent where rows are compared as a whole. */
  readonly key?: readonly string[];
  readonly added: number;
  readonly removed: number;
  /** Rows of the same key. */
  readonly changed: number;
  readonly columns: readonly ColumnComparison[];
  /** Values as text, personal ones masked; a change as `before → after`. */
  readonly examples: readonly {
    readonly kind: 'added' | 'removed' | 'changed';
    readonly row: Readonly<Record<string, string>>;
  }[];
}

/** A column that changed; `rows` are those of the same key, or how many values have no counterpart. */
export interface ColumnComparison {
  readonly column: string;
  readonly rows: number;
  /** Of a number that is not personal: the mean of the rows that changed, and by how much the furthest did. */
  readonly means?: { readonly before: number; readonly after: number; readonly most: number };
}

/** What of a table's contract is needed to compare it. */
export interface Comparable {
  /** The columns that both revisions have. */
  readonly columns: readonly string[];
  /** Those that both revisions allow to be shown. */
  readonly open: readonly string[];
  /** Sets of columns that rows should be the same by. */
  readonly keys: readonly (readonly string[])[];
}

const EXAMPLES = 5;
/** Of an example that has them all, no more is read. */
const EXAMPLE_COLUMNS = 12;

/** Compares the tables that two lakes have published, whatever engine of this version or another made them. */
export async function compareLakes(
  lakes: { readonly before: string; readonly after: string },
  tables: Readonly<Record<string, Comparable>>,
): Promise<Comparison[]> {
  const [before, after] = await Promise.all([lakes.before, lakes.after].map(publishedIn));
  return withDatabase(async (db) => {
    const found: Comparison[] = [];
    for (const [table, of] of Object.entries(tables)) {
      const [was, is] = [before?.get(table), after?.get(table)];
      if (was === undefined || is === undefined) continue;
      // The same bytes are the same rows: nobody has to look at them.
      const same = (await digestOf(was.dir)) === (await digestOf(is.dir));
      found.push(same ? unchanged(table, is.rows) : await compareTable(db, table, [was.dir, is.dir], of));
    }
    return found;
  });
}

async function publishedIn(lake: string) {
  const store = new Store(lake);
  return new Map(
    store.publishedTables(await store.pointer()).map((published) => [published.table, published]),
  );
}

async function digestOf(dir: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(dir, { recursive: true })).sort()) {
    if (!name.endsWith('.parquet')) continue;
    hash.update(`${name}\n`);
    for await (const chunk of createReadStream(join(dir, name))) hash.update(chunk);
  }
  return hash.digest('hex');
}

const unchanged = (table: string, rows: number): Comparison => {
  return { table, before: rows, after: rows, added: 0, removed: 0, changed: 0, columns: [], examples: [] };
};

async function compareTable(
  db: DuckDBConnection,
  table: string,
  [before, after]: readonly [string, string],
  { columns, open, keys }: Comparable,
): Promise<Comparison> {
  const [was, is] = [await typesIn(db, before), await typesIn(db, after)];
  const common = columns.filter((column) => was.has(column) && is.has(column));
  // By the values that people see: a number that is summed up in another order has other last digits.
  const comparable = (column: string) => {
    const [a, b] = [was.get(column), is.get(column)];
    const isRounded = isNumber(a) && isNumber(b) && (a !== b || a === 'DOUBLE');
    if (a !== b && !isRounded) return `CAST(${quoteName(column)} AS VARCHAR)`;
    return isRounded
      ? `CAST(printf('%.${a === b ? 9 : 15}g', ${quoteName(column)}::DOUBLE) AS DOUBLE)`
      : quoteName(column);
  };
  for (const [view, dir] of [
    ['_before', before],
    ['_after', after],
  ] as const) {
    const all = common.map((column) => `${comparable(column)} AS ${quoteName(column)}`);
    await db.run(
      `CREATE OR REPLACE TEMP VIEW ${view} AS SELECT ${all.join(', ') || '1 AS _'} FROM ${parquetIn(dir)}`,
    );
  }
  const counts = {
    table,
    before: await countOf(db, 'FROM _before'),
    after: await countOf(db, 'FROM _after'),
  };
  const shown = new Set(open.filter((column) => common.includes(column)));
  const numbers = new Set(common.filter((column) => isNumber(was.get(column)) && isNumber(is.get(column))));
  const key = await keyOf(
    db,
    keys.filter((one) => one.every((column) => common.includes(column))),
  );
  return key
    ? { ...counts, ...(await byKey(db, key, common, shown, numbers)) }
    : { ...counts, ...(await byRow(db, common, shown)) };
}

/** Keeps the rows of a query, which are counted and looked at, under a name. */
async function keep(db: DuckDBConnection, name: string, sql: string): Promise<string> {
  await db.run(`CREATE OR REPLACE TEMP TABLE ${name} AS ${sql}`);
  return `FROM ${name}`;
}

const one = async <T>(db: DuckDBConnection, sql: string) => (await rowsOf<T>(db, sql))[0] as T;

const isNumber = (type = '') => /^(?:(?:TINY|SMALL|BIG|HUGE)?INT|DOUBLE|FLOAT|DECIMAL)/.test(type);

async function typesIn(db: DuckDBConnection, dir: string): Promise<Map<string, string>> {
  const sql = `DESCRIBE SELECT ${OWN_COLUMNS} FROM ${parquetIn(dir)}`;
  const found = await rowsOf<{ column_name: string; column_type: string }>(db, sql);
  return new Map(found.map((column) => [column.column_name, column.column_type]));
}

/** The first key that no two rows share, in either lake. */
async function keyOf(db: DuckDBConnection, keys: Comparable['keys']) {
  for (const key of keys) {
    const isUnique = `count(*) = count(DISTINCT row(${key.map(quoteName).join(', ')}))`;
    const isKey = `SELECT (SELECT ${isUnique} FROM _before) AND (SELECT ${isUnique} FROM _after) AS is_key`;
    if ((await one<{ is_key: boolean }>(db, isKey)).is_key) return key;
  }
  return undefined;
}

type Found = Omit<Comparison, 'table' | 'before' | 'after'>;

async function byKey(
  db: DuckDBConnection,
  key: readonly string[],
  common: readonly string[],
  shown: ReadonlySet<string>,
  numbers: ReadonlySet<string>,
): Promise<Found> {
  const same = key
    .map((column) => `b.${quoteName(column)} IS NOT DISTINCT FROM a.${quoteName(column)}`)
    .join(' AND ');
  const others = common.filter((column) => !key.includes(column));
  const differs = (column: string) => `b.${quoteName(column)} IS DISTINCT FROM a.${quoteName(column)}`;
  const anyDiffers = others.map(differs).join(' OR ') || 'false';
  const joined = `FROM _before b JOIN _after a ON ${same} WHERE ${anyDiffers}`;
  const added = await keep(db, '_added', `SELECT a.* FROM _after a ANTI JOIN _before b ON ${same}`);
  const removed = await keep(db, '_removed', `SELECT b.* FROM _before b ANTI JOIN _after a ON ${same}`);
  const changes = await one<Record<string, number | null>>(
    db,
    `SELECT count(*) AS n${others
      .map((column, i) => {
        const filter = `FILTER (WHERE ${differs(column)})`;
        const [b, a] = [`b.${quoteName(column)}::DOUBLE`, `a.${quoteName(column)}::DOUBLE`];
        const size =
          numbers.has(column) && shown.has(column)
            ? `, avg(${b}) ${filter} AS b${i}, avg(${a}) ${filter} AS a${i}, max(abs(${a} - ${b})) ${filter} AS m${i}`
            : '';
        return `, count(*) ${filter} AS n${i}${size}`;
      })
      .join('')} ${joined}`,
  );
  const columns = others.flatMap((column, i): ColumnComparison[] => {
    const rows = changes[`n${i}`] ?? 0;
    const [b, a, most] = [changes[`b${i}`], changes[`a${i}`], changes[`m${i}`]];
    const means = b != null && a != null && most != null ? { means: { before: b, after: a, most } } : {};
    return rows === 0 ? [] : [{ column, rows, ...means }];
  });
  const order = key.map(quoteName).join(', ');
  const changed = changes.n ?? 0;
  const moved = columns.map(({ column }) => column).slice(0, EXAMPLE_COLUMNS);
  const pairs = [
    ...key.map((column) => `b.${quoteName(column)} AS ${quoteName(column)}`),
    ...moved.flatMap((column) => [
      `b.${quoteName(column)} AS ${quoteName(column)}`,
      `a.${quoteName(column)} AS ${quoteName(column)}`,
    ]),
  ];
  const found = {
    key,
    added: await countOf(db, added),
    removed: await countOf(db, removed),
    changed,
    columns,
  };
  const first = `SELECT ${pairs.join(', ')} ${joined} ORDER BY ${key.map((column) => `b.${quoteName(column)}`).join(', ')}`;
  const examples = (await shownRows(db, `${first} LIMIT ${EXAMPLES}`, shown)).map((row) => ({
    kind: 'changed' as const,
    row: Object.fromEntries([
      ...key.map((column, i) => [column, row[i] as string]),
      ...moved.map((column, i) => {
        const [b, a] = row.slice(key.length + 2 * i);
        return [column, b === a ? (b as string) : `${b} → ${a}`];
      }),
    ]),
  }));
  return {
    ...found,
    examples: unlike([...examples, ...(await rowExamples(db, { added, removed }, order, common, shown))]),
  };
}

async function byRow(
  db: DuckDBConnection,
  common: readonly string[],
  shown: ReadonlySet<string>,
): Promise<Found> {
  const list = common.map(quoteName).join(', ') || '_';
  const without = (a: string, b: string, columns = list) =>
    `SELECT ${columns} FROM ${a} EXCEPT ALL SELECT ${columns} FROM ${b}`;
  const added = await keep(db, '_added', without('_after', '_before'));
  const removed = await keep(db, '_removed', without('_before', '_after'));
  const found = { added: await countOf(db, added), removed: await countOf(db, removed), changed: 0 };
  const columns: ColumnComparison[] = [];
  // Where rows came or went, all columns have other values.
  if (found.added > 0 && found.added === found.removed)
    for (const column of common) {
      const rows = await countOf(db, without('_after', '_before', quoteName(column)));
      if (rows > 0) columns.push({ column, rows });
    }
  return {
    ...found,
    columns,
    examples: unlike(await rowExamples(db, { added, removed }, list, common, shown)),
  };
}

async function rowExamples(
  db: DuckDBConnection,
  of: Readonly<Record<'added' | 'removed', string>>,
  order: string,
  common: readonly string[],
  shown: ReadonlySet<string>,
): Promise<Comparison['examples']> {
  const found: { kind: 'added' | 'removed'; row: Record<string, string> }[] = [];
  const columns = common.filter((column) => shown.has(column)).slice(0, EXAMPLE_COLUMNS);
  if (columns.length === 0) return found;
  for (const kind of ['added', 'removed'] as const) {
    const sql = `SELECT ${columns.map(quoteName).join(', ')} FROM (${of[kind]}) ORDER BY ${order} LIMIT ${EXAMPLES}`;
    for (const row of await shownRows(db, sql, shown))
      found.push({ kind, row: Object.fromEntries(columns.map((column, i) => [column, row[i] as string])) });
  }
  return found;
}

/** The rows of a query, values that may not be shown masked. */
async function shownRows(db: DuckDBConnection, sql: string, shown: ReadonlySet<string>): Promise<string[][]> {
  const { columns, rows } = await textsOf(db, sql);
  const mask = masker({ columns: [...shown], counts: [] });
  return rows.map((row) => columns.map((column, i) => mask(column, row[i] ?? null) ?? 'NULL'));
}

/** Of those that look alike, masked, one; of each kind some, no more than {@link EXAMPLES} in all. */
function unlike(all: Comparison['examples']): Comparison['examples'] {
  const found = [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
  const of = (kind: string) => found.filter((one) => one.kind === kind);
  const order = [of('changed'), of('added'), of('removed')];
  return Array.from({ length: EXAMPLES }, (_, i) => order.flatMap((kind) => kind[i] ?? []))
    .flat()
    .slice(0, EXAMPLES);
}
