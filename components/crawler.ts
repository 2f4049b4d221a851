import { Crawler as AwsCrawler, type CrawlerArgs as AwsCrawlerArgs } from '@pulumi/aws/glue/crawler';
import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';
import type { SourceTable } from '../model';
import { allow, catalogAccess, catalogArns, logAccess, objectAccess, type Statement } from './access';
import type { GlueTable } from './glue-table';
import { ServiceRole } from './service-role';
import type { Cron } from './settings';
import type { Site } from './site';
import { type Transform, transformed } from './transform';

export interface CrawlerArgs {
  readonly site: Site;
  /** The tables whose files are looked at. */
  readonly tables: readonly GlueTable<SourceTable>[];
  /** When. Default: on demand. */
  readonly schedule?: Cron;
  readonly transform?: { readonly crawler?: Transform<AwsCrawlerArgs> };
}

/** Where Glue writes what its crawlers say, of every crawler of an account. */
const LOGS = '/aws-glue/crawlers';

/**
 * Looks at the files of declared tables: it reports in its log where files and table drifted apart, adds partitions to
 * a table that is declared with partition keys, and never changes or deletes one.
 */
export class Crawler extends ComponentResource {
  /** The crawler's name in Glue. */
  readonly name: string;
  readonly nodes: { readonly crawler: AwsCrawler; readonly role: ServiceRole };

  constructor(name: string, args: CrawlerArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:catalog:Crawler', name, {}, opts);
    const { site, tables } = args;
    this.name = `${site.name}-landing`;
    const role = new ServiceRole(
      name,
      {
        site,
        purpose: 'crawler',
        service: 'glue.amazonaws.com',
        description: 'Lets Glue look at the files of the landing zone.',
        statements: statementsOf(site, tables),
      },
      { parent: this },
    );
    const crawler = new AwsCrawler(
      `${name}-crawler`,
      transformed<AwsCrawlerArgs>(
        {
          name: this.name,
          description:
            'Says where landing files differ from their contracts, and adds partitions to tables that have some.',
          databaseName: site.database,
          ...(args.schedule && { schedule: args.schedule }),
          tags: site.tags,
          role: role.arn,
          // A crawler with targets in S3 always makes tables of its own.
          catalogTargets: [
            { databaseName: site.database, tables: tables.map(({ nodes }) => nodes.table.name) },
          ],
          schemaChangePolicy: { deleteBehavior: 'LOG', updateBehavior: 'LOG' },
          configuration: JSON.stringify({
            Version: 1,
            CrawlerOutput: { Partitions: { AddOrUpdateBehavior: 'InheritFromTable' } },
            // Glue adds it to a crawler of catalogue tables; left out, it would be a difference in every preview.
            Grouping: { TableGroupingPolicy: 'CombineCompatibleSchemas' },
          }),
        },
        args.transform?.crawler,
        [
          'name',
          'databaseName',
          'role',
          'catalogTargets',
          's3Targets',
          'schemaChangePolicy',
          'configuration',
        ],
      ),
      { parent: this, dependsOn: [role] },
    );
    this.nodes = { crawler, role };
    this.registerOutputs({ name: this.name });
  }
}

function statementsOf(site: Site, tables: readonly GlueTable[]): Statement[] {
  const names = tables.map(({ name }) => name);
  return [
    ...objectAccess(site, { reads: tables.map(({ place }) => place), writes: [] }),
    ...catalogAccess(site, { reads: names, writes: [] }),
    allow(
      'AddPartitions',
      [
        'glue:BatchCreatePartition',
        'glue:BatchGetPartition',
        'glue:CreatePartition',
        'glue:GetPartitions',
        // Glue's own service role has these two for a crawler; its behaviour LOG keeps the schema as it is.
        'glue:GetTables',
        'glue:UpdatePartition',
        'glue:UpdateTable',
      ],
      catalogArns(site, names),
    ),
    logAccess(site, LOGS),
  ];
}
