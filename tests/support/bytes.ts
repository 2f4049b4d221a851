import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openDatabase, parquetFile, rowsOf } from '../../engines/database';
import { quoteName } from '../../engines/sql';
import { namesBelow } from './lake';

/** Where a value was found: a file of the lake, and how it was read. */
export interface Found {
  readonly file: string;
  readonly value: string;
  readonly as: 'bytes' | 'unpacked' | 'rows';
}

/** Every text that JSON may have written as `text`: with escapes, and with escapes of escapes. */
function readings(text: string): string[] {
  const decoded = (escaped: string) =>
    escaped.replace(/\\(?:u([0-9a-fA-F]{4})|(["\\/]))/g, (_, hex?: string, letter = '') =>
      hex ? String.fromCharCode(Number.parseInt(hex, 16)) : letter,
    );
  const once = decoded(text);
  return [text, once, decoded(once)].map((reading) => reading.toLowerCase());
}

/**
 * Searches all files below a folder for values, in any case: their bytes, what `.gz` files hold, and every column of
 * every Parquet file as text.
 */
export async function findValues(root: string, values: readonly string[]): Promise<Found[]> {
  const found: Found[] = [];
  const wanted = values.map((value) => [value, value.toLowerCase()] as const);
  const search = (file: string, as: Found['as'], text: string) => {
    const texts = readings(text);
    for (const [value, lower] of wanted) {
      if (texts.some((reading) => reading.includes(lower))) found.push({ file, value, as });
    }
  };
  const db = await openDatabase();
  for (const name of namesBelow(root)) {
    const path = join(root, name);
    if (!statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    search(name, 'bytes', bytes.toString('latin1'));
    search(name, 'bytes', bytes.toString('utf8'));
    if (name.endsWith('.gz')) search(name, 'unpacked', gunzipSync(bytes).toString('utf8'));
    if (!name.endsWith('.parquet')) continue;
    const from = parquetFile(path);
    const columns = await rowsOf<{ column_name: string }>(db, `DESCRIBE SELECT * FROM ${from}`);
    const texts = columns.map((c) => `COALESCE(CAST(${quoteName(c.column_name)} AS VARCHAR), '')`);
    const rows = await rowsOf<{ row: string }>(
      db,
      `SELECT concat_ws(chr(10), ${texts.join(', ')}) AS row FROM ${from}`,
    );
    search(name, 'rows', rows.map(({ row }) => row).join('\n'));
  }
  db.closeSync();
  return found;
}
