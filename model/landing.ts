import { csvReading } from './csv';
import { byRecord } from './each';
import { forgottenOf } from './forgotten';
import { parquetReading } from './parquet';
import { jsonReading, type Reading } from './reading';
import type { SourceTable } from './table';

/** How files of a source are read, by its format. See {@link Reading}. */
export function readingOf(source: SourceTable): Reading {
  if (source.format === 'parquet') return parquetReading(source);
  return typeof source.format === 'object' ? csvReading(source, source.format) : jsonReading(source);
}

/** How the records of files are read whose elements may be rows: to place them, and to know whose they are. */
export function readingByRecord(source: SourceTable): Reading {
  const reading = readingOf(byRecord(source));
  return { ...reading, forgotten: { ...reading.forgotten, refused: forgottenOf(source).refused } };
}
