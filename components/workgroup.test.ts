import { SecureBucket } from './bucket';
import { ARTIFACTS, bucketArgs, deployed, KEY, keyed, site } from './testing';
import { Workgroup, type WorkgroupArgs } from './workgroup';

const WORKGROUP = 'aws:athena/workgroup:Workgroup';
const QUERY = 'aws:athena/namedQuery:NamedQuery';

const workgroupOf = (args: Partial<WorkgroupArgs> = {}) =>
  deployed(() => {
    const results = new SecureBucket('artifacts', bucketArgs);
    return new Workgroup('ask', {
      site,
      description: 'Asks.',
      database: 'acme_test',
      results,
      scanLimitBytes: 10485760,
      queries: [],
      ...args,
    });
  });

const configuration = (folder: string) => ({
  enforceWorkgroupConfiguration: true,
  publishCloudwatchMetricsEnabled: true,
  bytesScannedCutoffPerQuery: 10485760,
  engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
  resultConfiguration: {
    outputLocation: `s3://${ARTIFACTS}/results/${folder}/`,
    expectedBucketOwner: '123456789012',
    encryptionConfiguration: { encryptionOption: 'SSE_S3' },
  },
});

test('a workgroup limits scans and writes results into a folder of its own', async () => {
  const { value, one } = await workgroupOf();
  expect(one(WORKGROUP)).toStrictEqual({
    type: WORKGROUP,
    name: 'ask-workgroup',
    parent: 'ask',
    inputs: {
      name: 'acme-test',
      description: 'Asks.',
      forceDestroy: true,
      configuration: configuration('all'),
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
  });
  expect(one('lakehouse:query:Workgroup')).toStrictEqual({
    type: 'lakehouse:query:Workgroup',
    name: 'ask',
    inputs: {},
    after: [],
    outputs: { name: 'acme-test' },
  });
  expect(value.plannedName).toBe('acme-test');
  expect(value.results).toEqual({ bucket: ARTIFACTS, prefix: 'results/all/' });
});

test('one for an audience ends in its name, and so do its results', async () => {
  const { value, inputs } = await workgroupOf({ audience: 'analysts' });
  expect(inputs(WORKGROUP)).toMatchObject({
    name: 'acme-test-analysts',
    configuration: configuration('analysts'),
  });
  expect(value.plannedName).toBe('acme-test-analysts');
  expect(value.results).toEqual({ bucket: ARTIFACTS, prefix: 'results/analysts/' });
});

test('a stack with a key encrypts results with it', async () => {
  const { inputs } = await workgroupOf({ site: keyed });
  const { resultConfiguration, ...rest } = configuration('all');
  expect(inputs(WORKGROUP).configuration).toStrictEqual({
    ...rest,
    resultConfiguration: {
      ...resultConfiguration,
      encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKeyArn: KEY },
    },
  });
});

test('its queries stand in it by name', async () => {
  const { value, one, list } = await workgroupOf({
    queries: [
      { name: 'counts', description: 'How many.', sql: 'SELECT 1', tables: [] },
      { name: 'names', description: 'Who.', sql: 'SELECT 2', tables: ['reading'] },
    ],
  });
  expect(list.filter((title) => title.startsWith(QUERY))).toEqual([
    `${QUERY} ask-counts`,
    `${QUERY} ask-names`,
  ]);
  expect(one(QUERY, 'ask-names')).toStrictEqual({
    type: QUERY,
    name: 'ask-names',
    parent: 'ask',
    inputs: {
      name: 'names',
      description: 'Who.',
      database: 'acme_test',
      workgroup: 'acme-test',
      query: 'SELECT 2',
    },
    after: ['ask-workgroup'],
  });
  expect(value.nodes.queries).toHaveLength(2);
});

test('a transform changes neither name nor limits', async () => {
  const { inputs } = await workgroupOf({
    transform: {
      workgroup: (args) => ({
        ...args,
        name: 'other',
        configuration: {},
        state: 'DISABLED',
        forceDestroy: false,
      }),
    },
  });
  expect(inputs(WORKGROUP)).toStrictEqual({
    name: 'acme-test',
    description: 'Asks.',
    forceDestroy: false,
    state: 'DISABLED',
    configuration: configuration('all'),
    tags: site.tags,
  });
});
