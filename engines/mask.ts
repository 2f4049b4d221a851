import type { Expectation, Table } from '../model';

const MASK = '•••';

/**
 * What may be shown of a bad row: the values of columns that the tables read declare as not personal, and whole
 * numbers in the columns that the expectation says are counts. Under any other name a value may be anything.
 */
export function masker(tables: readonly Table[], { counts }: Pick<Expectation, 'counts'>) {
  const columns = tables.flatMap((table) => Object.entries(table.columns));
  const isShown = (name: string, value: unknown) => {
    const declared = columns.flatMap(([own, column]) => (own === name ? [column] : []));
    return declared.length > 0
      ? declared.every((column) => column.pii === undefined)
      : counts.includes(name) && (typeof value === 'bigint' || Number.isInteger(value));
  };
  return (name: string, value: unknown): string => {
    if (value === null || value === undefined) return 'NULL';
    if (!isShown(name, value)) return MASK;
    return value instanceof Date ? value.toISOString() : String(value);
  };
}
