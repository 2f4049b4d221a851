import { unique } from '../model';
import { manifestOf } from '../model/manifest';
import { assetOf, type BinaryFile } from './asset';
import { GlueJob, type GlueJobArgs } from './glue-job';
import { GlueTable } from './glue-table';
import type { Site } from './site';
import {
  ARTIFACTS,
  artifactsOf,
  CLEAN,
  cleanJob,
  conf,
  type Deployment,
  deployed,
  jobSettings,
  KEY,
  keyed,
  MODULE,
  OPEN,
  openJob,
  RAW,
  reading,
  readingOpen,
  readingRaw,
  s3,
  site,
} from './testing';

const JOB = 'aws:glue/job:Job';
const LOGS = 'aws:cloudwatch/logGroup:LogGroup';
const OBJECT = 'aws:s3/bucketObjectv2:BucketObjectv2';
const POLICY = 'aws:iam/rolePolicy:RolePolicy';

/** The tables of both jobs, each in the bucket of its zone. */
const tablesIn = (at: Site) => {
  const place = (bucket: string) => ({ site: at, bucket, bucketName: bucket, protect: false, keep: false });
  return {
    reading_raw: new GlueTable('reading_raw', { ...place(RAW), table: readingRaw }),
    reading: new GlueTable('reading', { ...place(CLEAN), table: reading, optimize: false }),
    reading_open: new GlueTable('reading_open', { ...place(OPEN), table: readingOpen, optimize: false }),
  };
};

type More = Partial<Omit<GlueJobArgs, 'job' | 'inputs' | 'output'>>;
const SECRET = { name: 'acme-test/pseudonym-key', arn: 'secret-arn' };
const common = (at: Site) => ({
  ...artifactsOf(at),
  pseudonymSecret: SECRET,
  site: at,
  settings: jobSettings,
  logDays: 30,
  parameters: { unit: 'kg' },
});

const cleanOf = (more: More = {}) =>
  deployed(() => {
    const at = more.site ?? site;
    const { reading_raw, reading: output } = tablesIn(at);
    const args = { ...common(at), code: 'SELECT 1', ...more };
    return new GlueJob('clean', { ...args, job: cleanJob, inputs: { reading_raw }, output });
  });

const openOf = (more: More = {}) =>
  deployed(() => {
    const at = more.site ?? site;
    const { reading: input, reading_open: output } = tablesIn(at);
    const args = { ...common(at), code: 'SELECT 2', ...more };
    return new GlueJob('open', { ...args, job: openJob, inputs: { reading: input }, output });
  });

/** The job's inputs, of which the keys of its files are said by the files themselves. */
const cleanInputs = (keys: {
  readonly manifest: unknown;
  readonly code: unknown;
  readonly script: unknown;
  readonly archive: unknown;
}) => ({
  name: 'acme-test-reading',
  description: 'Cleans readings.',
  glueVersion: '6.0',
  executionClass: 'STANDARD',
  workerType: 'G.2X',
  numberOfWorkers: 5,
  timeout: 45,
  defaultArguments: {
    '--job-language': 'python',
    '--datalake-formats': 'iceberg',
    '--conf': conf(`s3://${CLEAN}/`),
    '--enable-auto-scaling': 'true',
    '--enable-metrics': 'true',
    '--enable-observability-metrics': 'true',
    '--parameters': 'mode=plain,unit=kg',
  },
  tags: { project: 'acme', team: 'data' },
  roleArn: 'clean-role.arn',
  command: { name: 'glueetl', pythonVersion: '3', scriptLocation: `s3://${ARTIFACTS}/${keys.script}` },
  executionProperty: { maxConcurrentRuns: 1 },
  jobRunQueuingEnabled: true,
  maxRetries: 0,
  nonOverridableArguments: {
    '--manifest': `s3://${ARTIFACTS}/${keys.manifest}`,
    '--code': `s3://${ARTIFACTS}/${keys.code}`,
    '--extra-py-files': `s3://${ARTIFACTS}/${keys.archive}`,
    '--additional-python-modules': MODULE,
    '--custom-logGroup-prefix': '/aws-glue/acme-test/reading',
    '--pseudonym-secret': 'secret-arn',
  },
});
const keysOf = ({ inputs }: Pick<Deployment<unknown>, 'inputs'>, job = 'clean') => ({
  manifest: inputs(OBJECT, `${job}-manifest`).key,
  code: inputs(OBJECT, `${job}-sql`).key,
  script: inputs(OBJECT, 'script').key,
  archive: inputs(OBJECT, 'archive').key,
});

test('a job comes with its files, log groups and role', async () => {
  const deployment = await cleanOf();
  const { value, one, list } = deployment;
  expect(list.filter((title) => title.includes(' clean'))).toEqual([
    `${LOGS} clean-error-logs`,
    `${LOGS} clean-output-logs`,
    `${JOB} clean-job`,
    'aws:iam/role:Role clean-role',
    `${POLICY} clean-policy`,
    `${OBJECT} clean-manifest`,
    `${OBJECT} clean-sql`,
    'lakehouse:access:ServiceRole clean',
    'lakehouse:jobs:GlueJob clean',
  ]);
  const job = one(JOB);
  expect(job.inputs).toStrictEqual(cleanInputs(keysOf(deployment)));
  expect(job.parent).toBe('clean');
  // Glue would make log groups that never expire; the role's policy, the files and the script are there too.
  expect(job.after).toEqual([
    'archive',
    ...['error-logs', 'manifest', 'output-logs', 'policy', 'role', 'sql'].map((part) => `clean-${part}`),
    'script',
  ]);
  expect(one('lakehouse:jobs:GlueJob')).toStrictEqual({
    type: 'lakehouse:jobs:GlueJob',
    name: 'clean',
    inputs: {},
    after: [],
    outputs: { name: 'acme-test-reading' },
  });
  expect(one('lakehouse:access:ServiceRole').parent).toBe('clean');
  expect(value.definition).toBe(cleanJob);
  expect(value.name).toBe('acme-test-reading');
  expect(value.logPrefix).toBe('/aws-glue/acme-test/reading');
});

test('its log groups keep lines for some days', async () => {
  const { one } = await cleanOf({ logDays: 14, site: keyed });
  for (const stream of ['error', 'output']) {
    expect(one(LOGS, `clean-${stream}-logs`)).toStrictEqual({
      type: LOGS,
      name: `clean-${stream}-logs`,
      parent: 'clean',
      inputs: {
        name: `/aws-glue/acme-test/reading/${stream}`,
        retentionInDays: 14,
        kmsKeyId: KEY,
        tags: { project: 'acme', team: 'data' },
      },
      after: [],
    });
  }
});

test('a job in Python comes with its file, and its manifest says so', async () => {
  const { inputs } = await deployed(() => {
    const { reading: input, reading_open: output } = tablesIn(site);
    const job = { ...openJob, language: 'python' } as const;
    return new GlueJob('open', { ...common(site), code: 'PYTHON', job, inputs: { reading: input }, output });
  });
  const { key, source } = inputs(OBJECT, 'open-python');
  expect(source).toEqual({ file: 'PYTHON' });
  expect(key).toMatch(/^jobs\/reading_open\/\w+\.py$/);
  const told = inputs(JOB).nonOverridableArguments;
  expect(told).toMatchObject({ '--code': `s3://${ARTIFACTS}/${key}` });
  const languageOf = async (deployment: Pick<Deployment<unknown>, 'inputs'>) => {
    const { file } = deployment.inputs(OBJECT, 'open-manifest').source as { file: string };
    return JSON.parse(file).language;
  };
  expect([await languageOf({ inputs }), await languageOf(await openOf())]).toEqual(['python', undefined]);
});

test('its files are named by their content', async () => {
  const { one, inputs } = await cleanOf();
  expect(one(OBJECT, 'clean-sql')).toStrictEqual({
    type: OBJECT,
    name: 'clean-sql',
    parent: 'clean',
    inputs: {
      bucket: ARTIFACTS,
      // The first half of the SHA-256 of `SELECT 1`.
      key: 'jobs/reading/e004ebd5b5532a4b.sql',
      source: { file: 'SELECT 1' },
      tags: { project: 'acme', team: 'data' },
    },
    after: [
      'artifacts-bucket',
      'artifacts-encryption',
      'artifacts-ownership',
      'artifacts-policy',
      'artifacts-public-access',
      'artifacts-versioning',
    ],
    retainOnDelete: true,
  });
  expect(inputs(OBJECT, 'clean-manifest').key).toMatch(/^jobs\/reading\/[0-9a-f]{16}\.json$/);
});

test('its manifest says where everything is', async () => {
  const { inputs } = await cleanOf();
  const { file } = inputs(OBJECT, 'clean-manifest').source as { file: string };
  expect(file.endsWith('\n}\n')).toBe(true);
  const places = {
    database: 'acme_test',
    location: () => `s3://${RAW}/reading/landing/`,
    quarantine: () => `s3://${RAW}/quarantine/reading_raw/`,
    suppressed: `s3://${ARTIFACTS}/suppressed/list.json`,
    runs: `s3://${ARTIFACTS}/runs/reading/`,
    metricsNamespace: 'Lakehouse/acme-test',
  };
  expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(manifestOf(cleanJob, places))));
});

test('a job runs in the private network where there is one', async () => {
  const plain = await cleanOf();
  const { inputs } = await cleanOf({ connection: { name: 'acme-test-network', ready: 'made-network' } });
  expect(inputs(JOB)).toStrictEqual({ ...plain.inputs(JOB), connections: ['made-network'] });
});

test('a job writes to quarantine what it moves out of its table, and not what another one moves out of its', async () => {
  const moves = {
    ...reading,
    expectations: [unique(['who'], { severity: 'quarantine', description: 'Once.' })],
  };
  const { inputs } = await deployed(() => {
    const { reading_raw, reading_open } = tablesIn(site);
    const place = { site, bucket: CLEAN, bucketName: CLEAN, protect: false, keep: false };
    const table = new GlueTable('moves', { ...place, table: moves, optimize: false });
    const [clean, open] = [
      { ...cleanJob, output: moves },
      { ...openJob, inputs: [moves] as const },
    ];
    const args = { ...common(site), code: 'SELECT 1' };
    new GlueJob('clean', { ...args, job: clean, inputs: { reading_raw }, output: table });
    return new GlueJob('open', { ...args, job: open, inputs: { reading: table }, output: reading_open });
  });
  const { file } = inputs(OBJECT, 'clean-manifest').source as { file: string };
  expect(JSON.parse(file).output.quarantine).toBe(`s3://${CLEAN}/quarantine/reading/`);
  const { json } = inputs(POLICY, 'clean-policy').policy as { json: { Statement: { Sid: string }[] } };
  expect(json.Statement.find(({ Sid }) => Sid === 'WriteObjects')).toMatchObject({
    Resource: expect.arrayContaining([s3(`${CLEAN}/quarantine/reading/*`)]),
  });
  expect(JSON.stringify(inputs(POLICY, 'open-policy'))).not.toContain('quarantine');
});

describe('a job without the secret', () => {
  const without = (at: Site) => {
    const { pseudonymSecret: _, ...rest } = common(at);
    return rest;
  };

  test('is refused where it makes pseudonyms', async () => {
    await expect(
      deployed(() => {
        const { reading: input, reading_open: output } = tablesIn(site);
        const args = { ...without(site), code: 'SELECT 2', job: openJob };
        return new GlueJob('open', { ...args, inputs: { reading: input }, output });
      }),
    ).rejects.toThrow(new Error('reading_open has pseudonyms, so its GlueJob needs a pseudonymSecret'));
  });

  test('is refused where it reads lines of people', async () => {
    await expect(
      deployed(() => {
        const { reading_raw, reading: output } = tablesIn(site);
        const args = { ...without(site), code: 'SELECT 1', job: cleanJob };
        return new GlueJob('clean', { ...args, inputs: { reading_raw }, output });
      }),
    ).rejects.toThrow(
      new Error('reading reads lines of people who may be forgotten, so its GlueJob needs a pseudonymSecret'),
    );
  });

  test('is made where nobody is in its lines, and is told of no list', async () => {
    const { inputs } = await deployed(() => {
      const place = { site, bucket: RAW, bucketName: RAW, protect: false, keep: false };
      const weather = { ...readingRaw, columns: { value: readingRaw.columns.value } };
      const made = { ...reading, columns: { value: reading.columns.value }, partitionBy: [] };
      const job = { ...cleanJob, output: made, inputs: [weather] as const };
      return new GlueJob('clean', {
        ...without(site),
        code: 'SELECT 1',
        job,
        inputs: { reading_raw: new GlueTable('weather', { ...place, table: weather }) },
        output: new GlueTable('made', { ...place, table: made, optimize: false }),
      });
    });
    expect(inputs(JOB).nonOverridableArguments).not.toHaveProperty('--pseudonym-secret');
    expect(JSON.stringify([inputs(POLICY), inputs(OBJECT, 'clean-manifest')])).not.toMatch(
      /suppressed|secret/,
    );
  });
});

test('a source that it was not given is told', async () => {
  await expect(
    deployed(() => {
      const { reading_raw, reading: output } = tablesIn(site);
      const inputs = { reading_raw: Object.assign(reading_raw, { name: 'other' }) };
      return new GlueJob('clean', { ...common(site), code: 'SELECT 1', job: cleanJob, inputs, output });
    }),
  ).rejects.toThrow(new Error('reading reads reading_raw, which its GlueJob was not given'));
});

test('flexible runs are of their own class, and do not queue', async () => {
  const { inputs } = await cleanOf({ settings: { ...jobSettings, flex: true } });
  expect(inputs(JOB)).toMatchObject({ executionClass: 'FLEX', jobRunQueuingEnabled: false });
});

test("a transform changes neither the role, nor Glue's version, nor the files, nor how runs wait", async () => {
  const deployment = await cleanOf({
    transform: {
      job: {
        name: 'other',
        roleArn: 'other',
        command: { scriptLocation: 'other' },
        executionProperty: { maxConcurrentRuns: 9 },
        jobRunQueuingEnabled: false,
        maxRetries: 3,
        nonOverridableArguments: {},
        connections: ['other'],
        glueVersion: '5.0',
        notificationProperty: { notifyDelayAfter: 5 },
      },
      logGroup: (given) => ({
        ...given,
        name: 'other',
        retentionInDays: 1,
        kmsKeyId: 'other',
        skipDestroy: true,
      }),
    },
  });
  expect(deployment.inputs(JOB)).toStrictEqual({
    ...cleanInputs(keysOf(deployment)),
    notificationProperty: { notifyDelayAfter: 5 },
  });
  expect(deployment.inputs(LOGS, 'clean-error-logs')).toStrictEqual({
    name: '/aws-glue/acme-test/reading/error',
    retentionInDays: 30,
    skipDestroy: true,
    tags: { project: 'acme', team: 'data' },
  });
});

describe('the key of a file', () => {
  const keyOf = async (content: string | BinaryFile) => {
    const { one, value } = await deployed(() => {
      const { artifacts } = artifactsOf(site);
      return assetOf(
        'file',
        { site, bucket: artifacts, folder: 'a/b/', extension: '.txt', content },
        artifacts,
      );
    });
    expect(value.place).toEqual({ bucket: ARTIFACTS, prefix: 'a/b/' });
    return one(OBJECT, 'file').inputs.key;
  };

  test('is its content', async () => {
    expect(await keyOf('one')).toBe('a/b/7692c3ad3540bb80.txt');
    expect(await keyOf('one')).toBe(await keyOf('one'));
    expect(await keyOf('one ')).not.toBe(await keyOf('one'));
  });

  test('is what bytes there are, wherever they stand', async () => {
    const bytes = new TextEncoder().encode('one');
    expect(await keyOf({ bytes, path: 'here' })).toBe('a/b/7692c3ad3540bb80.txt');
    expect(await keyOf({ bytes, path: 'there' })).toBe('a/b/7692c3ad3540bb80.txt');
  });
});
