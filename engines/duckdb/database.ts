import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/** A DuckDB of its own in memory, that spills to `scratch` where given. */
export async function openDatabase(scratch?: string): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', {
    ...(scratch && { temp_directory: scratch }),
    // Row order carries no meaning in a table, and keeping it would hold whole files in memory.
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
    TimeZone: 'UTC',
  });
  return instance.connect();
}

/** The rows of a query as objects, numbers as JavaScript numbers. */
export async function rowsOf<T>(db: DuckDBConnection, sql: string): Promise<T[]> {
  const reader = await db.runAndReadAll(sql);
  const plain = (value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
  return reader
    .getRowObjectsJS()
    .map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, plain(v)])) as T);
}
