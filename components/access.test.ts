import {
  catalogAccess,
  document,
  keyAccess,
  logAccess,
  metricAccess,
  networkAccess,
  objectAccess,
  secretAccess,
  trust,
} from './access';
import { arn, s3, site } from './testing';

const WRITE = ['s3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];
const allow = (Sid: string, Action: string[], Resource: string[]) => ({
  Sid,
  Effect: 'Allow',
  Action,
  Resource,
});
const list = (i: number, bucket: string, prefixes: string[]) => ({
  Sid: `List${i}`,
  Effect: 'Allow',
  Action: 's3:ListBucket',
  Resource: s3(bucket),
  Condition: { StringLike: { 's3:prefix': prefixes } },
});

describe('objects', () => {
  test('are read by prefix, and listed by bucket', () => {
    const reads = [
      { bucket: 'a', prefix: 'one/' },
      { bucket: 'b', prefix: 'two/' },
      { bucket: 'a', prefix: 'three/four/' },
    ];
    expect(objectAccess(site, { reads, writes: [] })).toStrictEqual([
      allow('ReadObjects', ['s3:GetObject'], [s3('a/one/*'), s3('b/two/*'), s3('a/three/four/*')]),
      list(0, 'a', ['one/*', 'one', 'three/four/*', 'three/four']),
      list(1, 'b', ['two/*', 'two']),
      allow('LocateBuckets', ['s3:GetBucketLocation'], [s3('a'), s3('b')]),
    ]);
  });

  test('are written by prefix; who writes reads too', () => {
    expect(
      objectAccess(site, {
        reads: [{ bucket: 'a', prefix: 'one/' }],
        writes: [
          { bucket: 'b', prefix: 'two/' },
          { bucket: 'b', prefix: 'three/' },
        ],
      }),
    ).toStrictEqual([
      allow('ReadObjects', ['s3:GetObject'], [s3('a/one/*'), s3('b/two/*'), s3('b/three/*')]),
      allow('WriteObjects', WRITE, [s3('b/two/*'), s3('b/three/*')]),
      allow('ListUploads', ['s3:ListBucketMultipartUploads'], [s3('b')]),
      list(0, 'a', ['one/*', 'one']),
      list(1, 'b', ['two/*', 'two', 'three/*', 'three']),
      allow('LocateBuckets', ['s3:GetBucketLocation'], [s3('a'), s3('b')]),
    ]);
  });

  test('of one prefix are not those of another that begins with it', () => {
    const place = { bucket: 'a', prefix: 'customer/' };
    // Two sources may read the same files.
    const [objects] = objectAccess(site, { reads: [place, place], writes: [] });
    expect(objects?.Resource).toEqual([s3('a/customer/*')]);
    expect(`${s3('a/customers/x')}`.startsWith(String(objects?.Resource).replace('*', ''))).toBe(false);
  });
});

describe('the catalog', () => {
  const ancestors = [arn('glue', 'catalog'), arn('glue', 'database/acme_test')];

  test('is read with all ancestors', () => {
    expect(catalogAccess(site, { reads: ['a', 'b'], writes: [] })).toStrictEqual([
      allow(
        'ReadCatalog',
        ['glue:GetDatabase', 'glue:GetTable'],
        [...ancestors, arn('glue', 'table/acme_test/a'), arn('glue', 'table/acme_test/b')],
      ),
    ]);
  });

  test('is written for some tables, which are read too', () => {
    expect(catalogAccess(site, { reads: ['a'], writes: ['b'] })).toStrictEqual([
      allow(
        'ReadCatalog',
        ['glue:GetDatabase', 'glue:GetTable'],
        [...ancestors, arn('glue', 'table/acme_test/a'), arn('glue', 'table/acme_test/b')],
      ),
      allow('CommitTables', ['glue:UpdateTable'], [...ancestors, arn('glue', 'table/acme_test/b')]),
    ]);
  });
});

test('logs are written to groups and their streams', () => {
  expect(logAccess(site, '/aws-glue/x/*')).toStrictEqual(
    allow(
      'WriteLogs',
      ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      [arn('logs', 'log-group:/aws-glue/x/*'), arn('logs', 'log-group:/aws-glue/x/*:*')],
    ),
  );
});

test('metrics are reported in two namespaces only', () => {
  expect(metricAccess(site)).toStrictEqual({
    ...allow('ReportMetrics', ['cloudwatch:PutMetricData'], ['*']),
    Condition: { StringEquals: { 'cloudwatch:namespace': ['Glue', 'Lakehouse/acme-test'] } },
  });
});

test('a key is used, not managed', () => {
  expect(keyAccess('k')).toStrictEqual(allow('UseKey', ['kms:Decrypt', 'kms:GenerateDataKey'], ['k']));
});

test('a secret is read under whatever six characters end its ARN', () => {
  expect(secretAccess(site, 'acme-test/key')).toStrictEqual(
    allow(
      'ReadSecret',
      ['secretsmanager:GetSecretValue'],
      [arn('secretsmanager', 'secret:acme-test/key-??????')],
    ),
  );
});

test('a job attaches to its network, and tags nothing else', () => {
  expect(networkAccess(site, 'net')).toStrictEqual([
    allow(
      'DescribeNetwork',
      [
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeRouteTables',
        'ec2:DescribeSecurityGroups',
        'ec2:DescribeSubnets',
        'ec2:DescribeVpcAttribute',
        'ec2:DescribeVpcEndpoints',
      ],
      ['*'],
    ),
    allow('AttachNetwork', ['ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface'], ['*']),
    {
      ...allow('TagNetwork', ['ec2:CreateTags', 'ec2:DeleteTags'], [arn('ec2', 'network-interface/*')]),
      Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['aws-glue-service-resource'] } },
    },
    allow('ReadConnection', ['glue:GetConnection'], [arn('glue', 'catalog'), arn('glue', 'connection/net')]),
  ]);
});

test('a service takes a role, for this account only where it tells its account', () => {
  const take = (Service: string) => ({ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' });
  expect(trust(site, 'glue.amazonaws.com')).toStrictEqual({
    Version: '2012-10-17',
    Statement: [take('glue.amazonaws.com')],
  });
  expect(trust(site, 'events.amazonaws.com')).toStrictEqual({
    Version: '2012-10-17',
    Statement: [
      {
        ...take('events.amazonaws.com'),
        Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
      },
    ],
  });
  expect(document([])).toStrictEqual({ Version: '2012-10-17', Statement: [] });
});
