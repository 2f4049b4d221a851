import { LogGroup, type LogGroupArgs } from '@pulumi/aws/cloudwatch/logGroup';
import { Job as AwsJob, type JobArgs } from '@pulumi/aws/glue/job';
import type { ComponentResource, Input } from '@pulumi/pulumi';
import { logAccess, metricAccess, networkAccess, type Statement, secretAccess } from './access';
import type { Asset } from './asset';
import type { SecureBucket } from './bucket';
import { GLUE } from './constants';
import type { ServiceRole } from './service-role';
import { dpusOf, type JobSettings } from './settings';
import { logPrefixOf, type Site } from './site';
import { type Transform, transformed } from './transform';

/** What runs every job. */
export interface Runner {
  readonly script: Asset;
  /** The package that the script imports, as a zip. */
  readonly archive: Asset;
  /** What that needs beside what Glue has, as pip takes it: a name, or the URI of a wheel. */
  readonly module: Input<string>;
}

/** The secret that pseudonyms are made with, by its name and its ARN. */
export interface PseudonymSecret {
  readonly name: string;
  readonly arn: Input<string>;
}

/** What is told of every job. */
export interface SparkJobArgs {
  readonly site: Site;
  readonly runner: Runner;
  /** The bucket of scripts, SQL, manifests and summaries. */
  readonly artifacts: SecureBucket;
  readonly settings: JobSettings;
  /** Days that the logs are kept. */
  readonly logDays: number;
  /** The connection to a private network. Default: Glue's own network. */
  readonly connection?: { readonly name: string; readonly ready: Input<string> };
  readonly transform?: { readonly job?: Transform<JobArgs>; readonly logGroup?: Transform<LogGroupArgs> };
}

/** A job of Glue and what belongs to it alone. */
export interface SparkJobNodes {
  readonly job: AwsJob;
  readonly role: ServiceRole;
  readonly logGroups: readonly LogGroup[];
}

const CATALOG = 'spark.sql.catalog.glue_catalog';

/** Spark's own default. */
const LEAST_PARTITIONS = 200;

/** Spark's static settings, in the one string that `--conf` is. */
const sparkConf = ({ region }: Site, warehouse: string, { workerType, maxWorkers }: JobSettings) =>
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
    // Where S3 is asked for what is no table's. By itself Hadoop's client may ask another region, which a private network
    // has no way to.
    `spark.hadoop.fs.s3a.endpoint.region=${region}`,
  ].join(' --conf ');

export const jobName = ({ name }: Site, job: string) => `${name}-${job}`;

/** A job of Glue that runs the shared script on Spark, with its log groups; it waits for what its role may do. */
export function sparkJob(
  name: string,
  { site, runner, settings, logDays, connection, transform = {} }: SparkJobArgs,
  own: {
    /** Ends the name of the job in Glue and that of its log groups. */
    readonly job: string;
    readonly description: string;
    readonly role: ServiceRole;
    /** Where Iceberg would put tables that nothing makes. */
    readonly warehouse: string;
    /** What a single run may be told otherwise. */
    readonly defaults?: Readonly<Record<string, string>>;
    /** What nobody may hand to a single run: it always uses its own deployment's files. */
    readonly fixed: Readonly<Record<string, Input<string>>>;
    /** Whether a run waits while another one goes on, or is refused. Flexible runs are refused always. */
    readonly queues: boolean;
  },
  parent: ComponentResource,
): SparkJobNodes {
  const logPrefix = logPrefixOf(site, own.job);
  const logGroups = ['error', 'output'].map(
    (stream) =>
      new LogGroup(
        `${name}-${stream}-logs`,
        transformed<LogGroupArgs>(
          {
            name: `${logPrefix}/${stream}`,
            retentionInDays: logDays,
            ...(site.key !== undefined && { kmsKeyId: site.key }),
            tags: site.tags,
          },
          transform.logGroup,
          ['name', 'retentionInDays', 'kmsKeyId'],
        ),
        { parent },
      ),
  );
  const job = new AwsJob(
    `${name}-job`,
    transformed<JobArgs>(
      {
        name: jobName(site, own.job),
        description: own.description,
        glueVersion: GLUE.version,
        executionClass: settings.flex ? 'FLEX' : 'STANDARD',
        workerType: settings.workerType,
        numberOfWorkers: settings.maxWorkers,
        timeout: settings.timeoutMinutes,
        defaultArguments: {
          '--job-language': 'python',
          '--datalake-formats': 'iceberg',
          '--conf': sparkConf(site, own.warehouse, settings),
          '--enable-auto-scaling': 'true',
          '--enable-metrics': 'true',
          '--enable-observability-metrics': 'true',
          ...own.defaults,
        },
        tags: site.tags,
        roleArn: own.role.arn,
        command: { name: 'glueetl', pythonVersion: '3', scriptLocation: runner.script.uri },
        // Two runs would write the same tables. Glue queues no job that it retries.
        executionProperty: { maxConcurrentRuns: 1 },
        // Nor one of flexible runs.
        jobRunQueuingEnabled: own.queues && !settings.flex,
        maxRetries: 0,
        nonOverridableArguments: {
          ...own.fixed,
          '--extra-py-files': runner.archive.uri,
          '--additional-python-modules': runner.module,
          '--custom-logGroup-prefix': logPrefix,
        },
        ...(connection && { connections: [connection.ready] }),
      },
      transform.job,
      [
        'name',
        'roleArn',
        'glueVersion',
        'command',
        'executionProperty',
        'jobRunQueuingEnabled',
        'maxRetries',
        'nonOverridableArguments',
        'connections',
      ],
    ),
    // Glue would make a log group that never expires.
    { parent, dependsOn: logGroups },
  );
  return { job, role: own.role, logGroups };
}

/** What every job may do besides its own data: its logs, its metrics, its secret and its network. */
export const runAccess = (
  { site, connection }: Pick<SparkJobArgs, 'site' | 'connection'>,
  job: string,
  secret: PseudonymSecret | undefined,
): Statement[] => [
  logAccess(site, `${logPrefixOf(site, job)}/*`),
  metricAccess(site),
  ...(secret ? [secretAccess(site, secret.name)] : []),
  ...(connection ? networkAccess(site, connection.name) : []),
];
