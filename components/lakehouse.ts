import { CatalogDatabase } from '@pulumi/aws/glue/catalogDatabase';
import type { JobArgs } from '@pulumi/aws/glue/job';
import { BucketObjectv2 } from '@pulumi/aws/s3/bucketObjectv2';
import { Secret } from '@pulumi/aws/secretsmanager/secret';
import { SecretVersion } from '@pulumi/aws/secretsmanager/secretVersion';
import { asset, ComponentResource, type ComponentResourceOptions, type Input, secret } from '@pulumi/pulumi';
import {
  hasQuarantine,
  hasSources,
  isPersonal,
  openColumns,
  type Pipeline,
  type SourceTable,
  saysWhose,
  type ZoneDefinition,
} from '../model';
import { knowsPeople, needsKey } from '../model/manifest';
import { Alerts } from './alerts';
import { AnalystPolicy } from './analyst-policy';
import { assetOf, type BinaryFile } from './asset';
import { AuditTrail } from './audit-trail';
import { SecureBucket } from './bucket';
import { Crawler } from './crawler';
import { Dashboard } from './dashboard';
import { ForgetJob } from './forget-job';
import type { GlueJob } from './glue-job';
import type { GlueTable } from './glue-table';
import { LakeFormation } from './lake-formation';
import type { Network } from './network';
import { fileNameOf } from './runner-module';
import type { NetworkSettings, Settings } from './settings';
import { FORGET_JOB, type Place, placeOf, quarantinePlaceOf, REQUESTS_PREFIX, type Site } from './site';
import type { PseudonymSecret, Runner, SparkJobArgs } from './spark-job';
import { StackKey } from './stack-key';
import type { Transform } from './transform';
import { Workflow } from './workflow';
import { type Query, RESULTS_PREFIX, Workgroup } from './workgroup';
import { Zone, type ZoneArgs } from './zone';

export interface LakehouseArgs<Z extends ZoneDefinition = ZoneDefinition> {
  /** The definition, checked as a whole. */
  readonly pipeline: Pipeline<Z>;
  /** What the stack chooses. */
  readonly settings: Settings;
  /** Where it goes, as the credentials and the configuration say. */
  readonly cloud: Pick<Site, 'partition' | 'region' | 'account'>;
  /** Where the private network is. Needed where the stack has one. */
  readonly availabilityZone?: string;
  /** What pseudonyms are made with. */
  readonly pseudonymKey: Input<string>;
  /**
   * What runs every job: the text of the script, the package that it imports, as a zip, and what that needs beside what
   * Glue has: as pip names it, or its wheel.
   */
  readonly runner: {
    readonly script: string;
    readonly archive: BinaryFile;
    readonly module: string | BinaryFile;
  };
  /** The code of each job, by name. */
  readonly code: Readonly<Record<string, string>>;
  readonly queries: readonly Query[];
  /** The page of `lake docs`, as HTML. Default: none. */
  readonly page?: string;
  readonly transform?: ZoneArgs<ZoneDefinition>['transform'] & { readonly job?: Transform<JobArgs> };
}

/** Days that a replaced script or summary can be had back. */
const OLD_VERSION_DAYS = 7;
const BYTES_PER_MEGABYTE = 1024 * 1024;

/** What all jobs have in common. */
interface JobParts {
  readonly artifacts: SecureBucket;
  readonly runner: Runner;
  readonly runs: Pick<SparkJobArgs, 'logDays' | 'connection'> & {
    readonly pseudonymSecret?: PseudonymSecret;
  };
}

type ZonesByName<Z extends ZoneDefinition> = { readonly [Each in Z as Each['name']]: Zone<Each> };

/** The whole of a stack: its zones, what runs them, and what asks and watches them. */
export class Lakehouse<const Z extends ZoneDefinition = ZoneDefinition> extends ComponentResource {
  readonly site: Site;
  readonly zones: ZonesByName<Z>;
  readonly nodes: {
    readonly database: CatalogDatabase;
    readonly artifacts: SecureBucket;
    readonly workflow: Workflow;
    readonly crawler: Crawler;
    /** For everybody who may query everything, and for those who may query what has no personal data. */
    readonly workgroups: { readonly all: Workgroup; readonly analysts: Workgroup };
    readonly analystPolicy: AnalystPolicy;
    readonly lakeFormation?: LakeFormation;
    /** There where any table says whose its rows are. */
    readonly forget?: ForgetJob;
    readonly key?: StackKey;
    readonly secret?: Secret;
    readonly network?: Network;
    readonly alerts?: Alerts;
    readonly dashboard?: Dashboard;
    readonly page?: BucketObjectv2;
    readonly auditTrail?: AuditTrail;
  };

  constructor(name: string, args: LakehouseArgs<Z>, opts?: ComponentResourceOptions) {
    super('lakehouse:index:Lakehouse', name, {}, opts);
    const { pipeline, settings, cloud } = args;
    const { protect } = settings;
    const keep = keepsData(settings);
    const named: Site = {
      ...cloud,
      name: settings.name,
      database: settings.name.replaceAll('-', '_'),
      tags: settings.tags,
    };
    const key =
      settings.encryption === 'kms'
        ? new StackKey(`${name}-stack`, { site: named, protect, keep }, { parent: this })
        : undefined;
    const site: Site = { ...named, ...(key && { key: key.arn }) };
    this.site = site;

    const database = this.#database(name, site, protect, keep);
    const artifacts = this.#artifacts(name, site, settings, keep);
    const page = args.page === undefined ? undefined : this.#page(name, site, artifacts, args.page);
    const pseudonyms =
      pipeline.jobs.some(needsKey) || knowsPeople(pipeline)
        ? this.#secret(name, site, args.pseudonymKey, protect, keep)
        : undefined;
    const network = settings.network && this.#network(name, args, site, settings.network);
    const runner = this.#runner(name, args, site, artifacts);
    const runs = {
      logDays: settings.logDays,
      ...(pseudonyms && { pseudonymSecret: { name: secretName(site), arn: pseudonyms.arn } }),
      ...(network && { connection: { name: network.connectionName, ready: network.connection } }),
    };
    const zones = this.#zones(name, args, site, { database, artifacts, runner, runs });
    this.zones = Object.fromEntries(
      zones.map((zone) => [zone.definition.name, zone]),
    ) as unknown as ZonesByName<Z>;

    const jobs = inOrder(pipeline, zones);
    const forget = this.#forget(name, args, site, { artifacts, runner, runs }, zones, jobs);
    const tables = zones.flatMap((zone) => Object.values<GlueTable>(zone.tables));
    const sources = tables.filter(isSource);
    const crawler = new Crawler(
      `${name}-landing`,
      { site, tables: sources, ...(settings.crawl !== 'demand' && { schedule: settings.crawl }) },
      { parent: this },
    );
    const workflow = new Workflow(
      `${name}-pipeline`,
      { site, jobs, start: settings.start, landing: sources.map(({ place }) => place) },
      { parent: this },
    );
    const byLakeFormation = settings.permissions === 'lake-formation';
    const workgroups = this.#workgroups(name, args, site, database, artifacts);
    const analystPolicy = new AnalystPolicy(
      `${name}-analyst`,
      {
        site,
        tables: tables.filter(({ contract }) =>
          byLakeFormation ? openColumns(contract).length > 0 : !isPersonal(contract),
        ),
        workgroup: workgroups.analysts,
        ...(byLakeFormation && { byLakeFormation }),
      },
      { parent: this },
    );
    const lakeFormation = byLakeFormation
      ? new LakeFormation(
          `${name}-lake-formation`,
          {
            site,
            analysts: settings.analysts,
            database: database.name,
            tables,
            others: zones.flatMap(({ quarantine }) => Object.values(quarantine)),
            writers: writersOf(tables, jobs, crawler, forget),
          },
          { parent: this },
        )
      : undefined;
    const [first] = jobs;
    const alerts =
      settings.alerts &&
      new Alerts(
        `${name}-alerts`,
        {
          site,
          settings: settings.alerts,
          jobs: [...jobs, ...(forget ? [forget] : [])],
          crawlers: [crawler],
          sources: pipeline.sources,
          ...(first && { runs: { start: settings.start, first: first.definition.output.name } }),
        },
        { parent: this },
      );
    const dashboard = settings.dashboard
      ? new Dashboard(
          `${name}-overview`,
          {
            site,
            jobs: [
              ...jobs.map((job) => ({ name: job.name, label: job.definition.name })),
              ...(forget ? [{ name: forget.name, label: FORGET_JOB }] : []),
            ].map((job) => ({ ...job, settings: jobSettings(settings, job.label) })),
            tables: [...pipeline.tables.keys()],
            workgroups: Object.values(workgroups).map(({ plannedName }) => plannedName),
          },
          { parent: this },
        )
      : undefined;
    const auditTrail = settings.auditTrail
      ? new AuditTrail(
          `${name}-audit`,
          {
            site,
            places: [
              ...tables.flatMap(personalPlaces),
              // Whom to forget, and what such tables were asked, may be personal too.
              ...(forget ? [placeOf(forget.requests)] : []),
              workgroups.all.results,
            ],
            protect,
            keep,
          },
          { parent: this },
        )
      : undefined;
    this.nodes = {
      database,
      artifacts,
      workflow,
      crawler,
      workgroups,
      analystPolicy,
      ...(lakeFormation && { lakeFormation }),
      ...(forget && { forget }),
      ...(key && { key }),
      ...(pseudonyms && { secret: pseudonyms }),
      ...(network && { network }),
      ...(alerts && { alerts }),
      ...(dashboard && { dashboard }),
      ...(page && { page }),
      ...(auditTrail && { auditTrail }),
    };
    this.registerOutputs({ name: site.name });
  }

  #database(name: string, site: Site, protect: boolean, keep: boolean) {
    return new CatalogDatabase(
      `${name}-database`,
      { name: site.database, description: `The lakehouse ${site.name}.`, tags: site.tags },
      // Glue deletes a database with all of its tables.
      { parent: this, protect, retainOnDelete: keep },
    );
  }

  /** Scripts, SQL, manifests and summaries stay; results of queries may hold personal data and go after days. */
  #artifacts(name: string, site: Site, { queries, protect }: Settings, keep: boolean) {
    return new SecureBucket(
      `${name}-artifacts`,
      {
        site,
        purpose: 'artifacts',
        oldVersionDays: OLD_VERSION_DAYS,
        expire: [{ prefix: RESULTS_PREFIX, days: queries.resultDays }],
        protect,
        keep,
      },
      { parent: this },
    );
  }

  /** Private, as the bucket is: who may read it there is for the account to say. */
  #page(name: string, { tags }: Site, artifacts: SecureBucket, html: string) {
    return new BucketObjectv2(
      `${name}-page`,
      {
        bucket: artifacts.ready,
        key: 'docs/index.html',
        contentType: 'text/html; charset=utf-8',
        source: new asset.StringAsset(html),
        tags,
      },
      { parent: this },
    );
  }

  #secret(name: string, site: Site, value: Input<string>, protect: boolean, keep: boolean) {
    const key = new Secret(
      `${name}-pseudonym-key`,
      {
        name: secretName(site),
        description: 'What pseudonyms are made with. Another key gives other pseudonyms.',
        // It is deleted only with all data; until its recovery ended, no new stack could have its name.
        recoveryWindowInDays: 0,
        ...(site.key !== undefined && { kmsKeyId: site.key }),
        tags: site.tags,
      },
      { parent: this, protect, retainOnDelete: keep },
    );
    new SecretVersion(
      `${name}-pseudonym-key-value`,
      { secretId: key.id, secretString: secret(value) },
      { parent: this, retainOnDelete: keep },
    );
    return key;
  }

  #network(name: string, { availabilityZone }: LakehouseArgs<Z>, site: Site, settings: NetworkSettings) {
    if (availabilityZone === undefined)
      throw new Error(`the network of ${site.name} has no availabilityZone`);
    // Here, as awsx and the whole of EC2 take long to load.
    const { Network } = require('./network') as typeof import('./network');
    return new Network(`${name}-network`, { site, settings, availabilityZone }, { parent: this });
  }

  #runner(name: string, { runner }: LakehouseArgs<Z>, site: Site, bucket: SecureBucket): Runner {
    const runnerAsset = (
      asset: string,
      extension: `.${string}` | `/${string}`,
      content: string | BinaryFile,
    ) => assetOf(asset, { site, bucket, folder: 'runner/', extension, content }, this);
    return {
      script: runnerAsset(`${name}-runner`, '.py', runner.script),
      archive: runnerAsset(`${name}-runner-archive`, '.zip', runner.archive),
      module:
        typeof runner.module === 'string'
          ? runner.module
          : runnerAsset(`${name}-runner-module`, `/${fileNameOf(runner.module)}`, runner.module).uri,
    };
  }

  #zones(
    name: string,
    args: LakehouseArgs<Z>,
    site: Site,
    { database, artifacts, runner, runs }: JobParts & { readonly database: CatalogDatabase },
  ): Zone[] {
    const { pipeline, settings, transform } = args;
    const zones = pipeline.zones.map(
      (zone) =>
        new Zone<ZoneDefinition>(
          `${name}-${zone.name}`,
          {
            site,
            zone,
            settings: zoneSettings(settings, zone.name),
            protect: settings.protect,
            dataOnDestroy: settings.dataOnDestroy,
            database: database.name,
            ...(settings.start === 'files' && hasSources(zone) && { reportsObjects: true }),
            ...(zone === zoneOfRequests(pipeline) && { takesRequests: true }),
            ...(transform && { transform }),
          },
          { parent: this },
        ),
    );
    const inputs: Readonly<Record<string, GlueTable>> = Object.assign(
      {},
      ...zones.map(({ tables }) => tables),
    );
    for (const zone of zones) {
      zone.fill({
        inputs,
        artifacts,
        runner,
        code: args.code,
        jobs: settings.jobs,
        runs: { ...runs, parameters: settings.parameters },
        ...(transform?.job && { transform: transform.job }),
      });
    }
    return zones;
  }

  /** What forgets a person, where tables say whose their rows are. */
  #forget(
    name: string,
    { pipeline, settings, transform }: LakehouseArgs<Z>,
    site: Site,
    { artifacts, runner, runs: { pseudonymSecret, ...runs } }: JobParts,
    zones: readonly Zone[],
    jobs: readonly GlueJob[],
  ): ForgetJob | undefined {
    const asked = zones.find(({ definition }) => definition === zoneOfRequests(pipeline));
    if (!asked || !pseudonymSecret) return undefined;
    return new ForgetJob(
      `${name}-${FORGET_JOB}`,
      {
        ...runs,
        site,
        jobs,
        tables: zones.flatMap(({ tables }) => Object.values<GlueTable>(tables)),
        requests: { bucket: asked.bucket.name, prefix: REQUESTS_PREFIX },
        runner,
        artifacts,
        settings: jobSettings(settings, FORGET_JOB),
        pseudonymSecret,
        ...(transform?.job && { transform: { job: transform.job } }),
      },
      { parent: this },
    );
  }

  /**
   * Two workgroups, as results are data: those of queries over personal data are where analysts cannot read. A named
   * query is the analysts' where all tables that it reads are.
   */
  #workgroups(
    name: string,
    { pipeline, settings, queries }: LakehouseArgs<Z>,
    site: Site,
    database: CatalogDatabase,
    results: SecureBucket,
  ) {
    const open = new Set(
      [...pipeline.tables.values()].filter((table) => !isPersonal(table)).map(({ name }) => name),
    );
    const isOpen = ({ tables }: Query) => tables.every((table) => open.has(table));
    const shared = {
      site,
      database: database.name,
      results,
      scanLimitBytes: settings.queries.scanLimitMegabytes * BYTES_PER_MEGABYTE,
    };
    return {
      all: new Workgroup(
        `${name}-queries`,
        {
          ...shared,
          description: 'Queries over all tables. Results may hold personal data.',
          queries: queries.filter((query) => !isOpen(query)),
        },
        { parent: this },
      ),
      analysts: new Workgroup(
        `${name}-analyst-queries`,
        {
          ...shared,
          audience: 'analysts',
          description: 'Queries over tables without personal data.',
          queries: queries.filter(isOpen),
        },
        { parent: this },
      ),
    };
  }
}

/** The roles that commit to a table of the catalog, by what they do there. */
const writersOf = (
  tables: readonly GlueTable[],
  jobs: readonly GlueJob[],
  crawler: Crawler,
  forget: ForgetJob | undefined,
) =>
  Object.fromEntries(
    tables.map((table) => {
      const made = jobs.find(({ definition }) => definition.output === table.contract);
      const roles = {
        job: made?.nodes.role,
        optimizer: table.nodes.role,
        forget: isSource(table) ? undefined : forget?.nodes.role,
        crawler: isSource(table) ? crawler.nodes.role : undefined,
      };
      return [
        table.name,
        Object.fromEntries(Object.entries(roles).flatMap(([what, role]) => (role ? [[what, role.arn]] : []))),
      ];
    }),
  );

/** Where a table has personal data: in its files, and in its quarantine, as a line of a source may say anything. */
const personalPlaces = (table: GlueTable): Place[] => [
  ...(isPersonal(table.contract) ? [table.place] : []),
  ...(hasQuarantine(table.contract) && (isSource(table) || isPersonal(table.contract))
    ? [quarantinePlaceOf(table)]
    : []),
];

/**
 * Whether any zone's data stays: its key has to stay with it, and the database, with which Glue deletes every table.
 */
const keepsData = ({ dataOnDestroy, zones }: Settings) =>
  dataOnDestroy === 'retain' || Object.values(zones).some((zone) => zone.dataOnDestroy === 'retain');

/** Such a zone may hold personal data, as what tells a person is personal. */
const zoneOfRequests = ({ zones }: Pipeline) => zones.find(({ tables }) => tables.some(saysWhose));

const secretName = ({ name }: Site) => `${name}/pseudonym-key`;

const isSource = (table: GlueTable): table is GlueTable<SourceTable> => table.contract.format !== 'iceberg';

/** The jobs of all zones, each after those that make its inputs. */
const inOrder = (pipeline: Pipeline, zones: readonly Zone[]): GlueJob[] => {
  const all = zones.flatMap(({ jobs }) => Object.values<GlueJob>(jobs));
  return pipeline.jobs.flatMap((job) => all.filter(({ definition }) => definition === job));
};

function zoneSettings({ zones, name }: Settings, zone: string) {
  const found = zones[zone];
  if (!found) throw new Error(`the settings of ${name} have no zone ${zone}`);
  return found;
}

function jobSettings({ jobs, name }: Settings, job: string) {
  const found = jobs[job];
  if (!found) throw new Error(`the settings of ${name} have no job ${job}`);
  return found;
}
