import type { DuckDBConnection } from '@duckdb/node-api';
import { refinedSql, type Table } from '../../model';
import { parquetIn } from '../database';
import { quoteName } from '../sql';

/** The columns of a table as jobs see them, of its Parquet. */
export const seenAs = (table: Table): string => (table.format === 'iceberg' ? '*' : refinedSql(table));

/** Lets the SQL that follows read a table by its name. `dir`: the folder of its rows. */
export const openTable = (db: DuckDBConnection, table: Table, dir: string) =>
  db.run(
    `CREATE OR REPLACE TEMP VIEW ${quoteName(table.name)} AS SELECT ${seenAs(table)} FROM ${parquetIn(dir)}`,
  );
