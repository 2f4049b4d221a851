// What Iceberg's own files say of a table of a lake in a folder.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { duckdbOf } from '../../model';
import { type IcebergMetadata, icebergMetadata, type Published, publishedIn } from '../provenance';
import { list } from '../store';

interface Metadata extends IcebergMetadata {
  readonly 'current-schema-id': number;
  readonly schemas: readonly {
    readonly 'schema-id': number;
    readonly fields: readonly { readonly name: string; readonly type: string }[];
  }[];
}

/** The newest metadata in a table's folder of them; nothing where there is none. */
async function newestMetadata(folder: string): Promise<Metadata | undefined> {
  const versions = (await list(folder)).flatMap((name) => /^v(\d+)\.metadata\.json$/.exec(name)?.[1] ?? []);
  if (versions.length === 0) return undefined;
  const newest = Math.max(...versions.map(Number));
  return icebergMetadata(await readFile(join(folder, `v${newest}.metadata.json`), 'utf8')) as Metadata;
}

/** The published snapshot of a table, if it has one. */
export async function publishedState(folder: string): Promise<Published | undefined> {
  const metadata = await newestMetadata(folder);
  return metadata && publishedIn(metadata);
}

/** The columns of a table, and the type of each. */
export async function publishedColumns(folder: string): Promise<Readonly<Record<string, string>>> {
  const metadata = await newestMetadata(folder);
  const schema = metadata?.schemas.find((one) => one['schema-id'] === metadata['current-schema-id']);
  return Object.fromEntries((schema?.fields ?? []).map(({ name, type }) => [name, duckdbOf(type)]));
}
