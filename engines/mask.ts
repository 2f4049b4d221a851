import { type Expectation, expectationsOf, type Pipeline, shownColumns, type Table } from '../model';
import type { Finding, QueryColumn } from './engine';

const MASK = '•••';

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
export function findingOf({ tables }: Pipeline, { columns, rows, ...bad }: BadRows): Finding {
  const table = tables.get(bad.table) as Table;
  const e = expectationsOf(table).find(({ name }) => name === bad.expectation) as Expectation;
  const mask = masker([table, ...e.reads.map((name) => tables.get(name) as Table)], e);
  const samples = rows.map((row) =>
    Object.fromEntries(columns.map((column, i) => [column.name, mask(column, row[i] ?? null)])),
  );
  return { ...bad, severity: e.severity, description: e.description, samples };
}
