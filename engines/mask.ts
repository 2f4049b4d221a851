import { type Expectation, shownColumns, type Table } from '../model';

export const MASK = '•••';

/** How a value of a bad row of `table` is told: as it is where it may be shown, masked where not. */
export function masker(
  [table, ...others]: readonly [Table, ...Table[]],
  e: Pick<Expectation, 'counts' | 'sql'>,
) {
  const { columns, counts } = shownColumns(table, others, e);
  const isShown = (name: string, value: unknown) =>
    columns.includes(name) ||
    (counts.includes(name) && (typeof value === 'bigint' || Number.isInteger(value)));
  return (name: string, value: unknown): string => {
    if (value === null || value === undefined) return 'NULL';
    if (!isShown(name, value)) return MASK;
    return value instanceof Date ? value.toISOString() : String(value);
  };
}
