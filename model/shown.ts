import type { Expectation } from './expectation';
import type { Table } from './table';

/** Which values of a bad row may be told, by the names of the columns that an expectation's query returns. */
export interface Shown {
  /** Whatever their values are. */
  readonly columns: readonly string[];
  /** Where they are whole numbers. */
  readonly counts: readonly string[];
}

/** Whether a query speaks of a column: `t.*` gives the columns of the table itself, so any other has to be named. */
const names = (sql: string, column: string) => new RegExp(`\\b${column}\\b`, 'i').test(sql);

/**
 * What may be told of the bad rows of `table` by an expectation that reads `others` too: columns that every one of
 * these tables that has them declares as not personal, and what the expectation says are counts. Under any other name
 * a value may be anything. A column of another table that the query does not name is left out, so that it changes
 * nothing here when it is added.
 */
export function shownColumns(
  table: Table,
  others: readonly Table[],
  { counts, sql }: Pick<Expectation, 'counts' | 'sql'>,
): Shown {
  const all = [table, ...others];
  const isPersonal = (name: string) =>
    all.some(({ columns }) => Object.hasOwn(columns, name) && columns[name]?.pii !== undefined);
  const query = sql(table.name);
  const own = Object.keys(table.columns);
  const named = others.flatMap(({ columns }) => Object.keys(columns).filter((name) => names(query, name)));
  return {
    columns: [...new Set([...own, ...named])].filter((name) => !isPersonal(name)),
    counts: counts.filter((name) => !isPersonal(name)),
  };
}
