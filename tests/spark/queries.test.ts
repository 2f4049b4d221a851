// Every query in queries/ gives on Spark's tables what it gives on DuckDB's.
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lake as pipeline } from '../../pipeline';
import { writeOtherSources, writeSample } from '../../samples';
import { engineOf, lake as lakeCommand, ROOT, result, temporaryDir } from '../support/lake';
import { Spark, withSpark } from '../support/spark';

jest.setTimeout(240_000);

const QUERIES = join(ROOT, 'queries');
const queries = readdirSync(QUERIES).map((file) => file.replace(/\.sql$/, ''));

const dir = temporaryDir('spark-queries');
const session = new Spark(dir);
afterAll(() => session.stop());

withSpark('on Spark', () => {
  const lake = join(dir, 'lake');
  const duckdb = engineOf(lake);
  const spark = session.engineOf(lake);
  beforeAll(async () => {
    const data = join(dir, 'data');
    await writeSample(data, { customers: 200, seed: 5, dirty: 0.02 });
    await writeOtherSources(data, pipeline.sources);
    for (const engine of [duckdb, spark]) {
      expect((await engine.run(pipeline, { data }, () => undefined)).failures).toEqual([]);
    }
  });

  test.each(queries)('the query %s', async (query) => {
    const sql = await readFile(join(QUERIES, `${query}.sql`), 'utf8');
    const expected = await result(duckdb, sql);
    expect(expected.rows).not.toEqual([]);
    // Rows in their order: every query sorts them by what tells them apart.
    expect(await result(spark, sql)).toEqual(expected);
  });

  test('lake query asks Spark in a process of its own', async () => {
    const ask = (engine: string) =>
      lakeCommand(['query', 'counts', '--engine', engine, '--lake', lake, '--format', 'csv']);
    const expected = await ask('duckdb');
    expect(expected).toMatchObject({ status: 0, stderr: '' });
    expect(await ask('spark')).toEqual(expected);
  });

  test('the tables are those of DuckDB', async () => {
    const rows = async (engine: typeof duckdb | typeof spark) =>
      (await engine.tables())
        .map(({ table, rows }) => ({ table, rows }))
        .toSorted((a, b) => (a.table < b.table ? -1 : 1));
    expect(await rows(spark)).toEqual(await rows(duckdb));
  });

  test.each([
    'DROP TABLE customer_trusted',
    'INSERT INTO customer_trusted SELECT * FROM customer_trusted',
    'DELETE FROM customer_trusted',
    'CREATE TABLE other AS SELECT 1 AS one',
    'SET spark.sql.runSQLOnFiles = true',
    'SELECT 1; SELECT 2',
    '',
  ])('a query that is no SELECT is refused and changes nothing: %s', async (sql) => {
    const before = await spark.tables();
    await expect(result(spark, sql)).rejects.toThrow();
    expect(await spark.tables()).toEqual(before);
  });

  test('a query reads no file by its path', async () => {
    const file = join(dir, 'data', 'customer', 'landing');
    await expect(result(spark, `SELECT * FROM text.\`${file}\``)).rejects.toThrow();
  });
});
