import type { Column, Table as GlueTable } from '@aws-sdk/client-glue';
import type { DerivedTable, Pipeline, SourceTable } from '../../model';
import { type CatalogEntry, catalogEntries } from '../../model/catalog';
import { catalogType, externalTable, icebergTable, landingStorage, locationOf } from '../../model/schema';
import { bucketOf, Catalog } from './catalog';
import type { Stack } from './stack';
import { parsed } from './summaries';

/** A difference between a contract and what is deployed. */
export interface Drift {
  /** Table, and column where it is about one: `customer_trusted.email`. */
  readonly path: string;
  readonly message: string;
}

type Say = (message: string, column?: string) => void;

/** Of an Iceberg table's metadata, what a contract says something of. */
interface IcebergMetadata {
  readonly 'format-version'?: number;
  readonly 'default-spec-id'?: number;
  readonly 'partition-specs'?: readonly {
    readonly 'spec-id': number;
    readonly fields: readonly {
      readonly name: string;
      readonly transform: string;
      readonly 'source-id': number;
    }[];
  }[];
  readonly properties?: Readonly<Record<string, string>>;
}

/** What every table of a stack is in the catalog against what its contract would make of it. */
export class CatalogDrift {
  private readonly catalog: Catalog;

  constructor(private readonly stack: Stack) {
    this.catalog = new Catalog(stack);
  }

  /** Every difference, table by table in the order of the pipeline; then tables that no contract has. */
  async of(pipeline: Pipeline): Promise<Drift[]> {
    const deployed = new Map((await this.catalog.tables()).map((table) => [table.Name ?? '', table]));
    const drift: Drift[] = [];
    const entries = pipeline.zones.flatMap((zone) =>
      catalogEntries(zone).map((entry) => ({ ...entry, bucket: bucketOf(this.stack, zone.name) })),
    );
    for (const { table, prefix, bucket } of entries) {
      const found = deployed.get(table.name);
      const say: Say = (message, column) =>
        drift.push({ path: column === undefined ? table.name : `${table.name}.${column}`, message });
      if (!found) say('is in the contracts and not in the catalog');
      else await this.compare({ table, prefix }, bucket, found, say);
      deployed.delete(table.name);
    }
    for (const name of [...deployed.keys()].sort()) {
      drift.push({ path: name, message: 'is in the catalog, and no contract has it' });
    }
    return drift;
  }

  private async compare({ table, prefix }: CatalogEntry, bucket: string, found: GlueTable, say: Say) {
    const location = locationOf(table, { bucket, prefix });
    const at = found.StorageDescriptor?.Location;
    if (slashless(at) !== slashless(location)) {
      say(`is at ${at ?? 'no place'}, the contract says ${location}`);
    }
    if (table.format !== 'iceberg') compareExternal(table, location, found, say);
    else await this.compareIceberg(table, location, found, say);
  }

  private async compareIceberg(table: DerivedTable, location: string, found: GlueTable, say: Say) {
    const wanted = icebergTable(table, location);
    const fields = (wanted.schema as { fields: readonly { name: string; type: string; doc: string }[] })
      .fields;
    compareColumns(
      fields.map(({ name, type, doc }) => ({ name, type: catalogType(JSON.parse(type)), comment: doc })),
      // Those of older schemas stay there, told apart by this.
      (found.StorageDescriptor?.Columns ?? []).filter(
        (c) => c.Parameters?.['iceberg.field.current'] !== 'false',
      ),
      say,
    );
    if ((found.PartitionKeys ?? []).length > 0) say('has partition keys of Hive, and is Iceberg');
    const type = found.Parameters?.table_type;
    if (type?.toUpperCase() !== 'ICEBERG')
      return say(`is ${type ?? 'no Iceberg table'}, the contract says ICEBERG`);
    const metadataAt = found.Parameters?.metadata_location;
    if (metadataAt === undefined) return say('has no metadata_location, so that no engine can read it');
    const metadata = parsed(await this.catalog.text(metadataAt)) as IcebergMetadata | undefined;
    if (!metadata) return say(`has a metadata_location, ${metadataAt}, that is no metadata of Iceberg`);
    if (metadata['format-version'] !== 2) {
      say(`is of Iceberg's format ${metadata['format-version']}, the contract says 2`);
    }
    compareProperties(wanted.properties as Record<string, string>, metadata.properties ?? {}, say);
    comparePartitions(table, metadata, say);
  }
}

const slashless = (uri: string | undefined) => uri?.replace(/\/$/, '');

function compareExternal(table: SourceTable, location: string, found: GlueTable, say: Say): void {
  const wanted = externalTable(table);
  const storage = landingStorage(table, location);
  const there = found.StorageDescriptor ?? {};
  compareColumns(
    (storage.columns ?? []) as readonly { name: string; type: string; comment: string }[],
    there.Columns ?? [],
    say,
  );
  compareText('comment', found.Description, wanted.description, say);
  compareText('type', found.TableType, wanted.tableType, say);
  compareText('input format', there.InputFormat, storage.inputFormat as string, say);
  compareText('output format', there.OutputFormat, storage.outputFormat as string, say);
  const serDe = storage.serDeInfo as { serializationLibrary: string; parameters: Record<string, string> };
  compareText('SerDe', there.SerdeInfo?.SerializationLibrary, serDe.serializationLibrary, say);
  const serDeParameters = there.SerdeInfo?.Parameters ?? {};
  compareProperties(serDe.parameters, serDeParameters, say, 'SerDe parameter');
  for (const [name, value] of Object.entries(serDeParameters)) {
    if (!Object.hasOwn(serDe.parameters, name)) {
      say(`has the SerDe parameter ${name}, ${value}, which the contract does not`);
    }
  }
  // Crawlers and Athena add parameters of their own.
  compareProperties(wanted.parameters, found.Parameters ?? {}, say, 'parameter');
  const keys = (found.PartitionKeys ?? []).map(({ Name }) => Name);
  if (keys.length > 0) say(`is partitioned by ${keys.join(', ')}, the contract by nothing`);
}

function compareText(what: string, is: string | undefined, wanted: string, say: Say, column?: string): void {
  if ((is ?? '') !== wanted) say(`${what} is ${shown(is)}, the contract says ${shown(wanted)}`, column);
}

const shown = (text: string | undefined) =>
  text === undefined || text === '' ? 'missing' : /\s/.test(text) ? `"${text}"` : text;

function compareProperties(
  wanted: Readonly<Record<string, string>>,
  is: Readonly<Record<string, string>>,
  say: Say,
  what = 'property',
): void {
  for (const [name, value] of Object.entries(wanted)) {
    compareText(name === 'comment' ? name : `${what} ${name}`, is[name], value, say);
  }
}

/** Names are compared without case, as every reader of the catalog does. */
function compareColumns(
  wanted: readonly { readonly name: string; readonly type: string; readonly comment: string }[],
  is: readonly Column[],
  say: Say,
): void {
  const key = (name = '') => name.toLowerCase();
  const deployed = new Map(is.map((column) => [key(column.Name), column]));
  for (const { name, type, comment } of wanted) {
    const column = deployed.get(key(name));
    if (!column) {
      say('is in the contract and not in the catalog', name);
      continue;
    }
    compareText('type', column.Type, type, say, name);
    compareText('comment', column.Comment, comment, say, name);
  }
  const names = new Set(wanted.map(({ name }) => key(name)));
  for (const column of is) {
    if (!names.has(key(column.Name))) say('is in the catalog and not in the contract', column.Name);
  }
  const both = (list: readonly string[]) => list.filter((name) => deployed.has(name) && names.has(name));
  const wantedOrder = both(wanted.map(({ name }) => key(name)));
  const order = both(is.map(({ Name }) => key(Name)));
  if (wantedOrder.join() !== order.join()) {
    say(`its columns come as ${order.join(', ')}, in the contract as ${wantedOrder.join(', ')}`);
  }
}

function comparePartitions(table: DerivedTable, metadata: IcebergMetadata, say: Say): void {
  const names = Object.keys(table.columns);
  const spec = metadata['partition-specs']?.find((each) => each['spec-id'] === metadata['default-spec-id']);
  const is = (spec?.fields ?? []).map(
    (field) => `${field.transform}(${names[field['source-id'] - 1] ?? `column ${field['source-id']}`})`,
  );
  const wanted = table.partitionBy.map(({ transform, column }) => `${transform}(${column})`);
  if (is.join() !== wanted.join()) {
    say(`is partitioned by ${is.join(', ') || 'nothing'}, the contract by ${wanted.join(', ') || 'nothing'}`);
  }
}
