import type { Column, ColumnType } from './column';

/** How a type is spelled. */
interface Spelling {
  readonly duckdb: string;
  readonly spark: string;
  readonly iceberg: string;
}

/** What the spelling of a column's type depends on. */
type Typed = Pick<Column, 'type' | 'precision' | 'scale'>;

const TEXT = { duckdb: 'VARCHAR', spark: 'string', iceberg: 'string' };
const WHOLE = { duckdb: 'BIGINT', spark: 'bigint', iceberg: 'long' };

/**
 * How the types of columns are spelled, of landing as they are written. The catalog has Spark's words too. Instants
 * are without zone: all are UTC by rule, and Athena shows their milliseconds.
 */
const TYPES: Readonly<Record<Exclude<ColumnType, 'decimal'>, Spelling>> = {
  text: TEXT,
  int: WHOLE,
  double: { duckdb: 'DOUBLE', spark: 'double', iceberg: 'double' },
  boolean: { duckdb: 'BOOLEAN', spark: 'boolean', iceberg: 'boolean' },
  json: TEXT,
  epochMillis: WHOLE,
  isoInstant: TEXT,
  isoDate: TEXT,
  timestamp: { duckdb: 'TIMESTAMP', spark: 'timestamp_ntz', iceberg: 'timestamp' },
  date: { duckdb: 'DATE', spark: 'date', iceberg: 'date' },
  pseudonym: TEXT,
};

export const COLUMN_TYPES: readonly ColumnType[] = [...(Object.keys(TYPES) as ColumnType[]), 'decimal'];

/** How a column's type is spelled. */
export function spelled({ type, precision, scale }: Typed): Spelling {
  if (type !== 'decimal') return TYPES[type];
  const digits = `${precision},${scale}`;
  return {
    duckdb: `DECIMAL(${digits})`,
    spark: `decimal(${digits})`,
    iceberg: `decimal(${precision}, ${scale})`,
  };
}

/** DuckDB's word for a type of Iceberg that a column can have. */
export function duckdbOf(iceberg: string): string {
  const known = Object.values(TYPES).find((one) => one.iceberg === iceberg);
  return known?.duckdb ?? iceberg.toUpperCase().replaceAll(' ', '');
}

/** Columns as Spark takes a schema. */
export const sparkSchema = (columns: Readonly<Record<string, Typed>>): string =>
  Object.entries(columns)
    .map(([name, column]) => `\`${name}\` ${spelled(column).spark}`)
    .join(', ');
