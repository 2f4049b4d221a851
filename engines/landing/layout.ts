import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IS_ODD_LINE, readingOf, type SourceTable } from '../../model';
import { literalPath, openDatabase, rowsOf } from '../database';
import { quoteString } from '../sql';
import { counted } from '../words';
import { chunksOf, type Look, lookAt, type Piece, piecesOf, requireUnchanged } from './bytes';
import { batchesOf, type PlacedRecord, readyTables, recordsOf } from './reader';
import { oddTables } from './tabular-layout';

/** Why Athena does not read a record, or what else it makes of a file. */
type Oddity = 'lines' | 'beside' | 'mark' | 'list' | 'stray';

const ODDITIES: Readonly<Record<Oddity, (n: number) => string>> = {
  lines: (n) => `${counted(n, 'record')} over several lines`,
  beside: (n) => `${counted(n, 'record')} after another on the same line`,
  mark: (n) => `${counted(n, 'record')} after a byte-order mark`,
  list: (n) => `${counted(n, 'record')} after a bracket or a comma`,
  stray: (n) => `${counted(n, 'line')} without a record, read as ${n === 1 ? 'a row' : 'rows'} of NULLs`,
};

/** A file that Athena would misread: JSON whose records are not one complete object a line, or a table. */
export interface OddLayout {
  readonly path: string;
  readonly records: number;
  /** Records that Athena would not read. */
  readonly lost: number;
  /** What is odd, in words. */
  readonly details: readonly string[];
  /** Whether it can be written with a record a line: not of a table, nor where a line is too long to be looked at. */
  readonly canRewrite: boolean;
}

/** Finds files that Athena would misread, by their path. Those that cannot be read at all are left out. */
export async function oddLayouts(
  table: SourceTable,
  files: readonly string[],
): Promise<ReadonlyMap<string, OddLayout>> {
  if (table.format !== 'json') return oddTables(table, files);
  const layouts = new Map<string, OddLayout>();
  const db = await openOrdered();
  try {
    for (const look of await suspects(db, table, files)) {
      const layout = await layoutOf(db, table, look);
      if (layout !== undefined) layouts.set(look.path, layout);
    }
  } finally {
    db.closeSync();
  }
  return layouts;
}

/**
 * Writes a file with one record a line: JSON as it was written but for the white space between tokens, without byte-order
 * marks, packed if the file is. What is no JSON stays as it is. Throws a LakeError where the file changes meanwhile.
 */
export async function writeOneALine(table: SourceTable, path: string, to: string): Promise<void> {
  const look = await lookAt(path, readingOf(table).headBytes);
  const db = await openOrdered();
  try {
    const lines = Readable.from(linesOf(entriesOf(db, table, look)));
    await (look.unpacked
      ? pipeline(lines, createGzip(), createWriteStream(to))
      : pipeline(lines, createWriteStream(to)));
  } finally {
    db.closeSync();
  }
  requireUnchanged([look]);
}

const WRITTEN_BYTES = 1 << 16;

async function* linesOf(entries: AsyncIterable<Entry>): AsyncGenerator<Buffer> {
  let lines: (string | Buffer)[] = [];
  let size = 0;
  const taken = () =>
    Buffer.concat(lines.map((line) => (typeof line === 'string' ? Buffer.from(line) : line)));
  for await (const { text } of entries) {
    if (text === undefined) continue;
    lines.push(text, '\n');
    size += text.length;
    if (size < WRITTEN_BYTES) continue;
    yield taken();
    lines = [];
    size = 0;
  }
  if (lines.length > 0) yield taken();
}

/** A record, or what stands between records. */
interface Entry {
  /** As it is written with one record a line. */
  readonly text?: string | Buffer;
  /** Whether it is a JSON object, be it one that the contract refuses. */
  readonly isObject?: boolean;
  readonly oddity?: Oddity | undefined;
  /** Lines before it that hold nothing but brackets, commas and marks. */
  readonly strays: number;
  /** A line that is too long: all of it is not there. */
  readonly isCut?: boolean;
}

async function openOrdered(): Promise<DuckDBConnection> {
  const db = await openDatabase();
  await db.run('SET preserve_insertion_order = true');
  await readyTables(db, '_others', '_rest');
  return db;
}

/** Files with a line that is not one object to its end, or with one that has to be looked for in another way. */
async function suspects(db: DuckDBConnection, table: SourceTable, files: readonly string[]): Promise<Look[]> {
  const { headBytes } = readingOf(table);
  const looks: Look[] = [];
  for (const path of files) {
    const look = await lookAt(path, headBytes);
    if (look.damage === null && look.named === look.unpacked) looks.push(look);
  }
  // DuckDB passes over a mark.
  const found = looks.filter(({ head }) => head.startsWith('\ufeff'));
  for (const batch of batchesOf(looks.filter((look) => !found.includes(look)))) {
    const odd = await withOddLines(db, batch);
    if (odd) found.push(...batch.filter(({ path }) => odd.has(path)));
    else for (const look of batch) if ((await withOddLines(db, [look]))?.size !== 0) found.push(look);
  }
  requireUnchanged(looks);
  return found;
}

/** Files with a longer line are suspects. */
const LINE_BYTES = 1 << 20;

/** Which files have odd lines; nothing where DuckDB gives up on one of them, such as for what is no UTF-8. */
async function withOddLines(
  db: DuckDBConnection,
  looks: readonly Look[],
): Promise<ReadonlySet<string> | undefined> {
  const paths = looks.map(({ path }) => quoteString(literalPath(path)));
  try {
    const rows = await rowsOf<{ filename: string; lines: number; bytes: number; odd: number }>(
      db,
      `SELECT filename, count(*) AS lines, sum(strlen(line))::BIGINT AS bytes, count(*) FILTER (${IS_ODD_LINE}) AS odd
      FROM read_csv([${paths.join(', ')}], columns = {'line': 'VARCHAR'}, auto_detect = false, header = false,
        delim = chr(30), quote = '', escape = '', strict_mode = false, hive_partitioning = false, filename = true,
        max_line_size = ${LINE_BYTES}, buffer_size = ${4 * LINE_BYTES}) GROUP BY filename`,
    );
    const found = new Map(rows.map((row) => [row.filename, row]));
    const isFine = ({ path, bytes }: Look) => {
      const row = found.get(path);
      if (!row || row.odd > 0) return false;
      // DuckDB passes over a long line without a word: all bytes must be there but for line ends of one byte, or of two.
      const ends = bytes - row.bytes;
      return Math.abs(ends - row.lines) <= 1 || Math.abs(ends - 2 * row.lines) <= 2;
    };
    return new Set(looks.filter((look) => !isFine(look)).map(({ path }) => path));
  } catch (error) {
    if (!isOfFile(error)) throw error;
    return undefined;
  }
}

/** Whether DuckDB gives up on a file: what the disk says, or a fault of the SQL, is no fault of the files. */
const isOfFile = (error: unknown) => /^(?:Invalid Input|IO) Error/.test((error as Error).message);

async function layoutOf(
  db: DuckDBConnection,
  table: SourceTable,
  look: Look,
): Promise<OddLayout | undefined> {
  const counts = new Map<Oddity, number>();
  const add = (oddity: Oddity, n: number) => n > 0 && counts.set(oddity, (counts.get(oddity) ?? 0) + n);
  let records = 0;
  let lost = 0;
  let canRewrite = true;
  for await (const { isObject, oddity, strays, isCut } of entriesOf(db, table, look)) {
    if (isCut) canRewrite = false;
    if (isObject) records++;
    if (isObject && oddity) {
      lost++;
      add(oddity, 1);
    }
    add('stray', strays);
  }
  if (counts.size === 0) return undefined;
  const details = (Object.keys(ODDITIES) as Oddity[]).flatMap((oddity) => {
    const n = counts.get(oddity);
    return n === undefined ? [] : [ODDITIES[oddity](n)];
  });
  return { path: look.path, records, lost, details, canRewrite };
}

/** The records of a file in their order, in the same ways as a run reads them. */
async function* entriesOf(db: DuckDBConnection, table: SourceTable, look: Look): AsyncGenerator<Entry> {
  const reading = readingOf(table);
  if (await isReadWhole(db, look, reading.pieceBytes)) {
    yield* wholeEntries(db, look);
    return;
  }
  for await (const piece of piecesOf(look, reading)) {
    if (piece.isCut) yield { strays: 0, isCut: true };
    else yield* pieceEntries(piece, await recordsOf(db, table, piece));
  }
}

const objectsIn = ({ path }: Look) =>
  `read_json_objects(${quoteString(literalPath(path))}, format = 'auto', maximum_object_size = ${16 << 20})`;

/** Whether DuckDB's own reader takes a file: all that stands in it is JSON, and objects but for large files. */
async function isReadWhole(db: DuckDBConnection, look: Look, pieceBytes: number): Promise<boolean> {
  try {
    const [found] = await rowsOf<{ others: number }>(
      db,
      `SELECT count(*) FILTER (NOT starts_with(json::VARCHAR, '{')) AS others FROM ${objectsIn(look)}`,
    );
    return found?.others === 0 || look.bytes > pieceBytes;
  } catch (error) {
    if (!isOfFile(error)) throw error;
    return false;
  }
}

async function* wholeEntries(db: DuckDBConnection, look: Look): AsyncGenerator<Entry> {
  const chunks = chunksOf(look)[Symbol.asyncIterator]();
  let ahead: Buffer = Buffer.alloc(0);
  let isStart = true;
  const result = await db.stream(`SELECT json::VARCHAR FROM ${objectsIn(look)}`);
  for await (const rows of result.yieldRowsJs()) {
    for (const [json] of rows) {
      const text = Buffer.from(String(json));
      let at = ahead.indexOf(text);
      while (at < 0) {
        const next = await chunks.next();
        if (next.done) throw new Error(`a record of ${look.path} is not where it was read`);
        ahead = Buffer.concat([ahead, next.value]);
        at = ahead.indexOf(text);
      }
      yield entryOf(ahead.toString('utf8', 0, at), isStart, String(json));
      ahead = ahead.subarray(at + text.length);
      isStart = false;
    }
  }
  const rest = [ahead];
  for (let next = await chunks.next(); !next.done; next = await chunks.next())
    rest.push(Buffer.from(next.value));
  yield {
    strays: straysIn(
      Buffer.concat(rest)
        .toString()
        .split('\n')
        .slice(isStart ? 0 : 1),
    ),
  };
}

function* pieceEntries({ raw, first: before }: Piece, records: readonly PlacedRecord[]): Generator<Entry> {
  const starts = startsOf(raw);
  const startOf = (line: number) => starts[line - before - 1] ?? raw.length;
  /** Up to here all is given. */
  let at = 0;
  let values: Slice[] = [];
  let group = 0;
  for (const [i, { first, last, isAlone, isGood, text }] of records.entries()) {
    const start = Math.max(at, startOf(first));
    const end = startOf(last + 1);
    let slice: Slice | undefined;
    if (isAlone) {
      const from = raw.indexOf('{', start);
      const to = raw.lastIndexOf('}', end - 1) + 1;
      const isAll = () => isAround(raw.subarray(start, from)) && isAround(raw.subarray(to, end));
      if (
        from >= start &&
        from < to &&
        to <= end &&
        (isGood || (isAll() && isJson(raw.toString('utf8', from, to))))
      )
        slice = { start: from, end: to };
    } else {
      if (records[i - 1]?.first !== first) {
        group = i;
        let next = i + 1;
        while (records[next]?.first === first) next++;
        values = valuesIn(raw, startOf(first), end);
        if (values.length !== next - i) values = [];
      }
      slice = values[i - group] ?? sliceOf(raw, start, end, text ?? '');
    }
    const written = slice ? raw.toString('utf8', slice.start, slice.end) : (text ?? '');
    if (isGood || (slice && isJson(written))) {
      const gap = raw.toString('utf8', at, slice?.start ?? at);
      yield entryOf(gap, at === 0 || raw[at - 1] === LF, written);
      at = slice?.end ?? at;
      continue;
    }
    // No JSON: it stays as it is.
    const bytes = slice
      ? raw.subarray(slice.start, slice.end)
      : isAlone
        ? raw.subarray(start, end)
        : undefined;
    const gap = raw.toString('utf8', at, slice?.start ?? start).split('\n');
    yield {
      text: bytes ? trimmed(bytes) : written,
      strays: straysIn(gap.slice(at === 0 || raw[at - 1] === LF ? 0 : 1, -1)),
    };
    at = slice?.end ?? (isAlone ? end : at);
  }
  const rest = raw.toString('utf8', at).split('\n');
  yield { strays: straysIn(rest.slice(at === 0 || raw[at - 1] === LF ? 0 : 1)) };
}

/** A record by the text between it and the record before. `isStart`: that text begins a line. */
function entryOf(gap: string, isStart: boolean, json: string): Entry {
  const lines = gap.split('\n');
  const before = lines.at(-1) as string;
  return {
    text: json.replaceAll(/[\r\n]+[\t ]*/g, ' '),
    isObject: json.startsWith('{'),
    strays: straysIn(lines.slice(isStart ? 0 : 1, -1)),
    oddity: json.includes('\n')
      ? 'lines'
      : lines.length === 1 && !isStart
        ? 'beside'
        : before.includes('\ufeff')
          ? 'mark'
          : before.trim() !== ''
            ? 'list'
            : undefined,
  };
}

const isAround = (bytes: Buffer) => /^[\s,[\]]*$/.test(bytes.toString());

const straysIn = (lines: readonly string[]) => lines.filter((line) => line.trim() !== '').length;

const LF = 10;
const BOM = Buffer.from('\ufeff');

/** Without a byte-order mark before it, and without the end of its last line. */
function trimmed(bytes: Buffer): Buffer {
  let start = 0;
  while (bytes.subarray(start, start + BOM.length).equals(BOM)) start += BOM.length;
  return bytes.subarray(start, bytes.at(-1) === LF ? -1 : undefined);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface Slice {
  readonly start: number;
  readonly end: number;
}

function sliceOf(raw: Buffer, start: number, end: number, text: string): Slice | undefined {
  const at = raw.indexOf(text, start);
  const stop = at + Buffer.byteLength(text);
  return text === '' || at < 0 || stop > end ? undefined : { start: at, end: stop };
}

/**
 * Where each of several values stands that are known to be JSON: the SQL that tells them apart writes them anew, `1.10`
 * as `1.1`.
 */
function valuesIn(raw: Buffer, from: number, to: number): Slice[] {
  const values: Slice[] = [];
  let depth = 0;
  let start = -1;
  const close = (end: number) => {
    if (start >= 0) values.push({ start, end });
    start = -1;
  };
  for (let i = from; i < to; i++) {
    const c = String.fromCharCode(raw[i] as number);
    if (c === '"') {
      if (start < 0) start = i;
      for (i++; i < to && raw[i] !== 0x22; i++) if (raw[i] === 0x5c) i++;
    } else if (c === '{' || (c === '[' && depth > 0)) {
      if (depth++ === 0) {
        close(i);
        start = i;
      }
    } else if (c === '}' || (c === ']' && depth > 0)) {
      if (--depth === 0) close(i + 1);
    } else if (depth === 0 && (/[\s,[\]]/.test(c) || (raw[i] as number) >= 0x80)) close(i);
    else if (start < 0) start = i;
  }
  close(to);
  return values;
}

function startsOf(raw: Buffer): number[] {
  const starts = [0];
  for (let at = raw.indexOf(LF); at >= 0; at = raw.indexOf(LF, at + 1)) starts.push(at + 1);
  return starts;
}
