import type { CatalogTableArgs } from '@pulumi/aws/glue/catalogTable';
import type { JobArgs } from '@pulumi/aws/glue/job';
import type { BucketArgs } from '@pulumi/aws/s3/bucket';
import { ComponentResource, type ComponentResourceOptions, type Input, log } from '@pulumi/pulumi';
import {
  DefinitionError,
  type Fault,
  hasQuarantine,
  type Job,
  type Table,
  type ZoneDefinition,
} from '../model';
import { quarantineEntries } from '../model/catalog';
import { SecureBucket } from './bucket';
import { REQUEST_DAYS } from './constants';
import { GlueJob, type GlueJobArgs, type TablesByName } from './glue-job';
import { GlueTable } from './glue-table';
import type { JobSettings, ZoneSettings } from './settings';
import { QUARANTINE_PREFIX, REQUESTS_PREFIX, type Site } from './site';
import type { Runner } from './spark-job';
import type { Transform } from './transform';

type InputsOf<D extends ZoneDefinition> = D['jobs'][number]['inputs'][number];

/** The tables that a zone's jobs read and that are another zone's. */
export type InputsElsewhere<D extends ZoneDefinition> = Exclude<
  InputsOf<D>,
  { readonly name: D['tables'][number]['name'] }
>;

export interface ZoneArgs<D extends ZoneDefinition> {
  readonly site: Site;
  /** The zone's definition. */
  readonly zone: D;
  readonly settings: ZoneSettings;
  /** Whether Pulumi refuses to delete the bucket and the tables. */
  readonly protect: boolean;
  /** Whether the stack lets `destroy` delete data; it does where `settings.dataOnDestroy` says so too. */
  readonly dataOnDestroy: 'retain' | 'delete';
  /** The stack's Glue database. */
  readonly database: Input<string>;
  /** Whether new objects are reported to EventBridge, to start a workflow. Default: false. */
  readonly reportsObjects?: boolean;
  /** Whether whom to forget is told by objects in the bucket. Default: false. */
  readonly takesRequests?: boolean;
  readonly transform?: {
    readonly bucket?: Transform<BucketArgs>;
    readonly table?: Transform<CatalogTableArgs>;
  };
}

/** What the jobs of a zone need. */
export interface FillArgs<D extends ZoneDefinition> {
  /** The tables that the jobs read from other zones, by name. Without one of them this doesn't compile. */
  readonly inputs: TablesByName<InputsElsewhere<D>>;
  /** The bucket of scripts, SQL, manifests and summaries. */
  readonly artifacts: SecureBucket;
  readonly runner: Runner;
  /** The code of each job, by name. */
  readonly code: Readonly<Record<D['jobs'][number]['name'], string>>;
  /** How Glue runs each job, by name. */
  readonly jobs: Readonly<Record<D['jobs'][number]['name'], JobSettings>>;
  /** What all jobs have in common. */
  readonly runs: Pick<GlueJobArgs, 'logDays' | 'parameters' | 'pseudonymSecret' | 'connection'>;
  readonly transform?: Transform<JobArgs>;
}

type JobsByName<J extends Job> = { readonly [Each in J as Each['name']]: GlueJob<Each> };

/**
 * A bucket with the tables of a zone; and, once it is filled, the jobs that write them and the roles those run under. A
 * job may read tables of any zone, so the zones stand before any of them is filled.
 * `zone.tables.customer_trusted` has the type of its contract.
 */
export class Zone<const D extends ZoneDefinition = ZoneDefinition> extends ComponentResource {
  readonly definition: D;
  readonly bucket: SecureBucket;
  readonly tables: TablesByName<D['tables'][number]>;
  /** Where the refused lines of each source show. */
  readonly quarantine: Readonly<Record<string, GlueTable>>;
  /** Begins the name of every part. */
  readonly name: string;
  readonly #site: Site;
  #isFilled = false;
  #jobs: JobsByName<D['jobs'][number]> | undefined;

  constructor(name: string, args: ZoneArgs<D>, opts?: ComponentResourceOptions) {
    super('lakehouse:index:Zone', name, {}, opts);
    const zone: ZoneDefinition = args.zone;
    this.definition = args.zone;
    this.name = name;
    this.#site = args.site;
    const keep = !(args.dataOnDestroy === 'delete' && args.settings.dataOnDestroy === 'delete');

    const parts: Parts = { ...args, zone, name, keep, parent: this };
    this.bucket = bucketOf(parts);
    this.tables = tablesOf(parts, this.bucket) as TablesByName<D['tables'][number]>;
    this.quarantine = quarantinesOf(parts, this.bucket);
    this.registerOutputs(this.#complete());
  }

  /** Makes the jobs that write the zone's tables: once, in the turn in which the zone was made. */
  fill(args: FillArgs<D>): void {
    this.#isFilled = true;
    this.#jobs = jobsOf(this, this.#site, args);
  }

  /** The jobs by name. Throws before the zone is filled. */
  get jobs(): JobsByName<D['jobs'][number]> {
    if (!this.#jobs) throw this.#neverFilled();
    return this.#jobs;
  }

  /** The outputs, once all zones may be filled. One of jobs that is not fails the program: its tables would stay empty. */
  async #complete() {
    await new Promise(setImmediate);
    if (!this.#isFilled && this.definition.jobs.length > 0) {
      await log.error(this.#neverFilled().message, this);
    }
    return { bucket: this.bucket.name };
  }

  #neverFilled() {
    return new DefinitionError([
      {
        path: `zones.${this.definition.name}`,
        message: 'was never filled, so that no job writes its tables; call its fill() where it is made',
      },
    ]);
  }
}

/** A zone's arguments without their types. */
interface Parts extends ZoneArgs<ZoneDefinition> {
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

function jobsOf<D extends ZoneDefinition>(
  parent: Zone<D>,
  site: Site,
  { inputs, artifacts, runner, code, jobs, runs, transform }: FillArgs<D>,
): JobsByName<D['jobs'][number]> {
  const zone: ZoneDefinition = parent.definition;
  const tables = { ...inputs, ...parent.tables } as Readonly<Record<string, GlueTable>>;
  failOnMissing(zone, tables);
  const found = <T>(what: string, values: Readonly<Record<string, T>>, name: string): T => {
    const value = values[name];
    if (value === undefined) throw new Error(`zone ${zone.name} was given no ${what} for ${name}`);
    return value;
  };
  const made = zone.jobs.map((job) => [
    job.name,
    new GlueJob(
      `${parent.name}-${job.name}`,
      {
        ...runs,
        site,
        job,
        inputs: Object.fromEntries(job.inputs.map(({ name }) => [name, tables[name]])) as TablesByName<Table>,
        output: tables[job.output.name] as GlueTable<Job['output']>,
        runner,
        artifacts,
        code: found<string>('code', code, job.name),
        settings: found<JobSettings>('settings', jobs, job.name),
        ...(transform && { transform: { job: transform } }),
      },
      { parent },
    ),
  ]);
  return Object.fromEntries(made);
}

/** What the types say of zones that are written down, said of zones that come from a list. */
function failOnMissing(zone: ZoneDefinition, tables: Readonly<Record<string, GlueTable>>) {
  const faults = zone.jobs.flatMap((job) =>
    job.inputs
      .filter((input) => tables[input.name]?.contract !== input)
      .map(
        ({ name }): Fault => ({
          path: `jobs.${job.name}`,
          message: `reads ${name}, which zone ${zone.name} neither has nor was given; pass it among the inputs`,
        }),
      ),
  );
  if (faults.length > 0) throw new DefinitionError(faults);
}
