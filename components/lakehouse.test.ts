import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { secret } from '@pulumi/pulumi';
import { parse } from 'yaml';
import { double, isPersonal, lakehouse, type Pipeline, runTime } from '../model';
import { lake } from '../pipeline';
import { takesTags } from '../policy/tags';
import { Lakehouse, type LakehouseArgs } from './lakehouse';
import { dpusOf, readSettings, type Settings } from './settings';
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

// --- What the settings say, in all that they are about. The tests of the components say what else each resource is,
// and tests/access.test.ts what the policies allow ---

describe('every setting reaches', () => {
  /** Values that no default has. */
  const OWN = {
    encryption: 'kms',
    zones: {
      landing: { oldVersionDays: 8, quarantineDays: 21 },
      trusted: { oldVersionDays: 9, optimizeTables: false },
      curated: { oldVersionDays: 10 },
    },
    start: 'cron(0 4 * * ? *)',
    crawl: 'cron(0 5 * * ? *)',
    jobs: { workerType: 'G.2X', maxWorkers: 3, timeoutMinutes: 70, flex: false },
    jobOverrides: {
      customer_trusted: { maxWorkers: 4, flex: true },
      forget: { workerType: 'G.4X', maxWorkers: 20 },
    },
    logDays: 60,
    parameters: { consent: 'since-grant', pairing: 'timestamp' },
    queries: { scanLimitMegabytes: 20, resultDays: 3 },
    alerts: { email: 'who@example.com', quarantinedShare: 0.2 },
    network: { cidr: '10.2.0.0/24' },
    auditTrail: true,
    dashboard: true,
    tags: { owner: 'data' },
  };
  const settings = settingsOf('dev', OWN);
  let made: Deployment<unknown>;
  beforeAll(async () => {
    made = await stackOf('dev', OWN);
  });
  const ofType = (type: string) =>
    made.resources.filter((each) => each.type.startsWith('aws:') && each.type.endsWith(`:${type}`));
  const inputsOf = (type: string) => ofType(type).map(({ inputs }) => inputs);
  const lifecycleOf = (bucket: string) =>
    made.inputs(
      'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration',
      `stedi-${bucket}-lifecycle`,
    ).rules as { filter: { prefix: string }; [kind: string]: unknown }[];

  test('each job: its workers, time, class, parameters and network', () => {
    const jobs = Object.fromEntries(ofType('Job').map((job) => [job.inputs.name, job]));
    expect(Object.keys(jobs)).toHaveLength(Object.keys(settings.jobs).length);
    for (const [name, own] of Object.entries(settings.jobs)) {
      const { inputs, after = [] } = jobs[`stedi-lakehouse-dev-${name}`] ?? {};
      const parameters = lake.jobs.find((job) => job.name === name)?.parameters ?? [];
      const told = parameters.filter((one) => one !== runTime).map((one) => one.name);
      expect(inputs).toMatchObject({
        workerType: own.workerType,
        numberOfWorkers: own.maxWorkers,
        timeout: own.timeoutMinutes,
        executionClass: own.flex ? 'FLEX' : 'STANDARD',
        connections: ['stedi-lakehouse-dev-network'],
      });
      const given = (inputs?.defaultArguments ?? {}) as Record<string, string>;
      expect(given['--parameters']).toBe(
        told.map((one) => `${one}=${settings.parameters[one]}`).join() || undefined,
      );
      // It waits for a network that is complete.
      expect(after).toContain('stedi-network-connection');
    }
    expect(made.inputs('awsx:ec2:Vpc').cidrBlock).toBe('10.2.0.0/24');
  });

  test('what starts, crawls, asks and warns', () => {
    expect(made.inputs('aws:glue/trigger:Trigger', 'stedi-pipeline-start').schedule).toBe(OWN.start);
    expect(inputsOf('Crawler')).toEqual([expect.objectContaining({ schedule: OWN.crawl })]);
    const groups = inputsOf('Workgroup');
    expect(groups).toHaveLength(2);
    for (const { configuration } of groups) {
      expect(configuration).toMatchObject({ bytesScannedCutoffPerQuery: 20 * 1024 * 1024 });
    }
    expect(inputsOf('TopicSubscription')).toEqual([expect.objectContaining({ endpoint: OWN.alerts.email })]);
    const alarms = inputsOf('MetricAlarm').filter(({ metricName }) => metricName === 'QuarantinedShare');
    expect(alarms.map(({ threshold }) => threshold)).toEqual(SOURCES.map(() => 0.2));
    const { dashboardBody } = made.inputs('aws:cloudwatch/dashboard:Dashboard');
    // Each job by its own DPUs.
    const dpus = [...JSON.stringify(dashboardBody).matchAll(/time\d+ \* (\d+) /g)].map(([, each]) => each);
    expect(dpus.toSorted()).toEqual(
      Object.values(settings.jobs)
        .map(({ workerType, maxWorkers }) => `${dpusOf(workerType) * maxWorkers}`)
        .toSorted(),
    );
  });

  test('how long logs, old versions, refused lines, requests and results stay', () => {
    for (const { retentionInDays } of inputsOf('LogGroup')) expect(retentionInDays).toBe(60);
    const kept = { artifacts: 7, landing: 8, trusted: 9, curated: 10 };
    const gone = { 'landing quarantine/': 21, 'landing forget/requests/': 1, 'artifacts results/': 3 };
    const found = Object.keys(kept).flatMap((bucket) =>
      lifecycleOf(bucket).map((rule) => [bucket, rule] as const),
    );
    const old = found.filter(([, { filter }]) => filter.prefix === '');
    expect(
      old.map(([bucket, { noncurrentVersionExpiration }]) => [bucket, noncurrentVersionExpiration]),
    ).toEqual(Object.entries(kept).map(([bucket, noncurrentDays]) => [bucket, { noncurrentDays }]));
    const others = found
      .filter((one) => !old.includes(one))
      .map(([bucket, { filter, expiration }]) => [`${bucket} ${filter.prefix}`, expiration]);
    expect(Object.fromEntries(others)).toEqual(
      Object.fromEntries(Object.entries(gone).map(([place, days]) => [place, { days }])),
    );
  });

  test('each table of a zone that has them cared for, and no other', () => {
    const cared = new Set(inputsOf('CatalogTableOptimizer').map(({ tableName }) => tableName));
    const wanted = lake.jobs.filter(({ output }) => output.zone === 'curated').map(({ name }) => name);
    expect([...cared].toSorted()).toEqual(wanted.toSorted());
  });

  test('all that rests, by the key, and all that takes tags', () => {
    const kinds = /:(?:LogGroup|Secret|Topic|Trail|Workgroup|BucketServerSideEncryptionConfiguration)$/;
    const rests = made.resources.filter(({ type }) => type.startsWith('aws:') && kinds.test(type));
    expect(new Set(rests.map(({ type }) => type)).size).toBe(6);
    const plain = rests.filter(({ inputs }) => !JSON.stringify(inputs).includes('"stedi-stack-key.arn"'));
    expect(plain).toEqual([]);
    const tags = { owner: 'data', project: 'stedi-lakehouse', stack: 'dev', 'managed-by': 'pulumi' };
    const bare = made.resources.filter(({ type, inputs }) => {
      const own = (inputs.tags ?? {}) as Record<string, unknown>;
      return takesTags(type) && Object.entries(tags).some(([key, value]) => own[key] !== value);
    });
    expect(names(bare)).toEqual([]);
  });
});

test('the database, the secret and the files of the runner are those of the stack', async () => {
  const { inputs } = await stackOf('dev');
  const tags = { project: 'stedi-lakehouse', stack: 'dev', 'managed-by': 'pulumi' };
  expect(inputs('aws:glue/catalogDatabase:CatalogDatabase')).toStrictEqual({
    description: 'The lakehouse stedi-lakehouse-dev.',
    name: 'stedi_lakehouse_dev',
    tags,
  });
  expect(inputs('aws:secretsmanager/secret:Secret')).toStrictEqual({
    description: 'What pseudonyms are made with. Another key gives other pseudonyms.',
    name: 'stedi-lakehouse-dev/pseudonym-key',
    recoveryWindowInDays: 0,
    tags,
  });
  const object = (key: string, file: unknown) => ({
    bucket: 'stedi-lakehouse-dev-artifacts-123456789012',
    key,
    source: { file },
    tags,
  });
  const OBJECT = 'aws:s3/bucketObjectv2:BucketObjectv2';
  expect(inputs(OBJECT, 'stedi-runner')).toStrictEqual(object('runner/525d513313416cf1.py', 'print()'));
  expect(inputs(OBJECT, 'stedi-runner-archive')).toStrictEqual(
    object('runner/ed13f7da0abb4cd2.zip', { path: '.build/runner.zip' }),
  );
});

test('the trail records who touches what may be personal', async () => {
  const { inputs } = await stackOf('prod');
  const [selector] = inputs('aws:cloudtrail/trail:Trail').advancedEventSelectors as {
    fieldSelectors: { field: string; startsWiths?: string[] }[];
  }[];
  const places = selector?.fieldSelectors.find(({ field }) => field === 'resources.ARN')?.startsWiths;
  const of = (zone: string, folder: string) =>
    `arn:aws:s3:::stedi-lakehouse-prod-${zone}-123456789012/${folder}/`;
  const made = lake.jobs.map(({ output }) => output).filter(isPersonal);
  expect(places?.toSorted()).toEqual(
    [
      // A refused line may say anything, of whatever source.
      ...lake.sources.map(({ zone, name }) => of(zone, `quarantine/${name}`)),
      ...lake.sources.filter(isPersonal).map(({ zone, entity }) => of(zone, `${entity}/landing`)),
      ...made.map(({ zone, name }) => of(zone, name)),
      of('landing', 'forget/requests'),
      of('artifacts', 'results/all'),
    ].toSorted(),
  );
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

test('a transform reaches every bucket of a zone, every table and every job', async () => {
  const transform = { bucket: { tags: { mine: 'yes' } }, table: { owner: 'me' }, job: { timeout: 7 } };
  const { inputs, resources } = await stackOf('dev', {}, { transform });
  for (const { name } of lake.zones) {
    expect(inputs('aws:s3/bucket:Bucket', `stedi-${name}-bucket`).tags).toEqual({ mine: 'yes' });
  }
  for (const { type, inputs: own } of resources) {
    if (type.endsWith(':CatalogTable')) expect(own.owner).toBe('me');
    if (type === 'aws:glue/job:Job') expect(own.timeout).toBe(7);
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

  test('says nothing of who is told', async () => {
    const { text } = await shown();
    expect(text).not.toContain('@');
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
