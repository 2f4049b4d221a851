import type { CatalogTableArgs } from '@pulumi/aws/glue/catalogTable';
import type { JobArgs } from '@pulumi/aws/glue/job';
import type { BucketArgs } from '@pulumi/aws/s3/bucket';
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi';
import {
  DefinitionError,
  type Fault,
  hasQuarantine,
  type Job,
  type Table,
  type ZoneDefinition,
} from '../model';
import { SecureBucket } from './bucket';
import { quarantineEntries } from './catalog';
import { REQUEST_DAYS } from './constants';
import { GlueJob, type GlueJobArgs, type TablesByName } from './glue-job';
import { GlueTable } from './glue-table';
import type { JobSettings, ZoneSettings } from './settings';
import { QUARANTINE_PREFIX, REQUESTS_PREFIX, type Site } from './site';
import type { Runner } from './spark-job';
import type { Transform } from './transform';

/** What of a zone decides whether another one may build on it. */
interface Upstream {
  readonly definition: ZoneDefinition;
  readonly tables: Readonly<Record<string, GlueTable>>;
}

type NamesIn<D extends ZoneDefinition> = D['tables'][number]['name'];

/** The inputs of a zone's jobs that neither it nor a zone before it has. */
export type MissingInputs<D extends ZoneDefinition, U extends readonly Upstream[]> = Exclude<
  D['jobs'][number]['inputs'][number]['name'],
  NamesIn<D> | NamesIn<U[number]['definition']>
>;

export interface ZoneArgs<D extends ZoneDefinition, U extends readonly Upstream[]> {
  readonly site: Site;
  /** The zone's definition. */
  readonly zone: D;
  /**
   * The zones whose tables the jobs read. Without one that has an input of a job, this doesn't compile, and the
   * error names the input.
   */
  readonly upstream: U &
    ([MissingInputs<D, U>] extends [never] ? unknown : { readonly missing: MissingInputs<D, U> });
  readonly settings: ZoneSettings;
  /** Whether Pulumi refuses to delete the bucket and the tables. */
  readonly protect: boolean;
  /** Whether the stack lets `destroy` delete data; it does where `settings.dataOnDestroy` says so too. */
  readonly dataOnDestroy: 'retain' | 'delete';
  /** The stack's Glue database. */
  readonly database: Input<string>;
  /** The bucket of scripts, SQL, manifests and summaries. */
  readonly artifacts: SecureBucket;
  readonly runner: Runner;
  /** The SELECT of each job, by name. */
  readonly sql: Readonly<Record<D['jobs'][number]['name'], string>>;
  /** How Glue runs each job, by name. */
  readonly jobs: Readonly<Record<D['jobs'][number]['name'], JobSettings>>;
  /** What all jobs have in common. */
  readonly runs: Pick<GlueJobArgs, 'logDays' | 'parameters' | 'pseudonymSecret' | 'connection'>;
  /** Whether new objects are reported to EventBridge, to start a workflow. Default: false. */
  readonly reportsObjects?: boolean;
  /** Whether whom to forget is told by objects in the bucket. Default: false. */
  readonly takesRequests?: boolean;
  readonly transform?: {
    readonly bucket?: Transform<BucketArgs>;
    readonly table?: Transform<CatalogTableArgs>;
    readonly job?: Transform<JobArgs>;
  };
}

type JobsByName<J extends Job> = { readonly [Each in J as Each['name']]: GlueJob<Each> };

/**
 * A bucket with the tables of a zone, the jobs that fill them and the roles those run under.
 * `zone.tables.customer_trusted` has the type of its contract.
 */
export class Zone<
  const D extends ZoneDefinition = ZoneDefinition,
  const U extends readonly Upstream[] = readonly Upstream[],
> extends ComponentResource {
  readonly definition: D;
  readonly bucket: SecureBucket;
  readonly tables: TablesByName<D['tables'][number]>;
  /** Where the refused lines of each source show. */
  readonly quarantine: Readonly<Record<string, GlueTable>>;
  readonly jobs: JobsByName<D['jobs'][number]>;

  constructor(name: string, args: ZoneArgs<D, U>, opts?: ComponentResourceOptions) {
    super('lakehouse:index:Zone', name, {}, opts);
    const zone: ZoneDefinition = args.zone;
    this.definition = args.zone;
    failOnMissing(zone, args.upstream);
    const keep = !(args.dataOnDestroy === 'delete' && args.settings.dataOnDestroy === 'delete');

    const parts: Parts = { ...args, zone, name, keep, parent: this };
    this.bucket = bucketOf(parts);
    const tables = tablesOf(parts, this.bucket);
    this.quarantine = quarantinesOf(parts, this.bucket);
    this.tables = tables as TablesByName<D['tables'][number]>;
    this.jobs = jobsOf(parts, args.upstream, tables) as unknown as JobsByName<D['jobs'][number]>;
    this.registerOutputs({ bucket: this.bucket.name });
  }
}

/** A zone's arguments without their types. */
interface Parts extends Omit<ZoneArgs<ZoneDefinition, []>, 'upstream'> {
  readonly name: string;
  readonly keep: boolean;
  readonly parent: ComponentResource;
}

function bucketOf({ name, zone, settings, reportsObjects, takesRequests, transform, ...parts }: Parts) {
  const { site, protect, keep, parent } = parts;
  return new SecureBucket(
    name,
    {
      site,
      purpose: zone.name,
      oldVersionDays: settings.oldVersionDays,
      expire: [
        ...(zone.tables.some(hasQuarantine)
          ? [{ prefix: QUARANTINE_PREFIX, days: settings.quarantineDays }]
          : []),
        ...(takesRequests ? [{ prefix: REQUESTS_PREFIX, days: REQUEST_DAYS }] : []),
      ],
      protect,
      keep,
      ...(reportsObjects && { reportsObjects }),
      ...(transform?.bucket && { transform: { bucket: transform.bucket } }),
    },
    { parent },
  );
}

const tableArgs = ({ site, database, settings, protect, transform, keep }: Parts, bucket: SecureBucket) => ({
  site,
  database,
  bucket: bucket.ready,
  bucketName: bucket.name,
  optimize: settings.optimizeTables,
  protect,
  keep,
  ...(transform?.table && { transform: { table: transform.table } }),
});

const tablesOf = (parts: Parts, bucket: SecureBucket): Record<string, GlueTable> =>
  Object.fromEntries(
    parts.zone.tables.map((table) => [
      table.name,
      new GlueTable(
        `${parts.name}-${table.name}`,
        { ...tableArgs(parts, bucket), table },
        { parent: parts.parent },
      ),
    ]),
  );

const quarantinesOf = (parts: Parts, bucket: SecureBucket): Record<string, GlueTable> =>
  Object.fromEntries(
    Object.entries(quarantineEntries(parts.zone)).map(([source, { table, prefix }]) => [
      source,
      new GlueTable<Table>(
        `${parts.name}-${table.name}`,
        { ...tableArgs(parts, bucket), table, prefix },
        { parent: parts.parent },
      ),
    ]),
  );

function jobsOf(
  parts: Parts,
  upstream: readonly Upstream[],
  own: Readonly<Record<string, GlueTable>>,
): Record<string, GlueJob> {
  const { site, artifacts, runner, transform, runs, parent } = parts;
  const all: Record<string, GlueTable> = Object.assign({}, ...upstream.map(({ tables }) => tables), own);
  const found = <T>(what: string, values: Readonly<Record<string, T>>, name: string): T => {
    const value = values[name];
    if (value === undefined) throw new Error(`zone ${parts.zone.name} was given no ${what} for ${name}`);
    return value;
  };
  return Object.fromEntries(
    parts.zone.jobs.map((job) => [
      job.name,
      new GlueJob(
        `${parts.name}-${job.name}`,
        {
          ...runs,
          site,
          job,
          inputs: Object.fromEntries(
            job.inputs.map(({ name }) => [name, found('table', all, name)]),
          ) as unknown as TablesByName<Table>,
          output: found('table', all, job.output.name) as GlueTable<Job['output']>,
          runner,
          artifacts,
          sql: found('SQL', parts.sql, job.name),
          settings: found('settings', parts.jobs, job.name),
          ...(transform?.job && { transform: { job: transform.job } }),
        },
        { parent },
      ),
    ]),
  );
}

/** What the types say of zones that are written down, said of zones that come from a list. */
function failOnMissing(zone: ZoneDefinition, upstream: readonly Upstream[]) {
  const known = new Set(
    [zone, ...upstream.map(({ definition }) => definition)].flatMap(({ tables }) => tables),
  );
  const faults: Fault[] = zone.jobs.flatMap((job) =>
    job.inputs
      .filter((input) => !known.has(input))
      .map(({ name }) => ({
        path: `jobs.${job.name}`,
        message: `reads ${name}, which neither zone ${zone.name} nor one upstream of it has; pass its zone as upstream`,
      })),
  );
  if (faults.length > 0) throw new DefinitionError(faults);
}
