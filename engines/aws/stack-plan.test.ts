import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runStackCommand, type StackRunOptions } from '../../cli/stack-run';
import { hasPseudonyms, type Job, runTime } from '../../model';
import { FORMATS } from '../../model/format';
import { forgets } from '../../model/manifest';
import { prefixOf, suppressedUri } from '../../model/places';
import { lake as pipeline } from '../../pipeline';
import { GlueStandIn } from '../../tests/standin/glue';
import { S3StandIn } from '../../tests/standin/s3';
import { AwsServer, awsEnvironment } from '../../tests/support/aws-server';
import { projectOf } from '../../tests/support/lake';
import { outputsOf } from '../../tests/support/stack';
import type { TablePlan, TableSummary } from '../engine';
import { digest, digestOfFiles } from '../provenance';
import { codeVersion } from '../version';
import { GlueRuns } from './glue-runs';
import type { Stack } from './stack';
import { planStack, type StackPlan } from './stack-plan';

const outputs = outputsOf(pipeline);
const { artifacts, landing } = outputs.buckets;
const VALUES: Readonly<Record<string, string>> = Object.fromEntries(
  pipeline.parameters.map((p) => [p.name, p.default]),
);

let server: AwsServer;
let glue: GlueStandIn;
let s3: S3StandIn;
let stack: Stack;
let dir: string;
/** Of the code of each job, as the stack has it. */
let code: Map<string, string>;

beforeEach(async () => {
  glue = new GlueStandIn(pipeline, outputs);
  // What goes on ends between two looks.
  glue.perRequest = 1_000_000;
  glue.parameters = Object.entries(VALUES)
    .map((pair) => pair.join('='))
    .join(',');
  s3 = new S3StandIn(Object.values(outputs.buckets), { pageSize: 2 });
  code = new Map(pipeline.jobs.map(({ name }) => [name, `0000${name}`]));
  glue.deployed = (name) => {
    const job = pipeline.jobs.find((one) => outputs.jobs[one.name] === name)?.name ?? '';
    return {
      NonOverridableArguments: {
        '--manifest': `s3://${artifacts}/jobs/${job}/aaaa${job}.json`,
        '--code': `s3://${artifacts}/jobs/${job}/${code.get(job)}.sql`,
      },
    };
  };
  server = new AwsServer((request) => (request.operation === '' ? s3 : glue).handle(request));
  Object.assign(process.env, awsEnvironment(await server.start()));
  stack = { name: 'dev', outputs, client: { region: 'us-east-1', maxAttempts: 1 } };
  for (const source of pipeline.sources)
    for (const file of ['a.json', 'b c/ü.json', '_hidden.json']) put(landing, prefixOf(source) + file, file);
  for (const job of pipeline.jobs) publish(job);
});
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'stack-plan-'));
  writeFileSync(join(dir, 'outputs.json'), JSON.stringify(outputs));
});
afterAll(() => rmSync(dir, { recursive: true }));
afterEach(async () => {
  jest.restoreAllMocks();
  await server.stop();
});

function put(bucket: string, key: string, text: string) {
  const body = Buffer.from(text);
  const object = { body, size: body.length, etag: `"${digest(text)}"`, checksums: {} };
  s3.buckets.get(bucket)?.set(key, object);
}

interface Snapshot {
  /** More digits than JavaScript's numbers have. */
  readonly id: string;
  readonly parent?: string;
  readonly operation: string;
  readonly run?: string;
}
const OWN: Snapshot = { id: '9007199254740993001', operation: 'overwrite', run: 'run-1' };

/** Leaves a table as a run of its job does. */
function publish(job: Job, { until = null as string | null, snapshots = [OWN] } = {}) {
  const files = (source: string) => {
    const name = pipeline.sources.find((one) => one.name === source) as (typeof pipeline.sources)[number];
    const listed = ['a.json', 'b c/ü.json'].map((file) => {
      const { size, etag } = s3.buckets.get(landing)?.get(prefixOf(name) + file) ?? {};
      return [file, `${size} ${etag}`] as const;
    });
    return digestOfFiles(listed);
  };
  const of = Object.fromEntries([
    ['version', codeVersion()],
    ['contracts', `aaaa${job.name}`],
    ['code', `0000${job.name}`],
    ...(hasPseudonyms(job.output) ? [['key', 'whatever the runner says']] : []),
    ...(forgets(job) ? [['forgotten', '']] : []),
    ...job.parameters.flatMap((p) => (p === runTime ? [] : [[`parameter ${p.name}`, VALUES[p.name]]])),
    ...job.inputs.map(({ name, format }) =>
      format === 'iceberg' ? [`table ${name}`, 'run-1'] : [`files ${name}`, files(name)],
    ),
  ]);
  const asksTime = job.parameters.includes(runTime);
  const told = {
    table: job.name,
    job: job.name,
    read: 7,
    written: 7,
    quarantined: 0,
    filtered: 0,
    reasons: {},
    expectations: [],
    seconds: 3,
  };
  const provenance = {
    version: FORMATS.provenance,
    ...{ run: 'run-1', rows: 'run-1', content: 'c', of },
    ...{ since: asksTime ? '2020-01-01 00:00:00.000' : null, until, tables: [told] },
  };
  const text = JSON.stringify({
    'current-snapshot-id': snapshots.at(-1)?.id,
    snapshots: snapshots.map(({ id, parent, operation, run }) => ({
      'snapshot-id': id,
      ...(parent !== undefined && { 'parent-snapshot-id': parent }),
      summary: { operation, 'total-records': '7', ...(run !== undefined && { 'run-id': run }) },
    })),
    properties: { 'lakehouse.provenance': JSON.stringify(provenance) },
  }).replaceAll(/((?:current-|parent-)?snapshot-id":)"(\d+)"/g, '$1$2');
  const key = `${job.name}/metadata/1.metadata.json`;
  put(artifacts, key, text);
  const others = glue.tables.filter((one) => (one as { Name: string }).Name !== job.name);
  glue.tables = [
    ...others,
    { Name: job.name, Parameters: { metadata_location: `s3://${artifacts}/${key}` } },
  ];
}

const jobOf = (name: string) => pipeline.jobs.find((job) => job.name === name) as Job;
const plan = (parameters = {}, jobs = pipeline.jobs): Promise<StackPlan> =>
  planStack(stack, new GlueRuns(stack), jobs, parameters);

/** Those that are not kept. */
const changes = async (parameters = {}) =>
  (await plan(parameters)).tables.filter(({ does }) => does !== 'keep');
const made = (table: string, ...why: string[]): TablePlan => ({ table, does: 'make', why });
/** What may follow from tables that are made: all that reads them, and so on. */
function followers(...names: string[]): string[] {
  const found = new Set(names);
  for (const { name, inputs } of pipeline.jobs)
    if (inputs.some((one) => found.has(one.name))) found.add(name);
  return [...found];
}
const readers = (source: string) =>
  pipeline.jobs.filter(({ inputs }) => inputs.some(({ name }) => name === source)).map(({ name }) => name);

test('nothing has changed: every table stays, and what was said of it is said again', async () => {
  const { tables, kept } = await plan();
  expect(tables).toEqual(pipeline.jobs.map(({ name }) => ({ table: name, does: 'keep', why: [] })));
  for (const { name } of pipeline.jobs)
    expect(kept.get(name)).toMatchObject({ written: 7, seconds: 0, unchanged: true });
});

test.each(['new.json', 'a.json'])(
  'a file that came or changed, %s, is read by the jobs of its source',
  async (file) => {
    const source = pipeline.sources.find(
      ({ name }) => readers(name).length > 0,
    ) as (typeof pipeline.sources)[number];
    put(landing, prefixOf(source) + file, 'other');
    const found = await changes();
    const first = readers(source.name);
    expect(found.filter(({ does }) => does === 'make')).toEqual(
      first.map((name) => made(name, `the files of ${source.name} have changed`)),
    );
    expect(found.map(({ table }) => table).toSorted()).toEqual(followers(...first).toSorted());
  },
);

test('what may follow from a table that is made is told, however far', async () => {
  const [{ name }] = pipeline.jobs as [Job];
  code.set(name, '1111');
  expect((await changes()).map(({ table, does }) => [table, does])).toEqual(
    followers(name).map((table) => [table, table === name ? 'make' : 'maybe']),
  );
});

test('compaction is no change, and what others do to a table is', async () => {
  const { name } = pipeline.jobs[0] as Job;
  const compacted = { id: '9007199254740993002', parent: OWN.id, operation: 'replace' };
  publish(jobOf(name), { snapshots: [OWN, compacted] });
  expect(await changes()).toEqual([]);
  publish(jobOf(name), {
    snapshots: [OWN, compacted, { id: '9007199254740993003', parent: compacted.id, operation: 'delete' }],
  });
  const others = pipeline.jobs.filter(({ inputs }) => inputs.some((one) => one.name === name));
  expect((await changes()).filter(({ does }) => does === 'make')).toEqual([
    made(name, 'it is not known what it was made of'),
    ...others.map((job) => made(job.name, `${name} has changed`)),
  ]);
});

test('other code, another rule, and a row that came due are told', async () => {
  const timed = pipeline.jobs.find(({ parameters }) => parameters.includes(runTime)) as Job;
  publish(timed, { until: '2021-01-01 00:00:00' });
  const last = pipeline.jobs.at(-1) as Job;
  code.set(last.name, '1111');
  const parameter = last.parameters.find((p) => p !== runTime);
  const found = await changes(parameter && { [parameter.name]: parameter.values[1] });
  expect(found).toContainEqual(made(timed.name, 'a row came due at 2021-01-01 00:00:00'));
  const rule = parameter && `${parameter.name} is ${parameter.values[1]}, and was ${parameter.default}`;
  expect(found).toContainEqual(made(last.name, 'its code has changed', ...(rule ? [rule] : [])));
});

test('who was forgotten since is in the list', async () => {
  put(artifacts, suppressedUri(artifacts).replace(`s3://${artifacts}/`, ''), '{}');
  const told = pipeline.jobs.filter(forgets).map(({ name }) => made(name, 'who was forgotten has changed'));
  expect((await changes()).filter(({ does }) => does === 'make')).toEqual(told);
});

describe('lake run --stack', () => {
  /** Runs it, and gives its status, what it prints and the runs that it starts. */
  async function run(more: Partial<StackRunOptions> = {}) {
    const printed: string[] = [];
    for (const stream of [process.stdout, process.stderr])
      jest.spyOn(stream, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
    const options = { stack: 'dev', outputs: join(dir, 'outputs.json'), parameters: {}, wait: false };
    const status = await runStackCommand(projectOf(pipeline), { ...options, ...more });
    const started = server.requests.filter(({ operation }) => /^Start/.test(operation));
    return { status, text: printed.join(''), started: started.map(({ operation }) => operation) };
  }

  test('starts nothing where nothing has changed, and says so', async () => {
    const { status, text, started } = await run({ wait: true });
    expect({ status, started }).toEqual({ status: 0, started: [] });
    expect(text).toMatch(/nothing has changed since the last run, so nothing was started; --full/);
    const { text: json } = await run({ json: true, wait: true });
    const { outcome, jobs, tables } = JSON.parse(json);
    expect({ outcome, jobs }).toEqual({ outcome: 'published', jobs: [] });
    expect(tables.map(({ table, unchanged }: TableSummary) => [table, unchanged])).toEqual(
      pipeline.jobs.map(({ name }) => [name, true]),
    );
  });

  test('starts the workflow where a table is made', async () => {
    code.set(pipeline.jobs[0]?.name ?? '', '1111');
    expect(await run()).toMatchObject({ status: 0, started: ['StartWorkflowRun'] });
  });

  test('starts it where nobody can tell, and says so', async () => {
    s3.buckets.get(artifacts)?.clear();
    const { status, text, started } = await run();
    expect({ status, started }).toEqual({ status: 0, started: ['StartWorkflowRun'] });
    expect(text).toMatch(/what a run would do is not known: /);
  });

  test('starts each job with --full, and tells it so', async () => {
    const [job] = pipeline.jobs.filter(({ inputs }) => inputs.every(({ format }) => format !== 'iceberg'));
    const { started } = await run({ full: true, only: [job?.name ?? ''] });
    expect(started).toEqual(['StartJobRun']);
    expect(glue.jobRuns.map(({ args }) => args['--full'])).toEqual(['true']);
    await expect(run({ full: true })).rejects.toThrow(/begins when others have ended, so --no-wait/);
  });
});
