import { NamedQuery } from '@pulumi/aws/athena/namedQuery';
import {
  Workgroup as AwsWorkgroup,
  type WorkgroupArgs as AwsWorkgroupArgs,
} from '@pulumi/aws/athena/workgroup';
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  interpolate,
  type Output,
} from '@pulumi/pulumi';
import type { SecureBucket } from './bucket';
import type { Place, Site } from './site';
import { type Transform, transformed } from './transform';

/** A query of `queries/`. */
export interface Query {
  readonly name: string;
  /** What it answers. */
  readonly description: string;
  readonly sql: string;
  /** The tables that it reads. */
  readonly tables: readonly string[];
}

export interface WorkgroupArgs {
  readonly site: Site;
  /** Who it is for; ends its name. Default: everybody who may query everything. */
  readonly audience?: string;
  readonly description: string;
  readonly database: Input<string>;
  /** The bucket of results. They have a folder of each workgroup, so that one audience cannot read another's. */
  readonly results: SecureBucket;
  /** A query that would scan more bytes is stopped; at least 10485760. */
  readonly scanLimitBytes: number;
  readonly queries: readonly Query[];
  readonly transform?: { readonly workgroup?: Transform<AwsWorkgroupArgs> };
}

/** Where the results of all workgroups are, in the bucket of artifacts. */
export const RESULTS_PREFIX = 'results/';

/** A workgroup of Athena with a limit of scanned bytes, encrypted results and named queries. */
export class Workgroup extends ComponentResource {
  /** The workgroup's name in Athena. */
  readonly name: Output<string>;
  /** Its name, known before it is there. */
  readonly plannedName: string;
  readonly results: Place;
  readonly nodes: { readonly workgroup: AwsWorkgroup; readonly queries: readonly NamedQuery[] };

  constructor(name: string, args: WorkgroupArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:query:Workgroup', name, {}, opts);
    const { site, results } = args;
    this.plannedName = args.audience === undefined ? site.name : `${site.name}-${args.audience}`;
    this.results = { bucket: results.name, prefix: `${RESULTS_PREFIX}${args.audience ?? 'all'}/` };
    const workgroup = new AwsWorkgroup(
      `${name}-workgroup`,
      transformed<AwsWorkgroupArgs>(
        {
          name: this.plannedName,
          description: args.description,
          // Athena keeps the history of its queries, and deletes no workgroup that has one otherwise.
          forceDestroy: true,
          configuration: {
            enforceWorkgroupConfiguration: true,
            publishCloudwatchMetricsEnabled: true,
            bytesScannedCutoffPerQuery: args.scanLimitBytes,
            engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
            resultConfiguration: {
              outputLocation: interpolate`s3://${results.ready}/${this.results.prefix}`,
              expectedBucketOwner: site.account,
              encryptionConfiguration:
                site.key === undefined
                  ? { encryptionOption: 'SSE_S3' }
                  : { encryptionOption: 'SSE_KMS', kmsKeyArn: site.key },
            },
          },
          tags: site.tags,
        },
        args.transform?.workgroup,
        ['name', 'configuration'],
      ),
      { parent: this },
    );
    const queries = args.queries.map(
      (query) =>
        new NamedQuery(
          `${name}-${query.name}`,
          {
            name: query.name,
            description: query.description,
            database: args.database,
            workgroup: workgroup.name,
            query: query.sql,
          },
          { parent: this },
        ),
    );
    this.name = workgroup.name;
    this.nodes = { workgroup, queries };
    this.registerOutputs({ name: this.name });
  }
}
