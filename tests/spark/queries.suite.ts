// Every query in queries/ gives on Spark's tables what it gives on DuckDB's.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lakeCatalogue } from '../../cli/docs/catalogue';
import { listenersOf } from '../../cli/events';
import { type Engine, LakeError, type RunEvent, UsageError } from '../../engines/engine';
import { loadProject } from '../../engines/project';
import { SparkEngine } from '../../engines/spark/engine';
import { lake as pipeline } from '../../pipeline';
import { writeSample } from '../../samples/stedi';
import {
  answer,
  engineOf,
  hasTerminal,
  JOBS,
  lake as lakeCommand,
  lakeOnTerminal,
  ROOT,
  result,
  temporaryDir,
} from '../support/lake';
import { writeOtherSources } from '../support/other-sources';
import { PORTABLE } from '../support/portable';
import { withSpark } from '../support/spark';
import { session } from './session';

const QUERIES = join(ROOT, 'queries');
const queries = readdirSync(QUERIES).map((file) => file.replace(/\.sql$/, ''));

const dir = temporaryDir('spark-queries');
const project = loadProject(ROOT);

withSpark('on Spark', () => {
  const lake = join(dir, 'lake');
  const duckdb = engineOf(lake);
  const spark = session.engineOf(lake);
  beforeAll(async () => {
    const data = join(dir, 'data');
    await writeSample(data, { customers: 80, seed: 5, dirty: 0.02 });
    await writeOtherSources(data, pipeline.sources);
    for (const engine of [duckdb, spark]) {
      const listeners = await listenersOf(project, join(dir, 'events.jsonl'));
      const ran = await engine.run(pipeline, { data }, (event) => listeners?.tell(event));
      expect(ran.failures).toEqual([]);
      await listeners?.end(ran);
    }
  });

  test('the events of a run say what those of DuckDB say', async () => {
    const lines = (await readFile(join(dir, 'events.jsonl'), 'utf8')).trim().split('\n');
    const told = lines.map((line) => {
      const { eventType, job, outputs } = JSON.parse(line);
      return `${eventType} ${job.name} ${outputs[0].outputFacets.outputStatistics?.rowCount}`;
    });
    expect(told).toHaveLength(4 * pipeline.jobs.length);
    const half = told.length / 2;
    expect(told.slice(half).toSorted()).toEqual(told.slice(0, half).toSorted());
  });

  test('the page says of the tables what that of DuckDB says, profiles and sections too', async () => {
    const shown = async (engine: Engine) => {
      const { tables, sections } = await lakeCatalogue(project, engine);
      return [
        sections,
        tables.map(({ name, profile, published }) => [name, profile, published?.rows, published?.isStale]),
      ];
    };
    expect(await shown(spark)).toEqual(await shown(duckdb));
  });

  test.each(queries)('the query %s', async (query) => {
    const sql = await readFile(join(QUERIES, `${query}.sql`), 'utf8');
    const expected = await result(duckdb, sql);
    expect(expected.rows).not.toEqual([]);
    // Rows in their order: every query sorts them by what tells them apart.
    expect(await result(spark, sql)).toEqual(expected);
  });

  (hasTerminal ? test : test.skip)('lake query asks Spark in a process of its own, and says so', async () => {
    const words = (engine: string) => [
      'query',
      'counts',
      '--engine',
      engine,
      '--lake',
      lake,
      '--format',
      'csv',
    ];
    const expected = await lakeCommand(words('duckdb'));
    expect(expected).toMatchObject({ status: 0, stderr: '' });
    const { status, stdout } = await lakeOnTerminal(words('spark'));
    expect(stdout).toBe(`lake: starting Spark …\n${expected.stdout}`.replaceAll('\n', '\r\n'));
    expect(status).toBe(0);
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
    // Two statements are no SQL to Spark.
    const kind = sql.includes('; ') ? LakeError : UsageError;
    await expect(result(spark, sql)).rejects.toThrow(kind);
    expect(await spark.tables()).toEqual(before);
  });

  test.each([
    ['SELEC 1', 'syntax error at or near "SELEC" (line 1)'],
    ["SELECT 1\nFROM customer_trusted WHERE email = 'Canary", `syntax error at or near "'" (line 2)`],
    ['SELECT 1 +', 'syntax error at end of input (line 1)'],
    ['SELECT nope FROM customers_curated', /^column "nope" not found; it could be "phone", .*" \(line 1\)$/],
    [
      'SELECT *\nFROM nothing',
      /^table nothing does not exist; the tables are accelerometer_landing, .*(line 2)/,
    ],
    ['DESCRIBE nothing', /^table nothing does not exist; the tables are accelerometer_landing, /],
    ['SELECT date_trunc(1)', 'The "date_trunc" requires 2 parameters but the actual number is 1 (line 1)'],
  ])('a mistake is told by the words of the query: %s', async (sql, told) => {
    const error: Error = await result(spark, sql).then(
      () => new Error('no mistake'),
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(LakeError);
    if (typeof told === 'string') expect(error.message).toBe(told);
    else expect(error.message).toMatch(told);
  });

  test('expressions that are the same everywhere', async () => {
    const made = PORTABLE.map(([expression], i) => `CAST(${expression} AS STRING) AS c${i}`);
    expect(await result(spark, `SELECT ${made.join(', ')}`)).toMatchObject({
      rows: [PORTABLE.map(([, value]) => value)],
    });
  });

  test('what DuckDB says of a table that is not there, Spark says too', async () => {
    const told = (engine: Engine) => result(engine, 'SELECT 1 FROM nothing').catch(({ message }) => message);
    expect(await told(spark)).toBe(await told(duckdb));
  });

  test('SHOW TABLES and DESCRIBE give what they give on DuckDB', async () => {
    const tables = [...pipeline.tables.keys()].flatMap((name) => [name, `${name}_quarantine`]);
    expect(await answer(spark, 'SHOW TABLES')).toEqual(tables.toSorted().map((name) => [name]));
    for (const sql of ['SHOW TABLES', ' show tables ; -- all', ...tables.map((name) => `DESCRIBE ${name}`)]) {
      expect({ sql, ...(await result(spark, sql)) }).toEqual({ sql, ...(await result(duckdb, sql)) });
    }
    for (const sql of ['desc "customer_trusted"', 'DESCRIBE Customer_Trusted']) {
      expect(await result(spark, sql)).toEqual(await result(duckdb, 'DESCRIBE customer_trusted'));
    }
  });

  test('a query reads no file by its path', async () => {
    const file = join(dir, 'data', 'customer', 'landing');
    await expect(result(spark, `SELECT * FROM text.\`${file}\``)).rejects.toThrow();
  });
});

withSpark('on Spark, where a source fails', () => {
  const data = join(dir, 'bad-data');
  const FAILS = 'accelerometer_landing';
  const quarantine = readFileSync(join(QUERIES, 'quarantine.sql'), 'utf8');
  const duckdb = engineOf(join(dir, 'bad-duckdb'));
  const spark = session.engineOf(join(dir, 'bad-spark'));
  const events: RunEvent[] = [];

  beforeAll(async () => {
    await writeSample(data, { customers: 50, seed: 5, dirty: 0 });
    await writeOtherSources(data, pipeline.sources);
    await writeFile(join(data, 'accelerometer', 'landing', 'bad.json'), '{bad\n'.repeat(5000));
    for (const engine of [duckdb, spark]) {
      const { failures } = await engine.run(
        pipeline,
        { data },
        (event) => engine === spark && events.push(event),
      );
      expect(failures).toEqual([expect.stringContaining(`${FAILS}: 5,000 of `)]);
    }
  });

  test('it is told before what it causes, and is not published', async () => {
    const told = events.flatMap((event) => ('table' in event && event.kind !== 'start' ? [event] : []));
    expect(told[0]).toEqual({ kind: 'failed', table: FAILS });
    expect(told.slice(1).map(({ kind, table }) => `${kind} ${table}`)).toEqual([
      'skipped accelerometer_trusted',
      'skipped customers_curated',
      'skipped step_trainer_trusted',
      'skipped machine_learning_curated',
    ]);
    expect((await spark.tables()).map(({ table }) => table).toSorted()).toEqual([
      'customer_landing',
      'customer_trusted',
    ]);
    await expect(result(spark, `SELECT * FROM ${FAILS}`)).rejects.toThrow(
      `table ${FAILS} does not exist; the tables are customer_landing, customer_trusted, and `,
    );
  });

  test('what was refused can be asked for, by the query that the run names, on both engines', async () => {
    const expected = [[FAILS, 'INVALID_JSON', '5000', '1']];
    for (const engine of [duckdb, spark]) {
      expect((await answer(engine, quarantine)).map(([table, , ...counts]) => [table, ...counts])).toEqual(
        expected.map(([table, , ...counts]) => [table, ...counts]),
      );
    }
  });

  test('a source that was published stays what it was', async () => {
    const lake = join(dir, 'bad-after-good');
    const good = join(dir, 'good-data');
    await writeSample(good, { customers: 5, seed: 6, dirty: 0 });
    await writeOtherSources(good, pipeline.sources);
    const engine = session.engineOf(lake);
    const only = ['customer_trusted', 'accelerometer_trusted'];
    expect((await engine.run(pipeline, { data: good, only })).failures).toEqual([]);
    const before = await engine.tables();
    await engine.run(pipeline, { data, only: ['accelerometer_trusted'] });
    const found = (await engine.tables()).filter(({ table }) => table !== 'customer_landing');
    expect(found).toEqual(before.filter(({ table }) => table !== 'customer_landing'));
    const rows = `SELECT COUNT(*) FROM ${FAILS}`;
    expect(await answer(engine, rows)).toEqual([[String(before.find(({ table }) => table === FAILS)?.rows)]]);
  });

  test('a run that cannot be leaves no folder, and starts no Spark', async () => {
    const lake = join(dir, 'nowhere');
    const none = new SparkEngine({
      lake,
      jobs: JOBS,
      startRunner: () => {
        throw new Error('Spark was started');
      },
    });
    const half = join(dir, 'half-data');
    await mkdir(join(half, 'customer', 'landing'), { recursive: true });
    await expect(none.run(pipeline, { data: half })).rejects.toThrow(/the data is not whole/);
    await expect(none.run(pipeline, { only: ['customers_curated'] })).rejects.toThrow(
      /not published in this lake yet: customer_trusted, accelerometer_trusted\./,
    );
    await expect(none.run(pipeline, {})).rejects.toThrow(/was never read in this lake; give --data/);
    await expect(none.query('SELECT 1')).rejects.toThrow(/Spark has published no table/);
    expect(existsSync(lake)).toBe(false);
  });
});
