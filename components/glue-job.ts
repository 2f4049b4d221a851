import { LogGroup, type LogGroupArgs } from '@pulumi/aws/cloudwatch/logGroup';
import { Job as AwsJob, type JobArgs } from '@pulumi/aws/glue/job';
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi';
import { hasPseudonyms, hasQuarantine, type Job, type Table } from '../model';
import { manifestOf } from '../model/manifest';
import {
  catalogAccess,
  folderAccess,
  logAccess,
  metricAccess,
  networkAccess,
  objectAccess,
  type Statement,
  secretAccess,
} from './access';
import { type Asset, assetOf } from './asset';
import type { SecureBucket } from './bucket';
import type { GlueTable } from './glue-table';
import { ServiceRole } from './service-role';
import { dpusOf, type JobSettings } from './settings';
import {
  logPrefixOf,
  metricsNamespaceOf,
  type Place,
  quarantinePrefixOf,
  type Site,
  s3Uri,
  suppressedUri,
} from './site';
import { type Transform, transformed } from './transform';

/** The tables of a job by name, each of its own contract: a wrong one doesn't compile. */
export type TablesByName<T extends Table> = { readonly [Each in T as Each['name']]: GlueTable<Each> };

/** What runs every job. */
export interface Runner {
  readonly script: Asset;
  /** The package that the script imports, as a zip. */
  readonly archive: Asset;
}

export interface GlueJobArgs<J extends Job = Job> {
  readonly site: Site;
  /** The job's definition. */
  readonly job: J;
  readonly inputs: TablesByName<J['inputs'][number]>;
  readonly output: GlueTable<J['output']>;
  readonly runner: Runner;
  /** The job's SELECT. */
  readonly sql: string;
  /** The bucket of scripts, SQL, manifests and summaries. */
  readonly artifacts: SecureBucket;
  readonly settings: JobSettings;
  /** Days that the logs are kept. */
  readonly logDays: number;
  /** The rules that a run follows where it is not told others, by parameter. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The secret that pseudonyms are made with, by its name and its ARN. Needed where the output has some. */
  readonly pseudonymSecret?: { readonly name: string; readonly arn: Input<string> };
  /** The connection to a private network. Default: Glue's own network. */
  readonly connection?: { readonly name: string; readonly ready: Input<string> };
  readonly transform?: { readonly job?: Transform<JobArgs>; readonly logGroup?: Transform<LogGroupArgs> };
}

const CATALOG = 'spark.sql.catalog.glue_catalog';

/** Spark's own default. */
const LEAST_PARTITIONS = 200;

/** Spark's static settings, in the one string that `--conf` is. */
const sparkConf = (warehouse: string, { workerType, maxWorkers }: JobSettings) =>
  [
    'spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
    `${CATALOG}=org.apache.iceberg.spark.SparkCatalog`,
    `${CATALOG}.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog`,
    `${CATALOG}.io-impl=org.apache.iceberg.aws.s3.S3FileIO`,
    `${CATALOG}.warehouse=${warehouse}`,
    // What is checked is what was written last, however long the checks take.
    `${CATALOG}.cache-enabled=false`,
    // Three tasks for each of a DPU's four cores, so that those that take longer hold up little.
    `spark.sql.shuffle.partitions=${Math.max(LEAST_PARTITIONS, 12 * dpusOf(workerType) * maxWorkers)}`,
    'spark.sql.session.timeZone=UTC',
  ].join(' --conf ');

/**
 * A Glue job on Spark that makes one table: the shared script, with the job's own SQL and manifest, under a role that
 * may read the inputs, write the output, and nothing else.
 */
export class GlueJob<J extends Job = Job> extends ComponentResource {
  readonly definition: J;
  /** The job's name in Glue. */
  readonly name: string;
  /** What Glue adds `/error` and `/output` to. */
  readonly logPrefix: string;
  readonly nodes: {
    readonly job: AwsJob;
    readonly role: ServiceRole;
    readonly logGroups: readonly LogGroup[];
    readonly sql: Asset;
    readonly manifest: Asset;
  };

  constructor(name: string, args: GlueJobArgs<J>, opts?: ComponentResourceOptions) {
    super('lakehouse:jobs:GlueJob', name, {}, opts);
    const { site, artifacts, runner, settings, transform = {} } = args;
    const job: Job = args.job;
    this.definition = args.job;
    this.name = `${site.name}-${job.name}`;
    this.logPrefix = logPrefixOf(site, job.name);
    const folder = `jobs/${job.name}/`;
    const runs: Place = { bucket: artifacts.name, prefix: `runs/${job.name}/` };

    const assetIn = (kind: string, extension: string, content: string) =>
      assetOf(`${name}-${kind}`, { site, bucket: artifacts, folder, extension, content }, this);
    const sql = assetIn('sql', 'sql', args.sql);
    const manifest = assetIn('manifest', 'json', manifestText(args, job, runs));
    const role = new ServiceRole(
      name,
      {
        site,
        purpose: job.name,
        service: 'glue.amazonaws.com',
        description: `Lets Glue make ${job.name} of what it is made from.`,
        statements: statementsOf(args, job, [sql.place, runner.script.place], runs),
      },
      { parent: this },
    );
    const logGroups = ['error', 'output'].map(
      (stream) =>
        new LogGroup(
          `${name}-${stream}-logs`,
          transformed<LogGroupArgs>(
            {
              name: `${this.logPrefix}/${stream}`,
              retentionInDays: args.logDays,
              ...(site.key !== undefined && { kmsKeyId: site.key }),
              tags: site.tags,
            },
            transform.logGroup,
            ['name', 'retentionInDays', 'kmsKeyId'],
          ),
          { parent: this },
        ),
    );
    const warehouse = s3Uri({ bucket: args.output.place.bucket, prefix: '' });
    const parameters = job.parameters.map(
      ({ name: key, default: value }) => `${key}=${args.parameters[key] ?? value}`,
    );
    const glueJob = new AwsJob(
      `${name}-job`,
      transformed<JobArgs>(
        {
          name: this.name,
          description: job.description,
          glueVersion: '5.1',
          executionClass: settings.flex ? 'FLEX' : 'STANDARD',
          workerType: settings.workerType,
          numberOfWorkers: settings.maxWorkers,
          timeout: settings.timeoutMinutes,
          defaultArguments: {
            '--job-language': 'python',
            '--datalake-formats': 'iceberg',
            '--conf': sparkConf(warehouse, settings),
            '--enable-auto-scaling': 'true',
            '--enable-metrics': 'true',
            '--enable-observability-metrics': 'true',
            ...(parameters.length > 0 && { '--parameters': parameters.join(',') }),
          },
          tags: site.tags,
          roleArn: role.arn,
          command: { name: 'glueetl', pythonVersion: '3', scriptLocation: runner.script.uri },
          // Two runs would write the same table. The next one waits; Glue queues no job that it retries.
          executionProperty: { maxConcurrentRuns: 1 },
          jobRunQueuingEnabled: true,
          maxRetries: 0,
          // What nobody may hand to a single run: it always uses its own deployment's files and log groups.
          nonOverridableArguments: {
            '--manifest': manifest.uri,
            '--sql': sql.uri,
            '--extra-py-files': runner.archive.uri,
            '--custom-logGroup-prefix': this.logPrefix,
            ...(hasPseudonyms(job.output) && { '--pseudonym-secret': pseudonymSecretOf(args).arn }),
          },
          ...(args.connection && { connections: [args.connection.ready] }),
        },
        transform.job,
        [
          'name',
          'roleArn',
          'command',
          'executionProperty',
          'jobRunQueuingEnabled',
          'maxRetries',
          'nonOverridableArguments',
          'connections',
        ],
      ),
      // Glue would make a log group that never expires.
      { parent: this, dependsOn: logGroups },
    );
    this.nodes = { job: glueJob, role, logGroups, sql, manifest };
    this.registerOutputs({ name: this.name });
  }
}

function pseudonymSecretOf({ job, pseudonymSecret }: GlueJobArgs) {
  if (pseudonymSecret === undefined) {
    throw new Error(`${job.name} has pseudonyms, so its GlueJob needs a pseudonymSecret`);
  }
  return pseudonymSecret;
}

const inputsOf = ({ inputs }: GlueJobArgs): GlueTable[] => Object.values<GlueTable>(inputs);

const quarantineOf = ({ contract, place: { bucket } }: GlueTable): Place => ({
  bucket,
  prefix: quarantinePrefixOf(contract),
});

/** Where a job puts what it refuses: lines of its sources, and rows of its output. */
const quarantinesOf = (args: GlueJobArgs): Place[] =>
  [...inputsOf(args).filter(({ contract }) => contract.format === 'json'), args.output]
    .filter(({ contract }) => hasQuarantine(contract))
    .map(quarantineOf);

function manifestText(args: GlueJobArgs, job: Job, runs: Place): string {
  const tableOf = (table: Table) => {
    const found = [...inputsOf(args), args.output].find(({ name }) => name === table.name);
    if (!found) throw new Error(`${job.name} reads ${table.name}, which its GlueJob was not given`);
    return found;
  };
  const manifest = manifestOf(job, {
    database: args.site.database,
    location: (source) => s3Uri(tableOf(source).place),
    quarantine: (table) => s3Uri(quarantineOf(tableOf(table))),
    suppressed: suppressedUri(args.artifacts.name),
    runs: s3Uri(runs),
    metricsNamespace: metricsNamespaceOf(args.site),
  });
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** All that a job may do, derived from what it reads and writes. */
function statementsOf(args: GlueJobArgs, job: Job, assets: readonly Place[], runs: Place): Statement[] {
  const { site, connection } = args;
  const inputs = inputsOf(args);
  const tables = inputs.filter(({ contract }) => contract.format === 'iceberg');
  return [
    ...objectAccess(site, {
      reads: [...inputs.map(({ place }) => place), ...assets],
      writes: [args.output.place, ...quarantinesOf(args), runs],
    }),
    // Refused lines are written by Spark's own writer. All else is by Iceberg's or Python's client of S3.
    ...folderAccess(site, quarantinesOf(args)),
    // A source is read from its files: the catalog's entry is for Athena.
    ...catalogAccess(site, { reads: tables.map(({ name }) => name), writes: [args.output.name] }),
    logAccess(site, `${logPrefixOf(site, job.name)}/*`),
    metricAccess(site),
    ...(hasPseudonyms(job.output) ? [secretAccess(site, pseudonymSecretOf(args).name)] : []),
    ...(connection ? networkAccess(site, connection.name) : []),
  ];
}
