import { csvReading } from './csv';
import { parquetReading } from './parquet';
import { jsonReading, type Reading } from './reading';
import type { SourceTable } from './table';

/** How files of a source are read, by its format. See {@link Reading}. */
export function readingOf(source: SourceTable): Reading {
  if (source.format === 'parquet') return parquetReading(source);
  return typeof source.format === 'object' ? csvReading(source, source.format) : jsonReading(source);
}
