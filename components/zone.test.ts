import { log } from '@pulumi/pulumi';
import { DefinitionError, unique, type ZoneDefinition } from '../model';
import {
  artifactsOf,
  clean,
  cleanJob,
  deployed,
  jobSettings,
  open,
  raw,
  reading,
  readingOpen,
  readingRaw,
  site,
  words,
} from './testing';
import { type FillArgs, Zone, type ZoneArgs } from './zone';

const TABLE = 'aws:glue/catalogTable:CatalogTable';
const JOB = 'aws:glue/job:Job';
const BUCKET = 'aws:s3/bucket:Bucket';
const LIFECYCLE = 'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration';

type More = Partial<Omit<ZoneArgs<ZoneDefinition>, 'zone'>>;
type MoreJobs = Partial<FillArgs<ZoneDefinition>>;

const ZONE_SETTINGS = {
  dataOnDestroy: 'delete',
  oldVersionDays: 8,
  quarantineDays: 21,
  optimizeTables: true,
} as const;
const RUNS = {
  logDays: 30,
  parameters: { mode: 'strict' },
  pseudonymSecret: { name: 's', arn: 'secret-arn' },
};

const SQL = { reading: 'SELECT 1', reading_open: 'SELECT 2' };
const JOBS = { reading: jobSettings, reading_open: { ...jobSettings, flex: true } };
const NEVER =
  'The definition has 1 fault:\n  zones.clean: was never filled, so that no job writes its tables; call its fill() where it is made';

const common = (more: More = {}) => ({
  site,
  settings: ZONE_SETTINGS,
  protect: false,
  dataOnDestroy: 'delete' as const,
  database: 'made',
  ...more,
});

const jobsOf = (more: MoreJobs = {}) => ({
  ...artifactsOf(site),
  code: SQL,
  jobs: JOBS,
  runs: RUNS,
  ...more,
});

/** The zone of sources, and the one of the table that is made from them. */
const zonesOf = (more: More = {}, moreJobs: MoreJobs = {}) =>
  deployed(() => {
    const first = new Zone('raw', { ...common(more), zone: raw });
    const second = new Zone('clean', { ...common(more), zone: clean });
    second.fill({ ...jobsOf(moreJobs), inputs: first.tables });
    return { first, second };
  });
const partsOf = ({ resources }: Awaited<ReturnType<typeof zonesOf>>, zone: string) =>
  resources
    .filter(
      ({ name, parent }) => name !== 'artifacts' && parent === zone && !name.startsWith(`${zone}-bucket`),
    )
    .filter(({ type }) => type.startsWith('lakehouse:'))
    .map(({ type, name }) => `${type} ${name}`);

test('a zone of sources has their tables and those of their refused lines', async () => {
  const deployment = await zonesOf();
  const { value, one, inputs } = deployment;
  expect(partsOf(deployment, 'raw')).toEqual([
    'lakehouse:catalog:GlueTable raw-reading_raw',
    'lakehouse:catalog:GlueTable raw-reading_raw_quarantine',
    'lakehouse:storage:SecureBucket raw',
  ]);
  expect(one('lakehouse:index:Zone', 'raw')).toStrictEqual({
    type: 'lakehouse:index:Zone',
    name: 'raw',
    inputs: {},
    after: [],
    outputs: { bucket: 'acme-test-raw-123456789012' },
  });
  const table = one(TABLE, 'raw-reading_raw-table');
  expect(table.inputs).toMatchObject({
    name: 'reading_raw',
    databaseName: 'made',
    storageDescriptor: { location: 's3://acme-test-raw-123456789012/reading/landing/' },
  });
  // A table's bucket is there with all that secures it.
  expect(table.after).toContain('raw-policy');
  expect(inputs(TABLE, 'raw-reading_raw_quarantine-table')).toMatchObject({
    name: 'reading_raw_quarantine',
    databaseName: 'made',
    description: 'Lines of reading_raw that were refused.',
    storageDescriptor: {
      location: 's3://acme-test-raw-123456789012/quarantine/reading_raw/',
      columns: ['file', 'line', 'record', 'reason', 'detail', 'raw'].map((name) =>
        expect.objectContaining({ name }),
      ),
    },
  });
  expect(value.first.definition).toBe(raw);
  expect(value.first.tables.reading_raw.contract).toBe(readingRaw);
  expect(Object.keys(value.first.quarantine)).toEqual(['reading_raw']);
  expect(value.first.bucket.name).toBe('acme-test-raw-123456789012');
});

test('rows that an expectation moves out of a table go as refused lines do', async () => {
  const once = unique(['who'], { severity: 'quarantine', description: 'Once.' });
  const table = { ...reading, expectations: [once] };
  const zone = { ...clean, tables: [table], jobs: [] };
  const { inputs } = await deployed(() => new Zone('clean', { ...common(), zone }));
  expect(inputs(LIFECYCLE, 'clean-lifecycle').rules).toHaveLength(2);
});

test('a zone of other tables has the jobs that make them', async () => {
  const deployment = await zonesOf();
  const { value, one, inputs } = deployment;
  expect(partsOf(deployment, 'clean')).toEqual([
    'lakehouse:catalog:GlueTable clean-reading',
    'lakehouse:jobs:GlueJob clean-reading',
    'lakehouse:storage:SecureBucket clean',
  ]);
  const job = one(JOB, 'clean-reading-job');
  expect(job.inputs).toMatchObject({
    name: 'acme-test-reading',
    workerType: 'G.2X',
    executionClass: 'STANDARD',
    defaultArguments: { '--parameters': 'mode=strict,unit=g' },
  });
  expect(inputs('aws:s3/bucketObjectv2:BucketObjectv2', 'clean-reading-sql').source).toEqual({
    file: 'SELECT 1',
  });
  expect(value.second.tables.reading.contract).toBe(reading);
  expect(value.second.jobs.reading.definition).toBe(clean.jobs[0]);
  expect(value.second.quarantine).toEqual({});
});

test.each([
  { stack: 'delete', zone: 'delete', keeps: false },
  { stack: 'delete', zone: 'retain', keeps: true },
  { stack: 'retain', zone: 'delete', keeps: true },
  { stack: 'retain', zone: 'retain', keeps: true },
] as const)('stack $stack and zone $zone: data is kept is $keeps', async ({ stack, zone, keeps }) => {
  const { one } = await zonesOf({
    dataOnDestroy: stack,
    settings: { ...ZONE_SETTINGS, dataOnDestroy: zone },
  });
  expect(one(BUCKET, 'raw-bucket').inputs.forceDestroy).toBe(!keeps);
  for (const [type, name] of [
    [BUCKET, 'raw-bucket'],
    [TABLE, 'raw-reading_raw-table'],
    [TABLE, 'raw-reading_raw_quarantine-table'],
    [TABLE, 'clean-reading-table'],
  ] as const) {
    expect({ name, keeps: one(type, name).retainOnDelete }).toEqual({ name, keeps });
  }
});

test('zones fill each other, whatever their order', async () => {
  const back = words.table({
    name: 'reading_back',
    zone: 'clean',
    description: 'B.',
    columns: readingOpen.columns,
  });
  const backJob = words.job({ output: back, inputs: [readingOpen], description: 'B.' });
  const both = words.zone('clean', { description: 'C.', tables: [reading, back], jobs: [cleanJob, backJob] });
  const { value, list } = await deployed(() => {
    const [first, second, third] = [
      new Zone('raw', { ...common(), zone: raw }),
      new Zone('clean', { ...common(), zone: both }),
      new Zone('open', { ...common(), zone: open }),
    ] as const;
    const shared = jobsOf();
    third.fill({ ...shared, inputs: second.tables });
    second.fill({
      ...shared,
      code: { ...SQL, reading_back: 'SELECT 3' },
      jobs: { ...JOBS, reading_back: jobSettings },
      inputs: { ...first.tables, ...third.tables },
    });
    return second;
  });
  expect(Object.keys(value.jobs)).toEqual(['reading', 'reading_back']);
  expect(list).toContain(`${JOB} clean-reading_back-job`);
});

test('a zone that was never filled fails the program', async () => {
  const error = jest.spyOn(log, 'error').mockResolvedValue();
  await deployed(() => new Zone('clean', { ...common(), zone: clean }));
  expect(error.mock.calls.map(([message]) => message)).toEqual([NEVER]);
  error.mockClear();
  await deployed(() => {
    const zone = new Zone('clean', { ...common(), zone: clean });
    expect(() => zone.jobs).toThrow(NEVER);
    // A zone of sources has nothing to fill.
    zone.fill({ ...jobsOf(), inputs: new Zone('raw', { ...common(), zone: raw }).tables });
  });
  expect(error).not.toHaveBeenCalled();
});

describe('what a zone from a list lacks is told when it is filled', () => {
  const build = (zone: ZoneDefinition, more: MoreJobs = {}) =>
    deployed(() =>
      new Zone<ZoneDefinition>('zone', { ...common(), zone }).fill({ ...jobsOf(more), inputs: {} }),
    );

  test('the table that a job reads, before there is any job', async () => {
    await expect(build(open)).rejects.toThrow(
      new DefinitionError([
        {
          path: 'jobs.reading_open',
          message: 'reads reading, which zone open neither has nor was given; pass it among the inputs',
        },
      ]),
    );
  });

  test('another table of the same name is not the one', async () => {
    await expect(
      build({ ...open, tables: [...open.tables, { ...reading, description: 'Another.' }] }),
    ).rejects.toThrow(DefinitionError);
  });

  test.each([
    ['code', { code: {} }, 'zone both was given no code for reading'],
    ['settings', { jobs: {} }, 'zone both was given no settings for reading'],
  ])('%s of a job', async (_, more, message) => {
    const both = { ...clean, name: 'both', tables: [readingRaw, reading] };
    await expect(build(both, more)).rejects.toThrow(new Error(message));
  });
});
