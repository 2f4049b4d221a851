import { isDeepStrictEqual } from 'node:util';
import {
  type DuckDBConnection,
  DuckDBDecimalValue,
  type DuckDBResult,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValueConverter,
  type JS,
  JSDuckDBValueConverter,
  StatementType,
} from '@duckdb/node-api';
import {
  connectTo,
  literalPath,
  OWN_COLUMNS,
  openDatabase,
  parquetFile,
  parquetIn,
  requireReadable,
  tellError,
  withDatabase,
} from '../database';
import { type Engine, LakeError, type QueryColumn, type QueryResult, UsageError } from '../engine';
import { decimalText } from '../printed';
import { codeOf, isEmptySql, quoteName, quoteString } from '../sql';
import type { Pointer, Store } from '../store';
import { NO_QUARANTINE } from '../types';
import { tablesThereAre } from '../words';

const ATTEMPTS = 5;
const PUBLISHED_ANEW = 'a run published anew while the query went on; ask again';

/** Statements that DuckDB binds to the tables before it tells their kind, and PRAGMA, which it makes a SELECT of. */
const NO_SELECT = /^\s*(?:ALTER|COPY|DELETE|INSERT|MERGE|PRAGMA|TRUNCATE|UPDATE)\b/i;

/**
 * Runs one SELECT over the published tables, and over `<table>_quarantine` (file, line, reason, detail, raw) of
 * the last run that refused anything of a table. Nothing else can be read, and nothing written.
 */
export const queryLake = (store: Store, sql: string): Promise<QueryResult> =>
  withTables(store, ({ db, thereAre, isStale, close }) => start(db, sql, thereAre, isStale, close));

/** Runs several, as {@link queryLake} does one, of one state of the lake; their rows are read before `work` ends. */
export const askLake = <T>(store: Store, work: (query: Engine['query']) => Promise<T>): Promise<T> =>
  withTables(store, async ({ db, thereAre, isStale, close }) => {
    const result = await work(async (sql) => {
      const own = await connectTo(db);
      return start(own, sql, thereAre, isStale, async () => own.closeSync());
    });
    await close();
    return result;
  });

interface Tables {
  readonly db: DuckDBConnection;
  readonly thereAre: string;
  readonly isStale: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** Opens the tables for some work, which closes them where it succeeds. It begins anew where a run published meanwhile. */
async function withTables<T>(store: Store, work: (tables: Tables) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const state = await stateOf(store);
    if (state.pointer.runId === '' && state.quarantines.size === 0) {
      throw new LakeError(`no table is published in ${store.root}; npx lake run makes them`);
    }
    const isStale = async () => !isDeepStrictEqual(state, await stateOf(store));
    // In the lake, where the next command looks for it: what a large query spills is data.
    const scratch = await store.makeTemporary();
    const db = await openDatabase(scratch);
    const close = async () => {
      db.closeSync();
      if (scratch !== undefined) await store.removeTemporary(scratch);
    };
    try {
      await openTables(db, store, state);
      const thereAre = tablesThereAre(Object.keys(state.pointer.tables), state.withQuarantine);
      return await work({ db, thereAre, isStale, close });
    } catch (error) {
      await close();
      if (error instanceof UsageError) throw error;
      // A run replaces files at any moment: as long as no row was given, the query begins anew on those that follow.
      if (await isStale()) {
        if (attempt < ATTEMPTS) continue;
        throw new LakeError(PUBLISHED_ANEW);
      }
      // A fault of the work's own is none of the lake's.
      if (error instanceof LakeError || (error as Error).name !== 'Error') throw error;
      // Of its own: the query's reads nothing else any more.
      await withDatabase((own) => requireReadable(own, store.publishedTables(state.pointer)));
      throw new LakeError(`the lake cannot be read: ${tellError(error)}`);
    }
  }
}

/** What a query reads; it stays so until a run ends. */
interface State {
  readonly pointer: Pointer;
  readonly quarantines: ReadonlyMap<string, string>;
  /** Tables that have a quarantine, be it empty: those that are published, or that a failed run came to. */
  readonly withQuarantine: readonly string[];
}

async function stateOf(store: Store): Promise<State> {
  const pointer = await store.pointer();
  const quarantines = await store.quarantines(pointer);
  const tried = quarantines.size > 0 ? await store.lastTables() : [];
  const withQuarantine = new Set([...Object.keys(pointer.tables), ...quarantines.keys(), ...tried]);
  return { pointer, quarantines, withQuarantine: [...withQuarantine] };
}

async function openTables(
  db: DuckDBConnection,
  store: Store,
  { pointer, quarantines, withQuarantine }: State,
) {
  const view = (name: string, query: string) => db.run(`CREATE VIEW ${quoteName(name)} AS ${query}`);
  const published = store.publishedTables(pointer);
  for (const { table, dir } of published) await view(table, `SELECT ${OWN_COLUMNS} FROM ${parquetIn(dir)}`);
  for (const table of withQuarantine) {
    const file = quarantines.get(table);
    await view(
      `${table}_quarantine`,
      file ? `SELECT * FROM ${parquetFile(file)}` : `SELECT ${NO_QUARANTINE} WHERE false`,
    );
  }
  // Names are compared as they are written: as patterns where files are looked up, else in the clear.
  const listOf = (paths: Iterable<string>) =>
    `[${[...paths].flatMap((path) => [quoteString(path), quoteString(literalPath(path))]).join(', ')}]`;
  await db.run(`SET allowed_directories = ${listOf(published.map(({ dir }) => dir))}`);
  await db.run(`SET allowed_paths = ${listOf(quarantines.values())}`);
  await db.run('SET enable_external_access = false');
  await db.run('SET lock_configuration = true');
}

async function start(
  db: DuckDBConnection,
  sql: string,
  thereAre: string,
  isStale: () => Promise<boolean>,
  close: () => Promise<void>,
): Promise<QueryResult> {
  const told = (error: unknown) => {
    if (/Permission Error/.test(String(error))) {
      throw new UsageError('a query reads the published tables and no other file, and writes nothing');
    }
    const text = tellError(error).replace(
      /^Table with name (.*?) does not exist!.*?(?=\s*LINE \d+:|$)/,
      (_, name) => `table ${name} does not exist; ${thereAre}`,
    );
    throw new LakeError(text.replace(/\s*LINE (\d+):.*$/, ' (line $1)'));
  };
  // DuckDB has no statement to tell of in an empty text, and no message either.
  if (isEmptySql(sql)) throw new UsageError('the query is empty; give one SELECT');
  const statements = await db.extractStatements(sql).catch(told);
  if (statements.count !== 1) {
    throw new UsageError(`a query is one SELECT; this is ${statements.count} statements`);
  }
  const refused = new UsageError('a query reads and changes nothing; give one SELECT');
  if (NO_SELECT.test(codeOf(sql))) throw refused;
  const prepared = await statements.prepare(0).catch(told);
  if (prepared.statementType !== StatementType.SELECT) throw refused;
  const result = await prepared.stream().catch(told);
  const types = result.columnTypes().map(columnType);
  return {
    columns: result.columnNames().map((name, i) => ({ name, type: types[i] as QueryColumn['type'] })),
    rows: rowsAsText(result, types, isStale, close),
  };
}

async function* rowsAsText(
  result: DuckDBResult,
  types: readonly QueryColumn['type'][],
  isStale: () => Promise<boolean>,
  close: () => Promise<void>,
) {
  try {
    for await (const rows of result.yieldConvertedRows(toJs)) {
      yield rows.map((row) => row.map((value, i) => asText(value, types[i])));
    }
  } catch (error) {
    if (await isStale()) throw new LakeError(PUBLISHED_ANEW);
    throw new LakeError(tellError(error));
  } finally {
    await close();
  }
}

/** The result of a query as text, whole. */
export async function textsOf(db: DuckDBConnection, sql: string) {
  const found = await db.runAndReadAll(sql);
  const columns = found.columnNames().map((name, i) => ({ name, type: columnType(found.columnType(i)) }));
  const rows = found.convertRows(toJs).map((row) => row.map((value, i) => asText(value, columns[i]?.type)));
  return { columns, rows };
}

const NESTED = new Set('LIST STRUCT MAP ARRAY UNION VARIANT'.split(' '));
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
  return NESTED.has(name) ? 'other' : 'text';
}

const AS_TEXT = new Set('TIME TIME_NS TIME_TZ INTERVAL BLOB BIT'.split(' '));

/** JavaScript's values, but DuckDB's own of decimals, and its text of times, intervals and bytes. */
const toJs: DuckDBValueConverter<JS> = (value, type, inner) =>
  value !== null && AS_TEXT.has(String(DuckDBTypeId[type.typeId]))
    ? String(value)
    : value instanceof DuckDBDecimalValue
      ? (value as unknown as JS)
      : JSDuckDBValueConverter(value, type, inner);

function asText(value: unknown, type: QueryColumn['type'] | undefined): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) {
    const iso = value.toISOString();
    return type === 'date' ? iso.slice(0, 10) : iso.replace('T', ' ').replace('Z', '');
  }
  // A number of JavaScript would lose digits of a long one.
  if (value instanceof DuckDBDecimalValue) return decimalText(value.toString());
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (_key, inner) => {
    if (inner instanceof DuckDBDecimalValue) return inner.toDouble();
    return typeof inner === 'bigint' ? Number(inner) : inner;
  });
}
