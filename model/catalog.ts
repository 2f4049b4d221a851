import type { ZoneDefinition } from './lakehouse';
import { prefixOf, quarantinePrefixOf } from './places';
import { quarantineOf } from './quarantine';
import type { SourceTable, Table } from './table';

/** A table that a zone has in the catalog, and where its files are in the zone's bucket. */
export interface CatalogEntry<T extends Table = Table> {
  readonly table: T;
  readonly prefix: string;
}

/** Where the refused lines of each source show, by the source's name. */
export const quarantineEntries = ({
  tables,
}: ZoneDefinition): Readonly<Record<string, CatalogEntry<SourceTable>>> =>
  Object.fromEntries(
    tables.flatMap((source) =>
      source.format !== 'iceberg'
        ? [[source.name, { table: quarantineOf(source), prefix: quarantinePrefixOf(source) }]]
        : [],
    ),
  );

/** All that a zone has in the catalog. */
export const catalogEntries = (zone: ZoneDefinition): CatalogEntry[] => [
  ...zone.tables.map((table) => ({ table, prefix: prefixOf(table) })),
  ...Object.values(quarantineEntries(zone)),
];
