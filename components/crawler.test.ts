import { text } from '../model';
import { Crawler, type CrawlerArgs } from './crawler';
import { GlueTable } from './glue-table';
import { deployed, keyed, readingRaw, site, words } from './testing';

const CRAWLER = 'aws:glue/crawler:Crawler';
const BUCKET = 'acme-test-raw-123456789012';

const other = words.source({
  name: 'other_raw',
  zone: 'raw',
  entity: 'other',
  description: 'Another.',
  columns: { id: text('Which.') },
});

const crawlerOf = (args: Partial<CrawlerArgs> = {}) =>
  deployed(() => {
    const place = { site, bucket: BUCKET, bucketName: BUCKET, protect: false, keep: false };
    const tables = [
      new GlueTable('reading', { ...place, table: readingRaw }),
      new GlueTable('other', { ...place, table: other }),
    ];
    return new Crawler('look', { site, tables, ...args });
  });

const inputs = {
  name: 'acme-test-landing',
  description:
    'Says where landing files differ from their contracts, and adds partitions to tables that have some.',
  databaseName: 'acme_test',
  role: 'look-role.arn',
  catalogTargets: [{ databaseName: 'acme_test', tables: ['reading_raw', 'other_raw'] }],
  schemaChangePolicy: { deleteBehavior: 'LOG', updateBehavior: 'LOG' },
  configuration: {
    json: {
      Version: 1,
      CrawlerOutput: { Partitions: { AddOrUpdateBehavior: 'InheritFromTable' } },
      Grouping: { TableGroupingPolicy: 'CombineCompatibleSchemas' },
    },
  },
  tags: { project: 'acme', team: 'data' },
};

test('a crawler looks at declared tables on demand and changes none', async () => {
  const { value, one, list } = await crawlerOf();
  expect(one(CRAWLER)).toStrictEqual({
    type: CRAWLER,
    name: 'look-crawler',
    parent: 'look',
    inputs,
    after: ['look-policy', 'look-role', 'other-table', 'reading-table'],
  });
  expect(list.filter((title) => title.includes('look'))).toEqual([
    `${CRAWLER} look-crawler`,
    'aws:iam/role:Role look-role',
    'aws:iam/rolePolicy:RolePolicy look-policy',
    'lakehouse:access:ServiceRole look',
    'lakehouse:catalog:Crawler look',
  ]);
  expect(one('lakehouse:access:ServiceRole').parent).toBe('look');
  expect(one('lakehouse:catalog:Crawler').outputs).toEqual({ name: 'acme-test-landing' });
  expect(value.name).toBe('acme-test-landing');
});

test('it looks by the clock where it has a schedule', async () => {
  const { inputs: given } = await crawlerOf({ schedule: 'cron(0 2 * * ? *)' });
  expect(given(CRAWLER)).toStrictEqual({ ...inputs, schedule: 'cron(0 2 * * ? *)' });
});

test('its role reads the files, and writes nothing but partitions and logs', async () => {
  const { inputs: given } = await crawlerOf();
  const arn = `arn:aws-cn:s3:::${BUCKET}`;
  const glue = 'arn:aws-cn:glue:cn-north-1:123456789012';
  const logs = 'arn:aws-cn:logs:cn-north-1:123456789012:log-group:/aws-glue/crawlers';
  const tables = [
    `${glue}:catalog`,
    `${glue}:database/acme_test`,
    `${glue}:table/acme_test/reading_raw`,
    `${glue}:table/acme_test/other_raw`,
  ];
  expect(given('aws:iam/role:Role')).toMatchObject({
    name: 'acme-test-crawler',
    description: 'Lets Glue look at the files of the landing zone.',
    assumeRolePolicy: { json: { Statement: [{ Principal: { Service: 'glue.amazonaws.com' } }] } },
  });
  expect(given('aws:iam/rolePolicy:RolePolicy').policy).toStrictEqual({
    json: {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'ReadObjects',
          Effect: 'Allow',
          Action: ['s3:GetObject'],
          Resource: [`${arn}/reading/landing/*`, `${arn}/other/landing/*`],
        },
        {
          Sid: 'List0',
          Effect: 'Allow',
          Action: 's3:ListBucket',
          Resource: arn,
          Condition: {
            StringLike: {
              's3:prefix': ['reading/landing/*', 'reading/landing', 'other/landing/*', 'other/landing'],
            },
          },
        },
        { Sid: 'LocateBuckets', Effect: 'Allow', Action: ['s3:GetBucketLocation'], Resource: [arn] },
        {
          Sid: 'ReadCatalog',
          Effect: 'Allow',
          Action: ['glue:GetDatabase', 'glue:GetTable'],
          Resource: tables,
        },
        {
          Sid: 'AddPartitions',
          Effect: 'Allow',
          Action: [
            'glue:BatchCreatePartition',
            'glue:BatchGetPartition',
            'glue:CreatePartition',
            'glue:GetPartitions',
            'glue:GetTables',
            'glue:UpdatePartition',
            'glue:UpdateTable',
          ],
          Resource: tables,
        },
        {
          Sid: 'WriteLogs',
          Effect: 'Allow',
          Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
          Resource: [logs, `${logs}:*`],
        },
      ],
    },
  });
});

test('it reads what the key of the stack encrypts', async () => {
  const { list } = await crawlerOf({ site: keyed });
  expect(list).toContain('aws:iam/rolePolicy:RolePolicy look-key-policy');
});

test('a transform cannot let it change tables', async () => {
  const { inputs: given } = await crawlerOf({
    transform: {
      crawler: {
        name: 'other',
        databaseName: 'other',
        role: 'other',
        catalogTargets: [],
        schemaChangePolicy: { deleteBehavior: 'DELETE_FROM_DATABASE' },
        configuration: '{}',
        tablePrefix: 'mine_',
      },
    },
  });
  expect(given(CRAWLER)).toStrictEqual({ ...inputs, tablePrefix: 'mine_' });
});
