import type { Column, Table } from '../model';

const MASK = '•••';

/**
 * What may be shown of a bad row: the values of columns that the tables read declare as not personal, and
 * counts. A value under another name may be anything, so it is masked unless it is a whole number, and no table
 * read has personal numbers. A text is masked whatever it says: a telephone number is digits too.
 */
export function masker(tables: readonly Table[]) {
  const columns = tables.flatMap((table) => Object.entries(table.columns));
  const numbersArePersonal = columns.some(
    ([, { pii, type }]) => pii && (type === 'int' || type === 'double'),
  );
  const isShown = (name: string, value: unknown) => {
    const declared: Column[] = columns.flatMap(([own, column]) => (own === name ? [column] : []));
    return declared.length > 0
      ? declared.every((column) => column.pii === undefined)
      : (typeof value === 'bigint' || Number.isInteger(value)) && !numbersArePersonal;
  };
  return (name: string, value: unknown): string => {
    if (value === null || value === undefined) return 'NULL';
    if (!isShown(name, value)) return MASK;
    return value instanceof Date ? value.toISOString() : String(value);
  };
}
