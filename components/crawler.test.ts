import { text } from '../model';
import { Crawler, type CrawlerArgs } from './crawler';
import { GlueTable } from './glue-table';
import { deployed, readingRaw, site, words } from './testing';

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
