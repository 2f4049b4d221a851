import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { secret } from '@pulumi/pulumi';
import { parse } from 'yaml';
import { double, lakehouse, type Pipeline } from '../model';
import { lake } from '../pipeline';
import { Lakehouse, type LakehouseArgs } from './lakehouse';
import { readSettings, type Settings } from './settings';
import {
  archiveFile,
  clean,
  type Deployment,
  deployed,
  MODULE,
  raw,
  reading,
  readingOpen,
  readingRaw,
  words,
} from './testing';

const KEY = 'k'.repeat(64);

/** The settings of a stack as its file says them, changed by a few of its keys. */
function settingsOf(stack: 'dev' | 'prod', changes: Readonly<Record<string, unknown>> = {}): Settings {
  const file = join(__dirname, '..', `Pulumi.${stack}.yaml`);
  const { config } = parse(readFileSync(file, 'utf8')) as { config: Record<string, unknown> };
  const project = 'stedi-lakehouse';
  const own = Object.entries(config).flatMap(([key, value]) =>
    key.startsWith(`${project}:`) ? [[key.slice(project.length + 1), value]] : [],
  );
  return readSettings(
    {
      project,
      stack,
      region: config['aws:region'] as string,
      values: { ...Object.fromEntries(own), ...changes },
    },
    lake,
  );
}

const query = (name: string, ...tables: string[]) => ({
  name,
  description: `What ${name} answers.`,
  sql: `SELECT '${name}'`,
  tables,
});
const CLOUD = { account: '123456789012', region: 'us-east-1', partition: 'aws' };

type Args = Partial<LakehouseArgs<(typeof lake)['zones'][number]>>;
const build = (settings: Settings, args: Args = {}) =>
  deployed(
    () =>
      new Lakehouse('stedi', {
        pipeline: lake,
        settings,
        cloud: CLOUD,
        availabilityZone: 'us-east-1b',
        pseudonymKey: KEY,
        runner: { script: 'print()', archive: archiveFile, module: MODULE },
        code: Object.fromEntries(lake.jobs.map(({ name }) => [name, `SELECT '${name}'`])),
        queries: [query('training', 'machine_learning_curated')],
        ...args,
      }),
  );
const built = new Map<string, ReturnType<typeof build>>();
/** A stack by its file, changed by a few keys of it. The same one is built once. */
function stackOf(stack: 'dev' | 'prod', changes: Readonly<Record<string, unknown>> = {}, args?: Args) {
  if (args) return build(settingsOf(stack, changes), args);
  const key = JSON.stringify([stack, changes]);
  const known = built.get(key) ?? build(settingsOf(stack, changes));
  built.set(key, known);
  return known;
}

// --- The list of resources, by the parts that they come with ---

const bucketParts = (name: string) => [
  `aws:s3/bucket:Bucket ${name}-bucket`,
  `aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration ${name}-lifecycle`,
  `aws:s3/bucketOwnershipControls:BucketOwnershipControls ${name}-ownership`,
  `aws:s3/bucketPolicy:BucketPolicy ${name}-policy`,
  `aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock ${name}-public-access`,
  `aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration ${name}-encryption`,
  `aws:s3/bucketVersioning:BucketVersioning ${name}-versioning`,
  `lakehouse:storage:SecureBucket ${name}`,
];
const roleParts = (name: string) => [
  `aws:iam/role:Role ${name}-role`,
  `aws:iam/rolePolicy:RolePolicy ${name}-policy`,
  `lakehouse:access:ServiceRole ${name}`,
];
const tableParts = (name: string) => [
  `aws:glue/catalogTable:CatalogTable ${name}-table`,
  `lakehouse:catalog:GlueTable ${name}`,
];
const icebergParts = (name: string) => [
  ...tableParts(name),
  ...['compaction', 'orphan-file-deletion', 'retention'].map(
    (kind) => `aws:glue/catalogTableOptimizer:CatalogTableOptimizer ${name}-${kind}`,
  ),
  ...roleParts(`${name}-optimizer`),
];
const jobParts = (name: string) => [
  `aws:cloudwatch/logGroup:LogGroup ${name}-error-logs`,
  `aws:cloudwatch/logGroup:LogGroup ${name}-output-logs`,
  `aws:glue/job:Job ${name}-job`,
  `aws:s3/bucketObjectv2:BucketObjectv2 ${name}-manifest`,
  `aws:s3/bucketObjectv2:BucketObjectv2 ${name}-sql`,
  `lakehouse:jobs:GlueJob ${name}`,
  ...roleParts(name),
];
const forgetParts = (name: string) => [
  `aws:cloudwatch/logGroup:LogGroup ${name}-error-logs`,
  `aws:cloudwatch/logGroup:LogGroup ${name}-output-logs`,
  `aws:glue/job:Job ${name}-job`,
  `aws:s3/bucketObjectv2:BucketObjectv2 ${name}-erasure`,
  `lakehouse:jobs:ForgetJob ${name}`,
  ...roleParts(name),
];

const SOURCES = lake.sources.map(({ name }) => name);
const MADE = lake.jobs.map(({ output }) => `stedi-${output.zone}-${output.name}`);
const isPersonal = ({ columns }: (typeof lake.sources)[number] | (typeof lake.jobs)[number]['output']) =>
  Object.values(columns).some(({ pii }) => pii !== undefined);
/** The jobs that start once others have ended. */
const FOLLOWING = lake.jobs.filter(({ inputs }) => inputs.some(({ format }) => format === 'iceberg'));

const DEV = [
  'lakehouse:index:Lakehouse stedi',
  'aws:glue/catalogDatabase:CatalogDatabase stedi-database',
  'aws:s3/bucketObjectv2:BucketObjectv2 stedi-runner',
  'aws:s3/bucketObjectv2:BucketObjectv2 stedi-runner-archive',
  'aws:secretsmanager/secret:Secret stedi-pseudonym-key',
  'aws:secretsmanager/secretVersion:SecretVersion stedi-pseudonym-key-value',
  ...bucketParts('stedi-artifacts'),
  ...lake.zones.flatMap(({ name: zone }) => [
    `lakehouse:index:Zone stedi-${zone}`,
    ...bucketParts(`stedi-${zone}`),
  ]),
  ...SOURCES.flatMap((source) => [
    ...tableParts(`stedi-landing-${source}`),
    ...tableParts(`stedi-landing-${source}_quarantine`),
  ]),
  ...MADE.flatMap((name) => [...icebergParts(name), ...jobParts(name)]),
  ...forgetParts('stedi-forget'),
  'aws:glue/crawler:Crawler stedi-landing-crawler',
  'lakehouse:catalog:Crawler stedi-landing',
  ...roleParts('stedi-landing'),
  'aws:glue/workflow:Workflow stedi-pipeline-workflow',
  'lakehouse:jobs:Workflow stedi-pipeline',
  ...['start', ...FOLLOWING.map(({ name }) => name)].map(
    (trigger) => `aws:glue/trigger:Trigger stedi-pipeline-${trigger}`,
  ),
  'aws:athena/namedQuery:NamedQuery stedi-analyst-queries-training',
  'aws:athena/workgroup:Workgroup stedi-analyst-queries-workgroup',
  'aws:athena/workgroup:Workgroup stedi-queries-workgroup',
  'lakehouse:query:Workgroup stedi-analyst-queries',
  'lakehouse:query:Workgroup stedi-queries',
  'aws:iam/policy:Policy stedi-analyst-policy',
  'lakehouse:access:AnalystPolicy stedi-analyst',
];
const WITH_KEY = [
  'aws:kms/alias:Alias stedi-stack-alias',
  'aws:kms/key:Key stedi-stack-key',
  'lakehouse:security:StackKey stedi-stack',
  ...['stedi-landing', 'stedi-forget', ...MADE, ...MADE.map((name) => `${name}-optimizer`)].map(
    (role) => `aws:iam/rolePolicy:RolePolicy ${role}-key-policy`,
  ),
];
const WITH_ALERTS = [
  'lakehouse:operations:Alerts stedi-alerts',
  'aws:cloudwatch/eventRule:EventRule stedi-alerts-crawler-failures',
  'aws:cloudwatch/eventRule:EventRule stedi-alerts-job-failures',
  'aws:cloudwatch/eventTarget:EventTarget stedi-alerts-crawler-failures-target',
  'aws:cloudwatch/eventTarget:EventTarget stedi-alerts-job-failures-target',
  ...SOURCES.map((source) => `aws:cloudwatch/metricAlarm:MetricAlarm stedi-alerts-${source}-quarantine`),
  'aws:sns/topic:Topic stedi-alerts-topic',
  'aws:sns/topicPolicy:TopicPolicy stedi-alerts-topic-policy',
  'aws:sns/topicSubscription:TopicSubscription stedi-alerts-mail',
];
/** Where a schedule is kept. */
const WITH_WATCH = ['aws:cloudwatch/metricAlarm:MetricAlarm stedi-alerts-start'];
const WITH_DASHBOARD = [
  'aws:cloudwatch/dashboard:Dashboard stedi-overview-dashboard',
  'lakehouse:operations:Dashboard stedi-overview',
];
const WITH_AUDIT = [
  'aws:cloudtrail/trail:Trail stedi-audit-trail',
  'lakehouse:security:AuditTrail stedi-audit',
  ...bucketParts('stedi-audit'),
];
const WITH_NETWORK = [
  'aws:ec2/securityGroup:SecurityGroup stedi-network-jobs',
  ...['s3', 'glue', 'logs', 'monitoring', 'secretsmanager'].map(
    (service) => `aws:ec2/vpcEndpoint:VpcEndpoint stedi-network-${service}`,
  ),
  'aws:glue/connection:Connection stedi-network-connection',
  'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule stedi-network-to-s3',
  'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule stedi-network-to-workers',
  'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule stedi-network-from-workers',
  'awsx:ec2:Vpc stedi-network-vpc',
  'lakehouse:network:Network stedi-network',
];
const WITH_FILES = [
  'aws:cloudwatch/eventRule:EventRule stedi-pipeline-files',
  'aws:cloudwatch/eventTarget:EventTarget stedi-pipeline-files-target',
  // Only the zone of the sources reports its objects.
  'aws:s3/bucketNotification:BucketNotification stedi-landing-notification',
  ...roleParts('stedi-pipeline-notifier'),
];

describe('the resources of a stack', () => {
  test('dev', async () => {
    const { list } = await stackOf('dev');
    expect(list).toEqual([...DEV].sort());
  });

  test('prod', async () => {
    const { list } = await stackOf('prod');
    expect(list).toEqual([...DEV, ...WITH_KEY, ...WITH_ALERTS, ...WITH_WATCH, ...WITH_AUDIT].sort());
  });

  test.each([
    ['encryption', { encryption: 'kms' }, WITH_KEY],
    ['alerts', { alerts: { email: 'who@example.com' } }, WITH_ALERTS],
    ['auditTrail', { auditTrail: true }, WITH_AUDIT],
    ['network', { network: {} }, WITH_NETWORK],
    ['start: files', { start: 'files' }, WITH_FILES],
    ['start: a schedule', { start: 'cron(0 3 * * ? *)' }, []],
    [
      'alerts and a schedule',
      { alerts: { email: 'who@example.com' }, start: 'cron(0 3 * * ? *)' },
      [...WITH_ALERTS, ...WITH_WATCH],
    ],
    [
      'alerts and a schedule that pauses for long',
      { alerts: { email: 'who@example.com' }, start: 'cron(0 3 1 * ? *)' },
      WITH_ALERTS,
    ],
    ['dashboard', { dashboard: true }, WITH_DASHBOARD],
    [
      'network and encryption',
      { network: {}, encryption: 'kms' },
      [...WITH_NETWORK, ...WITH_KEY, 'aws:ec2/vpcEndpoint:VpcEndpoint stedi-network-kms'],
    ],
  ])('%s adds to dev', async (_, changes, added) => {
    const { list } = await stackOf('dev', changes);
    expect(list.filter((title) => !DEV.includes(title))).toEqual([...added].sort());
    expect(DEV.filter((title) => !list.includes(title))).toEqual([]);
  });

  test('each is a part of what it belongs to', async () => {
    const { resources } = await stackOf('prod', { network: {} });
    const parts = (parent: string | undefined) =>
      resources
        .filter((each) => each.parent === parent && each.name !== parent)
        .map(({ name }) => name)
        .sort();
    expect(parts(undefined)).toEqual(['stedi']);
    expect(parts('stedi')).toEqual([
      'stedi-alerts',
      'stedi-analyst',
      'stedi-analyst-queries',
      'stedi-artifacts',
      'stedi-audit',
      'stedi-curated',
      'stedi-database',
      'stedi-forget',
      // The zone and its crawler.
      'stedi-landing',
      'stedi-landing',
      'stedi-network',
      'stedi-pipeline',
      'stedi-pseudonym-key',
      'stedi-pseudonym-key-value',
      'stedi-queries',
      'stedi-runner',
      'stedi-runner-archive',
      'stedi-stack',
      'stedi-trusted',
    ]);
  });
});

// --- One resource of every kind, whole; but for policies: tests/access.test.ts asks for all that they allow ---

const confOf = (stack: string) =>
  [
    'spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
    'spark.sql.catalog.glue_catalog=org.apache.iceberg.spark.SparkCatalog',
    'spark.sql.catalog.glue_catalog.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog',
    'spark.sql.catalog.glue_catalog.io-impl=org.apache.iceberg.aws.s3.S3FileIO',
    `spark.sql.catalog.glue_catalog.warehouse=s3://stedi-lakehouse-${stack}-curated-123456789012/`,
    'spark.sql.catalog.glue_catalog.cache-enabled=false',
    'spark.sql.shuffle.partitions=200',
    'spark.sql.session.timeZone=UTC',
    'spark.hadoop.fs.s3a.endpoint.region=us-east-1',
  ].join(' --conf ');
const fileOf = (stack: string, extension: string) =>
  expect.stringMatching(
    new RegExp(
      `^s3://stedi-lakehouse-${stack}-artifacts-123456789012/jobs/machine_learning_curated/[0-9a-f]{16}\\.${extension}$`,
    ),
  );

/** What both stacks have, but for the stack's name. */
const both = (stack: string, tags: object): Readonly<Record<string, unknown>> => ({
  'aws:athena/namedQuery:NamedQuery stedi-analyst-queries-training': {
    database: `stedi_lakehouse_${stack}`,
    description: 'What training answers.',
    name: 'training',
    query: "SELECT 'training'",
    workgroup: `stedi-lakehouse-${stack}-analysts`,
  },
  'aws:glue/catalogDatabase:CatalogDatabase stedi-database': {
    description: `The lakehouse stedi-lakehouse-${stack}.`,
    name: `stedi_lakehouse_${stack}`,
    tags,
  },
  'aws:glue/catalogTable:CatalogTable stedi-landing-accelerometer_landing-table': {
    databaseName: `stedi_lakehouse_${stack}`,
    description: 'One reading of the phone’s accelerometer, as the mobile app sent it.',
    name: 'accelerometer_landing',
    parameters: { EXTERNAL: 'TRUE', classification: 'json' },
    storageDescriptor: {
      columns: [
        { comment: 'E-mail address of the customer who wore the phone.', name: 'user', type: 'string' },
        { comment: 'When the app measured.', name: 'timestamp', type: 'bigint' },
        { comment: 'Acceleration along x, in g.', name: 'x', type: 'double' },
        { comment: 'Acceleration along y, in g.', name: 'y', type: 'double' },
        { comment: 'Acceleration along z, in g.', name: 'z', type: 'double' },
      ],
      inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
      location: `s3://stedi-lakehouse-${stack}-landing-123456789012/accelerometer/landing/`,
      outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
      serDeInfo: {
        parameters: { 'case.insensitive': 'TRUE', 'ignore.malformed.json': 'TRUE' },
        serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
      },
    },
    tableType: 'EXTERNAL_TABLE',
  },
  'aws:glue/catalogTable:CatalogTable stedi-trusted-accelerometer_trusted-table': {
    databaseName: `stedi_lakehouse_${stack}`,
    name: 'accelerometer_trusted',
    openTableFormatInput: {
      icebergInput: {
        icebergTableInput: {
          location: `s3://stedi-lakehouse-${stack}-trusted-123456789012/accelerometer_trusted`,
          partitionSpec: {
            fields: [{ fieldId: 1000, name: 'timestamp_day', sourceId: 2, transform: 'day' }],
          },
          properties: {
            comment: 'Accelerometer readings of customers who agreed.',
            'write.format.default': 'parquet',
          },
          schema: {
            fields: [
              {
                doc: 'E-mail address of the customer who wore the phone.',
                id: 1,
                name: 'user',
                required: false,
                type: '"string"',
              },
              {
                doc: 'When the app measured.',
                id: 2,
                name: 'timestamp',
                required: false,
                type: '"timestamp"',
              },
              { doc: 'Acceleration along x, in g.', id: 3, name: 'x', required: false, type: '"double"' },
              { doc: 'Acceleration along y, in g.', id: 4, name: 'y', required: false, type: '"double"' },
              { doc: 'Acceleration along z, in g.', id: 5, name: 'z', required: false, type: '"double"' },
            ],
            type: 'struct',
          },
        },
        metadataOperation: 'CREATE',
        version: '2',
      },
    },
  },
  'aws:glue/catalogTableOptimizer:CatalogTableOptimizer stedi-trusted-accelerometer_trusted-retention': {
    catalogId: '123456789012',
    configuration: {
      enabled: true,
      retentionConfiguration: {
        icebergConfiguration: {
          cleanExpiredFiles: true,
          runRateInHours: 24,
          numberOfSnapshotsToRetain: 5,
          snapshotRetentionPeriodInDays: 5,
        },
      },
      roleArn: 'stedi-trusted-accelerometer_trusted-optimizer-role.arn',
    },
    databaseName: `stedi_lakehouse_${stack}`,
    tableName: 'accelerometer_trusted',
    type: 'retention',
  },
  'aws:glue/workflow:Workflow stedi-pipeline-workflow': {
    description: 'Runs every job once, after those that make its inputs.',
    maxConcurrentRuns: 1,
    name: `stedi-lakehouse-${stack}`,
    tags,
  },
  'aws:s3/bucketObjectv2:BucketObjectv2 stedi-runner': {
    bucket: `stedi-lakehouse-${stack}-artifacts-123456789012`,
    key: 'runner/525d513313416cf1.py',
    source: { file: 'print()' },
    tags,
  },
  'aws:s3/bucketObjectv2:BucketObjectv2 stedi-runner-archive': {
    bucket: `stedi-lakehouse-${stack}-artifacts-123456789012`,
    key: 'runner/ed13f7da0abb4cd2.zip',
    source: { file: { path: '.build/runner.zip' } },
    tags,
  },
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls stedi-landing-ownership': {
    bucket: `stedi-lakehouse-${stack}-landing-123456789012`,
    rule: { objectOwnership: 'BucketOwnerEnforced' },
  },
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock stedi-landing-public-access': {
    blockPublicAcls: true,
    blockPublicPolicy: true,
    bucket: `stedi-lakehouse-${stack}-landing-123456789012`,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  },
  'aws:s3/bucketVersioning:BucketVersioning stedi-landing-versioning': {
    bucket: `stedi-lakehouse-${stack}-landing-123456789012`,
    versioningConfiguration: { status: 'Enabled' },
  },
  'aws:secretsmanager/secretVersion:SecretVersion stedi-pseudonym-key-value': {
    secretId: 'stedi-pseudonym-key.id',
    secretString: { secret: KEY },
  },
});

const dev = (tags: object): Readonly<Record<string, unknown>> => ({
  'aws:athena/workgroup:Workgroup stedi-analyst-queries-workgroup': {
    configuration: {
      bytesScannedCutoffPerQuery: 1073741824,
      enforceWorkgroupConfiguration: true,
      engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
      publishCloudwatchMetricsEnabled: true,
      resultConfiguration: {
        encryptionConfiguration: { encryptionOption: 'SSE_S3' },
        expectedBucketOwner: '123456789012',
        outputLocation: 's3://stedi-lakehouse-dev-artifacts-123456789012/results/analysts/',
      },
    },
    description: 'Queries over tables without personal data.',
    forceDestroy: true,
    name: 'stedi-lakehouse-dev-analysts',
    tags,
  },
  'aws:cloudwatch/logGroup:LogGroup stedi-trusted-accelerometer_trusted-error-logs': {
    name: '/aws-glue/stedi-lakehouse-dev/accelerometer_trusted/error',
    retentionInDays: 14,
    tags,
  },
  'aws:glue/crawler:Crawler stedi-landing-crawler': {
    catalogTargets: [
      {
        databaseName: 'stedi_lakehouse_dev',
        tables: SOURCES,
      },
    ],
    configuration: {
      json: {
        Version: 1,
        CrawlerOutput: { Partitions: { AddOrUpdateBehavior: 'InheritFromTable' } },
        Grouping: { TableGroupingPolicy: 'CombineCompatibleSchemas' },
      },
    },
    databaseName: 'stedi_lakehouse_dev',
    description:
      'Says where landing files differ from their contracts, and adds partitions to tables that have some.',
    name: 'stedi-lakehouse-dev-landing',
    role: 'stedi-landing-role.arn',
    schemaChangePolicy: { deleteBehavior: 'LOG', updateBehavior: 'LOG' },
    tags,
  },
  'aws:glue/job:Job stedi-curated-machine_learning_curated-job': {
    command: {
      name: 'glueetl',
      pythonVersion: '3',
      scriptLocation: 's3://stedi-lakehouse-dev-artifacts-123456789012/runner/525d513313416cf1.py',
    },
    defaultArguments: {
      '--conf': confOf('dev'),
      '--datalake-formats': 'iceberg',
      '--enable-auto-scaling': 'true',
      '--enable-metrics': 'true',
      '--enable-observability-metrics': 'true',
      '--job-language': 'python',
      '--parameters': 'pairing=customer',
    },
    description: 'Pairs each step reading with the movements of its customer at the same instant.',
    executionClass: 'FLEX',
    executionProperty: { maxConcurrentRuns: 1 },
    glueVersion: '6.0',
    jobRunQueuingEnabled: false,
    maxRetries: 0,
    name: 'stedi-lakehouse-dev-machine_learning_curated',
    nonOverridableArguments: {
      '--additional-python-modules': MODULE,
      '--custom-logGroup-prefix': '/aws-glue/stedi-lakehouse-dev/machine_learning_curated',
      '--extra-py-files': 's3://stedi-lakehouse-dev-artifacts-123456789012/runner/ed13f7da0abb4cd2.zip',
      '--manifest': fileOf('dev', 'json'),
      '--pseudonym-secret': 'stedi-pseudonym-key.arn',
      '--code': fileOf('dev', 'sql'),
    },
    numberOfWorkers: 2,
    roleArn: 'stedi-curated-machine_learning_curated-role.arn',
    tags,
    timeout: 30,
    workerType: 'G.1X',
  },
  'aws:glue/trigger:Trigger stedi-pipeline-start': {
    actions: [{ jobName: 'stedi-lakehouse-dev-customer_trusted' }],
    enabled: false,
    name: 'stedi-lakehouse-dev-start',
    tags,
    type: 'ON_DEMAND',
    workflowName: 'stedi-lakehouse-dev',
  },
  'aws:s3/bucket:Bucket stedi-landing-bucket': {
    bucket: 'stedi-lakehouse-dev-landing-123456789012',
    forceDestroy: true,
    tags,
  },
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration stedi-landing-lifecycle': {
    bucket: 'stedi-lakehouse-dev-landing-123456789012',
    rules: [
      {
        abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        expiration: { expiredObjectDeleteMarker: true },
        filter: { prefix: '' },
        id: 'old-versions-and-aborted-uploads',
        noncurrentVersionExpiration: { noncurrentDays: 7 },
        status: 'Enabled',
      },
      {
        expiration: { days: 30 },
        noncurrentVersionExpiration: { noncurrentDays: 1 },
        filter: { prefix: 'quarantine/' },
        id: 'expire-quarantine-objects',
        status: 'Enabled',
      },
      {
        expiration: { days: 1 },
        noncurrentVersionExpiration: { noncurrentDays: 1 },
        filter: { prefix: 'forget/requests/' },
        id: 'expire-forget-requests-objects',
        status: 'Enabled',
      },
    ],
  },
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration stedi-landing-encryption':
    {
      bucket: 'stedi-lakehouse-dev-landing-123456789012',
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
    },
  'aws:secretsmanager/secret:Secret stedi-pseudonym-key': {
    description: 'What pseudonyms are made with. Another key gives other pseudonyms.',
    name: 'stedi-lakehouse-dev/pseudonym-key',
    recoveryWindowInDays: 0,
    tags,
  },
});

const prod = (tags: object): Readonly<Record<string, unknown>> => ({
  'aws:athena/workgroup:Workgroup stedi-analyst-queries-workgroup': {
    configuration: {
      bytesScannedCutoffPerQuery: 10737418240,
      enforceWorkgroupConfiguration: true,
      engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
      publishCloudwatchMetricsEnabled: true,
      resultConfiguration: {
        encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKeyArn: 'stedi-stack-key.arn' },
        expectedBucketOwner: '123456789012',
        outputLocation: 's3://stedi-lakehouse-prod-artifacts-123456789012/results/analysts/',
      },
    },
    description: 'Queries over tables without personal data.',
    forceDestroy: true,
    name: 'stedi-lakehouse-prod-analysts',
    tags,
  },
  'aws:cloudtrail/trail:Trail stedi-audit-trail': {
    advancedEventSelectors: [
      {
        fieldSelectors: [
          { equals: ['Data'], field: 'eventCategory' },
          { equals: ['AWS::S3::Object'], field: 'resources.type' },
          {
            field: 'resources.ARN',
            startsWiths: [
              // A refused line may say anything, of whatever source.
              ...lake.sources
                .flatMap((source) => [
                  ...(isPersonal(source) ? [`${source.entity}/landing`] : []),
                  `quarantine/${source.name}`,
                ])
                .map((folder) => `arn:aws:s3:::stedi-lakehouse-prod-landing-123456789012/${folder}/`),
              // Zone by zone; of the curated one, customers only.
              ...lake.zones
                .flatMap(({ jobs, tables }) =>
                  [...tables].filter((table) => jobs.length > 0 && isPersonal(table)),
                )
                .map(({ name, zone }) => `arn:aws:s3:::stedi-lakehouse-prod-${zone}-123456789012/${name}/`),
              'arn:aws:s3:::stedi-lakehouse-prod-landing-123456789012/forget/requests/',
              'arn:aws:s3:::stedi-lakehouse-prod-artifacts-123456789012/results/all/',
            ],
          },
        ],
        name: 'Objects that may hold personal data',
      },
    ],
    enableLogFileValidation: true,
    includeGlobalServiceEvents: false,
    kmsKeyId: 'stedi-stack-key.arn',
    name: 'stedi-lakehouse-prod',
    s3BucketName: 'stedi-lakehouse-prod-audit-123456789012',
    tags,
  },
  'aws:cloudwatch/eventRule:EventRule stedi-alerts-job-failures': {
    description: 'A job failed, ran out of time or was stopped.',
    eventPattern: {
      json: {
        source: ['aws.glue'],
        'detail-type': ['Glue Job State Change'],
        detail: {
          jobName: [
            ...lake.jobs.map(({ name }) => `stedi-lakehouse-prod-${name}`),
            'stedi-lakehouse-prod-forget',
          ],
          state: ['FAILED', 'TIMEOUT', 'STOPPED'],
        },
      },
    },
    name: 'stedi-lakehouse-prod-job-failures',
    tags,
  },
  'aws:cloudwatch/eventTarget:EventTarget stedi-alerts-job-failures-target': {
    arn: 'stedi-alerts-topic.arn',
    rule: 'stedi-lakehouse-prod-job-failures',
  },
  'aws:cloudwatch/logGroup:LogGroup stedi-trusted-accelerometer_trusted-error-logs': {
    kmsKeyId: 'stedi-stack-key.arn',
    name: '/aws-glue/stedi-lakehouse-prod/accelerometer_trusted/error',
    retentionInDays: 365,
    tags,
  },
  'aws:cloudwatch/metricAlarm:MetricAlarm stedi-alerts-customer_landing-quarantine': {
    alarmActions: ['stedi-alerts-topic.arn'],
    alarmDescription:
      'More lines of customer_landing were refused than is normal: see customer_landing_quarantine.',
    comparisonOperator: 'GreaterThanThreshold',
    dimensions: { Table: 'customer_landing' },
    evaluationPeriods: 1,
    metricName: 'QuarantinedShare',
    name: 'stedi-lakehouse-prod-customer_landing-quarantine',
    namespace: 'Lakehouse/stedi-lakehouse-prod',
    period: 3600,
    statistic: 'Maximum',
    tags,
    threshold: 0.01,
    treatMissingData: 'notBreaching',
  },
  'aws:glue/crawler:Crawler stedi-landing-crawler': {
    catalogTargets: [
      {
        databaseName: 'stedi_lakehouse_prod',
        tables: SOURCES,
      },
    ],
    configuration: {
      json: {
        Version: 1,
        CrawlerOutput: { Partitions: { AddOrUpdateBehavior: 'InheritFromTable' } },
        Grouping: { TableGroupingPolicy: 'CombineCompatibleSchemas' },
      },
    },
    databaseName: 'stedi_lakehouse_prod',
    description:
      'Says where landing files differ from their contracts, and adds partitions to tables that have some.',
    name: 'stedi-lakehouse-prod-landing',
    role: 'stedi-landing-role.arn',
    schedule: 'cron(0 2 * * ? *)',
    schemaChangePolicy: { deleteBehavior: 'LOG', updateBehavior: 'LOG' },
    tags,
  },
  'aws:glue/job:Job stedi-curated-machine_learning_curated-job': {
    command: {
      name: 'glueetl',
      pythonVersion: '3',
      scriptLocation: 's3://stedi-lakehouse-prod-artifacts-123456789012/runner/525d513313416cf1.py',
    },
    defaultArguments: {
      '--conf': confOf('prod'),
      '--datalake-formats': 'iceberg',
      '--enable-auto-scaling': 'true',
      '--enable-metrics': 'true',
      '--enable-observability-metrics': 'true',
      '--job-language': 'python',
      '--parameters': 'pairing=customer',
    },
    description: 'Pairs each step reading with the movements of its customer at the same instant.',
    executionClass: 'STANDARD',
    executionProperty: { maxConcurrentRuns: 1 },
    glueVersion: '6.0',
    jobRunQueuingEnabled: true,
    maxRetries: 0,
    name: 'stedi-lakehouse-prod-machine_learning_curated',
    nonOverridableArguments: {
      '--additional-python-modules': MODULE,
      '--custom-logGroup-prefix': '/aws-glue/stedi-lakehouse-prod/machine_learning_curated',
      '--extra-py-files': 's3://stedi-lakehouse-prod-artifacts-123456789012/runner/ed13f7da0abb4cd2.zip',
      '--manifest': fileOf('prod', 'json'),
      '--pseudonym-secret': 'stedi-pseudonym-key.arn',
      '--code': fileOf('prod', 'sql'),
    },
    numberOfWorkers: 10,
    roleArn: 'stedi-curated-machine_learning_curated-role.arn',
    tags,
    timeout: 60,
    workerType: 'G.1X',
  },
  'aws:glue/trigger:Trigger stedi-pipeline-start': {
    actions: [{ jobName: 'stedi-lakehouse-prod-customer_trusted' }],
    name: 'stedi-lakehouse-prod-start',
    schedule: 'cron(0 3 * * ? *)',
    tags,
    type: 'SCHEDULED',
    workflowName: 'stedi-lakehouse-prod',
  },
  'aws:kms/alias:Alias stedi-stack-alias': {
    name: 'alias/stedi-lakehouse-prod',
    targetKeyId: 'stedi-stack-key.keyId',
  },
  'aws:s3/bucket:Bucket stedi-landing-bucket': {
    bucket: 'stedi-lakehouse-prod-landing-123456789012',
    forceDestroy: false,
    tags,
  },
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration stedi-landing-lifecycle': {
    bucket: 'stedi-lakehouse-prod-landing-123456789012',
    rules: [
      {
        abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        expiration: { expiredObjectDeleteMarker: true },
        filter: { prefix: '' },
        id: 'old-versions-and-aborted-uploads',
        noncurrentVersionExpiration: { noncurrentDays: 30 },
        status: 'Enabled',
      },
      {
        expiration: { days: 90 },
        noncurrentVersionExpiration: { noncurrentDays: 1 },
        filter: { prefix: 'quarantine/' },
        id: 'expire-quarantine-objects',
        status: 'Enabled',
      },
      {
        expiration: { days: 1 },
        noncurrentVersionExpiration: { noncurrentDays: 1 },
        filter: { prefix: 'forget/requests/' },
        id: 'expire-forget-requests-objects',
        status: 'Enabled',
      },
    ],
  },
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration stedi-landing-encryption':
    {
      bucket: 'stedi-lakehouse-prod-landing-123456789012',
      rules: [
        {
          applyServerSideEncryptionByDefault: {
            kmsMasterKeyId: 'stedi-stack-key.arn',
            sseAlgorithm: 'aws:kms',
          },
          bucketKeyEnabled: true,
        },
      ],
    },
  'aws:secretsmanager/secret:Secret stedi-pseudonym-key': {
    description: 'What pseudonyms are made with. Another key gives other pseudonyms.',
    kmsKeyId: 'stedi-stack-key.arn',
    name: 'stedi-lakehouse-prod/pseudonym-key',
    recoveryWindowInDays: 0,
    tags,
  },
  'aws:sns/topic:Topic stedi-alerts-topic': {
    kmsMasterKeyId: 'stedi-stack-key.arn',
    name: 'stedi-lakehouse-prod-alerts',
    tags,
  },
  'aws:sns/topicSubscription:TopicSubscription stedi-alerts-mail': {
    endpoint: 'data-alerts@example.com',
    protocol: 'email',
    topic: 'stedi-alerts-topic.arn',
  },
});

const POLICY = /^aws:(?:iam|kms\/key|s3\/bucketPolicy|sns\/topicPolicy)/;

describe.each([
  ['dev', dev],
  ['prod', prod],
] as const)('one resource of every kind in %s', (stack, own) => {
  const tags = { project: 'stedi-lakehouse', stack, 'managed-by': 'pulumi' };
  const expected = { ...both(stack, tags), ...own(tags) };
  let made: Deployment<unknown>;
  beforeAll(async () => {
    made = await stackOf(stack);
  });

  test.each(Object.entries(expected))('%s', (title, inputs) => {
    const [type, name] = title.split(' ') as [string, string];
    expect(made.inputs(type, name)).toStrictEqual(inputs);
  });

  test('is every kind', () => {
    const kinds = (titles: readonly string[]) =>
      [...new Set(titles.map((title) => title.split(' ')[0] ?? ''))]
        .filter((kind) => !POLICY.test(kind))
        .sort();
    expect(kinds(Object.keys(expected))).toEqual(kinds(made.list.filter((each) => each.startsWith('aws'))));
  });
});

// --- What becomes of it all ---

test('prod keeps all that holds data and what secures it, and refuses to delete what cannot be had back', async () => {
  const { resources } = await stackOf('prod');
  const buckets = ['artifacts', 'audit', 'curated', 'landing', 'trusted'].map((name) => `stedi-${name}`);
  const tables = [
    ...SOURCES.flatMap((name) => [`stedi-landing-${name}`, `stedi-landing-${name}_quarantine`]),
    ...MADE,
  ].map((name) => `${name}-table`);
  const safe = [
    ...buckets.map((name) => `${name}-bucket`),
    ...tables,
    'stedi-database',
    'stedi-pseudonym-key',
  ];
  expect(names(resources.filter((each) => each.protect))).toEqual([...safe, 'stedi-stack-key'].sort());
  expect(names(resources.filter((each) => each.retainOnDelete))).toEqual(
    [
      ...safe,
      'stedi-stack-key',
      'stedi-pseudonym-key-value',
      'stedi-runner',
      'stedi-runner-archive',
      'stedi-forget-erasure',
      ...MADE.flatMap((name) => [`${name}-sql`, `${name}-manifest`]),
      ...buckets.flatMap((name) =>
        ['lifecycle', 'ownership', 'policy', 'public-access', 'encryption', 'versioning'].map(
          (part) => `${name}-${part}`,
        ),
      ),
    ].sort(),
  );
});

test('dev protects nothing, and keeps only the files that a waiting run may need', async () => {
  const { resources } = await stackOf('dev');
  expect(names(resources.filter((each) => each.protect))).toEqual([]);
  expect(names(resources.filter((each) => each.retainOnDelete))).toEqual(
    [
      'stedi-runner',
      'stedi-runner-archive',
      'stedi-forget-erasure',
      ...MADE.flatMap((name) => [`${name}-sql`, `${name}-manifest`]),
    ].sort(),
  );
});

test('a zone that keeps its data in a stack that deletes keeps all that its data needs', async () => {
  const { resources } = await stackOf('dev', {
    encryption: 'kms',
    auditTrail: true,
    zones: { landing: { dataOnDestroy: 'delete' }, trusted: {}, curated: { dataOnDestroy: 'delete' } },
  });
  const wanted = ['-bucket', '-table', 'database', 'stack-key', 'pseudonym-key'];
  const data = resources.filter(({ name }) => wanted.some((end) => name.endsWith(end)));
  expect(names(data.filter(({ retainOnDelete }) => retainOnDelete))).toEqual(
    [
      'stedi-artifacts-bucket',
      'stedi-audit-bucket',
      'stedi-database',
      'stedi-pseudonym-key',
      'stedi-stack-key',
      'stedi-trusted-bucket',
      ...MADE.filter((name) => name.startsWith('stedi-trusted-')).map((name) => `${name}-table`),
    ].toSorted(),
  );
});

test('what the runner needs comes from a wheel where there is one, under the name by which pip knows it', async () => {
  const name = 'duckdb-1.5.6-cp313-cp313-manylinux_2_28_x86_64.whl';
  const module = { bytes: new Uint8Array([1]), path: `wheels/${name}` };
  const { inputs } = await stackOf(
    'dev',
    {},
    { runner: { script: 'print()', archive: archiveFile, module } },
  );
  const { key } = inputs('aws:s3/bucketObjectv2:BucketObjectv2', 'stedi-runner-module');
  expect(key).toMatch(new RegExp(`^runner/[0-9a-f]{16}/${name}$`));
  expect(
    inputs('aws:glue/job:Job', 'stedi-trusted-customer_trusted-job').nonOverridableArguments,
  ).toMatchObject({
    '--additional-python-modules': `s3://stedi-lakehouse-dev-artifacts-123456789012/${key}`,
  });
});

test('the key of pseudonyms is a secret wherever it stands', async () => {
  for (const pseudonymKey of [KEY, secret(KEY)]) {
    const { inputs, resources } = await stackOf('prod', {}, { pseudonymKey });
    expect(inputs('aws:secretsmanager/secretVersion:SecretVersion')).toStrictEqual({
      secretId: 'stedi-pseudonym-key.id',
      secretString: { secret: KEY },
    });
    const holders = resources.filter((each) => JSON.stringify(each).includes(KEY));
    expect(names(holders)).toEqual(['stedi-pseudonym-key-value']);
  }
});

describe('a definition', () => {
  /** What a stack of it has besides what every stack has. */
  const partsOf = async (small: Pipeline, code: Readonly<Record<string, string>>) => {
    const settings = readSettings({ project: 'acme', stack: 'test', values: {} }, small);
    const deployment = await deployed(
      () =>
        new Lakehouse('small', {
          pipeline: small,
          settings,
          cloud: CLOUD,
          pseudonymKey: KEY,
          runner: { script: 'print()', archive: archiveFile, module: MODULE },
          code,
          queries: [],
        }),
    );
    const { nodes, zones } = deployment.value;
    expect(Object.keys(zones)).toEqual(small.zones.map(({ name }) => name));
    const all = ['database', 'artifacts', 'workflow', 'crawler', 'workgroups', 'analystPolicy'];
    return { ...deployment, parts: Object.keys(nodes).filter((name) => !all.includes(name)) };
  };

  test('without pseudonyms and people needs no secret, and nobody to forget', async () => {
    const plain = lakehouse(['raw', 'clean']);
    const columns = { value: double('What.') };
    const source = plain.source({
      name: 'weather_raw',
      zone: 'raw',
      entity: 'weather',
      description: 'W.',
      columns,
    });
    const table = plain.table({ name: 'weather', zone: 'clean', description: 'W.', columns });
    const job = plain.job({ output: table, inputs: [source], description: 'Cleans.' });
    const zones = [
      plain.zone('raw', { description: 'R.', tables: [source], jobs: [] }),
      plain.zone('clean', { description: 'C.', tables: [table], jobs: [job] }),
    ] as const;
    const { list, parts, inputs } = await partsOf(plain.pipeline(...zones), { weather: 'SELECT 1' });
    expect(parts).toEqual([]);
    expect(list.filter((title) => /secretsmanager|[fF]orget/.test(title))).toEqual([]);
    const { rules } = inputs(
      'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration',
      'small-raw-lifecycle',
    );
    expect(JSON.stringify(rules)).not.toContain('requests');
  });

  test('of people, without pseudonyms, has the secret by which the forgotten are known', async () => {
    const { list, parts, inputs } = await partsOf(lakehouse(['raw', 'clean']).pipeline(raw, clean), {
      reading: 'SELECT 1',
    });
    expect(parts).toEqual(['forget', 'secret']);
    expect(list.filter((title) => title.includes('secretsmanager'))).toHaveLength(2);
    for (const name of ['small-clean-reading-job', 'small-forget-job']) {
      expect(inputs('aws:glue/job:Job', name).nonOverridableArguments).toMatchObject({
        '--pseudonym-secret': 'small-pseudonym-key.arn',
      });
    }
  });

  test('takes requests in its first zone that knows people only, which may hold personal data', async () => {
    const { value } = await stackOf('dev');
    expect(value.nodes.forget?.requests).toBe(
      's3://stedi-lakehouse-dev-landing-123456789012/forget/requests/',
    );
    const { inputs } = await stackOf('dev');
    for (const zone of ['trusted', 'curated', 'artifacts']) {
      const { rules } = inputs(
        'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration',
        `stedi-${zone}-lifecycle`,
      );
      expect(JSON.stringify(rules)).not.toContain('requests');
    }
  });
});

test('a job reads any zone before its own, and jobs are told in the order in which they run', async () => {
  const step = (name: string) =>
    words.table({ name, zone: 'clean', description: 'S.', columns: reading.columns });
  const [first, second] = [step('first'), step('second')];
  const last = words.table({ name: 'last', zone: 'open', description: 'L.', columns: readingOpen.columns });
  const jobs = [
    words.job({ output: second, inputs: [first], description: 'Comes second, and is listed first.' }),
    words.job({ output: first, inputs: [readingRaw], description: 'Comes first.' }),
  ];
  const small = words.pipeline(
    raw,
    words.zone('clean', { description: 'C.', tables: [first, second], jobs }),
    words.zone('open', {
      description: 'O.',
      tables: [last],
      jobs: [words.job({ output: last, inputs: [readingRaw, second], description: 'Reads two zones.' })],
    }),
  );
  const values = { alerts: { email: 'who@example.com' } };
  const { inputs } = await deployed(
    () =>
      new Lakehouse('small', {
        pipeline: small,
        settings: readSettings({ project: 'acme', stack: 'test', values }, small),
        cloud: CLOUD,
        pseudonymKey: KEY,
        runner: { script: 'print()', archive: archiveFile, module: MODULE },
        code: { first: 'SELECT 1', second: 'SELECT 2', last: 'SELECT 3' },
        queries: [],
      }),
  );
  const rule = inputs('aws:cloudwatch/eventRule:EventRule', 'small-alerts-job-failures');
  expect(rule.eventPattern).toMatchObject({
    json: {
      detail: { jobName: ['acme-test-first', 'acme-test-second', 'acme-test-last', 'acme-test-forget'] },
    },
  });
});

test('a query is for analysts where all that it reads is without personal data', async () => {
  const { resources } = await stackOf(
    'dev',
    {},
    {
      queries: [
        query('open', 'machine_learning_curated'),
        query('mixed', 'machine_learning_curated', 'customer_trusted'),
        query('personal', 'customer_landing'),
        // Refused lines hold whatever came; the definition lists no such table.
        query('refused', 'customer_landing_quarantine'),
      ],
    },
  );
  const of = (parent: string) =>
    resources
      .filter((each) => each.parent === parent && each.type.includes('namedQuery'))
      .map(({ name, inputs }) => [name, inputs.workgroup]);
  expect(of('stedi-analyst-queries')).toEqual([
    ['stedi-analyst-queries-open', 'stedi-lakehouse-dev-analysts'],
  ]);
  expect(of('stedi-queries')).toEqual([
    ['stedi-queries-mixed', 'stedi-lakehouse-dev'],
    ['stedi-queries-personal', 'stedi-lakehouse-dev'],
    ['stedi-queries-refused', 'stedi-lakehouse-dev'],
  ]);
});

test('results of queries go after their days', async () => {
  const { inputs } = await stackOf('dev', { queries: { resultDays: 3 } });
  const { rules } = inputs(
    'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration',
    'stedi-artifacts-lifecycle',
  );
  expect(rules).toStrictEqual([
    expect.objectContaining({ noncurrentVersionExpiration: { noncurrentDays: 7 } }),
    {
      id: 'expire-results-objects',
      status: 'Enabled',
      filter: { prefix: 'results/' },
      expiration: { days: 3 },
      noncurrentVersionExpiration: { noncurrentDays: 1 },
    },
  ]);
});

test('jobs run in the network once it is complete', async () => {
  const { one } = await stackOf('dev', { network: { cidr: '10.2.0.0/24' } });
  const job = one('aws:glue/job:Job', 'stedi-trusted-customer_trusted-job');
  expect(job.inputs.connections).toEqual(['stedi-lakehouse-dev-network']);
  expect(job.after).toContain('stedi-network-connection');
  expect(one('awsx:ec2:Vpc').inputs.cidrBlock).toBe('10.2.0.0/24');
});

test('files that land in any source start the workflow', async () => {
  const { inputs } = await stackOf('dev', { start: 'files' });
  expect(inputs('aws:cloudwatch/eventRule:EventRule').eventPattern).toStrictEqual({
    json: {
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: {
        bucket: { name: ['stedi-lakehouse-dev-landing-123456789012'] },
        object: {
          key: lake.sources.map(({ entity }) => ({ prefix: `${entity}/landing/` })),
        },
      },
    },
  });
});

test('rules, workers and tags of the settings reach every job', async () => {
  const { inputs } = await stackOf('dev', {
    parameters: { consent: 'since-grant', pairing: 'timestamp' },
    jobOverrides: { machine_learning_curated: { maxWorkers: 4, workerType: 'G.2X' } },
    tags: { owner: 'data' },
  });
  const job = (name: string) => inputs('aws:glue/job:Job', `stedi-${name}-job`);
  expect(job('curated-machine_learning_curated')).toMatchObject({
    workerType: 'G.2X',
    numberOfWorkers: 4,
    defaultArguments: { '--parameters': 'pairing=timestamp' },
    tags: { owner: 'data', project: 'stedi-lakehouse', stack: 'dev', 'managed-by': 'pulumi' },
  });
  expect(job('trusted-accelerometer_trusted')).toMatchObject({
    workerType: 'G.1X',
    numberOfWorkers: 2,
    defaultArguments: { '--parameters': 'consent=since-grant' },
  });
  expect(job('trusted-customer_trusted').defaultArguments).not.toHaveProperty('--parameters');
});

test('a transform reaches every zone', async () => {
  const { inputs } = await stackOf('dev', {}, { transform: { bucket: { tags: { mine: 'yes' } } } });
  for (const zone of ['landing', 'trusted', 'curated']) {
    expect(inputs('aws:s3/bucket:Bucket', `stedi-${zone}-bucket`).tags).toEqual({ mine: 'yes' });
  }
});

test('its parts are at hand by name', async () => {
  const { value } = await stackOf('prod', { network: {}, dashboard: true });
  expect(Object.keys(value.nodes)).toEqual([
    'database',
    'artifacts',
    'workflow',
    'crawler',
    'workgroups',
    'analystPolicy',
    'forget',
    'key',
    'secret',
    'network',
    'alerts',
    'dashboard',
    'auditTrail',
  ]);
  expect(value.zones.trusted.tables.customer_trusted.name).toBe('customer_trusted');
  expect(value.site).toMatchObject({
    ...CLOUD,
    name: 'stedi-lakehouse-prod',
    database: 'stedi_lakehouse_prod',
  });
});

describe('the dashboard', () => {
  const shown = async () => {
    const stack = await stackOf('prod', { dashboard: true, alerts: { email: 'who@example.com' } });
    const { dashboardBody } = stack.inputs('aws:cloudwatch/dashboard:Dashboard') as {
      dashboardBody: { json: { widgets: readonly { properties: { metrics: readonly unknown[][] } }[] } };
    };
    const metrics = dashboardBody.json.widgets.flatMap(({ properties }) => properties.metrics);
    const named = (dimension: string) => [
      ...new Set(
        metrics.flatMap((one) => (one.includes(dimension) ? [one[one.indexOf(dimension) + 1]] : [])),
      ),
    ];
    return { ...stack, named, text: JSON.stringify(dashboardBody) };
  };

  test('has every job, table and workgroup of the definition, as they report it', async () => {
    const { resources, named } = await shown();
    const inputsOf = (type: string) =>
      resources.filter((each) => each.type === type).map(({ inputs }) => inputs);
    const jobs = inputsOf('aws:glue/job:Job');
    const workgroups = inputsOf('aws:athena/workgroup:Workgroup');
    expect(named('JobName').sort()).toEqual(names(jobs as { name: string }[]));
    expect(named('WorkGroup').sort()).toEqual(names(workgroups as { name: string }[]));
    expect(named('Table').sort()).toEqual([...lake.tables.keys()].sort());
    // Else Glue and Athena report nothing.
    for (const { defaultArguments } of jobs) {
      expect(defaultArguments).toMatchObject({
        '--enable-metrics': 'true',
        '--enable-observability-metrics': 'true',
      });
    }
    for (const { configuration } of workgroups) {
      expect(configuration).toMatchObject({ publishCloudwatchMetricsEnabled: true });
    }
  });

  test('reckons each job by its own workers', async () => {
    const { inputs } = await stackOf('dev', {
      dashboard: true,
      jobOverrides: { forget: { maxWorkers: 20, workerType: 'G.2X' } },
    });
    const { dashboardBody } = inputs('aws:cloudwatch/dashboard:Dashboard');
    const text = JSON.stringify(dashboardBody);
    expect(text.match(/time\d+ \* 40 /g)).toHaveLength(1);
    expect(text.match(/time\d+ \* 2 /g)).toHaveLength(lake.jobs.length);
  });

  test('says nothing of who is told', async () => {
    const { text } = await shown();
    expect(text).not.toContain('@');
  });
});

test('the job that forgets is set as others are', async () => {
  const { inputs } = await stackOf('dev', {
    jobs: { timeoutMinutes: 90 },
    jobOverrides: { forget: { maxWorkers: 20, workerType: 'G.2X' } },
  });
  expect(inputs('aws:glue/job:Job', 'stedi-forget-job')).toMatchObject({
    workerType: 'G.2X',
    numberOfWorkers: 20,
    timeout: 90,
    jobRunQueuingEnabled: false,
    executionProperty: { maxConcurrentRuns: 1 },
  });
});

test('settings of another definition are refused', async () => {
  const { forget: _, ...jobs } = settingsOf('dev').jobs;
  await expect(build({ ...settingsOf('dev'), jobs })).rejects.toThrow(
    new Error('the settings of stedi-lakehouse-dev have no job forget'),
  );
  const settings = { ...settingsOf('dev'), zones: {} };
  await expect(build(settings)).rejects.toThrow(
    new Error('the settings of stedi-lakehouse-dev have no zone landing'),
  );
});

const names = (resources: readonly { readonly name: string }[]) => resources.map(({ name }) => name).sort();
