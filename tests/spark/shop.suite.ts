// The example of the docs: its types and its cases on Spark, as on DuckDB.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { sampleOf } from '../../cli/sample';
import { resultOf } from '../../engines/case-results';
import { readCases } from '../../engines/cases';
import { asJobsSee } from '../../engines/duckdb/cases';
import type { Engine } from '../../engines/engine';
import { readCode } from '../../engines/job-code';
import { sourceOf } from '../../engines/landing/arbitraries';
import { madeOf, type Nested, textOf } from '../../engines/landing/nested-arbitraries';
import { inSql } from '../../engines/plan';
import { runCases } from '../../engines/spark/cases';
import shop from '../../examples/shop/lakehouse';
import { type Pipeline, type SourceTable, valuePlace } from '../../model';
import { expectAgreement } from '../support/engines-agree';
import { answer, engineOf, ROOT, temporaryDir } from '../support/lake';
import { withSpark } from '../support/spark';
import { session } from './session';

const dir = temporaryDir('shop');
const JOBS = join(ROOT, 'examples', 'shop', 'jobs');

// Most items of odd orders are bad.
const sources = shop.pipeline.sources.map((source) => ({ ...source, maxQuarantinedShare: 1 }));
const pipeline = {
  ...shop.pipeline,
  sources,
  jobs: shop.pipeline.jobs.map((job) => ({
    ...job,
    inputs: job.inputs.map((input) => sources.find(({ name }) => name === input.name) ?? input),
  })),
} as typeof shop.pipeline;

withSpark('the shop', () => {
  /** Lands orders with odd items, of which engines/landing/each.test.ts says what they are. */
  async function landOddOrders(data: string) {
    const items = sources.find(({ name }) => name === 'order_item_landing') as SourceTable;
    const orders = sources.find(({ name }) => name === 'order_landing') as SourceTable;
    const columnsOf = (place: string) =>
      Object.entries(items.columns).filter(([name, column]) => valuePlace(items, name, column).of === place);
    const of: Nested = {
      source: items,
      record: sourceOf(Object.fromEntries(columnsOf('record'))),
      // The shop names them as their keys.
      element: sourceOf(Object.fromEntries(columnsOf('element'))),
      keys: ['items', undefined],
    };
    const odd = fc.array(madeOf({ ...of, record: orders }, 10), { minLength: 200, maxLength: 200 });
    const texts = fc.sample(odd, 1).flatMap((made) => made.map((one) => textOf(one, of.keys, 'compact')));
    const folder = join(data, 'order', 'landing');
    await writeFile(join(folder, 'odd.json'), texts.slice(0, 100).join('\n'));
    await writeFile(join(folder, 'odd array.json'), `[${texts.slice(100).join(',')}]`);
  }

  test('both engines make the same of its sample, and of orders with odd items', async () => {
    const data = join(dir, 'data');
    await sampleOf(shop).write({ out: data, size: 100, seed: 3, dirty: 0.03 });
    await landOddOrders(data);
    const lake = join(dir, 'lake');
    const engines = { duckdb: engineOf(lake, JOBS), spark: session.engineOf(lake, JOBS) };
    const { failures, summary } = await expectAgreement(engines, inSql(pipeline), { data });
    expect(failures).toEqual([]);
    expect(summary.tables.filter(({ written }) => written === 0)).toEqual([]);
    expect(summary.tables.find(({ table }) => table === 'order_item_landing')?.quarantined).toBeGreaterThan(
      100,
    );
  });

  /** Runs the job in Python on what the first test published, its text changed. */
  async function runSegments(name: string, from: string, to: string) {
    const jobs = join(dir, name);
    cpSync(JOBS, jobs, { recursive: true });
    const file = join(jobs, 'customer_segments.py');
    const text = readFileSync(file, 'utf8');
    expect(text).toContain(from);
    writeFileSync(file, text.replace(from, to));
    const engine = session.engineOf(join(dir, 'lake'), jobs);
    return { engine, ...(await engine.run(pipeline, { only: ['customer_segments'] })) };
  }
  const SEGMENTS = 'SELECT customerId, segment FROM customer_segments ORDER BY customerId';
  const INPUT = 'inputs["customer_orders"]';

  test('its job in Python makes its table of what the others made, with its audits', async () => {
    const { engine, failures, summary } = await runSegments('whole', INPUT, INPUT);
    expect(failures).toEqual([]);
    const values = (await answer(engine, 'SELECT customerId, lifetimeValue FROM customer_orders')).map(
      ([id, value]) => [Number(id), Number(value)] as const,
    );
    const paid = values.flatMap(([, value]) => (value > 0 ? [value] : [])).toSorted((a, b) => a - b);
    const bound = (share: number) => paid[Math.ceil(share * paid.length) - 1] as number;
    const segmentOf = (value: number) =>
      value <= 0 ? 'none' : value <= bound(1 / 3) ? 'low' : value <= bound(2 / 3) ? 'middle' : 'top';
    expect(await answer(engine, SEGMENTS)).toEqual(
      values.toSorted(([a], [b]) => a - b).map(([id, value]) => [String(id), segmentOf(value)]),
    );
    expect(summary.tables).toEqual([
      expect.objectContaining({ table: 'customer_segments', read: values.length, written: values.length }),
    ]);
    expect(summary.tables[0]?.expectations.map(({ failed }) => failed)).toContain(0);
  });

  test.each([
    [
      'a column of another type',
      'segment.otherwise("top")',
      'F.length(segment.otherwise("top"))',
      'customer_segments: customer_segments.py: column "segment" is int, and string by the contract; cast it, or change the contract',
    ],
    [
      'a table that it does not declare',
      INPUT,
      `${INPUT}.join(${INPUT}.sparkSession.table("customer_trusted").select("customerId"), "customerId")`,
      'customer_segments: customer_segments.py: reads "customer_trusted", which the job does not declare: its inputs are customer_orders; add it to them, or mend the name',
    ],
    [
      'an error in a worker, which quotes data',
      INPUT,
      `${INPUT}.where(F.udf(lambda row: int(row.city), "int")(F.struct("city")) > 0)`,
      'customer_segments: customer_segments.py:10: ValueError; what it says is left out, as it may quote data',
    ],
    [
      'an expectation that does not hold',
      '"none")',
      '"nothing")',
      expect.stringMatching(/^customer_segments: expectation values_in_range failed with \d+ bad rows/),
    ],
  ])('%s: nothing is published, and it is said without data', async (name, from, to, said) => {
    const { engine, failures } = await runSegments(name, from, to);
    expect(failures[0]).toEqual(said);
    expect(failures.join()).not.toMatch(/Traceback|\.py", line|Ulm/);
    expect(await answer(engine, 'SELECT DISTINCT segment FROM customer_segments ORDER BY segment')).toEqual(
      ['low', 'middle', 'none', 'top'].map((segment) => [segment]),
    );
  });

  test('who is forgotten by their number is gone from both engines, and nobody else; new Python is told', async () => {
    const lake = join(dir, 'lake');
    await runSegments('changing', '"none")', '"low")');
    const spark = session.engineOf(lake, JOBS);
    const duckdb = engineOf(lake, JOBS);
    const customersOf = (engine: Engine, jobs: Pipeline['jobs']) =>
      answer(
        engine,
        jobs
          .filter(({ output }) => 'customerId' in output.columns)
          .map(({ name }) => `SELECT DISTINCT '${name}', customerId FROM ${name}`)
          .join(' UNION ALL '),
      );
    const all = () =>
      Promise.all([customersOf(spark, pipeline.jobs), customersOf(duckdb, inSql(pipeline).jobs)]);
    const before = await all();
    const subject = String((await answer(spark, SEGMENTS))[0]?.[0]);
    const { warnings, remade } = await duckdb.forget(pipeline, {
      subject,
      dryRun: false,
      other: { forget: spark.forget.bind(spark) },
    });
    expect(warnings).toContain(
      'customer_segments: its Python is not that of its last run; it is made again by what it is now',
    );
    expect(remade.filter(({ engine }) => engine === 'spark').map(({ table }) => table)).toEqual(
      pipeline.jobs.map(({ name }) => name),
    );
    // An order that one of theirs had replaced may come back, as odd ones share their numbers.
    for (const [i, rows] of (await all()).entries()) {
      const [was, is] = [before[i] ?? [], new Set(rows.map(String))];
      expect(was.filter((row) => row[1] !== subject && !is.has(String(row)))).toEqual([]);
      expect([was, rows].map((all) => all.some(([, id]) => id === subject))).toEqual([true, false]);
    }
  });

  test.each(pipeline.jobs)('every case of $name', async (job) => {
    const { cases, faults } = await readCases(JOBS, job);
    expect(faults).toEqual([]);
    const made = await runCases(session, job, await readCode(JOBS, job), await asJobsSee(job, cases));
    expect(cases.map((one, i) => resultOf(one, made[i] ?? 'the case was not run'))).toEqual(
      cases.map(({ name }) => ({ name, missing: [], unexpected: [] })),
    );
  });
});
