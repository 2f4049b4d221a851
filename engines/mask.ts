import {
  DELIVERED_ONCE,
  type Expectation,
  expectationsOf,
  type Pipeline,
  shownColumns,
  type Table,
} from '../model';
import type { Finding, QueryColumn } from './engine';

export const MASK = '•••';

/** How a value of a bad row of `table` is told: as it is where it may be shown, masked where not. */
export function masker(
  [table, ...others]: readonly [Table, ...Table[]],
  e: Pick<Expectation, 'counts' | 'sql'>,
) {
  const { columns, counts } = shownColumns(table, others, e);
  return ({ name, type }: QueryColumn, value: string | null): string => {
    if (value === null) return 'NULL';
    const isCount = counts.includes(name) && type === 'number' && /^-?\d+$/.test(value);
    return isCount || columns.includes(name) ? value : MASK;
  };
}

/** The first bad rows of an expectation, as an engine found them. */
export interface BadRows {
  readonly table: string;
  readonly expectation: string;
  readonly failed: number;
  readonly columns: readonly QueryColumn[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** The bad rows as people may see them. */
export function findingOf({ tables, jobs }: Pipeline, { columns, rows, ...bad }: BadRows): Finding {
  const table = tables.get(bad.table) as Table;
  const job = jobs.find(({ output }) => output === table);
  const e = expectationsOf(table, job).find(({ name }) => name === bad.expectation);
  const mask = e
    ? masker([table, ...e.reads.map((name) => tables.get(name) as Table)], e)
    : (_: QueryColumn, value: string | null) => value ?? 'NULL';
  const samples = rows.map((row) =>
    Object.fromEntries(columns.map((column, i) => [column.name, mask(column, row[i] ?? null)])),
  );
  // That one is of files, whose names may be shown.
  const { severity, description } = e ?? DELIVERED_ONCE;
  return { ...bad, severity, description, samples };
}
