import type { Table } from '../model';
import { ForgetJob, type ForgetJobArgs } from './forget-job';
import type { GlueJob } from './glue-job';
import { GlueTable } from './glue-table';
import type { Site } from './site';
import {
  ARTIFACTS,
  artifactsOf,
  CLEAN,
  conf,
  deployed,
  jobSettings,
  OPEN,
  RAW,
  reading,
  readingOpen,
  readingRaw,
  site,
} from './testing';

const JOB = 'aws:glue/job:Job';
const LOGS = 'aws:cloudwatch/logGroup:LogGroup';
const OBJECT = 'aws:s3/bucketObjectv2:BucketObjectv2';
const POLICY = 'aws:iam/rolePolicy:RolePolicy';

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
      tables: [tableIn(at, RAW, readingRaw), tableIn(at, CLEAN, reading), tableIn(at, OPEN, readingOpen)],
      jobs: [jobOf('reading'), jobOf('reading_open')],
      requests: { bucket: RAW, prefix: 'forget/requests/' },
      pseudonymSecret: { name: 'acme-test/pseudonym-key', arn: 'secret-arn' },
      ...more,
    });
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
  // All else is as of every job: glue-job.test.ts.
  expect(job.inputs).toMatchObject({
    name: 'acme-test-forget',
    defaultArguments: { '--conf': conf(`s3://${ARTIFACTS}/`) },
    jobRunQueuingEnabled: false,
    nonOverridableArguments: {
      '--erasure': `s3://${ARTIFACTS}/${inputs(OBJECT, 'forget-erasure').key}`,
      '--pseudonym-secret': 'secret-arn',
      '--custom-logGroup-prefix': '/aws-glue/acme-test/forget',
    },
  });
  expect(inputs(OBJECT, 'forget-erasure').key).toMatch(/^jobs\/forget\/[0-9a-f]{16}\.json$/);
  expect(one(OBJECT, 'forget-erasure').retainOnDelete).toBe(true);
  expect(job.after).toEqual([
    'archive',
    ...['erasure', 'error-logs', 'output-logs', 'policy', 'role'].map((part) => `forget-${part}`),
    'script',
  ]);
  expect(one('lakehouse:jobs:ForgetJob').outputs).toStrictEqual({ name: 'acme-test-forget' });
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
  expect(JSON.parse(file)).toMatchObject({
    jobs: [{ ...job('reading'), parameters: { mode: 'set' } }, job('reading_open')],
    suppressed: `s3://${ARTIFACTS}/suppressed/list.json`,
    receipts: `s3://${ARTIFACTS}/receipts/`,
  });
});
