/**
 * What the compiler must and must not take of components, as `npm run typecheck` proves: a line after
 * `@ts-expect-error` that compiles is itself an error. Nothing here runs, and nothing imports it.
 */

import type { DerivedTable, Job, SourceTable } from '../model';
import { lake } from '../pipeline';
import { curated } from '../pipeline/curated';
import { type accelerometerTrusted, customersCurated, type customerTrusted } from '../pipeline/customers';
import { type customerLanding, landing } from '../pipeline/landing';
import { trusted } from '../pipeline/trusted';
import {
  Crawler,
  type Cron,
  type FillArgs,
  GlueJob,
  type GlueTable,
  Lakehouse,
  type LakehouseArgs,
  type Settings,
  type Site,
  type Start,
  type Transform,
  Workflow,
  type WorkflowArgs,
  Zone,
  type ZoneArgs,
} from '.';

/** Whether two types are the same in every way, optional and readonly members too. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>() => undefined;

declare const site: Site;
declare const zoneCommon: Omit<ZoneArgs<typeof landing>, 'zone'>;
declare const fillCommon: Omit<FillArgs<typeof landing>, 'inputs' | 'code' | 'jobs'>;
declare const settings: Settings;
declare const trustedJobs: Pick<FillArgs<typeof trusted>, 'code' | 'jobs'>;
declare const curatedJobs: Pick<FillArgs<typeof curated>, 'code' | 'jobs'>;

// --- Zones ---

const landingZone = new Zone('landing', { ...zoneCommon, zone: landing });
const trustedZone = new Zone('trusted', { ...zoneCommon, zone: trusted });
const curatedZone = new Zone('curated', { ...zoneCommon, zone: curated });

const { customers_curated } = curatedZone.tables;
const trustedFill = { ...fillCommon, ...trustedJobs, inputs: { ...landingZone.tables, customers_curated } };
const curatedFill = { ...fillCommon, ...curatedJobs, inputs: trustedZone.tables };
trustedZone.fill(trustedFill);
curatedZone.fill(curatedFill);
landingZone.fill({ ...fillCommon, inputs: {}, code: {}, jobs: {} });

// A table, a job and a zone have the types of what they were defined as.
holds<Equal<typeof trustedZone.tables.customer_trusted, GlueTable<typeof customerTrusted>>>();
holds<Equal<typeof landingZone.tables.customer_landing, GlueTable<typeof customerLanding>>>();
holds<Equal<(typeof trustedZone.tables.customer_trusted)['name'], 'customer_trusted'>>();
holds<Equal<(typeof trustedZone.tables.customer_trusted.contract)['format'], 'iceberg'>>();
holds<Equal<(typeof trustedZone.jobs.customer_trusted.definition)['output'], typeof customerTrusted>>();
holds<Equal<keyof typeof curatedZone.tables, (typeof curated)['tables'][number]['name']>>();
holds<Equal<keyof typeof landingZone.jobs, never>>();
// @ts-expect-error: Equal tells one contract from another; a proof that always holds would prove nothing.
holds<Equal<typeof trustedZone.tables.customer_trusted, GlueTable<typeof accelerometerTrusted>>>();
// @ts-expect-error: no table of this name.
trustedZone.tables.customer_landing;
// @ts-expect-error: no job of this name.
curatedZone.jobs.customer_trusted;

trustedZone.fill({
  ...trustedFill,
  // @ts-expect-error: trusted reads customers_curated, which is curated's.
  inputs: landingZone.tables,
});
curatedZone.fill({
  ...curatedFill,
  // @ts-expect-error: nor has landing what curated reads.
  inputs: landingZone.tables,
});
trustedZone.fill({
  ...trustedFill,
  // @ts-expect-error: another table in the place of one; customer_trusted has the same columns.
  inputs: { ...trustedFill.inputs, customers_curated: trustedZone.tables.customer_trusted },
});
trustedZone.fill({
  ...trustedFill,
  // @ts-expect-error: a definition is no table that was made.
  inputs: { ...trustedFill.inputs, customers_curated: customersCurated },
});
curatedZone.fill({
  ...curatedFill,
  // @ts-expect-error: the SQL of its jobs is missing.
  code: {},
});
trustedZone.fill({
  ...trustedFill,
  // @ts-expect-error: the settings of all but one job are missing.
  jobs: { customer_trusted: trustedJobs.jobs.customer_trusted },
});
new Zone('curated', {
  ...zoneCommon,
  zone: curated,
  // @ts-expect-error: data is retained or deleted.
  dataOnDestroy: 'keep',
});

// --- Jobs ---

const { tables } = trustedZone;
const pairJob = curated.jobs[1];
declare const jobCommon: Omit<ConstructorParameters<typeof GlueJob>[1], 'job' | 'inputs' | 'output'>;
const pairInputs = {
  step_trainer_trusted: tables.step_trainer_trusted,
  accelerometer_trusted: tables.accelerometer_trusted,
  customers_curated,
};
const pairOutput = curatedZone.tables.machine_learning_curated;

new GlueJob('pair', { ...jobCommon, job: pairJob, inputs: pairInputs, output: pairOutput });
new GlueJob('pair', {
  ...jobCommon,
  job: pairJob,
  // @ts-expect-error: two of its inputs are missing.
  inputs: { step_trainer_trusted: tables.step_trainer_trusted },
  output: pairOutput,
});
new GlueJob('pair', {
  ...jobCommon,
  job: pairJob,
  // @ts-expect-error: another table in the place of an input; customers_curated has the same columns.
  inputs: { ...pairInputs, customers_curated: tables.customer_trusted },
  output: pairOutput,
});
new GlueJob('pair', {
  ...jobCommon,
  job: pairJob,
  inputs: pairInputs,
  // @ts-expect-error: it makes another table.
  output: tables.customer_trusted,
});

// --- Starts and schedules ---

const starts: Start[] = ['demand', 'files', 'cron(0 3 * * ? *)'];
// @ts-expect-error: a start is a word or a schedule.
starts.push('daily');
// @ts-expect-error: Glue has no rates.
starts.push('rate(1 day)');
// @ts-expect-error: a schedule is cron(…), not its fields.
starts.push('0 3 * * ? *');
// @ts-expect-error: files start no crawler; its schedule is a schedule.
const cron: Cron = 'files';

new Crawler('look', { site, tables: [landingZone.tables.customer_landing], schedule: 'cron(0 2 * * ? *)' });
// @ts-expect-error: on demand is to leave the schedule out.
new Crawler('look', { site, tables: [landingZone.tables.customer_landing], schedule: 'demand' });
// @ts-expect-error: `undefined` is not to leave it out.
new Crawler('look', { site, tables: [landingZone.tables.customer_landing], schedule: undefined });
// @ts-expect-error: a crawler looks at files of sources, never at tables that the program makes.
new Crawler('look', { site, tables: [tables.customer_trusted] });

declare const workflow: Omit<WorkflowArgs, 'start'>;
new Workflow('flow', { ...workflow, start: cron });
// @ts-expect-error: the same of a workflow.
new Workflow('flow', { ...workflow, start: 'hourly' });

// --- The whole ---

declare const lakeCommon: Omit<LakehouseArgs, 'pipeline' | 'settings'>;
const lakehouse = new Lakehouse('stedi', { ...lakeCommon, pipeline: lake, settings });
holds<Equal<keyof typeof lakehouse.zones, 'landing' | 'trusted' | 'curated'>>();
holds<Equal<typeof lakehouse.zones.trusted.tables.customer_trusted, GlueTable<typeof customerTrusted>>>();
// @ts-expect-error: no zone of this name.
lakehouse.zones.archive;
// @ts-expect-error: no table of this name in the zone.
lakehouse.zones.curated.tables.customer_trusted;
// @ts-expect-error: parts that a stack may lack may be absent.
lakehouse.nodes.network.connectionName;

// --- Contracts and transforms ---

// @ts-expect-error: a source is no table that a job writes.
holds<GlueTable<SourceTable> extends GlueTable<DerivedTable> ? true : false>();
declare const anyJob: GlueJob<Job>;
holds<Equal<typeof anyJob.definition, Job>>();
const transform: Transform<{ readonly a: number }> = { a: 1 };
// @ts-expect-error: an argument that the resource has not.
const other: typeof transform = { b: 1 };

export { other };
