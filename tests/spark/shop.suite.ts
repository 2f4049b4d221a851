// The example of the docs: its types and its cases on Spark, as on DuckDB.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { sampleOf } from '../../cli/sample';
import { resultOf } from '../../engines/case-results';
import { readCases } from '../../engines/cases';
import { asJobsSee } from '../../engines/duckdb/cases';
import { readSql } from '../../engines/job-sql';
import { sourceOf } from '../../engines/landing/arbitraries';
import { madeOf, type Nested, textOf, verdictsOf } from '../../engines/landing/nested';
import { runCases } from '../../engines/spark/cases';
import shop from '../../examples/shop/lakehouse';
import { type SourceTable, valuePlace } from '../../model';
import { expectAgreement } from '../support/engines-agree';
import { engineOf, ROOT, temporaryDir, writeLanding } from '../support/lake';
import { withSpark } from '../support/spark';
import { session } from './session';

const dir = temporaryDir('shop');
const JOBS = join(ROOT, 'examples', 'shop', 'jobs');
const { pipeline } = shop;

withSpark('the shop', () => {
  test('both engines make the same of its sample', async () => {
    const data = join(dir, 'data');
    await sampleOf(shop).write({ out: data, size: 300, seed: 3, dirty: 0.03 });
    const lake = join(dir, 'lake');
    const engines = { duckdb: engineOf(lake, JOBS), spark: session.engineOf(lake, JOBS) };
    const { failures, summary } = await expectAgreement(engines, pipeline, { data });
    expect(failures).toEqual([]);
    expect(summary.tables.filter(({ written }) => written === 0)).toEqual([]);
  });

  test('both engines make the same of orders with odd items', async () => {
    const sources = pipeline.sources.map((source) => ({ ...source, maxQuarantinedShare: 1 }));
    const named = (name: string) => sources.find((source) => source.name === name) as SourceTable;
    const items = named('order_item_landing');
    const columnsOf = (place: string) =>
      Object.entries(items.columns).filter(([name, column]) => valuePlace(items, name, column).of === place);
    const of: Nested = {
      source: items,
      record: sourceOf(Object.fromEntries(columnsOf('record'))),
      // The shop names them as their keys.
      element: sourceOf(Object.fromEntries(columnsOf('element'))),
      keys: ['items', undefined],
    };
    const orders = madeOf({ ...of, record: named('order_landing') }, 10);
    const [made = []] = fc.sample(fc.array(orders, { minLength: 200, maxLength: 200 }), 1);
    const data = join(dir, 'odd');
    const texts = made.map((one) => textOf(one, of.keys, 'compact'));
    await writeLanding(data, 'order', texts.slice(0, 100));
    await writeFile(join(data, 'order', 'landing', 'array.json'), `[${texts.slice(100).join(',')}]`);
    await sampleOf(shop).complete({ out: data, size: 20, seed: 4, dirty: 0 });
    const lake = join(dir, 'odd-lake');
    const engines = { duckdb: engineOf(lake, JOBS), spark: session.engineOf(lake, JOBS) };
    const lenient = {
      ...pipeline,
      sources,
      jobs: pipeline.jobs.map((job) => ({
        ...job,
        inputs: job.inputs.map((input) => sources.find(({ name }) => name === input.name) ?? input),
      })),
    } as typeof pipeline;
    const { failures, summary } = await expectAgreement(engines, lenient, { data });
    expect(failures).toEqual([]);
    const verdicts = made.flatMap((one) => verdictsOf(of, one).map(([, verdict]) => verdict));
    expect(summary.tables.find(({ table }) => table === items.name)).toMatchObject({
      read: verdicts.length,
      quarantined: verdicts.filter((verdict) => 'reason' in verdict).length,
    });
  });

  test.each(pipeline.jobs)('every case of $name', async (job) => {
    const { cases, faults } = await readCases(JOBS, job);
    expect(faults).toEqual([]);
    const made = await runCases(session, job, await readSql(JOBS, job), await asJobsSee(job, cases));
    expect(cases.map((one, i) => resultOf(one, made[i] ?? 'the case was not run'))).toEqual(
      cases.map(({ name }) => ({ name, missing: [], unexpected: [] })),
    );
  });
});
