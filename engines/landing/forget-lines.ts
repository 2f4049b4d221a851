import { readFile, rm, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Reading, readingOf, type SourceTable } from '../../model';
import { countOf } from '../database';
import { replaceFile } from '../replace-file';
import { quoteString } from '../sql';
import { lookAt } from './bytes';
import { recordsIn, theirRows } from './reader';

/**
 * Takes the records of the forgotten out of a landing file, in one step; others of JSON are a record a line then. Holds the file in
 * memory, so it is for the lake's own sample. The database is to be ready to ask who was forgotten. Returns how many
 * records they are, or nothing where the file cannot be unpacked. `temporary` takes the new file until it is whole, on the
 * same disk; without it, records are only counted.
 */
export async function forgetLines(
  db: DuckDBConnection,
  path: string,
  table: SourceTable,
  temporary: string | undefined,
): Promise<number | undefined> {
  const reading = readingOf(table);
  const look = await lookAt(path, reading.headBytes);
  if (look.damage !== null || look.named !== look.unpacked) return undefined;
  if (reading.without !== undefined) return forgetRows(db, path, reading, reading.without, temporary);
  const bytes = look.unpacked ? await promisify(gunzip)(await readFile(path)) : await readFile(path);
  // As bytes: what is no UTF-8 stays what it is.
  const lines = bytes.toString('latin1').split('\n');
  const kept: Buffer[] = [];
  const gone = new Set<number>();
  let removed = 0;
  for await (const { first, last, text, theirs } of recordsIn(db, table, look)) {
    if (theirs) {
      removed++;
      for (let line = first; line <= last; line++) gone.add(line);
    } else if (reading.format === 'csv') continue;
    else if (text === null) kept.push(Buffer.from(`${lines.slice(first - 1, last).join('\n')}\n`, 'latin1'));
    else kept.push(Buffer.from(`${text}\n`));
  }
  if (removed > 0 && temporary !== undefined) {
    // Of CSV also what is no record, as the header is none.
    const others = lines.filter((_, i) => !gone.has(i + 1)).join('\n');
    const rest = reading.format === 'csv' ? Buffer.from(others, 'latin1') : Buffer.concat(kept);
    const { mode } = await stat(path);
    await replaceFile(path, look.unpacked ? await promisify(gzip)(rest) : rest, temporary, mode);
  }
  return removed;
}

/** Of a file of Parquet; nothing where it cannot be read. */
async function forgetRows(
  db: DuckDBConnection,
  path: string,
  reading: Reading,
  without: string,
  temporary: string | undefined,
): Promise<number | undefined> {
  if (!(await theirRows(db, path, reading))) return undefined;
  const removed = await countOf(db, 'FROM _gone');
  if (removed > 0 && temporary !== undefined) {
    const written = `${temporary}.parquet`;
    await db.run(`COPY (${without}) TO ${quoteString(written)} (FORMAT parquet)`);
    const { mode } = await stat(path);
    await replaceFile(path, await readFile(written), temporary, mode);
    await rm(written);
  }
  return removed;
}
