// What two engines make of the same data, compared.
import type { Engine, RunRequest, RunResult } from '../../engines/engine';
import { type Columns, type Pipeline, QUARANTINE, type Table } from '../../model';
import { answer } from './lake';
import { differences, NONE, type TextRows } from './rows';

export interface Engines {
  readonly duckdb: Engine;
  readonly spark: Engine;
}

const quoted = (name: string) => `"${name}"`;
const ticked = (name: string) => `\`${name}\``;
const refusedOf = (table: string) => `${table}_quarantine`;

/** Without what is a run's own. */
const summaryOf = ({ summary }: RunResult) =>
  summary.tables.map(({ seconds, reasons, ...table }) => ({ ...table, reasons: { ...reasons } }));

const findingsOf = ({ findings }: RunResult) =>
  [...findings].toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

/**
 * Runs both engines, and expects the same of them. A run that fails publishes nothing on DuckDB, and on Spark what its
 * jobs made before; of it those tables are compared that Spark came to.
 */
export async function expectAgreement(
  engines: Engines,
  pipeline: Pipeline,
  request: RunRequest,
  onSpark = () => engines.spark.run(pipeline, request, () => undefined),
): Promise<RunResult> {
  const expected = await engines.duckdb.run(pipeline, request, () => undefined);
  const found = await onSpark();
  // DuckDB tells of each source, Spark of those that it came to.
  if (found.failures.length === 0) expect(expected.failures).toEqual([]);
  expect(expected.failures).toEqual(expect.arrayContaining([...found.failures]));
  expect(found.summary.outcome).toBe(expected.summary.outcome);
  const told = new Set(found.summary.tables.map(({ table }) => table));
  const failed = expected.failures.length > 0;
  expect(summaryOf(found)).toEqual(summaryOf(expected).filter(({ table }) => told.has(table) || !failed));
  expect(findingsOf(found)).toEqual(findingsOf(expected).filter(({ table }) => told.has(table) || !failed));

  const refused = found.summary.tables.filter(({ quarantined }) => quarantined > 0);
  const wanted = new Map<string, Columns>(refused.map(({ table }) => [refusedOf(table), QUARANTINE]));
  if (!failed) for (const { name, columns } of pipeline.tables.values()) wanted.set(name, columns);
  await expectSameRows(engines, wanted);
  return expected;
}

/** Compares tables as sets in which a row may be several times. */
export async function expectSameRows({ duckdb, spark }: Engines, tables: ReadonlyMap<string, Columns>) {
  if (tables.size === 0) return;
  const found = await sparkRows(spark, tables);
  for (const [table, columns] of tables) {
    const names = Object.keys(columns).map(quoted).join(', ');
    const expected = await answer(duckdb, `SELECT ${names} FROM ${quoted(table)}`);
    expect({ table, ...differences(found.get(table) ?? [], expected) }).toEqual({ table, ...NONE });
  }
}

/** All rows of the tables by one query: each takes Spark a second. */
export async function sparkRows(
  spark: Engine,
  tables: ReadonlyMap<string, Columns>,
): Promise<Map<string, TextRows>> {
  const selects = [...tables].map(([table, columns]) => {
    const struct = `struct(${Object.keys(columns).map(ticked).join(', ')})`;
    return `SELECT '${table}', to_json(${struct}, map('ignoreNullFields', 'false')) FROM ${ticked(table)}`;
  });
  const rows = new Map<string, (string | null)[][]>([...tables.keys()].map((table) => [table, []]));
  for (const [table, json] of await answer(spark, selects.join(' UNION ALL '))) {
    const columns = tables.get(table as string) as Table['columns'];
    const row = JSON.parse(json as string) as Record<string, string | number | null>;
    rows.get(table as string)?.push(
      Object.entries(columns).map(([name, { type }]) => {
        const value = row[name];
        if (value === null || value === undefined) return null;
        // DuckDB's client for Node drops a byte-order mark at the beginning of a text.
        const text = String(value).replace(/^\ufeff/, '');
        return type === 'timestamp' ? text.replace('T', ' ') : text;
      }),
    );
  }
  return rows;
}
