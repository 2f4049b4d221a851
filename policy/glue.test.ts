import fc from 'fast-check';
import { given, told, unknown } from './given';
import { crawlerDoesNotChangeTables, glueJobLimits, icebergOwnedByProgram, isAtLeast } from './glue';
import type { Value, Values } from './values';

describe('glue-job-limits', () => {
  const good: Values = { timeout: 60, glueVersion: '6.0', jobRunQueuingEnabled: true, maxRetries: 0 };
  const job = (change: Values) =>
    told(glueJobLimits.check(given('aws:glue/job:Job', { ...good, ...change }), {}));

  it('accepts a job within the limits', () => {
    expect(job({})).toEqual([]);
    expect(job({ timeout: 480, glueVersion: '6.1', jobRunQueuingEnabled: false, maxRetries: 3 })).toEqual([]);
    expect(job({ timeout: 1 })).toEqual([]);
  });

  it.each([0, -1, 481, 2880, '60'])('refuses the timeout %p', (timeout) => {
    expect(job({ timeout })).toEqual([
      `it.timeout: is ${JSON.stringify(timeout)}; a job stops within 480 minutes (Glue's own limit is two days); set it to a number from 1 to 480`,
    ]);
  });

  it.each<Value>(['5.1', '4.0', '5', 'latest', '', 6])('refuses the Glue version %p', (glueVersion) => {
    expect(job({ glueVersion })).toEqual([
      `it.glueVersion: is ${JSON.stringify(glueVersion)}; jobs run on Glue 6.0 or later; set it to "6.0"`,
    ]);
  });

  it('wants both limits stated', () => {
    expect(told(glueJobLimits.check(given('aws:glue/job:Job', {}), {}))).toEqual([
      expect.stringMatching(/^it\.timeout: is not set; /),
      expect.stringMatching(/^it\.glueVersion: is not set; /),
    ]);
  });

  it('refuses retries where runs queue', () => {
    expect(job({ maxRetries: 1 })).toEqual([
      'it.maxRetries: is 1; runs of a job with retries do not queue (jobRunQueuingEnabled is true); set it to 0',
    ]);
  });

  it('refuses flexible runs that queue', () => {
    expect(job({ executionClass: 'FLEX' })).toEqual([
      'it.executionClass: is "FLEX"; flexible runs do not queue (jobRunQueuingEnabled is true); set it to "STANDARD", or jobRunQueuingEnabled to false',
    ]);
    expect(job({ executionClass: 'FLEX', jobRunQueuingEnabled: false })).toEqual([]);
    expect(job({ executionClass: 'STANDARD' })).toEqual([]);
    expect(job({ executionClass: unknown })).toEqual(['(unknown)']);
  });

  it.each(['defaultArguments', 'nonOverridableArguments'])(
    'refuses secrets in %s without showing them',
    (args) => {
      for (const name of ['--api-key', '--clientSecret', '--DB_PASSWORD', '--token']) {
        expect(job({ [args]: { [name]: 'hush', '--zone': 'eu' } })).toEqual([
          `it.${args}["${name}"]: has a plain value; a job's arguments can be read by all who may see the job; pass the ARN of a secret and read it in the job`,
        ]);
      }
      expect(
        job({ [args]: { '--pseudonym-key': 'arn:aws:secretsmanager:eu-west-1:1:secret:k', '--x': 'y' } }),
      ).toEqual([]);
    },
  );

  it('does not judge what is unknown, and does judge the rest', () => {
    expect(job({ timeout: unknown, maxRetries: 1 })).toEqual([
      '(unknown)',
      expect.stringContaining('it.maxRetries'),
    ]);
    expect(job({ jobRunQueuingEnabled: unknown, maxRetries: 1 })).toEqual(['(unknown)']);
    expect(job({ defaultArguments: { '--key': unknown, '--token': 'x', '--other': unknown } })).toEqual([
      '(unknown)',
      expect.stringContaining('"--token"'),
    ]);
    expect(job({ defaultArguments: unknown })).toEqual(['(unknown)']);
  });

  it('compares versions by number', () => {
    expect(isAtLeast('5.10', '5.9')).toBe(true);
    expect(isAtLeast('5.1.0', '5.1')).toBe(true);
    expect(isAtLeast('10.0', '5.1')).toBe(true);
    fc.assert(
      fc.property(fc.nat(30), fc.nat(30), fc.nat(30), fc.nat(30), (a, b, c, d) => {
        expect(isAtLeast(`${a}.${b}`, `${c}.${d}`)).toBe(a > c || (a === c && b >= d));
      }),
    );
  });
});

describe('crawler-does-not-change-tables', () => {
  const crawler = (props: Values) =>
    told(crawlerDoesNotChangeTables.check(given('aws:glue/crawler:Crawler', props), {}));
  const catalogTargets = [{ databaseName: 'stedi', tables: ['customer_landing'] }];

  it('wants LOG for both', () => {
    const log = { deleteBehavior: 'LOG', updateBehavior: 'LOG' };
    expect(crawler({ catalogTargets, schemaChangePolicy: log })).toEqual([]);
    expect(
      crawler({ catalogTargets, schemaChangePolicy: { ...log, deleteBehavior: 'DEPRECATE_IN_DATABASE' } }),
    ).toEqual([
      'it.schemaChangePolicy.deleteBehavior: is "DEPRECATE_IN_DATABASE"; only the program changes its tables; set it to "LOG"',
    ]);
    expect(
      crawler({ catalogTargets, schemaChangePolicy: { ...log, updateBehavior: 'UPDATE_IN_DATABASE' } }),
    ).toEqual([
      'it.schemaChangePolicy.updateBehavior: is "UPDATE_IN_DATABASE"; only the program changes its tables; set it to "LOG"',
    ]);
    expect(crawler({ catalogTargets })).toHaveLength(2);
    expect(crawler({ catalogTargets, schemaChangePolicy: unknown })).toEqual(['(unknown)', '(unknown)']);
  });

  it('is about catalogue tables only', () => {
    expect(crawler({ s3Targets: [{ path: 's3://x' }] })).toEqual([]);
    expect(crawler({ catalogTargets: [] })).toEqual([]);
    expect(crawler({ catalogTargets: unknown })).toEqual(['(unknown)']);
  });
});

describe('iceberg-owned-by-program', () => {
  const table = (props: Values) =>
    told(icebergOwnedByProgram.check(given('aws:glue/catalogTable:CatalogTable', props), {}));
  const openTableFormatInput = { icebergInput: { metadataOperation: 'CREATE' } };

  it('accepts an Iceberg table with nothing beside, and any other table', () => {
    expect(table({ openTableFormatInput, name: 'x', parameters: {} })).toEqual([]);
    expect(table({ parameters: { a: 'b' }, tableType: 'EXTERNAL_TABLE', description: 'x' })).toEqual([]);
    expect(table({ openTableFormatInput: {}, tableType: 'EXTERNAL_TABLE' })).toEqual([]);
  });

  it.each<[string, Value]>([
    ['parameters', { table_type: 'ICEBERG' }],
    ['tableType', 'EXTERNAL_TABLE'],
    ['storageDescriptor', { location: 's3://x' }],
    ['description', 'x'],
  ])('refuses %s beside it', (name, value) => {
    expect(table({ openTableFormatInput, [name]: value })).toEqual([
      `it.${name}: is ${JSON.stringify(value)}; Glue keeps it for an Iceberg table, and a second source makes every preview differ; remove it; put schema and properties in openTableFormatInput`,
    ]);
    expect(table({ openTableFormatInput, [name]: unknown })).toEqual(['(unknown)']);
  });
});
