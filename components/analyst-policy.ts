import { Policy } from '@pulumi/aws/iam/policy';
import {
  ComponentResource,
  type ComponentResourceOptions,
  jsonStringify,
  type Output,
  output,
} from '@pulumi/pulumi';
import { allow, catalogArns, document, keyAccess, objectAccess, type Statement } from './access';
import type { GlueTable } from './glue-table';
import { arn, type Site } from './site';
import type { Workgroup } from './workgroup';

export interface AnalystPolicyArgs {
  readonly site: Site;
  /** What analysts may read: the tables without personal data, or what Lake Formation opens to them. */
  readonly tables: readonly GlueTable[];
  /** Where they query. */
  readonly workgroup: Workgroup;
  /** Whether Lake Formation reads the tables for them, so that nobody gets around it by way of S3. Default: false. */
  readonly byLakeFormation?: boolean;
}

/** A policy to attach to whoever may query the tables without identifiers, and nothing else. */
export class AnalystPolicy extends ComponentResource {
  readonly arn: Output<string>;
  readonly nodes: { readonly policy: Policy };

  constructor(name: string, args: AnalystPolicyArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:access:AnalystPolicy', name, {}, opts);
    const policy = new Policy(
      `${name}-policy`,
      {
        name: `${args.site.name}-analyst`,
        policy: jsonStringify(output(args.site.key).apply((key) => document(statementsOf(args, key)))),
        tags: args.site.tags,
      },
      { parent: this },
    );
    this.arn = policy.arn;
    this.nodes = { policy };
    this.registerOutputs({ arn: this.arn });
  }
}

function statementsOf(
  { site, tables, workgroup, byLakeFormation = false }: AnalystPolicyArgs,
  key: string | undefined,
): Statement[] {
  return [
    {
      Sid: 'Query',
      Effect: 'Allow',
      Action: [
        'athena:BatchGetNamedQuery',
        'athena:BatchGetQueryExecution',
        'athena:GetNamedQuery',
        'athena:GetQueryExecution',
        'athena:GetQueryResults',
        // JDBC and ODBC drivers read results by it.
        'athena:GetQueryResultsStream',
        'athena:GetWorkGroup',
        'athena:ListNamedQueries',
        'athena:ListQueryExecutions',
        'athena:StartQueryExecution',
        'athena:StopQueryExecution',
      ],
      Resource: [arn(site, 'athena', `workgroup/${workgroup.plannedName}`)],
    },
    {
      Sid: 'FindCatalog',
      Effect: 'Allow',
      Action: ['athena:GetDataCatalog'],
      Resource: [arn(site, 'athena', 'datacatalog/AwsDataCatalog')],
    },
    {
      Sid: 'ReadCatalog',
      Effect: 'Allow',
      Action: ['glue:GetDatabase', 'glue:GetPartitions', 'glue:GetTable', 'glue:GetTables'],
      Resource: [
        ...catalogArns(site, []),
        // Athena asks for it whatever is queried.
        arn(site, 'glue', 'database/default'),
        ...tables.map((table) => table.arn),
      ],
    },
    ...objectAccess(site, {
      reads: byLakeFormation ? [] : tables.map(({ place }) => place),
      writes: [workgroup.results],
    }),
    // It knows no resource.
    ...(byLakeFormation ? [allow('ReadByLakeFormation', ['lakeformation:GetDataAccess'], ['*'])] : []),
    ...(key === undefined ? [] : [keyAccess(key)]),
  ];
}
