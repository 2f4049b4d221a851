import { CatalogTable, type CatalogTableArgs } from '@pulumi/aws/glue/catalogTable';
import { CatalogTableOptimizer } from '@pulumi/aws/glue/catalogTableOptimizer';
import {
  ComponentResource,
  type ComponentResourceOptions,
  type CustomResourceOptions,
  type Input,
  output,
  ResourceHook,
} from '@pulumi/pulumi';
import { DefinitionError, type DerivedTable, type SourceTable, type Table } from '../model';
import { evolutionFaults, externalTable, icebergTable, landingStorage, locationOf } from '../model/schema';
import { catalogAccess, logAccess, objectAccess } from './access';
import { SNAPSHOTS } from './constants';
import { ServiceRole } from './service-role';
import { arn, type Place, prefixOf, type Site, s3Uri } from './site';
import { type Transform, transformed } from './transform';

export interface GlueTableArgs<T extends Table = Table> {
  readonly site: Site;
  /** The contract. */
  readonly table: T;
  /** The bucket of the table's zone. */
  readonly bucket: Input<string>;
  /** The same bucket's name, to show whole policies in previews. */
  readonly bucketName: string;
  /** The stack's Glue database. Default: the site's, by name alone. */
  readonly database?: Input<string>;
  /** Where in the bucket the files are. Default: `<entity>/landing/` of a source, else the table's name. */
  readonly prefix?: string;
  /** Whether Glue compacts files, expires snapshots and removes orphan files. Iceberg only. Default: true. */
  readonly optimize?: boolean;
  /** Whether Pulumi refuses to delete the table. */
  readonly protect: boolean;
  /** Whether `destroy` leaves the table in the catalog: one that is made anew begins empty, beside the old files. */
  readonly keep: boolean;
  readonly transform?: { readonly table?: Transform<CatalogTableArgs> };
}

/** What Glue does to an Iceberg table by itself. */
const OPTIMIZERS = {
  // What AWS fills in by itself is written out: else it would show as drift.
  compaction: {
    compactionConfiguration: {
      icebergConfiguration: { strategy: 'binpack', minInputFiles: 100, deleteFileThreshold: 1 },
    },
  },
  retention: {
    retentionConfiguration: {
      icebergConfiguration: {
        snapshotRetentionPeriodInDays: SNAPSHOTS.days,
        numberOfSnapshotsToRetain: SNAPSHOTS.least,
        cleanExpiredFiles: true,
        runRateInHours: 24,
      },
    },
  },
  orphan_file_deletion: {
    // Longer than the longest run: what a run writes is an orphan until it publishes.
    orphanFileDeletionConfiguration: {
      icebergConfiguration: { orphanFileRetentionPeriodInDays: 7, runRateInHours: 24 },
    },
  },
} as const;

/** Where Glue writes what its optimizers do, of every table of an account. */
const OPTIMIZER_LOGS = '/aws-glue/iceberg-*/logs';

/**
 * A table of the catalog, made from its contract: JSON lines of a source as an external table, anything else as
 * Iceberg. A change of a contract that an Iceberg table's files would not survive fails the preview.
 */
export class GlueTable<T extends Table = Table> extends ComponentResource {
  readonly contract: T;
  /** The table's name in the catalog. */
  readonly name: T['name'];
  readonly place: Place;
  readonly arn: string;
  readonly nodes: {
    readonly table: CatalogTable;
    readonly optimizers: readonly CatalogTableOptimizer[];
    readonly role?: ServiceRole;
  };

  constructor(name: string, args: GlueTableArgs<T>, opts?: ComponentResourceOptions) {
    super('lakehouse:catalog:GlueTable', name, {}, opts);
    const { site } = args;
    const contract: Table = args.table;
    this.contract = args.table;
    this.name = contract.name;
    this.place = { bucket: args.bucketName, prefix: args.prefix ?? prefixOf(contract) };
    this.arn = arn(site, 'glue', `table/${site.database}/${contract.name}`);
    const options = { parent: this, protect: args.protect, retainOnDelete: args.keep };

    if (contract.format !== 'iceberg') {
      this.nodes = { table: this.#external(name, args, contract, options), optimizers: [] };
    } else {
      const table = this.#iceberg(name, args, contract, options);
      this.nodes = {
        table,
        optimizers: [],
        ...((args.optimize ?? true) && this.#optimizers(name, site, table)),
      };
    }
    this.registerOutputs({ name: this.name, location: s3Uri(this.place) });
  }

  #location(bucket: Input<string>, table: Table) {
    const { prefix } = this.place;
    return output(bucket).apply((known) => locationOf(table, { bucket: known, prefix }));
  }

  #external(name: string, args: GlueTableArgs, table: SourceTable, options: CustomResourceOptions) {
    const location = this.#location(args.bucket, table);
    return new CatalogTable(
      `${name}-table`,
      transformed<CatalogTableArgs>(
        {
          name: table.name,
          databaseName: args.database ?? args.site.database,
          ...externalTable(table),
          storageDescriptor: location.apply((at) => landingStorage(table, at)),
        },
        args.transform?.table,
        ['name', 'databaseName', 'tableType'],
      ),
      options,
    );
  }

  #iceberg(name: string, args: GlueTableArgs, table: DerivedTable, options: CustomResourceOptions) {
    const location = this.#location(args.bucket, table);
    return new CatalogTable(
      `${name}-table`,
      transformed<CatalogTableArgs>(
        {
          name: table.name,
          databaseName: args.database ?? args.site.database,
          // Everything of the schema stands here and nowhere else: with `storageDescriptor`, `parameters` or
          // `description` set too, every preview would show drift.
          openTableFormatInput: {
            icebergInput: {
              metadataOperation: 'CREATE',
              version: '2',
              icebergTableInput: location.apply((at) => icebergTable(table, at)),
            },
          },
        },
        args.transform?.table,
        [
          'name',
          'databaseName',
          'openTableFormatInput',
          'storageDescriptor',
          'parameters',
          'tableType',
          'description',
        ],
      ),
      {
        ...options,
        // Iceberg writes the comment there at every commit.
        ignoreChanges: ['description'],
        hooks: { beforeUpdate: [evolutionHook(`${name}-evolution`, table.name)] },
      },
    );
  }

  #optimizers(name: string, site: Site, table: CatalogTable) {
    const role = new ServiceRole(
      `${name}-optimizer`,
      {
        site,
        purpose: `${this.name}-optimizer`,
        service: 'glue.amazonaws.com',
        description: 'Lets Glue compact the table, expire its snapshots and remove its orphan files.',
        statements: [
          ...objectAccess(site, { reads: [], writes: [this.place] }),
          ...catalogAccess(site, { reads: [], writes: [this.name] }),
          logAccess(site, OPTIMIZER_LOGS),
        ],
      },
      { parent: this },
    );
    const optimizers = Object.entries(OPTIMIZERS).map(
      ([type, configuration]) =>
        new CatalogTableOptimizer(
          `${name}-${type.replaceAll('_', '-')}`,
          {
            catalogId: site.account,
            databaseName: table.databaseName,
            tableName: table.name,
            type,
            configuration: { enabled: true, roleArn: role.arn, ...configuration },
          },
          // Glue tries what the role may do when the optimizer is made.
          { parent: this, dependsOn: [role] },
        ),
    );
    return { role, optimizers };
  }
}

/** Stops an update of an Iceberg table that its files would not survive; in a preview already. */
const evolutionHook = (name: string, table: string) =>
  new ResourceHook(
    name,
    ({ oldInputs, newInputs }) => {
      const shapeOf = (inputs: typeof newInputs) =>
        inputs?.openTableFormatInput?.icebergInput?.icebergTableInput;
      const before = shapeOf(oldInputs);
      const after = shapeOf(newInputs);
      const faults = before && after ? evolutionFaults(table, before, after) : [];
      if (faults.length > 0) throw new DefinitionError(faults);
    },
    { onDryRun: true },
  );
