import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';
import { hasQuarantine } from '../model';
import { erasureOf } from '../model/manifest';
import { allow, catalogArns, erasureAccess, folderAccess, objectAccess, type Statement } from './access';
import { type Asset, assetOf } from './asset';
import type { GlueJob } from './glue-job';
import type { GlueTable } from './glue-table';
import { ServiceRole } from './service-role';
import {
  FORGET_JOB,
  logPrefixOf,
  type Place,
  quarantinePlaceOf,
  RECEIPTS_PREFIX,
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

export interface ForgetJobArgs extends SparkJobArgs {
  /** Every job of the pipeline, each after those that make its inputs: it makes their tables again, told by the same manifests. */
  readonly jobs: readonly GlueJob[];
  /** Every table of the pipeline. */
  readonly tables: readonly GlueTable[];
  /** Where it is told whom to forget. */
  readonly requests: Place;
  readonly pseudonymSecret: PseudonymSecret;
}

/**
 * A Glue job on Spark that makes every table again without a person, takes their records out of the landing files, and
 * removes all that was kept of them: under a role that may do that, and touch nothing else. A request starts it, never the
 * workflow.
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
        description:
          'Makes every table again without a person, and removes them from landing files and old versions.',
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

function erasureText({ jobs, artifacts }: ForgetJobArgs): string {
  const manifest = erasureOf({
    jobs: jobs.map(({ nodes: { manifest: told, code }, values: parameters }) => ({
      manifest: told.file,
      code: code.file,
      parameters,
    })),
    suppressed: suppressedUri(artifacts.name),
    receipts: s3Uri({ bucket: artifacts.name, prefix: RECEIPTS_PREFIX }),
  });
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** All that it may do, derived from what the pipeline keeps. */
function statementsOf(args: ForgetJobArgs, assets: readonly Place[]): Statement[] {
  const { site, artifacts, tables, requests, jobs } = args;
  const quarantines = tables.filter(({ contract }) => hasQuarantine(contract)).map(quarantinePlaceOf);
  // Summaries of runs show bad rows.
  const runs = jobs.map(({ definition }) => runsPlaceOf(artifacts.name, definition.name));
  const erased = [...tables.map(({ place }) => place), ...quarantines, requests, ...runs];
  // A job's manifest and its code lie in one folder.
  const told = jobs.map(({ nodes }) => nodes.manifest.place);
  const kept = [SUPPRESSED_PREFIX, RECEIPTS_PREFIX].map((prefix) => ({ bucket: artifacts.name, prefix }));
  const made = tables.filter(({ contract }) => contract.format === 'iceberg').map(({ name }) => name);
  return [
    ...objectAccess(site, { reads: [...assets, ...told], writes: kept }),
    ...erasureAccess(site, erased),
    // Refused lines are written by Spark's own writer.
    ...folderAccess(site, quarantines),
    allow('CommitTables', ['glue:GetDatabase', 'glue:GetTable', 'glue:UpdateTable'], catalogArns(site, made)),
    ...runAccess(args, FORGET_JOB, args.pseudonymSecret),
  ];
}
