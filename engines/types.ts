import { QUARANTINE as COLUMNS, type Column, refinedType, spelled, type Table } from '../model';
import { quoteName } from './sql';

/** How a column is stored in Parquet. */
export const storedType = (column: Pick<Column, 'type' | 'precision' | 'scale'>): string =>
  spelled(column).duckdb;

/** The type in which a job's SQL sees a column. */
export const readType = (column: Column): string => storedType({ ...column, type: refinedType(column.type) });

/** A select list that gives a table's columns as NULLs of their types: a table without rows. */
export const nothing = (table: Table, typeOf: (column: Column) => string): string =>
  Object.entries(table.columns)
    .map(([name, column]) => `CAST(NULL AS ${typeOf(column)}) AS ${quoteName(name)}`)
    .join(', ');

/** The columns of a quarantine: where a refused line stood, why it was refused, and what it said. */
export const QUARANTINE: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(COLUMNS).map(([name, column]) => [name, storedType(column)]),
);

/** A select list that gives {@link QUARANTINE} as NULLs of their types. */
export const NO_QUARANTINE = Object.entries(QUARANTINE)
  .map(([name, type]) => `CAST(NULL AS ${type}) AS ${name}`)
  .join(', ');

/** {@link QUARANTINE} as CREATE TABLE takes it. */
export const QUARANTINE_COLUMNS = Object.entries(QUARANTINE)
  .map((column) => column.join(' '))
  .join(', ');
