/** What the tests of components share: strict mocks that record all that Pulumi's engine would be told, and a stack. */

import { type ResourceHook, runtime } from '@pulumi/pulumi';
import { day, double, epochMillis, lakehouse, parameter, pseudonym, text, timestamp } from '../model';
import { assetOf, type BinaryFile } from './asset';
import { SecureBucket, type SecureBucketArgs } from './bucket';
import type { JobSettings } from './settings';
import type { Site } from './site';
import type { Runner } from './spark-job';

/** A resource as the engine was told of it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  /** Name of the resource that it is part of. */
  readonly parent?: string;
  /** What it was given: a JSON text as `{ json }`, a secret as `{ secret }`, a file as `{ file }`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Names of the resources that are there before it, by its inputs or by `dependsOn`. */
  readonly after: readonly string[];
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
  /** Names of the inputs whose changes elsewhere stay. */
  readonly ignoreChanges?: readonly string[];
  /** Names of the hooks before its updates. */
  readonly beforeUpdate?: readonly string[];
  /** What a component says of itself. */
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** The parts of the engine's requests that are looked at. */
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getObject(): { toJavaScript(): Record<string, unknown> };
  getDependenciesList(): string[];
  hasProtect(): boolean;
  getProtect(): boolean;
  hasRetainondelete(): boolean;
  getRetainondelete(): boolean;
  getIgnorechangesList(): string[];
  getHooks(): { getBeforeUpdateList(): string[] } | undefined;
}
interface OutputsRequest {
  getUrn(): string;
  getOutputs(): { toJavaScript(): Record<string, unknown> };
}
interface Monitor {
  registerResource(request: Request, done: (error: unknown, answer: unknown) => void): unknown;
  registerResourceOutputs(request: OutputsRequest, done: (error: unknown, answer: unknown) => void): unknown;
}

// Stack and other marks of Pulumi's wire format, which its own reading of a request takes away.
const { specialSigKey, specialSecretSig, specialAssetSig } = runtime as unknown as Record<string, string>;

/** A value as it is sent, with Pulumi's marks and JSON texts as what they stand for. */
function told(value: unknown): unknown {
  if (typeof value === 'string' && /^[[{]/.test(value)) {
    try {
      return { json: JSON.parse(value) as unknown };
    } catch {
      return value;
    }
  }
  if (Array.isArray(value)) return value.map(told);
  if (typeof value !== 'object' || value === null) return value;
  const { [specialSigKey as string]: mark, ...rest } = value as Record<string, unknown>;
  if (mark === specialSecretSig) return { secret: rest.value };
  if (mark === specialAssetSig) return { file: rest.text ?? { path: rest.path } };
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, told(each)]));
}

const nameOf = (urn: string) => urn.split('::').at(-1) ?? urn;

/** What AWS would say of a resource besides what it was given; every name tells where it comes from. */
function answered(type: string, name: string): Record<string, unknown> {
  switch (type) {
    case 'aws:kms/key:Key':
      return { keyId: `${name}.keyId` };
    case 'aws:ec2/vpcEndpoint:VpcEndpoint':
      return { prefixListId: `${name}.prefixListId` };
    case 'aws:cloudwatch/eventRule:EventRule':
      return { name: `${name}.name` };
    case 'awsx:ec2:Vpc':
      return {
        vpcId: `${name}.vpcId`,
        isolatedSubnetIds: [`${name}.subnetId`],
        subnets: [{ availabilityZone: `${name}.zone` }],
        routeTables: [{ id: `${name}.routeTableId` }],
      };
    default:
      return {};
  }
}

export interface Deployment<T> {
  readonly value: T;
  /** In alphabetical order. */
  readonly resources: readonly Registered[];
  readonly hooks: readonly ResourceHook[];
  /** Type and name of every resource. */
  readonly list: readonly string[];
  /** The one resource of a type, and of a name where there are several. */
  one(type: string, name?: string): Registered;
  /** The inputs of that resource. */
  inputs(type: string, name?: string): Registered['inputs'];
}

/** Builds with mocks in place of the engine and of AWS, and waits until all resources are registered. */
export async function deployed<T>(
  build: () => T,
  { answers = {} }: { readonly answers?: Readonly<Record<string, Record<string, unknown>>> } = {},
): Promise<Deployment<T>> {
  const unexpected: unknown[] = [];
  const seen = new Map<string, Registered>();
  const hooks: ResourceHook[] = [];
  await runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => ({
        id: `${name}.id`,
        state: { arn: `${name}.arn`, ...answered(type, name), ...inputs, ...answers[type] },
      }),
      call: ({ token }) => {
        unexpected.push(token);
        throw new Error(`nobody expects a call of ${token}`);
      },
    },
    'acme',
    'test',
  );
  const { getMonitor } = runtime as unknown as { getMonitor(): Monitor };
  const { getStore } = require('@pulumi/pulumi/runtime/state') as {
    getStore(): { callbacks?: unknown };
  };
  // Mocks know no hooks: this stands for the server that the engine would call.
  getStore().callbacks = {
    registerResourceHook: async (hook: ResourceHook) => void hooks.push(hook),
    awaitStackRegistrations: async () => undefined,
    shutdown: () => undefined,
  };
  const monitor = getMonitor();
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) => {
    const ignoreChanges = request.getIgnorechangesList();
    const beforeUpdate = request.getHooks()?.getBeforeUpdateList() ?? [];
    const key = `${request.getType()} ${request.getName()}`;
    if (seen.has(key)) unexpected.push(`a second ${key}`);
    seen.set(key, {
      type: request.getType(),
      name: request.getName(),
      ...(request.getParent() && { parent: nameOf(request.getParent()) }),
      inputs: told(request.getObject().toJavaScript()) as Registered['inputs'],
      after: [...new Set(request.getDependenciesList().map(nameOf))].sort(),
      ...(request.hasProtect() && { protect: request.getProtect() }),
      ...(request.hasRetainondelete() && { retainOnDelete: request.getRetainondelete() }),
      ...(ignoreChanges.length > 0 && { ignoreChanges }),
      ...(beforeUpdate.length > 0 && { beforeUpdate }),
    });
    return register(request, done);
  };
  const registerOutputs = monitor.registerResourceOutputs.bind(monitor);
  monitor.registerResourceOutputs = (request, done) => {
    const key = [...seen.keys()].find((one) => {
      const [, , types, name] = request.getUrn().split('::');
      return one === `${types?.split('$').at(-1)} ${name}`;
    });
    const resource = key && seen.get(key);
    if (resource) {
      const outputs = told(request.getOutputs().toJavaScript()) as Registered['inputs'];
      seen.set(key, { ...resource, outputs });
    }
    return registerOutputs(request, done);
  };

  let value: T;
  // Pulumi takes a stack trace of every promise: two thirds of the time, where Jest maps them to their sources.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    value = build();
  } finally {
    await runtime.disconnect();
    Error.stackTraceLimit = stackTraceLimit;
  }
  if (unexpected.length > 0) throw new Error(`unexpected: ${unexpected.join(', ')}`);
  const resources = [...seen.values()].sort((a, b) => compare(titleOf(a), titleOf(b)));
  const one = (type: string, name?: string) => {
    const found = resources.filter((each) => each.type === type && (name ?? each.name) === each.name);
    const [first] = found;
    if (!first || found.length > 1) {
      throw new Error(
        `${found.length} resources of ${type} ${name ?? ''}: ${resources.map(titleOf).join('; ')}`,
      );
    }
    return first;
  };
  return {
    value,
    resources,
    hooks,
    list: resources.map(titleOf),
    one,
    inputs: (type, name) => one(type, name).inputs,
  };
}

const titleOf = ({ type, name }: Registered) => `${type} ${name}`;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** A stack's place, without a key. */
export const site: Site = {
  partition: 'aws-cn',
  region: 'cn-north-1',
  account: '123456789012',
  name: 'acme-test',
  database: 'acme_test',
  tags: { project: 'acme', team: 'data' },
};
export const KEY = 'arn:aws-cn:kms:cn-north-1:123456789012:key/stack';
/** Buckets of that stack, and what things of its are called. */
export const ARTIFACTS = 'acme-test-artifacts-123456789012';
export const RAW = 'acme-test-raw-123456789012';
export const CLEAN = 'acme-test-clean-123456789012';
export const OPEN = 'acme-test-open-123456789012';
export const s3 = (place: string) => `arn:aws-cn:s3:::${place}`;
export const arn = (service: string, what: string) => `arn:aws-cn:${service}:cn-north-1:123456789012:${what}`;

/** The same with a key. */
export const keyed: Site = { ...site, key: KEY };

export const bucketArgs = {
  site,
  purpose: 'artifacts',
  oldVersionDays: 9,
  protect: false,
  keep: false,
} satisfies SecureBucketArgs;

// --- A small definition: a source, a table of it, and a table without identifiers ---

export const words = lakehouse(['raw', 'clean', 'open']);

export const readingRaw = words.source({
  name: 'reading_raw',
  zone: 'raw',
  entity: 'reading',
  description: 'A reading as it came.',
  columns: {
    who: text('Who.', { pii: 'direct', identifies: 'person' }),
    readAt: epochMillis('When.', { aliases: ['READAT', 'read_at'] }),
    value: double('What.', { nullable: true }),
  },
});

export const reading = words.table({
  name: 'reading',
  zone: 'clean',
  description: 'A reading.',
  columns: {
    who: text('Who.', { pii: 'direct', identifies: 'person' }),
    readAt: timestamp('When.'),
    value: double('What.'),
  },
  partitionBy: [day('readAt')],
});

export const readingOpen = words.table({
  name: 'reading_open',
  zone: 'open',
  description: 'A reading of somebody.',
  columns: { subject: pseudonym('Who.'), value: double('What.') },
});

export const mode = parameter('mode', 'How.', ['plain', 'strict']);
export const unit = parameter('unit', 'In what.', ['g', 'kg']);

export const cleanJob = words.job({
  output: reading,
  inputs: [readingRaw],
  parameters: [mode, unit],
  description: 'Cleans readings.',
});
export const openJob = words.job({
  output: readingOpen,
  inputs: [reading],
  description: 'Hides who read.',
});

export const raw = words.zone('raw', {
  description: 'As it comes.',
  tables: [readingRaw],
  jobs: [],
});
export const clean = words.zone('clean', {
  description: 'Cleaned.',
  tables: [reading],
  jobs: [cleanJob],
});
export const open = words.zone('open', {
  description: 'For all.',
  tables: [readingOpen],
  jobs: [openJob],
});

export const jobSettings: JobSettings = {
  workerType: 'G.2X',
  maxWorkers: 5,
  timeoutMinutes: 45,
  flex: false,
};

/** What the runner needs, as pip names it. */
export const MODULE = 'duckdb==1.5.6';

export const archiveFile: BinaryFile = {
  bytes: new Uint8Array([0x50, 0x4b, 0xff]),
  path: '.build/runner.zip',
};

/** A bucket of artifacts with what runs every job. */
export function artifactsOf(at: Site): { readonly artifacts: SecureBucket; readonly runner: Runner } {
  const artifacts = new SecureBucket('artifacts', { ...bucketArgs, site: at });
  const shared = { site: at, bucket: artifacts, folder: 'runner/' };
  const script = assetOf('script', { ...shared, extension: '.py', content: 'print()' }, artifacts);
  const archive = assetOf('archive', { ...shared, extension: '.zip', content: archiveFile }, artifacts);
  return { artifacts, runner: { script, archive, module: MODULE } };
}

/** Spark's settings of a job of these settings. */
export const conf = (warehouse: string) =>
  'spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions' +
  ' --conf spark.sql.catalog.glue_catalog=org.apache.iceberg.spark.SparkCatalog' +
  ' --conf spark.sql.catalog.glue_catalog.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog' +
  ' --conf spark.sql.catalog.glue_catalog.io-impl=org.apache.iceberg.aws.s3.S3FileIO' +
  ` --conf spark.sql.catalog.glue_catalog.warehouse=${warehouse}` +
  ' --conf spark.sql.catalog.glue_catalog.cache-enabled=false' +
  ' --conf spark.sql.shuffle.partitions=200' +
  ' --conf spark.sql.session.timeZone=UTC' +
  ` --conf spark.hadoop.fs.s3a.endpoint.region=${site.region}`;
