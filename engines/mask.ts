import type { Table } from '../model';

const MASK = '•••';

/**
 * What may be shown of a bad row: the values of columns that the tables read declare as not personal, and
 * counts. An expression under another name may hold anything, so it is masked unless it is a whole number.
 */
export function masker(tables: readonly Table[]) {
  return (column: string, value: unknown): string => {
    if (value === null || value === undefined) return 'NULL';
    const declared = tables.flatMap((table) => table.columns[column] ?? []);
    const shown =
      declared.length > 0 ? declared.every((c) => c.pii === undefined) : /^-?\d+$/.test(String(value));
    if (!shown) return MASK;
    return value instanceof Date ? value.toISOString() : String(value);
  };
}
