import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { readingOf, type SourceTable } from '../../model';
import { replaceFile } from '../replace-file';
import { lookAt } from './bytes';
import { type PlacedRecord, recordsIn } from './reader';

/**
 * Takes the records of the forgotten out of a landing file, in one step; all other lines stay as they are. Holds the file
 * in memory, so it is for the lake's own sample. The database is to be ready to ask who was forgotten. Returns how many
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
  const text = look.unpacked ? await promisify(gunzip)(await readFile(path)) : await readFile(path);
  const mark = text.subarray(0, 3).equals(MARK) ? 3 : 0;
  const lines = linesOf(text.subarray(mark));
  const whole = (record: PlacedRecord) => record.text ?? lines.slice(record.first - 1, record.last).join('');
  let removed = 0;
  /** What is left of lines that held something of theirs, by the first of them. */
  const left = new Map<number, { last: number; texts: string[]; theirs: number }>();
  for await (const record of recordsIn(db, table, look)) {
    const place = left.get(record.first) ?? { last: record.last, texts: [], theirs: 0 };
    left.set(record.first, place);
    if (record.theirs) place.theirs++;
    else place.texts.push(whole(record));
  }
  const kept: Buffer[] = [text.subarray(0, mark)];
  for (let line = 1; line <= lines.length; line++) {
    const place = left.get(line);
    if (!place?.theirs) kept.push(lines[line - 1] as Buffer);
    else {
      removed += place.theirs;
      for (const record of place.texts) kept.push(Buffer.from(`${record.trimEnd()}\n`));
      line = place.last;
    }
  }
  if (removed > 0 && temporary !== undefined) {
    const rest = Buffer.concat(kept);
    const { mode } = await stat(path);
    await replaceFile(path, look.unpacked ? await promisify(gzip)(rest) : rest, temporary, mode);
  }
  return removed;
}

/** A byte-order mark is no part of the first line. */
const MARK = Buffer.from('\ufeff');

/** Lines with their ends. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\n', at);
    const next = end < 0 ? bytes.length : end + 1;
    lines.push(bytes.subarray(at, next));
    at = next;
  }
  return lines;
}
