import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { SourceTable } from '../../model';
import { replaceFile } from '../replace-file';
import type { Known, Suppression } from '../suppression';
import { BYTE_ORDER_MARK, damageOf, isNamedGzip, lineEnd, MAX_LINE_BYTES, nextLine } from './pieces';
import { readLine } from './read-line';

/** Whose lines go. */
export interface Forgotten {
  readonly list: Suppression;
  readonly known: Known;
}

/**
 * Takes the lines of the forgotten out of a landing file, in one step; all other bytes stay as they are. Holds the file
 * in memory, so it is for the lake's own sample. Returns how many lines they are, or nothing where the file cannot be
 * unpacked. `temporary` takes the new file until it is whole, on the same disk; without it, lines are only counted.
 */
export async function forgetLines(
  path: string,
  table: SourceTable,
  { list, known }: Forgotten,
  temporary: string | undefined,
): Promise<number | undefined> {
  const packed = isNamedGzip(path);
  if (packed && (await damageOf(path)) !== undefined) return undefined;
  const bytes = packed ? await promisify(gunzip)(await readFile(path)) : await readFile(path);
  const kept: Buffer[] = [];
  let removed = 0;
  const start = bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    ? BYTE_ORDER_MARK.length
    : 0;
  kept.push(bytes.subarray(0, start));
  for (let at = start; at < bytes.length; ) {
    const end = lineEnd(bytes, at);
    const next = Math.min(nextLine(bytes, end), bytes.length);
    if (isTheirs(bytes.subarray(at, end), table, list, known)) removed++;
    else kept.push(bytes.subarray(at, next));
    at = next;
  }
  if (removed > 0 && temporary !== undefined) {
    const left = Buffer.concat(kept);
    const { mode } = await stat(path);
    await replaceFile(path, packed ? await promisify(gzip)(left) : left, temporary, mode);
  }
  return removed;
}

/** As a run judges: a good line by its columns, any other by its text. */
function isTheirs(line: Buffer, table: SourceTable, list: Suppression, known: Known): boolean {
  if (line.length === 0) return false;
  if (!isUtf8(line)) return list.isTheirs(line.toString('latin1'), known);
  const text = line.toString('utf8');
  const verdict = line.length > MAX_LINE_BYTES ? undefined : readLine(text, table);
  if (!verdict || !('json' in verdict)) return list.isTheirs(text, known);
  const row = JSON.parse(verdict.json) as Readonly<Record<string, unknown>>;
  const values = { person: [] as string[], device: [] as string[] };
  for (const [name, { identifies }] of Object.entries(table.columns)) {
    const value = row[name];
    if (identifies && typeof value === 'string') values[identifies].push(value);
  }
  return list.hasRow(values);
}
