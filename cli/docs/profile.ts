// What the values of published tables are like: of columns that hold nobody's data; of all others, how many there are.
import type { Engine, QueryResult } from '../../engines/engine';
import { quoteString } from '../../engines/sql';
import { type Column, openColumns, type Table } from '../../model';
import type { ColumnProfile } from './page/data';

const BARS = 16;
/** A column with at most as many values is shown value by value. */
const FEW = 12;

export type Profiles = ReadonlyMap<string, Readonly<Record<string, ColumnProfile>>>;

const isText = ({ type }: Column) => ['text', 'boolean', 'isoInstant', 'isoDate'].includes(type);
/** A keyed hash and a piece of JSON have no least that says anything. */
const hasValues = ({ type }: Column) => type !== 'pseudonym' && type !== 'json';

/**
 * Of each table the profile of its columns, by name. Two queries, of all tables at once, in words that every engine has:
 * Spark takes seconds to begin one.
 */
export async function profilesOf(query: Engine['query'], tables: readonly Table[]): Promise<Profiles> {
  if (tables.length === 0) return new Map();
  const measured = await measure(query, tables);
  const selects = tables.flatMap((table) =>
    Object.entries(table.columns).flatMap(([name, column]) => {
      const found = measured.get(table.name)?.[name];
      const bar = found && barOf(name, column, found);
      return bar === undefined
        ? []
        : [
            `SELECT ${[quoteString(table.name), quoteString(name), text('bar'), text('COUNT(*)')].join(', ')} FROM (SELECT ${bar} AS bar FROM ${table.name} t WHERE ${ownOf(name)} IS NOT NULL) bars GROUP BY bar`,
          ];
    }),
  );
  const bars = new Map<string, [value: string, rows: number][]>();
  for (const [table, name, value, rows] of selects.length === 0
    ? []
    : await rowsOf(await query(selects.join(' UNION ALL ')))) {
    const column = `${table}.${name}`;
    bars.set(column, [...(bars.get(column) ?? []), [String(value), Number(rows)]]);
  }
  return new Map(
    [...measured].map(([table, columns]) => [
      table,
      Object.fromEntries(
        Object.entries(columns).map(([name, profile]) => {
          const own = bars.get(`${table}.${name}`);
          const heights = new Map(own);
          const histogram =
            profile.distinct <= FEW
              ? own?.toSorted(([a], [b]) => Number(a) - Number(b) || (a < b ? -1 : 1))
              : Array.from({ length: BARS }, (_, i) => ['', heights.get(String(i)) ?? 0] as const);
          return [name, { ...profile, ...(own && histogram && { histogram }) }];
        }),
      ),
    ]),
  );
}

/** Qualified, a name may be a word of SQL; in quotes it is a text to Spark. */
const ownOf = (column: string) => `t.${column}`;
const text = (sql: string) => `CAST(${sql} AS STRING)`;

async function rowsOf({ rows }: QueryResult) {
  const all: (readonly (string | null)[])[] = [];
  for await (const chunk of rows) all.push(...chunk);
  return all;
}

/** Counts of each column, and the least and the greatest value where they may be shown. */
async function measure(query: Engine['query'], tables: readonly Table[]): Promise<Profiles> {
  const most = Math.max(...tables.map(({ columns }) => Object.keys(columns).length));
  const selects = tables.map((table) => {
    const open = openColumns(table);
    const cells = Object.entries(table.columns).flatMap(([name, column]) => {
      const own = ownOf(name);
      const ends =
        open.includes(name) && hasValues(column) ? [`MIN(${own})`, `MAX(${own})`] : ['NULL', 'NULL'];
      return [`COUNT(*) - COUNT(${own})`, `COUNT(DISTINCT ${own})`, ...ends];
    });
    const padded = [...cells, ...Array<string>(4 * most - cells.length).fill('NULL')];
    return `SELECT ${[quoteString(table.name), ...padded.map(text)].join(', ')} FROM ${table.name} t`;
  });
  const found = await rowsOf(await query(selects.join(' UNION ALL ')));
  return new Map(
    tables.map(({ name: table, columns }) => {
      const [, ...cells] = found.find(([name]) => name === table) ?? [];
      const profiles = Object.entries(columns).map(([name, { type }], i) => {
        const [nulls, distinct, ...ends] = cells.slice(4 * i, 4 * i + 4);
        // Engines print them each in its own way.
        const [least, greatest] = ends.map((end) => (end != null && type === 'double' ? String(+end) : end));
        const counts = { nulls: Number(nulls), distinct: Number(distinct) };
        return [name, { ...counts, ...(least != null && { least }), ...(greatest != null && { greatest }) }];
      });
      return [table, Object.fromEntries(profiles)];
    }),
  );
}

/** Which bar of its histogram a value counts for, as SQL: the value itself, or the number of one of equal parts. */
function barOf(
  name: string,
  column: Column,
  { distinct, least, greatest }: ColumnProfile,
): string | undefined {
  const own = ownOf(name);
  if (least === undefined || greatest === undefined) return undefined;
  if (distinct <= FEW) return own;
  if (isText(column)) return undefined;
  const isTime = column.type === 'timestamp' || column.type === 'date';
  const [low, high] = [least, greatest].map((end) =>
    isTime ? Date.parse(`${end.replace(' ', 'T')}${end.includes(' ') ? 'Z' : ''}`) : Number(end),
  ) as [number, number];
  const bounds = Array.from({ length: BARS - 1 }, (_, i) => low + ((i + 1) * (high - low)) / BARS);
  const cases = bounds.map((bound, i) => `WHEN ${isBelow(own, column, bound)} THEN ${i}`);
  return `CASE ${cases.join(' ')} ELSE ${BARS - 1} END`;
}

const DAY_MS = 86_400_000;

function isBelow(own: string, { type }: Column, bound: number): string {
  if (type === 'date')
    return `${own} < DATE '${new Date(Math.ceil(bound / DAY_MS) * DAY_MS).toISOString().slice(0, 10)}'`;
  if (type === 'timestamp')
    return `${own} < TIMESTAMP '${new Date(Math.ceil(bound)).toISOString().slice(0, -1).replace('T', ' ')}'`;
  return `CAST(${own} AS DOUBLE) < CAST('${bound}' AS DOUBLE)`;
}
