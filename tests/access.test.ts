// Who may do what in a stack. The policies are those that the provider receives; what they should allow is
// written down here once more, from the pipeline and docs alone, and not by way of components/access.ts.
import type { PolicyDocument } from '../components/access';
import type { Table } from '../model';
import { lake } from '../pipeline';
import { type Emitted, emitted } from './support/emitted';
import {
  allows,
  type Context,
  type NamedPolicy,
  ofType,
  type Policies,
  policiesOf,
  probesOf,
  type Request,
} from './support/iam';

const ACCOUNT = '123456789012';
const OTHER_ACCOUNT = '999999999999';
const REGION = 'us-east-1';

const arn = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;

interface Folder {
  readonly bucket: string;
  /** Ends in a slash. */
  readonly prefix: string;
}

/** All that a principal may do. What is absent it may not. */
interface Rights {
  readonly reads?: readonly Folder[];
  readonly writes?: readonly Folder[];
  /** What is replaced or deleted there may be deleted for good. */
  readonly erases?: readonly Folder[];
  /** May be asked for whether they are there, and so may the folders above. */
  readonly asks?: readonly Folder[];
  readonly catalog?: {
    readonly reads?: readonly string[];
    readonly commits?: readonly string[];
    readonly partitions?: readonly string[];
    /** Looks for tables and partitions as Athena does, which asks for the database `default` too. */
    readonly queries?: readonly string[];
  };
  /** Names of log groups. */
  readonly logs?: RegExp;
  readonly metrics?: boolean;
  readonly secret?: boolean;
  readonly network?: boolean;
  readonly workgroup?: string;
  readonly workflow?: boolean;
  readonly key?: boolean;
  /** What Lake Formation reads for whom it has granted something. */
  readonly lakeFormation?: boolean;
}

interface Principal {
  readonly name: string;
  readonly arn: string;
  readonly policies: readonly NamedPolicy[];
  readonly rights: Rights;
}

/** What a stack has only where it is told to. */
interface Parts {
  readonly encrypted: boolean;
  readonly network: boolean;
  readonly audit: boolean;
  readonly lakeFormation: boolean;
}

/** A stack as the program makes it, and what of it the rules speak of. */
interface Deployed extends Parts {
  readonly name: string;
  readonly database: string;
  readonly resources: readonly Emitted[];
  readonly policies: Policies;
  readonly principals: readonly Principal[];
  readonly folders: readonly Folder[];
  readonly secret: string;
  readonly key?: string;
}

const bucketOf = (name: string, zone: string) => `${name}-${zone}-${ACCOUNT}`;

/** Whether an expectation moves rows out of the table. */
const movesRows = ({ expectations }: Table) => expectations.some(({ severity }) => severity === 'quarantine');

const quarantined = (source: string) => `${source}_quarantine`;

/** Where a stack has its data and its files. */
function layout(name: string) {
  const artifacts = bucketOf(name, 'artifacts');
  const sources = new Map(
    lake.sources.map((source): [string, Folder] => [
      source.name,
      { bucket: bucketOf(name, source.zone), prefix: `${source.entity}/landing/` },
    ]),
  );
  const derived = new Map(
    lake.jobs.map(({ output }): [string, Folder] => [
      output.name,
      { bucket: bucketOf(name, output.zone), prefix: `${output.name}/` },
    ]),
  );
  return {
    tables: new Map([...sources, ...derived]),
    quarantine: new Map(
      [...lake.sources, ...lake.jobs.map(({ output }) => output).filter(movesRows)].map(
        (table): [string, Folder] => [
          table.name,
          { bucket: bucketOf(name, table.zone), prefix: `quarantine/${table.name}/` },
        ],
      ),
    ),
    runner: { bucket: artifacts, prefix: 'runner/' },
    own: (job: string): Folder => ({ bucket: artifacts, prefix: `jobs/${job}/` }),
    runs: (job: string): Folder => ({ bucket: artifacts, prefix: `runs/${job}/` }),
    suppressed: { bucket: artifacts, prefix: 'suppressed/' },
    receipts: { bucket: artifacts, prefix: 'receipts/' },
    page: { bucket: artifacts, prefix: 'docs/' },
    requests: { bucket: bucketOf(name, 'landing'), prefix: 'forget/requests/' },
    results: (audience: string): Folder => ({ bucket: artifacts, prefix: `results/${audience}/` }),
  };
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`there is no ${what}`);
  return value;
}

/** Every source of STEDI names a person or a device. */
const readsPeople = ({ inputs }: (typeof lake.jobs)[number]) => inputs.some(({ name }) => isSource(name));

const isSource = (table: string) => lake.sources.some(({ name }) => name === table);

/** The rules, for whoever runs or asks something. */
function rightsIn(name: string, { network, encrypted: key, lakeFormation }: Parts) {
  const places = layout(name);
  const place = (table: string) => found(places.tables.get(table), table);
  return {
    job: (job: (typeof lake.jobs)[number]): Rights => {
      const inputs = job.inputs.map((input) => input.name);
      const refusing = [...inputs.filter(isSource), ...(movesRows(job.output) ? [job.output.name] : [])];
      const quarantines = refusing.map((table) => found(places.quarantine.get(table), table));
      return {
        reads: [
          ...inputs.map(place),
          places.own(job.name),
          places.runner,
          // Of those whose lines it reads, somebody may be forgotten.
          ...(readsPeople(job) ? [places.suppressed] : []),
        ],
        writes: [place(job.output.name), places.runs(job.name), ...quarantines],
        asks: quarantines,
        catalog: {
          reads: [...inputs.filter((input) => !isSource(input)), job.output.name],
          commits: [job.output.name],
        },
        logs: new RegExp(`^/aws-glue/${name}/${job.name}/`),
        metrics: true,
        secret:
          readsPeople(job) || Object.values(job.output.columns).some(({ type }) => type === 'pseudonym'),
        network,
        key,
      };
    },
    forget: (): Rights => {
      const runs = lake.jobs.map(({ name: job }) => places.runs(job));
      const erases = [...places.tables.values(), ...places.quarantine.values(), places.requests, ...runs];
      const made = lake.jobs.map(({ output }) => output.name);
      return {
        reads: [places.own('forget'), places.runner, ...lake.jobs.map(({ name: job }) => places.own(job))],
        writes: [...erases, places.suppressed, places.receipts],
        erases,
        asks: [...places.quarantine.values()],
        catalog: { reads: made, commits: made },
        logs: new RegExp(`^/aws-glue/${name}/forget/`),
        metrics: true,
        secret: true,
        network,
        key,
      };
    },
    optimizer: (table: string): Rights => ({
      writes: [place(table)],
      catalog: { reads: [table], commits: [table] },
      logs: /^\/aws-glue\/iceberg-[^/]+\/logs$/,
      key,
    }),
    crawler: (): Rights => {
      const sources = lake.sources.map((source) => source.name);
      return {
        reads: sources.map(place),
        catalog: { reads: sources, commits: sources, partitions: sources },
        logs: /^\/aws-glue\/crawlers$/,
        key,
      };
    },
    analyst: (): Rights => {
      // Every other table names a person or a device.
      const open = lakeFormation ? Object.keys(OPEN_COLUMNS) : ['machine_learning_curated'];
      return {
        reads: lakeFormation ? [] : open.map(place),
        writes: [places.results('analysts')],
        catalog: { reads: open, queries: open },
        workgroup: `${name}-analysts`,
        key,
        lakeFormation,
      };
    },
    reader: (): Rights => ({ reads: Object.keys(OPEN_COLUMNS).map(place), key }),
    notifier: (): Rights => ({ workflow: true }),
  };
}

const CONSENT_DATES = [
  'registrationDate',
  'lastUpdateDate',
  ...['Research', 'Public', 'Friends'].map((whom) => `shareWith${whom}AsOfDate`),
];

/**
 * What Lake Formation opens to analysts: of the tables whose people agreed, the columns that name nobody. Of the sources
 * nothing: all of them name people, and not all of those agreed.
 */
const OPEN_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  customer_trusted: CONSENT_DATES,
  accelerometer_trusted: ['timestamp', 'x', 'y', 'z'],
  customers_curated: CONSENT_DATES,
  step_trainer_trusted: ['sensorReadingTime', 'distanceFromObject'],
  machine_learning_curated: ['sensorReadingTime', 'subject', 'device', 'distanceFromObject', 'x', 'y', 'z'],
};

/** Each principal by what it is used for in the stack, and not by its name. */
function principalsOf(
  name: string,
  resources: readonly Emitted[],
  policies: Policies,
  has: Parts,
): Principal[] {
  const rules = rightsIn(name, has);
  const used = new Map<string, Principal>();
  const use = (role: unknown, kind: string, rights: Rights) => {
    const { arn: its, policies: own } = found(
      policies.roles.find((one) => one.arn === role),
      `role ${role} of ${kind}`,
    );
    const before = used.get(its);
    if (before !== undefined && before.name !== kind)
      throw new Error(`${kind} and ${before.name} share a role`);
    used.set(its, { name: kind, arn: its, policies: own, rights });
  };
  for (const { inputs } of ofType(resources, 'aws:glue/job:Job')) {
    if (inputs.name === `${name}-forget`) {
      use(inputs.roleArn, 'forget', rules.forget());
      continue;
    }
    const job = lake.jobs.find((one) => inputs.name === `${name}-${one.name}`);
    use(inputs.roleArn, `job ${job?.name}`, rules.job(found(job, `job ${inputs.name}`)));
  }
  for (const { inputs } of ofType(resources, 'aws:glue/catalogTableOptimizer:CatalogTableOptimizer')) {
    const { roleArn } = inputs.configuration as { roleArn: string };
    use(roleArn, `optimizer of ${inputs.tableName}`, rules.optimizer(String(inputs.tableName)));
  }
  for (const { inputs } of ofType(resources, 'aws:glue/crawler:Crawler')) {
    use(inputs.role, 'crawler', rules.crawler());
  }
  for (const { inputs } of ofType(resources, 'aws:cloudwatch/eventTarget:EventTarget')) {
    if (inputs.roleArn !== undefined) use(inputs.roleArn, 'notifier', rules.notifier());
  }
  for (const { inputs } of ofType(resources, 'aws:lakeformation/resource:Resource')) {
    use(inputs.roleArn, 'reader of Lake Formation', rules.reader());
  }
  const unused = policies.roles.filter((role) => !used.has(role.arn));
  if (unused.length > 0) throw new Error(`nothing runs under ${unused.map((role) => role.name).join()}`);
  const [analyst, ...others] = policies.managed;
  if (analyst?.name !== `${name}-analyst` || others.length > 0) {
    throw new Error(`the policies to attach are ${policies.managed.map((one) => one.name).join()}`);
  }
  return [
    ...used.values(),
    {
      name: 'analyst',
      arn: `arn:aws:iam::${ACCOUNT}:user/analyst`,
      policies: [analyst],
      rights: rules.analyst(),
    },
  ];
}

async function deploy(
  stack: string,
  config: Readonly<Record<string, unknown>>,
  has: Parts,
): Promise<Deployed> {
  const { resources } = await emitted(stack, config);
  const name = `stedi-lakehouse-${stack}`;
  const policies = policiesOf(resources);
  const places = layout(name);
  const [key] = ofType(resources, 'aws:kms/key:Key');
  const [secret] = ofType(resources, 'aws:secretsmanager/secret:Secret');
  return {
    name,
    database: name.replaceAll('-', '_'),
    resources,
    policies,
    principals: principalsOf(name, resources, policies, has),
    folders: [
      ...places.tables.values(),
      ...places.quarantine.values(),
      places.runner,
      ...lake.jobs.flatMap((job) => [places.own(job.name), places.runs(job.name)]),
      places.own('forget'),
      places.suppressed,
      places.receipts,
      places.page,
      places.requests,
      places.results('all'),
      places.results('analysts'),
    ],
    secret: String(found(secret, 'secret').outputs.arn),
    ...(has.encrypted && { key: String(found(key, 'key').outputs.arn) }),
    ...has,
  };
}

const TLS: Context = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };

/** A bucket of the same account that is none of the stack's, but for its name might be. */
const foreignBuckets = ({ name }: Deployed) => [bucketOf(`${name}-2`, 'trusted'), 'stedi-lakehouse'];

const bucketsOf = ({ name, audit }: Deployed) =>
  [...lake.zones.map((zone) => zone.name), 'artifacts', ...(audit ? ['audit'] : [])].map((zone) =>
    bucketOf(name, zone),
  );

const OBJECT_READS = ['s3:GetObject'];
const OBJECT_WRITES = ['s3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'];
/** For good. */
const ERASE = 's3:DeleteObjectVersion';
const WRITE_PARTS = 's3:ListMultipartUploadParts';

function* objectRequests(deployed: Deployed): Generator<Request> {
  const buckets = [...bucketsOf(deployed), ...foreignBuckets(deployed)];
  const actions = [...OBJECT_READS, ...OBJECT_WRITES];
  for (const { bucket, prefix } of deployed.folders) {
    const folder = prefix.slice(0, -1);
    for (const action of actions) {
      for (const each of buckets) yield { action, resource: `arn:aws:s3:::${each}/${prefix}part-0` };
      for (const sibling of [`${folder}_x/part-0`, `${folder}x`]) {
        yield { action, resource: `arn:aws:s3:::${bucket}/${sibling}` };
      }
    }
    // What would undo versions, or hand objects out.
    for (const action of [ERASE, 's3:GetObjectVersion', 's3:PutObjectAcl']) {
      yield { action, resource: `arn:aws:s3:::${bucket}/${prefix}part-0` };
    }
    for (const sibling of [`${folder}_x/part-0`, `${folder}x`]) {
      yield { action: ERASE, resource: `arn:aws:s3:::${bucket}/${sibling}` };
    }
  }
  for (const bucket of buckets) {
    for (const action of actions) yield { action, resource: `arn:aws:s3:::${bucket}/part-0` };
  }
}

function* bucketRequests(deployed: Deployed): Generator<Request> {
  const buckets = [...bucketsOf(deployed), ...foreignBuckets(deployed)];
  const listing = (bucket: string, prefix: string, action = 's3:ListBucket') => ({
    action,
    resource: `arn:aws:s3:::${bucket}`,
    context: { 's3:prefix': prefix },
  });
  for (const { bucket, prefix } of deployed.folders) {
    const folder = prefix.slice(0, -1);
    for (const each of buckets) yield listing(each, prefix);
    for (const part of [folder, `${prefix}data/`, `${folder}_x/`, `${folder}x`]) {
      yield listing(bucket, part);
      yield listing(bucket, part, 's3:ListBucketVersions');
    }
  }
  for (const bucket of buckets) {
    const resource = `arn:aws:s3:::${bucket}`;
    yield listing(bucket, '');
    for (const each of [
      's3:ListBucket',
      's3:GetBucketLocation',
      's3:ListBucketMultipartUploads',
      's3:ListBucketVersions',
      's3:DeleteBucket',
      's3:PutBucketPolicy',
      's3:PutBucketVersioning',
      's3:PutLifecycleConfiguration',
    ]) {
      yield { action: each, resource };
    }
  }
}

const CATALOG_ACTIONS = ['glue:GetTable', 'glue:UpdateTable', 'glue:DeleteTable', 'glue:CreateTable'];
const PARTITION_READS = ['glue:GetTables', 'glue:GetPartitions'];
const PARTITION_WRITES = ['glue:BatchCreatePartition', 'glue:UpdatePartition', 'glue:DeletePartition'];

function* catalogRequests({ database }: Deployed): Generator<Request> {
  const sources = lake.sources.map(({ name }) => name);
  const derived = lake.jobs.map(({ output }) => output.name);
  const tables = [...sources, ...derived, ...sources.map(quarantined)];
  for (const each of [database, `${database}_2`, 'default']) {
    for (const action of ['glue:GetDatabase', 'glue:UpdateDatabase', 'glue:DeleteDatabase']) {
      yield { action, resource: arn('glue', `database/${each}`) };
    }
  }
  for (const table of tables) {
    for (const action of [...CATALOG_ACTIONS, ...PARTITION_READS, ...PARTITION_WRITES]) {
      yield { action, resource: arn('glue', `table/${database}/${table}`) };
    }
    for (const action of ['glue:GetTable', 'glue:UpdateTable']) {
      yield { action, resource: arn('glue', `table/${database}/${table}_x`) };
      yield { action, resource: arn('glue', `table/${database}_2/${table}`) };
      yield { action, resource: arn('glue', `table/default/${table}`) };
    }
  }
}

function* otherRequests(deployed: Deployed): Generator<Request> {
  const { name, secret, key, policies } = deployed;
  const groups = [
    ...[...lake.jobs.map((job) => job.name), 'forget'].flatMap((job) => [
      `/aws-glue/${name}/${job}/error`,
      `/aws-glue/${name}/${job}/output`,
      `/aws-glue/${name}/${job}_x/error`,
      `/aws-glue/${name}-2/${job}/error`,
    ]),
    '/aws-glue/crawlers',
    '/aws-glue/crawlers-x',
    '/aws-glue/iceberg-compaction/logs',
    '/aws-glue/iceberg-retention/logs',
    '/aws-glue/iceberg-orphan-file-deletion/logs',
    '/aws-glue/jobs/error',
    '/aws/lambda/x',
  ];
  for (const group of groups) {
    for (const action of ['logs:CreateLogGroup', 'logs:DeleteLogGroup', 'logs:PutRetentionPolicy']) {
      yield { action, resource: arn('logs', `log-group:${group}`) };
    }
    for (const action of ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:GetLogEvents']) {
      yield { action, resource: arn('logs', `log-group:${group}:log-stream:run`) };
    }
  }
  for (const resource of [secret, ...similarSecrets(secret)]) {
    for (const action of ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue']) {
      yield { action, resource };
    }
  }
  for (const namespace of ['Glue', `Lakehouse/${name}`, `Lakehouse/${name}-2`, 'AWS/Billing', undefined]) {
    yield {
      action: 'cloudwatch:PutMetricData',
      resource: '*',
      ...(namespace !== undefined && { context: { 'cloudwatch:namespace': namespace } }),
    };
  }
  for (const resource of [...(key === undefined ? [] : [key]), arn('kms', 'key/of-another')]) {
    for (const each of [
      'Decrypt',
      'GenerateDataKey',
      'Encrypt',
      'ScheduleKeyDeletion',
      'PutKeyPolicy',
      'CreateGrant',
    ]) {
      yield { action: `kms:${each}`, resource };
    }
  }
  for (const workgroup of [name, `${name}-analysts`, `${name}-2-analysts`, 'primary']) {
    for (const each of [...WORKGROUP_USE, 'UpdateWorkGroup', 'DeleteWorkGroup', 'CreateNamedQuery']) {
      yield { action: `athena:${each}`, resource: arn('athena', `workgroup/${workgroup}`) };
    }
  }
  for (const catalog of ['AwsDataCatalog', 'another']) {
    for (const each of ['GetDataCatalog', 'UpdateDataCatalog']) {
      yield { action: `athena:${each}`, resource: arn('athena', `datacatalog/${catalog}`) };
    }
  }
  for (const each of ['GetDataAccess', 'GrantPermissions', 'DeregisterResource']) {
    yield { action: `lakeformation:${each}`, resource: '*' };
  }
  for (const action of NETWORK_LOOKS) yield { action, resource: '*' };
  for (const resource of ['network-interface/eni-1', 'subnet/subnet-1', 'security-group/sg-1']) {
    yield { action: 'ec2:CreateNetworkInterface', resource: arn('ec2', resource) };
  }
  yield { action: 'ec2:DeleteNetworkInterface', resource: arn('ec2', 'network-interface/eni-1') };
  yield { action: 'ec2:RunInstances', resource: arn('ec2', 'instance/i-1') };
  for (const resource of ['network-interface/eni-1', 'instance/i-1', 'vpc/vpc-1']) {
    for (const tag of [GLUE_TAG, 'stack']) {
      for (const action of ['ec2:CreateTags', 'ec2:DeleteTags']) {
        yield { action, resource: arn('ec2', resource), context: { 'aws:TagKeys': [tag] } };
      }
    }
  }
  for (const connection of [`${name}-network`, `${name}-2-network`]) {
    yield { action: 'glue:GetConnection', resource: arn('glue', `connection/${connection}`) };
  }
  for (const workflow of [name, `${name}-2`]) {
    for (const action of ['glue:NotifyEvent', 'glue:StartWorkflowRun', 'glue:DeleteWorkflow']) {
      yield { action, resource: arn('glue', `workflow/${workflow}`) };
    }
  }
  for (const job of [...lake.jobs.map((each) => each.name), 'forget']) {
    for (const action of ['glue:StartJobRun', 'glue:UpdateJob']) {
      yield { action, resource: arn('glue', `job/${name}-${job}`) };
    }
  }
  for (const role of policies.roles) {
    for (const action of ['iam:PassRole', 'iam:PutRolePolicy', 'sts:AssumeRole']) {
      yield { action, resource: role.arn };
    }
  }
}

/** Secrets whose names begin with the stack's, or are another stack's. The last seven characters are AWS's own. */
const similarSecrets = (secret: string) => [
  secret.replace(/-.{6}$/, '-old-AbCdEf'),
  secret.replace(/-.{6}$/, '2-AbCdEf'),
  secret.replace(/\/pseudonym-key-.{6}$/, '-2/pseudonym-key-AbCdEf'),
];

const WORKGROUP_USE = [
  'BatchGetNamedQuery',
  'BatchGetQueryExecution',
  'GetNamedQuery',
  'GetQueryExecution',
  'GetQueryResults',
  'GetQueryResultsStream',
  'GetWorkGroup',
  'ListNamedQueries',
  'ListQueryExecutions',
  'StartQueryExecution',
  'StopQueryExecution',
];

const GLUE_TAG = 'aws-glue-service-resource';
const NETWORK_LOOKS = ['NetworkInterfaces', 'RouteTables', 'SecurityGroups', 'Subnets', 'VpcEndpoints'].map(
  (what) => `ec2:Describe${what}`,
);

/** What the rights say of a request: all that is not said here is refused. */
function permitted(rights: Rights, { action, resource, context = {} }: Request, deployed: Deployed): boolean {
  const { reads = [], writes = [], erases = [], asks = [], catalog = {} } = rights;
  const { reads: looks = [], commits = [], partitions = [], queries = [] } = catalog;
  const { name, database, key, secret } = deployed;
  const all = [...reads, ...writes];
  const [service = '', verb = ''] = action.split(':');
  const [, , , , , ...tail] = resource.split(':');
  const what = tail.join(':');
  switch (service) {
    case 's3': {
      const [bucket = '', ...path] = what.split('/');
      const inside = (folders: readonly Folder[]) =>
        folders.some((one) => one.bucket === bucket && path.join('/').startsWith(one.prefix));
      const some = (folders: readonly Folder[]) => folders.some((one) => one.bucket === bucket);
      const isAbove = (folder: string) =>
        folder !== '' && asks.some((one) => one.bucket === bucket && one.prefix.startsWith(`${folder}/`));
      if (OBJECT_READS.includes(action)) return inside(all) || isAbove(path.join('/'));
      if (OBJECT_WRITES.includes(action) || action === WRITE_PARTS) return inside(writes);
      if (action === ERASE) return inside(erases);
      if (verb === 'GetBucketLocation') return some(all);
      if (verb === 'ListBucketMultipartUploads') return some(writes);
      const asked = context['s3:prefix'];
      if (typeof asked !== 'string') return false;
      const lists = (folders: readonly Folder[]) =>
        folders.some(({ bucket: its, prefix }) => its === bucket && `${asked}/`.startsWith(prefix));
      if (verb === 'ListBucketVersions') return lists(erases);
      return verb === 'ListBucket' && (isAbove(asked.replace(/\/$/, '')) || lists(all));
    }
    case 'glue': {
      const [kind, first, second = ''] = what.split('/');
      if (kind === 'database') {
        const used = [...looks, ...commits].length > 0;
        return (
          verb === 'GetDatabase' &&
          used &&
          (first === database || (first === 'default' && queries.length > 0))
        );
      }
      if (kind === 'table' && first === database) {
        if (verb === 'GetTable') return looks.includes(second);
        if (verb === 'UpdateTable') return commits.includes(second);
        if (verb === 'GetTables') return [...queries, ...partitions].includes(second);
        if (verb === 'GetPartitions') return [...queries, ...partitions].includes(second);
        const partition = ['BatchCreatePartition', 'BatchGetPartition', 'CreatePartition', 'UpdatePartition'];
        return partition.includes(verb) && partitions.includes(second);
      }
      if (kind === 'connection')
        return verb === 'GetConnection' && !!rights.network && first === `${name}-network`;
      return (
        kind === 'workflow' && verb.toLowerCase() === 'notifyevent' && !!rights.workflow && first === name
      );
    }
    case 'logs': {
      const [, group = ''] = /^log-group:([^:]+)/.exec(what) ?? [];
      return (
        ['CreateLogGroup', 'CreateLogStream', 'PutLogEvents'].includes(verb) && !!rights.logs?.test(group)
      );
    }
    case 'cloudwatch': {
      const namespace = String(context['cloudwatch:namespace']);
      return (
        verb === 'PutMetricData' && !!rights.metrics && ['Glue', `Lakehouse/${name}`].includes(namespace)
      );
    }
    case 'secretsmanager':
      // The six characters at its end are not known to the program.
      return verb === 'GetSecretValue' && !!rights.secret && resource.slice(0, -6) === secret.slice(0, -6);
    case 'kms':
      return ['Decrypt', 'GenerateDataKey'].includes(verb) && !!rights.key && resource === key;
    case 'athena':
      if (verb === 'GetDataCatalog')
        return rights.workgroup !== undefined && what === 'datacatalog/AwsDataCatalog';
      return WORKGROUP_USE.includes(verb) && what === `workgroup/${rights.workgroup}`;
    case 'lakeformation':
      return verb === 'GetDataAccess' && !!rights.lakeFormation;
    case 'ec2': {
      if (!rights.network) return false;
      if ([...NETWORK_LOOKS, 'ec2:DescribeVpcAttribute'].includes(action)) return true;
      if (['CreateNetworkInterface', 'DeleteNetworkInterface'].includes(verb)) return true;
      const tags = [context['aws:TagKeys'] ?? []].flat();
      return (
        ['CreateTags', 'DeleteTags'].includes(verb) &&
        what.startsWith('network-interface/') &&
        tags.every((tag) => tag === GLUE_TAG)
      );
    }
    default:
      return false;
  }
}

/** Whether it asks for something by itself, and not for the way to it, such as a table's database. */
const isWhole = ({ action, resource }: Request) =>
  !/^glue:/.test(action) ||
  !/:(?:catalog|database\/[^/]+)$/.test(resource) ||
  (/Database$/.test(action) && !/:catalog$/.test(resource));

/** What AWS checks for a request: a table is reached by way of its database and the catalog. */
function checkedResources({ action, resource }: Request): string[] {
  const [, kind, database] =
    /^arn:aws:glue:[^:]*:\d+:(database|table|connection)\/([^/]+)/.exec(resource) ?? [];
  if (!action.startsWith('glue:') || kind === undefined) return [resource];
  const ancestors = [
    arn('glue', 'catalog'),
    ...(kind === 'table' ? [arn('glue', `database/${database}`)] : []),
  ];
  return [...ancestors, resource];
}

const KEY_OF_ANOTHER: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  ],
};

/** The policy of the resource itself, and what comes with every request for it. */
function surroundings({ policies }: Deployed, resource: string) {
  const [s3Bucket] = /^arn:aws:s3:::[^/]+/.exec(resource) ?? [];
  const trust = policies.roles.find((role) => role.arn === resource)?.trust;
  const own = policies.resources.get(s3Bucket ?? resource) ?? trust;
  return {
    context: s3Bucket === undefined ? {} : TLS,
    own: own ?? (resource.includes(':kms:') ? KEY_OF_ANOTHER : undefined),
  };
}

async function allowed(deployed: Deployed, who: Pick<Principal, 'arn' | 'policies'>, request: Request) {
  for (const resource of checkedResources(request)) {
    const { context, own } = surroundings(deployed, resource);
    const answer = await allows({
      principal: who.arn,
      identity: who.policies,
      account: ACCOUNT,
      action: request.action,
      resource,
      context: { ...context, ...request.context },
      own,
    });
    if (answer !== true) return answer;
  }
  return true;
}

const told = ({ action, resource, context }: Request) =>
  `${action} ${resource}${context === undefined ? '' : ` ${JSON.stringify(context)}`}`;

/** Asks all of the matrix, and tells the cells where the answer is not the expected one. */
async function matrix(deployed: Deployed) {
  const grid = [
    ...objectRequests(deployed),
    ...bucketRequests(deployed),
    ...catalogRequests(deployed),
    ...otherRequests(deployed),
  ];
  let cells = 0;
  let granted = 0;
  const differences: string[] = [];
  for (const principal of deployed.principals) {
    const probes = (await probesOf(principal.policies)).filter(isWhole);
    const requests = new Map([...grid, ...probes].map((request) => [told(request), request]));
    for (const request of requests.values()) {
      const got = await allowed(deployed, principal, request);
      if (got === undefined) continue;
      const expected = permitted(principal.rights, request, deployed);
      cells += 1;
      if (got) granted += 1;
      if (got !== expected) {
        differences.push(
          `${principal.name}: ${told(request)}: ${got ? 'allowed' : 'refused'}, against the rules`,
        );
      }
    }
  }
  process.stderr.write(
    `access matrix of ${deployed.name}: ${cells} cells, ${granted} of them allowed, ${deployed.principals.length} principals\n`,
  );
  return { cells, granted, differences };
}

const EVERYTHING: NamedPolicy = {
  name: 'everything',
  policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
};
/** Whoever may do everything in the account, as far as identities' policies go. */
const ADMIN = { arn: `arn:aws:iam::${ACCOUNT}:role/admin`, policies: [EVERYTHING] };

const ANALYSTS = [`arn:aws:iam::${ACCOUNT}:role/analyst`, `arn:aws:iam::${ACCOUNT}:user/ana`];

describe('access', () => {
  describe.each([
    {
      stack: 'dev',
      config: {},
      has: { encrypted: false, network: false, audit: false, lakeFormation: false },
    },
    // All that a stack can have.
    {
      stack: 'prod',
      config: { network: {}, start: 'files', permissions: 'lake-formation', analysts: ANALYSTS },
      has: { encrypted: true, network: true, audit: true, lakeFormation: true },
    },
  ])('stack $stack', ({ stack, config, has }) => {
    let deployed: Deployed;
    beforeAll(async () => {
      deployed = await deploy(stack, config, has);
    });

    it('allows each role and the analysts what the pipeline says, and nothing else', async () => {
      const { cells, granted, differences } = await matrix(deployed);
      expect(differences).toEqual([]);
      expect(cells).toBeGreaterThan(10_000);
      expect(granted).toBeGreaterThan(200);
    });

    it('has a role of its own for each job, that which forgets too, each optimized table and the crawler', () => {
      expect(deployed.principals.map(({ name }) => name).toSorted()).toEqual(
        [
          ...lake.jobs.flatMap((job) => [`job ${job.name}`, `optimizer of ${job.output.name}`]),
          'analyst',
          'crawler',
          'forget',
          ...(stack === 'prod' ? ['notifier', 'reader of Lake Formation'] : []),
        ].toSorted(),
      );
    });

    it('names the places in tables and jobs that the matrix is about', () => {
      const { name, resources, folders } = deployed;
      const uris = folders.map(({ bucket, prefix }) => `s3://${bucket}/${prefix}`);
      const within = (uri: unknown) =>
        uris.find((folder) => `${String(uri).replace(/\/?$/, '/')}`.startsWith(folder));
      const places = layout(name);
      const tables = ofType(resources, 'aws:glue/catalogTable:CatalogTable').map(({ inputs }) => {
        const iceberg = inputs.openTableFormatInput as
          | { icebergInput: { icebergTableInput: unknown } }
          | undefined;
        const shape = inputs.storageDescriptor ?? iceberg?.icebergInput.icebergTableInput;
        const { location } = shape as { location: string };
        return [inputs.name, location.replace(/\/?$/, '/')];
      });
      const uri = ({ bucket, prefix }: Folder) => `s3://${bucket}/${prefix}`;
      expect(Object.fromEntries(tables)).toEqual(
        Object.fromEntries([
          ...[...places.tables].map(([table, folder]) => [table, uri(folder)]),
          ...[...places.quarantine].map(([source, folder]) => [quarantined(source), uri(folder)]),
        ]),
      );
      const jobs = ofType(resources, 'aws:glue/job:Job');
      expect(jobs).toHaveLength(lake.jobs.length + 1);
      for (const { inputs } of jobs) {
        const job = String(inputs.name).slice(name.length + 1);
        const { scriptLocation } = inputs.command as { scriptLocation: string };
        const told = inputs.nonOverridableArguments as Record<string, string>;
        const own = job === 'forget' ? ['--erasure'] : ['--code', '--manifest'];
        expect([scriptLocation, ...own.map((each) => told[each])].map(within)).toEqual([
          uri(places.runner),
          ...own.map(() => uri(places.own(job))),
        ]);
      }
    });

    it('names every job in what the job that forgets is told, which makes tables again', () => {
      const { name, resources } = deployed;
      const places = layout(name);
      const uri = ({ bucket, prefix }: Folder) => `s3://${bucket}/${prefix}`;
      const [file] = ofType(resources, 'aws:s3/bucketObjectv2:BucketObjectv2').filter(({ inputs }) =>
        String(inputs.key).startsWith('jobs/forget/'),
      );
      const text = JSON.stringify(found(file, 'erasure manifest').inputs);
      const told = [...text.matchAll(/s3:\/\/[^"\\]+/g)].map(([each]) => each);
      const jobs = ofType(resources, 'aws:glue/job:Job').map(({ inputs }) => inputs);
      const files = lake.jobs.flatMap(({ name: job }) => {
        const own = found(
          jobs.find((inputs) => inputs.name === `${name}-${job}`),
          job,
        ).nonOverridableArguments as Record<string, string>;
        return [own['--manifest'] as string, own['--code'] as string];
      });
      expect(told.toSorted()).toEqual(
        [...files, `${uri(places.suppressed)}list.json`, uri(places.receipts)].toSorted(),
      );
    });

    it("stays within IAM's limits of a policy's size", () => {
      const size = (policies: readonly NamedPolicy[]) =>
        policies
          .map(({ policy }) => JSON.stringify(policy).replaceAll(/\s/g, '').length)
          .reduce((a, b) => a + b, 0);
      for (const role of deployed.policies.roles) expect(size(role.policies)).toBeLessThanOrEqual(10_240);
      for (const policy of deployed.policies.managed) expect(size([policy])).toBeLessThanOrEqual(6_144);
    });

    it('lets one service take each role, and where that one tells its account, for this account only', async () => {
      const services = [
        'glue.amazonaws.com',
        'events.amazonaws.com',
        'lakeformation.amazonaws.com',
        'lambda.amazonaws.com',
        'ec2.amazonaws.com',
      ];
      const contexts: Context[] = [
        { 'aws:SourceAccount': ACCOUNT },
        { 'aws:SourceAccount': OTHER_ACCOUNT },
        {},
      ];
      const taken: string[] = [];
      for (const role of deployed.policies.roles) {
        for (const context of contexts) {
          const request = { action: 'sts:AssumeRole', resource: role.arn, context };
          for (const service of services) {
            if (await allowed(deployed, { arn: service, policies: [] }, request)) {
              taken.push(`${role.name} by ${service} ${JSON.stringify(context)}`);
            }
          }
          expect(await allowed(deployed, ADMIN, request)).toBe(false);
        }
      }
      // Neither Glue nor Lake Formation says that it tells the account: they have to be let in without.
      const expected = deployed.policies.roles.flatMap(({ name }) => {
        if (name.endsWith('-notifier'))
          return [`${name} by events.amazonaws.com ${JSON.stringify(contexts[0])}`];
        const service = name.endsWith('-lake-formation') ? 'lakeformation' : 'glue';
        return contexts.map((context) => `${name} by ${service}.amazonaws.com ${JSON.stringify(context)}`);
      });
      expect(taken).toEqual(expected);
    });

    it('refuses plain HTTP and old TLS in every bucket, whoever asks for whatever', async () => {
      const buckets = ofType(deployed.resources, 'aws:s3/bucket:Bucket').map(({ inputs }) =>
        String(inputs.bucket),
      );
      expect(buckets.toSorted()).toEqual(bucketsOf(deployed).toSorted());
      const requests: Request[] = buckets.flatMap((bucket) => [
        ...['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:DeleteObjectVersion'].map((action) => ({
          action,
          resource: `arn:aws:s3:::${bucket}/customer/landing/part-0`,
        })),
        ...['s3:ListBucket', 's3:GetBucketLocation', 's3:DeleteBucket', 's3:PutBucketPolicy'].map(
          (action) => ({
            action,
            resource: `arn:aws:s3:::${bucket}`,
          }),
        ),
      ]);
      const transports: [Context, boolean][] = [
        [{ 'aws:SecureTransport': 'false' }, false],
        [{ 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.0' }, false],
        [{ 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.1' }, false],
        [{ 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.2' }, true],
        [{ 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' }, true],
      ];
      const wrong: string[] = [];
      for (const request of requests) {
        for (const [context, expected] of transports) {
          const asked = { ...request, context };
          if ((await allowed(deployed, ADMIN, asked)) !== expected) wrong.push(told(asked));
        }
      }
      expect(wrong).toEqual([]);
    });

    it('hands no bucket, key or topic to another account', async () => {
      const stranger = { arn: `arn:aws:iam::${OTHER_ACCOUNT}:role/admin`, policies: [EVERYTHING] };
      const asked: Request[] = [...deployed.policies.resources.keys()].flatMap((resource) => {
        if (resource.includes(':s3:')) {
          return [
            { action: 's3:GetObject', resource: `${resource}/x` },
            { action: 's3:ListBucket', resource },
          ];
        }
        return [{ action: resource.includes(':kms:') ? 'kms:Decrypt' : 'sns:Publish', resource }];
      });
      const wrong: string[] = [];
      for (const request of asked) {
        if (await allowed(deployed, stranger, request)) wrong.push(told(request));
      }
      expect(wrong).toEqual([]);
    });

    if (stack === 'prod') {
      /** The requests of a service that are allowed. */
      const allowedOf = async (asked: readonly (readonly [service: string, Request])[]) => {
        const answers: string[] = [];
        for (const [service, request] of asked) {
          const who = { arn: `${service}.amazonaws.com`, policies: [] };
          if (await allowed(deployed, who, request)) answers.push(`${service}: ${told(request)}`);
        }
        return answers;
      };

      it("takes the records of this stack's trail only, where it belongs", async () => {
        const bucket = `arn:aws:s3:::${bucketOf(deployed.name, 'audit')}`;
        const own = arn('cloudtrail', `trail/${deployed.name}`);
        const acl = { 's3:x-amz-acl': 'bucket-owner-full-control' };
        const put = (key: string, context: Context): Request => ({
          action: 's3:PutObject',
          resource: `${bucket}/${key}`,
          context,
        });
        const key = `AWSLogs/${ACCOUNT}/CloudTrail/${REGION}/x.json.gz`;
        const good = put(key, { 'aws:SourceArn': own, ...acl });
        const check: Request = {
          action: 's3:GetBucketAcl',
          resource: bucket,
          context: { 'aws:SourceArn': own },
        };
        const answers = await allowedOf([
          ['cloudtrail', good],
          ['cloudtrail', check],
          ['cloudtrail', put(key, { 'aws:SourceArn': `${own}-2`, ...acl })],
          ['cloudtrail', put(key, { 'aws:SourceArn': own.replace(ACCOUNT, OTHER_ACCOUNT), ...acl })],
          ['cloudtrail', put(key, acl)],
          ['cloudtrail', put(key, { 'aws:SourceArn': own })],
          ['cloudtrail', put(key.replace(ACCOUNT, OTHER_ACCOUNT), { 'aws:SourceArn': own, ...acl })],
          ['cloudtrail', put('x.json.gz', { 'aws:SourceArn': own, ...acl })],
          ['cloudtrail', { ...good, context: { ...good.context, 'aws:SecureTransport': 'false' } }],
          ['cloudtrail', { ...good, action: 's3:DeleteObject' }],
          ['cloudtrail', { ...good, action: 's3:GetObject' }],
          ['logging.s3', good],
        ]);
        expect(answers).toEqual([`cloudtrail: ${told(good)}`, `cloudtrail: ${told(check)}`]);
      });

      it('lets alarms and rules of this stack publish alerts, and nobody else', async () => {
        const [topic = ''] = [...deployed.policies.resources.keys()].filter((one) => one.includes(':sns:'));
        const from = (source: string | undefined): Request => ({
          action: 'sns:Publish',
          resource: topic,
          ...(source !== undefined && { context: { 'aws:SourceArn': source } }),
        });
        const rules = ofType(deployed.resources, 'aws:cloudwatch/eventTarget:EventTarget')
          .filter(({ inputs }) => inputs.arn === topic)
          .map(({ inputs }) => from(arn('events', `rule/${inputs.rule}`)));
        const alarms = ofType(deployed.resources, 'aws:cloudwatch/metricAlarm:MetricAlarm').map(
          ({ inputs }) => from(arn('cloudwatch', `alarm:${inputs.name}`)),
        );
        expect(rules).toHaveLength(2);
        expect(alarms).toHaveLength(lake.sources.length);
        const [rule = from(undefined)] = rules;
        const [alarm = from(undefined)] = alarms;
        const elsewhere = (request: Request) =>
          from(String(request.context?.['aws:SourceArn']).replace(ACCOUNT, OTHER_ACCOUNT));
        const answers = await allowedOf([
          ...rules.map((request) => ['events', request] as const),
          ...alarms.map((request) => ['cloudwatch', request] as const),
          ['events', elsewhere(rule)],
          ['events', from(arn('events', 'rule/another'))],
          ['events', alarm],
          ['events', from(undefined)],
          ['cloudwatch', elsewhere(alarm)],
          ['cloudwatch', rule],
          ['cloudwatch', from(undefined)],
          ['s3', rule],
        ]);
        expect(answers).toEqual([
          ...rules.map((request) => `events: ${told(request)}`),
          ...alarms.map((request) => `cloudwatch: ${told(request)}`),
        ]);
      });

      it("lets services use the stack's key for this stack's logs, alerts and trail", async () => {
        const key = found(deployed.key, 'key');
        const trail = (name: string) => ({ 'aws:SourceArn': arn('cloudtrail', `trail/${name}`) });
        const use = (action: string, context: Context = {}): Request => ({
          action: `kms:${action}`,
          resource: key,
          context,
        });
        const { name } = deployed;
        const good = [
          ['cloudtrail', use('GenerateDataKey', trail(name))],
          ['cloudtrail', use('DescribeKey', trail(name))],
          // CloudTrail and EventBridge do not say here for whom they ask.
          ['cloudtrail', use('Decrypt')],
          ['cloudwatch', use('GenerateDataKey', { 'aws:SourceAccount': ACCOUNT })],
          ['events', use('Decrypt')],
        ] as const;
        const bad = [
          ['cloudwatch', use('GenerateDataKey', { 'aws:SourceAccount': OTHER_ACCOUNT })],
          ['cloudwatch', use('GenerateDataKey')],
          ['cloudtrail', use('GenerateDataKey', trail(`${name}-2`))],
          ['cloudtrail', use('GenerateDataKey')],
          ['cloudwatch', use('Encrypt')],
          ['events', use('ScheduleKeyDeletion')],
          ['s3', use('Decrypt')],
          [`logs.${REGION}`, use('GenerateDataKey')],
          ['logs.eu-west-1', use('GenerateDataKey')],
        ] as const;
        expect(await allowedOf([...good, ...bad])).toEqual(
          good.map(([service, request]) => `${service}: ${told(request)}`),
        );
      });

      it("lets CloudWatch Logs use the stack's key for log groups of its jobs", async () => {
        // The evaluator drops a condition key that ends in a name of its own: it is told of one that it knows.
        const known = 'aws:SourceArn';
        const unknown = 'kms:EncryptionContext:aws:logs:arn';
        const key = found(deployed.key, 'key');
        const text = JSON.stringify(found(deployed.policies.resources.get(key), 'key policy'));
        expect(text).toContain(unknown);
        const own: PolicyDocument = JSON.parse(text.replaceAll(unknown, known));
        const logs = (group: string, action = 'kms:GenerateDataKey') =>
          allows({
            principal: `logs.${REGION}.amazonaws.com`,
            identity: [],
            account: ACCOUNT,
            action,
            resource: key,
            context: { [known]: group },
            own,
          });
        const groups = ofType(deployed.resources, 'aws:cloudwatch/logGroup:LogGroup');
        expect(groups).toHaveLength(2 * (lake.jobs.length + 1));
        for (const { inputs } of groups) {
          expect(inputs.kmsKeyId).toBe(key);
          const group = arn('logs', `log-group:${inputs.name}`);
          expect([group, await logs(group), await logs(group, 'kms:ScheduleKeyDeletion')]).toEqual([
            group,
            true,
            false,
          ]);
          expect(await logs(group.replace(ACCOUNT, OTHER_ACCOUNT))).toBe(false);
          expect(await logs(group.replace(deployed.name, `${deployed.name}-2`))).toBe(false);
        }
      });
    }
  });

  describe('by Lake Formation', () => {
    interface Grant {
      readonly principal: string;
      readonly permissions: readonly string[];
      readonly database?: { readonly name: string };
      readonly table?: { readonly name: string };
      readonly tableWithColumns?: { readonly name: string; readonly columnNames: readonly string[] };
      readonly dataLocation?: { readonly arn: string };
    }
    let resources: readonly Emitted[];
    let grants: readonly Grant[];
    beforeAll(async () => {
      ({ resources } = await emitted('prod', { permissions: 'lake-formation', analysts: ANALYSTS }));
      grants = ofType(resources, 'aws:lakeformation/permissions:Permissions').map(
        ({ inputs }) => inputs as unknown as Grant,
      );
    });
    const catalogued = () =>
      ofType(resources, 'aws:glue/catalogTable:CatalogTable').map(({ inputs }) => String(inputs.name));

    it('opens to each analyst each column that the rules open, and no other cell', () => {
      const columns = [...lake.tables.values()].flatMap(({ name, columns: all }) =>
        Object.keys(all).map((column) => `${name}.${column}`),
      );
      for (const analyst of ANALYSTS) {
        const theirs = grants.filter(({ principal }) => principal === analyst);
        const granted = new Set(
          theirs.flatMap(({ permissions, tableWithColumns: at }) =>
            at && permissions.includes('SELECT')
              ? at.columnNames.map((column) => `${at.name}.${column}`)
              : [],
          ),
        );
        const open = Object.entries(OPEN_COLUMNS).flatMap(([table, all]) =>
          all.map((column) => `${table}.${column}`),
        );
        expect(columns.filter((cell) => granted.has(cell)).toSorted()).toEqual(open.toSorted());
        expect([...granted].filter((cell) => !columns.includes(cell))).toEqual([]);
        // Besides they find the database, and may do nothing to any table.
        expect(theirs.flatMap(({ permissions }) => permissions).filter((one) => one !== 'SELECT')).toEqual([
          'DESCRIBE',
        ]);
        const optedIn = ofType(resources, 'aws:lakeformation/optIn:OptIn').flatMap(({ inputs }) => {
          const { principals, resourceDatas } = inputs as {
            principals: { dataLakePrincipalIdentifier: string }[];
            resourceDatas: { table: { name: string } }[];
          };
          return principals[0]?.dataLakePrincipalIdentifier === analyst
            ? resourceDatas.map(({ table }) => table.name)
            : [];
        });
        expect(optedIn.toSorted()).toEqual(Object.keys(OPEN_COLUMNS).toSorted());
      }
    });

    it('leaves to everybody else what IAM allows them, on each table and the database', () => {
      const byIam = grants.filter(({ principal }) => principal === 'IAM_ALLOWED_PRINCIPALS');
      expect(byIam.every(({ permissions }) => permissions.join() === 'ALL')).toBe(true);
      expect(byIam.flatMap(({ table }) => table?.name ?? []).toSorted()).toEqual(catalogued().toSorted());
      expect(byIam.flatMap(({ database }) => database?.name ?? [])).toEqual(['stedi_lakehouse_prod']);
    });

    it('registers the folders of open tables in hybrid mode, and lets who commits to a table go on', () => {
      const registered = ofType(resources, 'aws:lakeformation/resource:Resource').map(({ inputs }) => inputs);
      const places = layout('stedi-lakehouse-prod');
      const folderOf = (table: string) => {
        const { bucket, prefix } = found(places.tables.get(table), table);
        return `arn:aws:s3:::${bucket}/${prefix.slice(0, -1)}`;
      };
      expect(registered.map(({ arn: at }) => at).toSorted()).toEqual(
        Object.keys(OPEN_COLUMNS).map(folderOf).toSorted(),
      );
      for (const one of registered) expect(one).toMatchObject({ hybridAccessEnabled: true });
      const roles = new Map(
        ofType(resources, 'aws:iam/role:Role').map((role) => [role.arn, role.inputs.name]),
      );
      for (const table of Object.keys(OPEN_COLUMNS)) {
        const going = grants.filter(({ dataLocation }) => dataLocation?.arn === folderOf(table));
        expect(going.map(({ principal }) => String(roles.get(principal))).toSorted()).toEqual(
          [table, `${table}-optimizer`, 'forget'].map((role) => `stedi-lakehouse-prod-${role}`).toSorted(),
        );
        for (const { permissions } of going) expect(permissions).toEqual(['DATA_LOCATION_ACCESS']);
      }
    });
  });
});
