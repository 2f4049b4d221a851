// What the values of published tables are like: of columns that hold nobody's data; of all others, how many there are.
import type { Engine } from '../../engines/engine';
import { quoteName, quoteString } from '../../engines/sql';
import { type Column, openColumns, type Table } from '../../model';
import type { ColumnProfile } from './page/data';

const BARS = 16;
/** A column with at most as many values is shown value by value. */
const FEW = 12;

/** Which measures a column has: a keyed hash and a piece of JSON have no least that says anything. */
const kindOf = ({ type }: Column): 'range' | 'values' | 'counts' => {
  if (['text', 'boolean', 'isoInstant', 'isoDate'].includes(type)) return 'values';
  return type === 'pseudonym' || type === 'json' ? 'counts' : 'range';
};

/** A value as a number on a line, as SQL. */
const position = (name: string, { type }: Column) => {
  const column = quoteName(name);
  if (type === 'timestamp') return `epoch_ms(${column})`;
  return type === 'date' ? `epoch_ms(CAST(${column} AS TIMESTAMP))` : `CAST(${column} AS DOUBLE)`;
};

/** Of each table the profile of its columns, by name. Two queries, of all tables at once. */
export async function profilesOf(
  engine: Pick<Engine, 'query'>,
  tables: readonly Table[],
): Promise<ReadonlyMap<string, Readonly<Record<string, ColumnProfile>>>> {
  const measured = await ask<Measured>(engine, tables, (name, column, isOpen) => {
    const own = quoteName(name);
    const counts = `nulls: COUNT(*) - COUNT(${own}), 'distinct': COUNT(DISTINCT ${own})`;
    return isOpen && kindOf(column) !== 'counts'
      ? `{${counts}, least: CAST(MIN(${own}) AS VARCHAR), greatest: CAST(MAX(${own}) AS VARCHAR)${kindOf(column) === 'range' ? `, low: MIN(${position(name, column)}), high: MAX(${position(name, column)})` : ''}}`
      : `{${counts}}`;
  });
  const histograms = await ask<Readonly<Record<string, number>>>(
    engine,
    tables,
    (name, column, isOpen, table) => {
      const found = measured.get(table.name)?.[name];
      if (!isOpen || found?.least == null) return undefined;
      const own = quoteName(name);
      if (found.distinct <= FEW) return `CAST(histogram(CAST(${own} AS VARCHAR)) AS JSON)`;
      const { low, high } = found;
      if (low === undefined || high === undefined || !(high > low)) return undefined;
      return `CAST(histogram(CAST(least(${BARS - 1}, floor((${position(name, column)} - ${low}) / ${(high - low) / BARS})) AS TINYINT)) AS JSON)`;
    },
  );
  return new Map(
    [...measured].map(([table, columns]) => [
      table,
      Object.fromEntries(
        Object.entries(columns).map(([name, { low, high, least, greatest, ...counts }]) => {
          const bars = histograms.get(table)?.[name];
          const isFew = counts.distinct <= FEW;
          return [
            name,
            {
              ...counts,
              ...(least != null && { least }),
              ...(greatest != null && { greatest }),
              ...(bars && {
                histogram: isFew
                  ? Object.entries(bars)
                  : Array.from({ length: BARS }, (_, i) => ['', bars[i] ?? 0] as const),
              }),
            },
          ];
        }),
      ),
    ]),
  );
}

interface Measured {
  readonly nulls: number;
  readonly distinct: number;
  readonly least?: string | null;
  readonly greatest?: string | null;
  readonly low?: number;
  readonly high?: number;
}

/** One query that gives a measure of each column of each table, as JSON. */
async function ask<T>(
  engine: Pick<Engine, 'query'>,
  tables: readonly Table[],
  measure: (name: string, column: Column, isOpen: boolean, table: Table) => string | undefined,
): Promise<ReadonlyMap<string, Readonly<Record<string, T>>>> {
  const selects = tables.flatMap((table) => {
    const open = openColumns(table);
    const parts = Object.entries(table.columns).flatMap(([name, column]) => {
      const sql = measure(name, column, open.includes(name), table);
      return sql === undefined ? [] : [`${quoteString(name)}: ${sql}`];
    });
    return parts.length === 0
      ? []
      : [
          `SELECT ${quoteString(table.name)}, CAST(to_json({${parts.join(', ')}}) AS VARCHAR) FROM ${table.name}`,
        ];
  });
  const found = new Map<string, Readonly<Record<string, T>>>();
  if (selects.length === 0) return found;
  const { rows } = await engine.query(selects.join(' UNION ALL '));
  for await (const chunk of rows)
    for (const [table, json] of chunk) found.set(table as string, JSON.parse(json as string));
  return found;
}
