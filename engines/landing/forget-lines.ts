import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { readingOf, type SourceTable } from '../../model';
import { replaceFile } from '../replace-file';
import { lookAt } from './bytes';
import { recordsIn } from './reader';

/**
 * Takes the records of the forgotten out of a landing file, in one step; others are a record a line then. Holds the file in
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
  const look = await lookAt(path, readingOf(table).headBytes);
  if (look.damage !== null || look.named !== look.unpacked) return undefined;
  const bytes = look.unpacked ? await promisify(gunzip)(await readFile(path)) : await readFile(path);
  // As bytes: what is no UTF-8 stays what it is.
  const lines = bytes.toString('latin1').split('\n');
  const kept: Buffer[] = [];
  let removed = 0;
  for await (const { first, last, text, theirs } of recordsIn(db, table, look)) {
    if (theirs) removed++;
    else if (text === null) kept.push(Buffer.from(`${lines.slice(first - 1, last).join('\n')}\n`, 'latin1'));
    else kept.push(Buffer.from(`${text}\n`));
  }
  if (removed > 0 && temporary !== undefined) {
    const rest = Buffer.concat(kept);
    const { mode } = await stat(path);
    await replaceFile(path, look.unpacked ? await promisify(gzip)(rest) : rest, temporary, mode);
  }
  return removed;
}
