import { refinedSql, type Table } from '../../model';

/** The columns of a table as jobs see them, of its Parquet. */
export const seenAs = (table: Table): string => (table.format === 'iceberg' ? '*' : refinedSql(table));
