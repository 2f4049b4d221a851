import { output } from '@pulumi/pulumi';
import { AnalystPolicy } from './analyst-policy';
import { SecureBucket } from './bucket';
import { GlueTable } from './glue-table';
import type { Site } from './site';
import { ARTIFACTS, bucketArgs, deployed, KEY, keyed, OPEN, readingOpen, s3, site } from './testing';
import { Workgroup } from './workgroup';

const POLICY = 'aws:iam/policy:Policy';

const policyOf = (at: Site = site) =>
  deployed(() => {
    const table = new GlueTable('open', {
      site: at,
      table: readingOpen,
      bucket: OPEN,
      bucketName: OPEN,
      optimize: false,
      protect: false,
      keep: false,
    });
    const results = new SecureBucket('artifacts', bucketArgs);
    const workgroup = new Workgroup('ask', {
      site: at,
      audience: 'analysts',
      description: 'Asks.',
      database: at.database,
      results,
      scanLimitBytes: 1,
      queries: [],
    });
    return new AnalystPolicy('analyst', { site: at, tables: [table], workgroup });
  });

const glue = (what: string) => `arn:aws-cn:glue:cn-north-1:123456789012:${what}`;

const statements = [
  {
    Sid: 'Query',
    Effect: 'Allow',
    Action: [
      'athena:BatchGetNamedQuery',
      'athena:BatchGetQueryExecution',
      'athena:GetNamedQuery',
      'athena:GetQueryExecution',
      'athena:GetQueryResults',
      'athena:GetQueryResultsStream',
      'athena:GetWorkGroup',
      'athena:ListNamedQueries',
      'athena:ListQueryExecutions',
      'athena:StartQueryExecution',
      'athena:StopQueryExecution',
    ],
    Resource: ['arn:aws-cn:athena:cn-north-1:123456789012:workgroup/acme-test-analysts'],
  },
  {
    Sid: 'FindCatalog',
    Effect: 'Allow',
    Action: ['athena:GetDataCatalog'],
    Resource: ['arn:aws-cn:athena:cn-north-1:123456789012:datacatalog/AwsDataCatalog'],
  },
  {
    Sid: 'ReadCatalog',
    Effect: 'Allow',
    Action: ['glue:GetDatabase', 'glue:GetPartitions', 'glue:GetTable', 'glue:GetTables'],
    Resource: [
      glue('catalog'),
      glue('database/acme_test'),
      glue('database/default'),
      glue('table/acme_test/reading_open'),
    ],
  },
  {
    Sid: 'ReadObjects',
    Effect: 'Allow',
    Action: ['s3:GetObject'],
    Resource: [s3(`${OPEN}/reading_open/*`), s3(`${ARTIFACTS}/results/analysts/*`)],
  },
  {
    Sid: 'WriteObjects',
    Effect: 'Allow',
    Action: ['s3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
    Resource: [s3(`${ARTIFACTS}/results/analysts/*`)],
  },
  {
    Sid: 'ListUploads',
    Effect: 'Allow',
    Action: ['s3:ListBucketMultipartUploads'],
    Resource: [s3(ARTIFACTS)],
  },
  {
    Sid: 'List0',
    Effect: 'Allow',
    Action: 's3:ListBucket',
    Resource: s3(OPEN),
    Condition: { StringLike: { 's3:prefix': ['reading_open/*', 'reading_open'] } },
  },
  {
    Sid: 'List1',
    Effect: 'Allow',
    Action: 's3:ListBucket',
    Resource: s3(ARTIFACTS),
    Condition: { StringLike: { 's3:prefix': ['results/analysts/*', 'results/analysts'] } },
  },
  {
    Sid: 'LocateBuckets',
    Effect: 'Allow',
    Action: ['s3:GetBucketLocation'],
    Resource: [s3(OPEN), s3(ARTIFACTS)],
  },
];

test('analysts may query open tables in their workgroup, and nothing else', async () => {
  const { resources } = await policyOf();
  expect(resources.filter(({ name }) => name.startsWith('analyst'))).toStrictEqual([
    {
      type: POLICY,
      name: 'analyst-policy',
      parent: 'analyst',
      inputs: {
        name: 'acme-test-analyst',
        policy: { json: { Version: '2012-10-17', Statement: statements } },
        tags: { project: 'acme', team: 'data' },
      },
      after: [],
    },
    {
      type: 'lakehouse:access:AnalystPolicy',
      name: 'analyst',
      inputs: {},
      after: [],
      outputs: { arn: 'analyst-policy.arn' },
    },
  ]);
});

test('and use the key of the stack for it', async () => {
  const { inputs } = await policyOf({ ...keyed, key: output(KEY) });
  expect(inputs(POLICY).policy).toStrictEqual({
    json: {
      Version: '2012-10-17',
      Statement: [
        ...statements,
        { Sid: 'UseKey', Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: [KEY] },
      ],
    },
  });
});
