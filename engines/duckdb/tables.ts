import type { DuckDBConnection } from '@duckdb/node-api';
import { refinedSql, type Table } from '../../model';
import { parquetIn } from '../database';
import { quoteName } from '../sql';

/** The columns of a table as jobs see them, of its Parquet. */
export const seenAs = (table: Table): string => (table.format === 'iceberg' ? '*' : refinedSql(table));

/** Lets the SQL that follows read a table by its name. `dir`: the folder of its rows. */
export const openTable = (db: DuckDBConnection, table: Table, dir: string) =>
  openRows(db, table, parquetIn(dir));

/** Lets it read some of the table's rows by its name. */
export const openRows = (db: DuckDBConnection, table: Table, rows: string) =>
  db.run(`CREATE OR REPLACE TEMP VIEW ${quoteName(table.name)} AS SELECT ${seenAs(table)} FROM ${rows}`);
