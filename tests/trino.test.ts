import { createHmac } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Case, type CaseRow, readCases } from '../engines/cases';
import { asJobsSee } from '../engines/duckdb/cases';
import type { DuckDbEngine } from '../engines/duckdb/engine';
import type { QueryColumn } from '../engines/engine';
import { readCode } from '../engines/job-code';
import { inSql } from '../engines/plan';
import { quoteName, withParameters } from '../engines/sql';
import shop from '../examples/shop/lakehouse';
import { type Job, QUARANTINE, refinedSql, refinedType, runTime, type Table, text } from '../model';
import { lake as pipeline } from '../pipeline';
import { writeSample } from '../samples/stedi';
import { answer, engineOf, JOBS, ROOT, temporaryDir, writeLanding } from './support/lake';
import { writeOtherSources } from './support/other-sources';
import { PORTABLE } from './support/portable';
import { differences, NONE, type TextRows } from './support/rows';
import { Trino, type Typed, withTrino } from './support/trino';

const KEY = Buffer.alloc(32, 7);
const QUERIES = join(ROOT, 'queries');
const SHOP_JOBS = join(ROOT, 'examples', 'shop', 'jobs');
const queries = readdirSync(QUERIES).map((file) => file.replace(/\.sql$/, ''));

/** Enough runs for every value of every parameter, each with values for all of them. */
const RUNS = Array.from(
  { length: Math.max(1, ...pipeline.parameters.map(({ values }) => values.length)) },
  (_, i) =>
    Object.fromEntries(pipeline.parameters.map((p) => [p.name, p.values[i % p.values.length] ?? p.default])),
);

type Types = Readonly<Record<string, Typed>>;

/** The types in which a table stores its columns. */
const storedTypes = ({ columns }: Pick<Table, 'columns'>): Types => columns;

/** The types in which a job's SQL sees them. */
const readTypes = (table: Table): Types =>
  Object.fromEntries(
    Object.entries(table.columns).map(([name, column]) => [
      name,
      { ...column, type: refinedType(column.type) },
    ]),
  );

/** An instant in ISO 8601 as an engine's query writes it. */
const instantText = (iso: string) => iso.replace('T', ' ').replace('Z', '');

/** Rows of a case, written as an engine's query writes them. */
const caseText = (types: Types, rows: readonly CaseRow[]): TextRows =>
  rows.map((row) =>
    Object.entries(types).map(([name, { type }]) => {
      const value = row[name] ?? null;
      if (value === null) return null;
      return type === 'timestamp' ? instantText(String(value)) : String(value);
    }),
  );

/** Rows of a job's SQL as its writer would store them. */
const pseudonymised = ({ columns }: Table, rows: TextRows): TextRows => {
  const types = Object.values(columns).map(({ type }) => type);
  return rows.map((row) =>
    row.map((value, i) =>
      value !== null && types[i] === 'pseudonym'
        ? createHmac('sha256', KEY).update(value).digest('hex')
        : value,
    ),
  );
};

/** A table of Glue knows its columns in lower case, and Trino tells no names apart by their case. */
const named = (columns: readonly QueryColumn[]) =>
  columns.map(({ name, type }) => ({ name: name.toLowerCase(), type }));

const stored = (engine: DuckDbEngine, name: string, types: Types) =>
  answer(engine, `SELECT ${Object.keys(types).map(quoteName).join(', ')} FROM ${quoteName(name)}`);

/** Rows of a table as a job's SQL sees them: of a source, by what every engine does to its columns. */
const seen = (engine: DuckDbEngine, table: Table) =>
  table.format !== 'iceberg'
    ? answer(engine, `SELECT ${refinedSql(table)} FROM ${quoteName(table.name)}`)
    : stored(engine, table.name, storedTypes(table));

withTrino('on Trino', () => {
  const dir = temporaryDir('trino');
  let trino: Trino;
  beforeAll(() => {
    trino = new Trino();
  });
  afterAll(() => trino.stop());

  /** What a job's SQL gives, its columns in the order of the contract. */
  async function runJob(
    schema: string,
    job: Job,
    parameters: Case['parameters'],
    jobs = JOBS,
  ): Promise<TextRows> {
    const values = { [runTime.name]: runTime.default, ...parameters };
    const sql = withParameters(await readCode(jobs, job), job.parameters, values);
    const { columns, rows } = await trino.ask(schema, sql);
    const names = named(columns).map(({ name }) => name);
    const wanted = Object.keys(job.output.columns).map((name) => name.toLowerCase());
    expect(names.toSorted()).toEqual(wanted.toSorted());
    return rows.map((row) => wanted.map((name) => row[names.indexOf(name)] ?? null));
  }

  const all = [
    ...pipeline.jobs.map((job) => ({ job, of: 'stedi', name: job.name, jobs: JOBS })),
    ...inSql(shop.pipeline).jobs.map((job) => ({ job, of: 'shop', name: job.name, jobs: SHOP_JOBS })),
  ];
  test.each(all)('every case of $name of $of', async ({ job, of, jobs }) => {
    const { cases, faults } = await readCases(jobs, job);
    expect(faults).toEqual([]);
    const wrong = [];
    for (const [i, { name, given, parameters, expect: rows }] of (await asJobsSee(job, cases)).entries()) {
      const schema = `${of}_${job.name}_${i}`;
      for (const input of job.inputs) {
        const types = readTypes(input);
        await trino.load(schema, input.name, types, caseText(types, given[input.name] ?? []));
      }
      const found = await runJob(schema, job, parameters, jobs);
      const { unexpected, missing } = differences(found, caseText(readTypes(job.output), rows));
      if (unexpected.length + missing.length > 0) wrong.push({ name, unexpected, missing });
    }
    expect(wrong).toEqual([]);
  });

  test('expressions that are the same everywhere', async () => {
    const made = PORTABLE.map(([expression], i) => `CAST(${expression} AS VARCHAR) AS c${i}`);
    const { rows } = await trino.ask('portable', `SELECT ${made.join(', ')}`);
    expect(rows).toEqual([PORTABLE.map(([, value]) => value)]);
  });

  const field = join(ROOT, '..', 'shared', 'cases');
  (existsSync(field) ? test : test.skip).each([
    ['withdrawn-in-other-spelling', 0],
    ['two-registrations', 1],
  ])('consent in the file %s, as DuckDB', async (name, kept) => {
    const job = pipeline.jobs.find((one) => one.name === 'customer_trusted') as Job;
    const [customers] = job.inputs as readonly [Table];
    const data = join(dir, name);
    await writeLanding(data, 'customer', [await readFile(join(field, `${name}.customer.json`))]);
    const engine = engineOf(join(dir, `${name}-lake`));
    expect((await engine.run(pipeline, { data, only: [job.name] })).failures).toEqual([]);
    await trino.load(name, customers.name, readTypes(customers), await seen(engine, customers));
    const found = await runJob(name, job, {});
    expect(found.length).toBe(kept);
    expect(differences(found, await stored(engine, job.name, storedTypes(job.output)))).toEqual(NONE);
  });

  test('the query of the docs takes the array of a source apart, of which Athena has the text', async () => {
    const docs = await readFile(join(ROOT, 'docs', 'add-a-table.md'), 'utf8');
    const [, sql = ''] = /```sql\n(SELECT[^`]*UNNEST[^`]*)```/.exec(docs) ?? [];
    const columns = { orderid: text('O.'), items: text('I.') };
    const items = '[{"sku":"chair","unitPrice":1.5},{"sku":null}]';
    await trino.load('docs', 'order_item_landing', columns, [
      ['o-1', items],
      ['o-2', '[]'],
    ]);
    expect((await trino.ask('docs', sql)).rows.toSorted()).toEqual([
      ['o-1', '1', 'chair'],
      ['o-1', '2', null],
    ]);
  });

  describe('over a sample, as DuckDB', () => {
    const engines: DuckDbEngine[] = [];
    beforeAll(async () => {
      const data = join(dir, 'data');
      await writeSample(data, { customers: 60, seed: 5, dirty: 0.02 });
      await writeOtherSources(data, pipeline.sources);
      for (const [i, parameters] of RUNS.entries()) {
        const lake = join(dir, `lake-${i}`);
        await mkdir(lake);
        // A key that is known here.
        await writeFile(join(lake, 'pseudonym.key'), `${KEY.toString('hex')}\n`, { mode: 0o600 });
        const engine = engineOf(lake);
        expect((await engine.run(pipeline, { data, parameters })).failures).toEqual([]);
        engines.push(engine);
      }
    });

    describe.each(RUNS.map((parameters, i) => ({ parameters, i })))(
      'with $parameters',
      ({ parameters, i }) => {
        const schema = `as_read_${i}`;
        beforeAll(async () => {
          for (const table of pipeline.tables.values()) {
            const rows = await seen(engines[i] as DuckDbEngine, table);
            await trino.load(schema, table.name, readTypes(table), rows);
          }
        });

        test.each(pipeline.jobs)('the job $name', async (job) => {
          const expected = await stored(engines[i] as DuckDbEngine, job.name, storedTypes(job.output));
          expect(expected).not.toEqual([]);
          const found = await runJob(schema, job, parameters);
          expect(differences(pseudonymised(job.output, found), expected)).toEqual(NONE);
        });
      },
    );

    describe('with the default parameters', () => {
      const schema = 'published';
      beforeAll(async () => {
        const [engine] = engines as [DuckDbEngine];
        for (const table of pipeline.tables.values()) {
          const types = storedTypes(table);
          await trino.load(schema, table.name, types, await stored(engine, table.name, types));
          const refused = `${table.name}_quarantine`;
          const its = storedTypes({ columns: QUARANTINE });
          await trino.load(schema, refused, its, await stored(engine, refused, its));
        }
      });

      test.each(queries)('the query %s', async (query) => {
        const sql = await readFile(join(QUERIES, `${query}.sql`), 'utf8');
        const [engine] = engines as [DuckDbEngine];
        const { columns, rows } = await engine.query(sql);
        const expected: (readonly (string | null)[])[] = [];
        for await (const chunk of rows) expected.push(...chunk);
        expect(expected).not.toEqual([]);
        const found = await trino.ask(schema, sql);
        expect(named(found.columns)).toEqual(named(columns));
        // In their order: every query sorts its rows by what tells them apart.
        expect(found.rows).toEqual(expected);
      });
    });
  });
});
