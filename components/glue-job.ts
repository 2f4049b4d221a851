import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';
import { EXTENSIONS, hasQuarantine, type Job, runTime, type Table } from '../model';
import { forgets, manifestOf, needsKey } from '../model/manifest';
import { catalogAccess, folderAccess, objectAccess, type Statement } from './access';
import { type Asset, assetOf } from './asset';
import type { GlueTable } from './glue-table';
import { ServiceRole } from './service-role';
import {
  logPrefixOf,
  metricsNamespaceOf,
  type Place,
  quarantinePlaceOf,
  runsPlaceOf,
  SUPPRESSED_PREFIX,
  s3Uri,
  suppressedUri,
} from './site';
import {
  jobName,
  type PseudonymSecret,
  runAccess,
  type SparkJobArgs,
  type SparkJobNodes,
  sparkJob,
} from './spark-job';

/** The tables of a job by name, each of its own contract: a wrong one doesn't compile. */
export type TablesByName<T extends Table> = { readonly [Each in T as Each['name']]: GlueTable<Each> };

export interface GlueJobArgs<J extends Job = Job> extends SparkJobArgs {
  /** The job's definition. */
  readonly job: J;
  readonly inputs: TablesByName<J['inputs'][number]>;
  readonly output: GlueTable<J['output']>;
  /** The job's SELECT, or its Python. */
  readonly code: string;
  /** The rules that a run follows where it is not told others, by parameter. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Needed where the output has pseudonyms, or a source says whose its rows are. */
  readonly pseudonymSecret?: PseudonymSecret;
}

/**
 * A Glue job on Spark that makes one table: the shared script, with the job's own code and manifest, under a role that
 * may read the inputs, write the output, and nothing else.
 */
export class GlueJob<J extends Job = Job> extends ComponentResource {
  readonly definition: J;
  /** The job's name in Glue. */
  readonly name: string;
  /** What Glue adds `/error` and `/output` to. */
  readonly logPrefix: string;
  /** By which values it runs where it is not told others, by parameter. */
  readonly values: Readonly<Record<string, string>>;
  readonly nodes: SparkJobNodes & { readonly code: Asset; readonly manifest: Asset };

  constructor(name: string, args: GlueJobArgs<J>, opts?: ComponentResourceOptions) {
    super('lakehouse:jobs:GlueJob', name, {}, opts);
    const { site, artifacts, runner } = args;
    const job: Job = args.job;
    this.definition = args.job;
    const chosen = job.parameters.filter((parameter) => parameter !== runTime);
    this.values = Object.fromEntries(chosen.map((p) => [p.name, args.parameters[p.name] ?? p.default]));
    this.name = jobName(site, job.name);
    this.logPrefix = logPrefixOf(site, job.name);
    const folder = `jobs/${job.name}/`;
    const runs = runsPlaceOf(artifacts.name, job.name);

    const assetIn = (kind: string, extension: `.${string}`, content: string) =>
      assetOf(`${name}-${kind}`, { site, bucket: artifacts, folder, extension, content }, this);
    const code = assetIn(job.language, EXTENSIONS[job.language], args.code);
    const manifest = assetIn('manifest', '.json', manifestText(args, job, runs));
    const role = new ServiceRole(
      name,
      {
        site,
        purpose: job.name,
        service: 'glue.amazonaws.com',
        description: `Lets Glue make ${job.name} of what it is made from.`,
        statements: statementsOf(args, job, [code.place, runner.script.place], runs),
      },
      { parent: this },
    );
    const parameters = Object.entries(this.values).map((pair) => pair.join('='));
    const secret = secretOf(args, job);
    const made = sparkJob(
      name,
      args,
      {
        job: job.name,
        description: job.description,
        role,
        warehouse: s3Uri({ bucket: args.output.place.bucket, prefix: '' }),
        defaults: parameters.length > 0 ? { '--parameters': parameters.join(',') } : {},
        fixed: {
          '--manifest': manifest.uri,
          '--code': code.uri,
          ...(secret && { '--pseudonym-secret': secret.arn }),
        },
        queues: true,
      },
      this,
    );
    this.nodes = { ...made, code, manifest };
    this.registerOutputs({ name: this.name });
  }
}

/** The secret, where the job's runner needs it. */
function secretOf({ pseudonymSecret }: GlueJobArgs, job: Job): PseudonymSecret | undefined {
  if (!needsKey(job)) return undefined;
  if (pseudonymSecret !== undefined) return pseudonymSecret;
  const why = forgets(job) ? 'reads lines of people who may be forgotten' : 'has pseudonyms';
  throw new Error(`${job.name} ${why}, so its GlueJob needs a pseudonymSecret`);
}

const inputsOf = ({ inputs }: GlueJobArgs): GlueTable[] => Object.values<GlueTable>(inputs);

/** Where a job puts what it refuses: lines of its sources, and rows of its output. */
const quarantinesOf = (args: GlueJobArgs): Place[] =>
  [...inputsOf(args).filter(({ contract }) => contract.format !== 'iceberg'), args.output]
    .filter(({ contract }) => hasQuarantine(contract))
    .map(quarantinePlaceOf);

function manifestText(args: GlueJobArgs, job: Job, runs: Place): string {
  const tableOf = (table: Table) => {
    const found = [...inputsOf(args), args.output].find(({ name }) => name === table.name);
    if (!found) throw new Error(`${job.name} reads ${table.name}, which its GlueJob was not given`);
    return found;
  };
  const manifest = manifestOf(job, {
    database: args.site.database,
    location: (source) => s3Uri(tableOf(source).place),
    quarantine: (table) => s3Uri(quarantinePlaceOf(tableOf(table))),
    ...(forgets(job) && { suppressed: suppressedUri(args.artifacts.name) }),
    runs: s3Uri(runs),
    metricsNamespace: metricsNamespaceOf(args.site),
  });
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** All that a job may do, derived from what it reads and writes. */
function statementsOf(args: GlueJobArgs, job: Job, assets: readonly Place[], runs: Place): Statement[] {
  const { site, artifacts } = args;
  const inputs = inputsOf(args);
  const tables = inputs.filter(({ contract }) => contract.format === 'iceberg');
  return [
    ...objectAccess(site, {
      reads: [
        ...inputs.map(({ place }) => place),
        ...assets,
        ...(forgets(job) ? [{ bucket: artifacts.name, prefix: SUPPRESSED_PREFIX }] : []),
      ],
      writes: [args.output.place, ...quarantinesOf(args), runs],
    }),
    // Refused lines are written by Spark's own writer. All else is by Iceberg's or Python's client of S3.
    ...folderAccess(site, quarantinesOf(args)),
    // A source is read from its files: the catalog's entry is for Athena.
    ...catalogAccess(site, { reads: tables.map(({ name }) => name), writes: [args.output.name] }),
    ...runAccess(args, job.name, secretOf(args, job)),
  ];
}
