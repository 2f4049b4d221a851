import { expectation, type Table } from '../model';
import { erasureSchema } from '../model/manifest';
import { ForgetJob, type ForgetJobArgs } from './forget-job';
import type { GlueJob } from './glue-job';
import { GlueTable } from './glue-table';
import type { Site } from './site';
import {
  ARTIFACTS,
  artifactsOf,
  CLEAN,
  clean,
  conf,
  deployed,
  jobSettings,
  keyed,
  MODULE,
  OPEN,
  open,
  RAW,
  raw,
  reading,
  readingOpen,
  readingRaw,
  site,
  words,
} from './testing';

const JOB = 'aws:glue/job:Job';
const LOGS = 'aws:cloudwatch/logGroup:LogGroup';
const OBJECT = 'aws:s3/bucketObjectv2:BucketObjectv2';
const POLICY = 'aws:iam/rolePolicy:RolePolicy';

/** Moves rows out of its table, so that it has a quarantine too. */
const picky = {
  ...readingOpen,
  expectations: [
    expectation({
      name: 'known',
      severity: 'quarantine',
      description: 'Known people only.',
      columns: ['subject'],
      sql: (table) => `SELECT t.subject FROM ${table} t`,
    }),
  ],
};
const openPicky = { ...open, tables: [picky], jobs: [{ ...open.jobs[0], output: picky }] };

const tableIn = (at: Site, bucket: string, table: Table) =>
  new GlueTable<Table>(table.name, {
    site: at,
    bucket,
    bucketName: bucket,
    protect: false,
    keep: false,
    optimize: false,
    table,
  });

/** A job of which the ForgetJob looks at no more. */
const jobOf = (name: string) => {
  const asset = (extension: string) => ({
    file: `s3://${ARTIFACTS}/jobs/${name}/0${extension}`,
    place: { bucket: ARTIFACTS, prefix: `jobs/${name}/` },
  });
  const nodes = { manifest: asset('.json'), code: asset('.sql') };
  return { definition: { name }, values: { mode: 'set' }, nodes } as unknown as GlueJob;
};

const forgetOf = (more: Partial<ForgetJobArgs> = {}) =>
  deployed(() => {
    const at = more.site ?? site;
    return new ForgetJob('forget', {
      ...artifactsOf(at),
      site: at,
      settings: jobSettings,
      logDays: 30,
      pipeline: words.pipeline(raw, clean, openPicky as unknown as typeof open),
      tables: [
        tableIn(at, RAW, readingRaw),
        tableIn(at, CLEAN, reading),
        tableIn(at, OPEN, picky as unknown as Table),
      ],
      jobs: [jobOf('reading'), jobOf('reading_open')],
      requests: { bucket: RAW, prefix: 'forget/requests/' },
      pseudonymSecret: { name: 'acme-test/pseudonym-key', arn: 'secret-arn' },
      ...more,
    });
  });

const jobInputs = (keys: { readonly [kind in 'erasure' | 'script' | 'archive']: unknown }) => ({
  name: 'acme-test-forget',
  description:
    'Makes every table again without a person, and removes them from landing files and old versions.',
  glueVersion: '6.0',
  executionClass: 'STANDARD',
  workerType: 'G.2X',
  numberOfWorkers: 5,
  timeout: 45,
  defaultArguments: {
    '--job-language': 'python',
    '--datalake-formats': 'iceberg',
    '--conf': conf(`s3://${ARTIFACTS}/`),
    '--enable-auto-scaling': 'true',
    '--enable-metrics': 'true',
    '--enable-observability-metrics': 'true',
  },
  tags: { project: 'acme', team: 'data' },
  roleArn: 'forget-role.arn',
  command: { name: 'glueetl', pythonVersion: '3', scriptLocation: `s3://${ARTIFACTS}/${keys.script}` },
  executionProperty: { maxConcurrentRuns: 1 },
  jobRunQueuingEnabled: false,
  maxRetries: 0,
  nonOverridableArguments: {
    '--erasure': `s3://${ARTIFACTS}/${keys.erasure}`,
    '--pseudonym-secret': 'secret-arn',
    '--extra-py-files': `s3://${ARTIFACTS}/${keys.archive}`,
    '--additional-python-modules': MODULE,
    '--custom-logGroup-prefix': '/aws-glue/acme-test/forget',
  },
});

test('it is a job that no workflow starts, of which one run goes on at a time', async () => {
  const { value, one, inputs, list } = await forgetOf();
  expect(list.filter((title) => title.includes(' forget'))).toEqual([
    `${LOGS} forget-error-logs`,
    `${LOGS} forget-output-logs`,
    `${JOB} forget-job`,
    'aws:iam/role:Role forget-role',
    `${POLICY} forget-policy`,
    `${OBJECT} forget-erasure`,
    'lakehouse:access:ServiceRole forget',
    'lakehouse:jobs:ForgetJob forget',
  ]);
  const job = one(JOB);
  expect(job.inputs).toStrictEqual(
    jobInputs({
      erasure: inputs(OBJECT, 'forget-erasure').key,
      script: inputs(OBJECT, 'script').key,
      archive: inputs(OBJECT, 'archive').key,
    }),
  );
  expect(inputs(OBJECT, 'forget-erasure').key).toMatch(/^jobs\/forget\/[0-9a-f]{16}\.json$/);
  expect(one(OBJECT, 'forget-erasure').retainOnDelete).toBe(true);
  expect(job.after).toEqual([
    'archive',
    ...['erasure', 'error-logs', 'output-logs', 'policy', 'role'].map((part) => `forget-${part}`),
    'script',
  ]);
  expect(one('lakehouse:jobs:ForgetJob').outputs).toStrictEqual({ name: 'acme-test-forget' });
  expect(inputs(LOGS, 'forget-error-logs')).toStrictEqual({
    name: '/aws-glue/acme-test/forget/error',
    retentionInDays: 30,
    tags: { project: 'acme', team: 'data' },
  });
  expect(value.name).toBe('acme-test-forget');
  expect(value.logPrefix).toBe('/aws-glue/acme-test/forget');
  expect(value.requests).toBe(`s3://${RAW}/forget/requests/`);
});

test('its erasure manifest says by which files of the jobs it makes tables again, and with which values', async () => {
  const { inputs } = await forgetOf();
  const { file } = inputs(OBJECT, 'forget-erasure').source as { file: string };
  expect(file.endsWith('\n}\n')).toBe(true);
  const job = (name: string) => ({
    manifest: `s3://${ARTIFACTS}/jobs/${name}/0.json`,
    code: `s3://${ARTIFACTS}/jobs/${name}/0.sql`,
  });
  expect(erasureSchema.parse(JSON.parse(file))).toMatchObject({
    jobs: [{ ...job('reading'), parameters: { mode: 'set' } }, job('reading_open')],
    suppressed: `s3://${ARTIFACTS}/suppressed/list.json`,
    receipts: `s3://${ARTIFACTS}/receipts/`,
  });
});

describe('its role', () => {
  test('uses the key of the stack, and the private network where there is one', async () => {
    const { list, inputs } = await forgetOf({
      site: keyed,
      connection: { name: 'acme-test-network', ready: 'made-network' },
    });
    expect(list).toContain(`${POLICY} forget-key-policy`);
    expect(inputs(JOB).connections).toEqual(['made-network']);
    expect(JSON.stringify(inputs(POLICY, 'forget-policy'))).toContain('connection/acme-test-network');
  });
});

test('a job that it was not given is told', async () => {
  await expect(forgetOf({ jobs: [] })).rejects.toThrow(
    new Error('the ForgetJob was not given the job reading, which makes its table again'),
  );
});

test('a transform lets nobody hand a run another place, or run two at a time', async () => {
  const { inputs } = await forgetOf({
    transform: {
      job: {
        nonOverridableArguments: {},
        executionProperty: { maxConcurrentRuns: 9 },
        jobRunQueuingEnabled: true,
        maxRetries: 1,
      },
    },
  });
  const plain = await forgetOf();
  expect(inputs(JOB)).toStrictEqual(plain.inputs(JOB));
});
