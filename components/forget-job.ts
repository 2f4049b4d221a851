import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';
import { hasQuarantine, type Pipeline, type Table } from '../model';
import { erasureOf } from '../model/manifest';
import { allow, catalogArns, erasureAccess, objectAccess, type Statement } from './access';
import { type Asset, assetOf } from './asset';
import { FORGET_JOB } from './constants';
import type { GlueTable } from './glue-table';
import { ServiceRole } from './service-role';
import {
  logPrefixOf,
  type Place,
  quarantinePlaceOf,
  RECEIPTS_PREFIX,
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

export interface ForgetJobArgs extends SparkJobArgs {
  readonly pipeline: Pipeline;
  /** Every table of the pipeline. */
  readonly tables: readonly GlueTable[];
  /** Where it is told whom to forget. */
  readonly requests: Place;
  readonly pseudonymSecret: PseudonymSecret;
}

/**
 * A Glue job on Spark that removes a person from every table, quarantine and landing folder, and from all that was
 * kept of them: under a role that may do that, and touch nothing else. A request starts it, never the workflow.
 */
export class ForgetJob extends ComponentResource {
  /** The job's name in Glue. */
  readonly name: string;
  /** What Glue adds `/error` and `/output` to. */
  readonly logPrefix: string;
  /** URI of the folder where it is told whom to forget. */
  readonly requests: string;
  readonly nodes: SparkJobNodes & { readonly erasure: Asset };

  constructor(name: string, args: ForgetJobArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:jobs:ForgetJob', name, {}, opts);
    const { site, artifacts, runner, pseudonymSecret } = args;
    this.name = jobName(site, FORGET_JOB);
    this.logPrefix = logPrefixOf(site, FORGET_JOB);
    this.requests = s3Uri(args.requests);
    const erasure = assetOf(
      `${name}-erasure`,
      {
        site,
        bucket: artifacts,
        folder: `jobs/${FORGET_JOB}/`,
        extension: '.json',
        content: erasureText(args),
      },
      this,
    );
    const role = new ServiceRole(
      name,
      {
        site,
        purpose: FORGET_JOB,
        service: 'glue.amazonaws.com',
        description: 'Lets Glue remove a person from all that the lakehouse keeps.',
        statements: statementsOf(args, [erasure.place, runner.script.place]),
      },
      { parent: this },
    );
    const made = sparkJob(
      name,
      args,
      {
        job: FORGET_JOB,
        description: 'Removes a person from every table, quarantine, landing file and old version.',
        role,
        warehouse: s3Uri({ bucket: artifacts.name, prefix: '' }),
        fixed: { '--erasure': erasure.uri, '--pseudonym-secret': pseudonymSecret.arn },
        // Whoever asks twice is told so: what waits would find its request gone.
        queues: false,
      },
      this,
    );
    this.nodes = { ...made, erasure };
    this.registerOutputs({ name: this.name });
  }
}

const placeIn = ({ artifacts }: ForgetJobArgs, prefix: string): Place => ({
  bucket: artifacts.name,
  prefix,
});

function erasureText(args: ForgetJobArgs): string {
  const tableOf = (table: Table) => {
    const found = args.tables.find(({ name }) => name === table.name);
    if (!found)
      throw new Error(`the ForgetJob was not given ${table.name}, which may hold something to forget`);
    return found;
  };
  const manifest = erasureOf(args.pipeline, {
    database: args.site.database,
    location: (source) => s3Uri(tableOf(source).place),
    quarantine: (table) => s3Uri(quarantinePlaceOf(tableOf(table))),
    suppressed: suppressedUri(args.artifacts.name),
    receipts: s3Uri(placeIn(args, RECEIPTS_PREFIX)),
  });
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** All that it may do, derived from what the pipeline keeps. */
function statementsOf(args: ForgetJobArgs, assets: readonly Place[]): Statement[] {
  const { site, tables, requests } = args;
  const erased = [
    ...tables.map(({ place }) => place),
    ...tables.filter(({ contract }) => hasQuarantine(contract)).map(quarantinePlaceOf),
    requests,
  ];
  const kept = [SUPPRESSED_PREFIX, RECEIPTS_PREFIX].map((prefix) => placeIn(args, prefix));
  const made = tables.filter(({ contract }) => contract.format === 'iceberg').map(({ name }) => name);
  return [
    ...objectAccess(site, { reads: assets, writes: kept }),
    ...erasureAccess(site, erased),
    allow('CommitTables', ['glue:GetDatabase', 'glue:GetTable', 'glue:UpdateTable'], catalogArns(site, made)),
    ...runAccess(args, FORGET_JOB, args.pseudonymSecret),
  ];
}
