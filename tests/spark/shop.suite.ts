// The example of the docs: its types and its cases on Spark, as on DuckDB.
import { join } from 'node:path';
import { sampleOf } from '../../cli/sample';
import { resultOf } from '../../engines/case-results';
import { readCases } from '../../engines/cases';
import { asJobsSee } from '../../engines/duckdb/cases';
import { readCode } from '../../engines/job-code';
import { runCases } from '../../engines/spark/cases';
import shop from '../../examples/shop/lakehouse';
import { expectAgreement } from '../support/engines-agree';
import { engineOf, ROOT, temporaryDir } from '../support/lake';
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

  test.each(pipeline.jobs)('every case of $name', async (job) => {
    const { cases, faults } = await readCases(JOBS, job);
    expect(faults).toEqual([]);
    const made = await runCases(session, job, await readCode(JOBS, job), await asJobsSee(job, cases));
    expect(cases.map((one, i) => resultOf(one, made[i] ?? 'the case was not run'))).toEqual(
      cases.map(({ name }) => ({ name, missing: [], unexpected: [] })),
    );
  });
});
