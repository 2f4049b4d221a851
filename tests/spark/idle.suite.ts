// A run on Spark leaves tables as they are for which nothing has changed, and makes what a run of everything makes.
import { appendFile, cp, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { staleIn } from '../../cli/run';
import type { RunRequest, RunResult, TableSummary } from '../../engines/engine';
import { SparkEngine } from '../../engines/spark/engine';
import { lake as pipeline } from '../../pipeline';
import { expectSameRows } from '../support/engines-agree';
import { engineOf, JOBS, temporaryDir, writeLanding } from '../support/lake';
import { writeOtherSources } from '../support/other-sources';
import { withSpark } from '../support/spark';
import { session } from './session';

const dir = temporaryDir('spark-idle');
const data = join(dir, 'data');
const lake = join(dir, 'lake');
const jobs = join(dir, 'jobs');
const JOB_NAMES = pipeline.jobs.map(({ name }) => name);

const at = (day: number, second = 0) => Date.UTC(2023, 4, day, 10, 0, second);
const customer = (name: string, agreed: number) =>
  JSON.stringify({
    customerName: name,
    email: `${name}@example.com`,
    phone: '1',
    birthDay: '1990-02-28',
    serialNumber: `s-${name}`,
    registrationDate: at(1),
    lastUpdateDate: at(1),
    shareWithResearchAsOfDate: agreed,
  });
const reading = (name: string, second: number) =>
  JSON.stringify({ user: `${name}@example.com`, timestamp: at(2, second), x: 1, y: 0, z: 0 });
const step = (name: string, second: number) =>
  JSON.stringify({ sensorReadingTime: at(2, second), serialNumber: `s-${name}`, distanceFromObject: 1 });
const landed = (entity: string, file: string) => join(data, entity, 'landing', file);

const request: RunRequest & { readonly data: string } = { data, time: new Date(at(10)) };
/** Says that nothing starts Spark. */
const withoutSpark = () =>
  new SparkEngine({
    lake,
    jobs,
    startRunner: () => {
      throw new Error('Spark was started');
    },
  });

const madeBy = ({ summary }: RunResult) =>
  summary.tables.flatMap(({ table, unchanged }) =>
    JOB_NAMES.includes(table as never) && !unchanged ? [table] : [],
  );

/** Runs, as planned. Returns the tables that were made. A run after it makes none, and needs no Spark to say so. */
async function run(more: Partial<RunRequest> = {}): Promise<string[]> {
  const asked = { ...request, ...more };
  const spark = session.engineOf(lake, jobs);
  const plan = await spark.plan(pipeline, asked);
  const result = await spark.run(pipeline, asked);
  expect(result.failures).toEqual([]);
  const made = madeBy(result);
  for (const { table, does } of plan)
    if (does !== 'maybe')
      expect({ table, does }).toEqual({ table, does: made.includes(table) ? 'make' : 'keep' });
  const { summary, findings } = await withoutSpark().run(pipeline, { ...asked, full: false });
  const countsOf = (tables: readonly TableSummary[]) =>
    tables.map(({ seconds, unchanged, ...counts }) => counts);
  expect(countsOf(summary.tables)).toEqual(countsOf(result.summary.tables));
  expect(summary.tables.every(({ unchanged }) => unchanged)).toBe(true);
  expect(findings).toEqual([]);
  expect(staleIn(pipeline, await spark.tables())).toEqual([]);
  return made;
}

/** Expects the rows of a run of everything. */
async function expectWhole(more: Partial<RunRequest> = {}) {
  const duckdb = engineOf(lake, jobs);
  await duckdb.run(pipeline, { ...request, ...more, full: true });
  const tables = pipeline.jobs.map(({ output }) => [output.name, output.columns] as const);
  await expectSameRows({ duckdb, spark: session.engineOf(lake, jobs) }, new Map(tables));
}

withSpark('a run on Spark leaves what nothing has changed for', () => {
  beforeAll(async () => {
    await cp(JOBS, jobs, { recursive: true });
    await writeLanding(data, 'customer', [customer('ada', at(1)), customer('bob', at(20))]);
    await writeLanding(data, 'accelerometer', [reading('ada', 1), reading('bob', 1)]);
    await writeLanding(data, 'step_trainer', [step('ada', 1), step('bob', 1)]);
    await writeOtherSources(data, pipeline.sources);
    expect(await run()).toEqual(JOB_NAMES);
  });

  test('where files are touched, or bring no row that counts', async () => {
    await writeFile(landed('accelerometer', 'nobody.json'), `${reading('nobody', 1)}\n`);
    const now = new Date();
    await utimes(landed('step_trainer', 'part-0.json'), now, now);
    expect(await run()).toEqual(['accelerometer_trusted', 'step_trainer_trusted']);
  });

  test('and makes what follows from new, changed and removed files', async () => {
    await writeFile(landed('accelerometer', 'ada.json'), `${reading('ada', 2)}\n`);
    await appendFile(landed('step_trainer', 'part-0.json'), `${step('ada', 2)}\n`);
    await rm(landed('accelerometer', 'nobody.json'));
    const same = ['customer_trusted', 'customers_curated'];
    expect((await run()).filter((name) => same.includes(name))).toEqual(['customers_curated']);
    await expectWhole();
  });

  test('and makes what comes due, and nothing before', async () => {
    const before = { ...request, time: new Date(at(20) - 1) };
    expect(madeBy(await withoutSpark().run(pipeline, before))).toEqual([]);
    const due = { time: new Date(at(20)) };
    expect(await run(due)).toEqual(JOB_NAMES);
    await expectWhole(due);
  });

  test('and makes what has another rule or other code', async () => {
    await appendFile(join(jobs, 'customers_curated.sql'), '\n-- Said otherwise.\n');
    const other = { parameters: { pairing: 'timestamp' }, time: new Date(at(20)) };
    expect(await run(other)).toEqual(['customers_curated', 'machine_learning_curated']);
  });
});
