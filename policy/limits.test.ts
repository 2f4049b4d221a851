import { athenaLimits } from './athena';
import { given, told, unknown } from './given';
import { logRetention } from './logs';
import { prodProtected } from './prod';
import type { Value, Values } from './values';

describe('log-retention', () => {
  const group = (props: Values) =>
    told(logRetention.check(given('aws:cloudwatch/logGroup:LogGroup', props), {}));
  it('wants a number of days', () => {
    expect(group({ retentionInDays: 30 })).toEqual([]);
    expect(group({ retentionInDays: 0 })).toEqual([
      'it.retentionInDays: is 0; without a number of days CloudWatch keeps logs for ever; set it to the days that the logs are needed, such as 30',
    ]);
    expect(group({})).toHaveLength(1);
    expect(group({ retentionInDays: unknown })).toEqual(['(unknown)']);
  });
});

describe('athena-limits', () => {
  const good: Values = {
    enforceWorkgroupConfiguration: true,
    bytesScannedCutoffPerQuery: 10_485_760,
    resultConfiguration: { encryptionConfiguration: { encryptionOption: 'SSE_S3' } },
  };
  const check = (props: Values) =>
    told(athenaLimits.check(given('aws:athena/workgroup:Workgroup', props), {}));
  const group = (change: Values) => check({ configuration: { ...good, ...change } });
  const encrypted = (encryptionOption: Value) => ({
    resultConfiguration: { encryptionConfiguration: { encryptionOption } },
  });

  it('accepts a workgroup with limits', () => {
    expect(group({})).toEqual([]);
    expect(group(encrypted('SSE_KMS'))).toEqual([]);
    expect(
      check({ configuration: { bytesScannedCutoffPerQuery: 10_485_760, ...encrypted('CSE_KMS') } }),
    ).toEqual([]);
    expect(group({ resultConfiguration: null, managedQueryResultsConfiguration: { enabled: true } })).toEqual(
      [],
    );
  });

  it('refuses one that clients may override', () => {
    expect(group({ enforceWorkgroupConfiguration: false })).toEqual([
      'it.configuration.enforceWorkgroupConfiguration: is false; a client may not undo the limits of its workgroup; set it to true',
    ]);
  });

  it.each<Value>([0, 10_485_759, null])('refuses the scan limit %p', (bytesScannedCutoffPerQuery) => {
    expect(group({ bytesScannedCutoffPerQuery })).toEqual([
      `it.configuration.bytesScannedCutoffPerQuery: is ${bytesScannedCutoffPerQuery}; a query may cost only so much; set it to the bytes that one query may scan, at least 10485760`,
    ]);
  });

  it('refuses results in the clear, and no configuration at all', () => {
    expect(group({ resultConfiguration: {}, managedQueryResultsConfiguration: { enabled: false } })).toEqual([
      'it.configuration.resultConfiguration.encryptionConfiguration.encryptionOption: is not set; results hold what the tables hold, so they are encrypted too; set it to "SSE_S3" or "SSE_KMS"',
    ]);
    expect(group(encrypted('NONE'))).toHaveLength(1);
    expect(check({})).toHaveLength(2);
  });

  it('does not judge what is unknown', () => {
    expect(group(encrypted(unknown))).toEqual(['(unknown)']);
    expect(group({ bytesScannedCutoffPerQuery: unknown, enforceWorkgroupConfiguration: false })).toHaveLength(
      2,
    );
    expect(
      group({ resultConfiguration: {}, managedQueryResultsConfiguration: { enabled: unknown } }),
    ).toEqual(['(unknown)']);
  });
});

describe('prod-protected', () => {
  const config = { stacks: ['prod'] };
  const BUCKET = 'aws:s3/bucket:Bucket';
  const prod = { stack: 'prod' };
  const message =
    'it.options.protect: is false; what cannot be made again is protected in prod; set protect: true in its resource options';

  it.each([
    BUCKET,
    'aws:s3/bucketV2:BucketV2',
    'aws:glue/catalogTable:CatalogTable',
    'aws:kms/key:Key',
    'aws:secretsmanager/secret:Secret',
  ])('wants %s protected in the stacks named, and there only', (type) => {
    expect(told(prodProtected.check(given(type, {}, prod), config))).toEqual([message]);
    expect(told(prodProtected.check(given(type, {}, { ...prod, protect: true }), config))).toEqual([]);
    expect(told(prodProtected.check(given(type, {}), config))).toEqual([]);
    expect(told(prodProtected.check(given(type, {}, prod), { stacks: [] }))).toEqual([]);
    expect(told(prodProtected.check(given(type, {}, { stack: 'live' }), { stacks: ['live'] }))).toHaveLength(
      1,
    );
  });

  it('refuses forceDestroy', () => {
    const bucket = (forceDestroy: Value, stack: string) =>
      told(prodProtected.check(given(BUCKET, { forceDestroy }, { stack, protect: true }), config));
    expect(bucket(true, 'prod')).toEqual([
      'it.forceDestroy: is true; a bucket with data is never deleted in prod; remove it or set it to false',
    ]);
    expect(bucket(false, 'prod')).toEqual([]);
    expect(bucket(unknown, 'prod')).toEqual(['(unknown)']);
    expect(bucket(true, 'dev')).toEqual([]);
  });

  it('leaves alone what can be made again', () => {
    expect(told(prodProtected.check(given('aws:glue/job:Job', {}, prod), config))).toEqual([]);
  });

  it('has prod as its default, which the engine fills in', () => {
    expect(prodProtected.configSchema?.properties.stacks?.default).toEqual(['prod']);
  });
});
