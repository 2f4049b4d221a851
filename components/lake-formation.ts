import { OptIn } from '@pulumi/aws/lakeformation/optIn';
import { Permissions, type PermissionsArgs } from '@pulumi/aws/lakeformation/permissions';
import { Resource } from '@pulumi/aws/lakeformation/resource';
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi';
import { type Fault, openColumns } from '../model';
import { objectAccess } from './access';
import type { GlueTable } from './glue-table';
import { ServiceRole } from './service-role';
import { bucketArn, type Site } from './site';

export interface LakeFormationArgs {
  readonly site: Site;
  /** Roles and users who query, as their ARNs. */
  readonly analysts: readonly string[];
  /** The stack's Glue database. */
  readonly database: Input<string>;
  /** The tables whose open columns analysts may query. */
  readonly tables: readonly GlueTable[];
  /** The other tables of the database. */
  readonly others: readonly GlueTable[];
  /** The roles that commit to tables, by the table. Each with what tells it from the others of its table. */
  readonly writers: Readonly<Record<string, Readonly<Record<string, Input<string>>>>>;
}

/** Everybody whom IAM allows it, as Lake Formation calls them. */
const BY_IAM = 'IAM_ALLOWED_PRINCIPALS';

/** The name of a role or user: `role/path/name` and, of a session, `assumed-role/name/session`. */
const whose = (arn: string) => {
  const [, kind = '', rest = ''] = /:(role|user|assumed-role)\/(.*)$/.exec(arn) ?? [];
  const parts = rest.split('/');
  const name = kind === 'assumed-role' ? parts[0] : parts.at(-1);
  return `${kind === 'user' ? 'user' : 'role'} ${name}`;
};

/**
 * Why a caller cannot set up Lake Formation, or nothing: only an administrator of it may opt somebody in. A session does
 * not say the path of its role, so names are compared.
 */
export function administratorFault(caller: string, admins: readonly string[]): Fault | undefined {
  if (admins.some((admin) => whose(admin) === whose(caller))) return undefined;
  return {
    path: 'permissions',
    message: `is lake-formation, which only an administrator of Lake Formation can set up, and ${whose(caller)} is none in this account and region; have one made of it (Lake Formation, Administrative roles), or set permissions to iam`,
  };
}

/**
 * Has Lake Formation govern what analysts query, to the column, and nobody else: their tables' folders are in its hybrid
 * mode, in which IAM holds for whoever was not opted in, as the jobs are not. Of the account's own settings it changes
 * nothing.
 */
export class LakeFormation extends ComponentResource {
  readonly nodes: { readonly role: ServiceRole };

  constructor(name: string, args: LakeFormationArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:access:LakeFormation', name, {}, opts);
    const { site, database, analysts } = args;
    const open = args.tables.filter(({ contract }) => openColumns(contract).length > 0);
    const role = new ServiceRole(
      `${name}-reader`,
      {
        site,
        purpose: 'lake-formation',
        service: 'lakeformation.amazonaws.com',
        description: 'Lets Lake Formation read for analysts what they may query.',
        statements: objectAccess(site, { reads: open.map(({ place }) => place), writes: [] }),
      },
      { parent: this },
    );
    this.nodes = { role };
    const grant = (
      grantee: string,
      grants: PermissionsArgs,
      dependsOn: ComponentResourceOptions['dependsOn'] = [],
    ) => new Permissions(`${name}-${grantee}`, grants, { parent: this, dependsOn });

    // Where an account has taken these away, IAM alone would read nothing, not even for the jobs.
    const everybody = { principal: BY_IAM, permissions: ['ALL'] };
    grant('database-by-iam', { ...everybody, database: { name: database } });
    const analyst = analysts.map((principal, i) => ({ principal, label: `analyst-${i + 1}` }));
    for (const { principal, label } of analyst) {
      grant(`database-${label}`, { principal, permissions: ['DESCRIBE'], database: { name: database } });
    }
    const folderOf = ({ place: { bucket, prefix } }: GlueTable) =>
      `${bucketArn(site, bucket)}/${prefix.replace(/\/$/, '')}`;
    const locations = new Map<string, Resource>();
    for (const table of [...args.tables, ...args.others]) {
      const at = { databaseName: database, name: table.name };
      const { table: catalogued } = table.nodes;
      grant(`${table.name}-by-iam`, { ...everybody, table: at }, [catalogued]);
      if (!open.includes(table)) continue;
      const folder = folderOf(table);
      // Two sources may read one folder, which is registered once.
      const location =
        locations.get(folder) ??
        new Resource(
          `${name}-${table.name}-folder`,
          { arn: folder, roleArn: role.arn, hybridAccessEnabled: true },
          // Not before the table: of one in a folder that is registered, a new table needs a right to the folder.
          {
            parent: this,
            dependsOn: [
              role,
              ...open.filter((own) => folderOf(own) === folder).map(({ nodes }) => nodes.table),
            ],
          },
        );
      locations.set(folder, location);
      for (const [label, principal] of Object.entries(args.writers[table.name] ?? {})) {
        const grants = {
          principal,
          permissions: ['DATA_LOCATION_ACCESS'],
          dataLocation: { arn: location.arn },
        };
        grant(`${table.name}-folder-${label}`, grants);
      }
      // A source is open with all that it has, and the catalog has other columns of it than its contract.
      const what =
        table.contract.format === 'iceberg'
          ? { tableWithColumns: { ...at, columnNames: openColumns(table.contract) } }
          : { table: at };
      for (const { principal, label } of analyst) {
        const granted = grant(`${table.name}-${label}`, { principal, permissions: ['SELECT'], ...what }, [
          location,
        ]);
        new OptIn(
          `${name}-${table.name}-${label}-opt-in`,
          {
            principals: [{ dataLakePrincipalIdentifier: principal }],
            resourceDatas: [{ table: { ...at, catalogId: site.account } }],
          },
          // Who is opted in before a grant may query nothing.
          { parent: this, dependsOn: [granted] },
        );
      }
    }
    this.registerOutputs({});
  }
}
