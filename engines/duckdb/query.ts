import {
  type DuckDBConnection,
  type DuckDBResult,
  type DuckDBType,
  DuckDBTypeId,
  StatementType,
} from '@duckdb/node-api';
import { LakeError, type QueryColumn, type QueryResult, UsageError } from '../engine';
import { quoteName, quoteString } from '../sql';
import { literalPath, openDatabase, parquetIn, tellError } from './database';
import type { Pointer, Store } from './store';
import { QUARANTINE } from './types';

/**
 * Runs one SELECT over the published tables, and over `<table>_quarantine` (file, line, reason, detail, raw) of
 * the last run that refused anything of a table. Nothing else can be read, and nothing written.
 */
export async function queryLake(store: Store, sql: string): Promise<QueryResult> {
  const pointer = await store.pointer();
  const quarantines = await store.quarantines();
  if (pointer.runId === '' && quarantines.size === 0) {
    throw new LakeError(`no table is published in ${store.root}; lake run makes them`);
  }
  const db = await openDatabase();
  try {
    await openTables(db, store, pointer, quarantines);
    return await start(db, sql, async () => (await store.pointer()).runId !== pointer.runId);
  } catch (error) {
    db.closeSync();
    throw error;
  }
}

async function openTables(
  db: DuckDBConnection,
  store: Store,
  { tables }: Pointer,
  quarantines: ReadonlyMap<string, string>,
) {
  const view = (name: string, query: string) => db.run(`CREATE VIEW ${quoteName(name)} AS ${query}`);
  const folders = Object.entries(tables).map(
    ([table, { runId }]) => [table, store.tableDir(runId, table)] as const,
  );
  for (const [table, dir] of folders) await view(table, `SELECT * FROM ${parquetIn(dir)}`);
  for (const table of new Set([...Object.keys(tables), ...quarantines.keys()])) {
    const file = quarantines.get(table);
    await view(
      `${table}_quarantine`,
      file
        ? `SELECT * FROM read_parquet(${quoteString(literalPath(file))})`
        : `SELECT ${Object.entries(QUARANTINE).map(([name, type]) => `CAST(NULL AS ${type}) AS ${name}`)} WHERE false`,
    );
  }
  const listOf = (paths: Iterable<string>) => `[${[...paths].map(quoteString).join(', ')}]`;
  await db.run(`SET allowed_directories = ${listOf(folders.map(([, dir]) => dir))}`);
  await db.run(`SET allowed_paths = ${listOf(quarantines.values())}`);
  await db.run('SET enable_external_access = false');
  await db.run('SET lock_configuration = true');
}
async function start(db: DuckDBConnection, sql: string, stale: () => Promise<boolean>): Promise<QueryResult> {
  const told = (error: unknown) => {
    if (/Permission Error/.test(String(error))) {
      throw new UsageError('a query reads the published tables and no other file, and writes nothing');
    }
    throw new LakeError(tellError(error));
  };
  // DuckDB has no statement to tell of in an empty text, and no message either.
  if (/^(?:\s|--[^\n]*|\/\*[\s\S]*?\*\/|;)*$/.test(sql))
    throw new UsageError('the query is empty; give one SELECT');
  const statements = await db.extractStatements(sql).catch(told);
  if (statements.count !== 1) {
    throw new UsageError(`a query is one SELECT; this is ${statements.count} statements`);
  }
  const prepared = await statements.prepare(0).catch(told);
  if (prepared.statementType !== StatementType.SELECT) {
    throw new UsageError('a query reads and changes nothing; give one SELECT');
  }
  const result = await prepared.stream().catch(told);
  const types = result.columnTypes().map(columnType);
  return {
    columns: result.columnNames().map((name, i) => ({ name, type: types[i] as QueryColumn['type'] })),
    rows: rowsAsText(db, result, types, stale),
  };
}

async function* rowsAsText(
  db: DuckDBConnection,
  result: DuckDBResult,
  types: readonly QueryColumn['type'][],
  stale: () => Promise<boolean>,
) {
  try {
    for await (const rows of result.yieldRowsJs()) {
      yield rows.map((row) => row.map((value, i) => asText(value, types[i] as QueryColumn['type'])));
    }
  } catch (error) {
    if (await stale()) throw new LakeError('a run published anew while the query went on; ask again');
    throw new LakeError(tellError(error));
  } finally {
    db.closeSync();
  }
}

const NUMBERS = new Set(
  'TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT FLOAT DOUBLE DECIMAL'.split(
    ' ',
  ),
);

function columnType(type: DuckDBType): QueryColumn['type'] {
  const name = String(DuckDBTypeId[type.typeId]);
  if (NUMBERS.has(name)) return 'number';
  if (name.startsWith('TIMESTAMP')) return 'instant';
  if (name === 'DATE') return 'date';
  if (name === 'BOOLEAN') return 'boolean';
  return name === 'VARCHAR' ? 'text' : 'other';
}

function asText(value: unknown, type: QueryColumn['type']): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) {
    const iso = value.toISOString();
    return type === 'date' ? iso.slice(0, 10) : iso.replace('T', ' ').replace('Z', '');
  }
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? Number(inner) : inner));
}
