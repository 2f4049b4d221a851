import type { ColumnType } from './column';

const TEXT = { duckdb: 'VARCHAR', spark: 'string', iceberg: 'string' };
const WHOLE = { duckdb: 'BIGINT', spark: 'bigint', iceberg: 'long' };

/**
 * How the types of columns are spelled, of landing as they are written. The catalog has Spark's words too. Instants
 * are without zone: all are UTC by rule, and Athena shows their milliseconds.
 */
export const TYPES: Readonly<Record<ColumnType, typeof TEXT>> = {
  text: TEXT,
  int: WHOLE,
  double: { duckdb: 'DOUBLE', spark: 'double', iceberg: 'double' },
  epochMillis: WHOLE,
  isoDate: TEXT,
  timestamp: { duckdb: 'TIMESTAMP', spark: 'timestamp_ntz', iceberg: 'timestamp' },
  date: { duckdb: 'DATE', spark: 'date', iceberg: 'date' },
  pseudonym: TEXT,
};

/** Columns as Spark takes a schema. */
export const sparkSchema = (columns: Readonly<Record<string, { readonly type: ColumnType }>>): string =>
  Object.entries(columns)
    .map(([name, { type }]) => `\`${name}\` ${TYPES[type].spark}`)
    .join(', ');
