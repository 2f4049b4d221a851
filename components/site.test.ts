import { consoleLinks, dashboardLink } from '../model/console';
import {
  arn,
  bucketArn,
  bucketName,
  logPrefixOf,
  metricsNamespaceOf,
  prefixOf,
  QUARANTINE_PREFIX,
  quarantinePrefixOf,
  s3Uri,
} from './site';
import { reading, readingRaw, site } from './testing';

test('names and addresses are made of the stack', () => {
  expect(bucketName(site, 'clean')).toBe('acme-test-clean-123456789012');
  expect(bucketArn(site, 'b')).toBe('arn:aws-cn:s3:::b');
  expect(arn(site, 'glue', 'catalog')).toBe('arn:aws-cn:glue:cn-north-1:123456789012:catalog');
  expect(s3Uri({ bucket: 'b', prefix: 'a/' })).toBe('s3://b/a/');
  expect(s3Uri({ bucket: 'b', prefix: '' })).toBe('s3://b/');
  expect(logPrefixOf(site, 'reading')).toBe('/aws-glue/acme-test/reading');
  expect(metricsNamespaceOf(site)).toBe('Lakehouse/acme-test');
});

test('files lie by source or by table, and prefixes end in a slash', () => {
  expect(prefixOf(readingRaw)).toBe('reading/landing/');
  expect(prefixOf(reading)).toBe('reading/');
  expect(QUARANTINE_PREFIX).toBe('quarantine/');
  expect(quarantinePrefixOf(readingRaw)).toBe('quarantine/reading_raw/');
});

test('the console shows a stack in its region', () => {
  const home = (service: string) =>
    `https://cn-north-1.console.aws.amazon.com/${service}/home?region=cn-north-1`;
  expect(consoleLinks(site)).toStrictEqual({
    workflow: `${home('glue')}#/v2/etl-configuration/workflows/view/acme-test`,
    tables: `${home('glue')}#/v2/data-catalog/databases/view/acme_test`,
    queries: `${home('athena')}#/query-editor`,
    logs: `${home('cloudwatch')}#logsV2:log-groups$3FlogGroupNameFilter$3D$252Faws-glue$252Facme-test`,
  });
  expect(dashboardLink(site)).toBe(`${home('cloudwatch')}#dashboards/dashboard/acme-test`);
});
