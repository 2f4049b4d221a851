import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SourceTable } from '../../model';
import { LakeError } from '../engine';
import { plainLine } from '../landing/plain-line';
import { MAX_LINE_BYTES, readFile } from '../landing/read-file';
import { rangeOf } from '../landing/read-line';
import { quoteName, quoteString } from '../sql';
import { literalPath, rowsOf } from './database';
import { list } from './store';
import { nothing, QUARANTINE, STORED } from './types';

export interface Landed {
  readonly read: number;
  readonly quarantined: number;
  readonly written: number;
  readonly reasons: Readonly<Record<string, number>>;
}

export interface LandingTarget {
  /** Folder that takes the table's Parquet. */
  readonly table: string;
  /** File that takes the refused lines; written only where there are any. */
  readonly quarantine: string;
  /** Folder for temporary files. */
  readonly scratch: string;
}

/** The files of a source, hidden ones left out as Spark does. */
export async function landingFiles(data: string, table: SourceTable): Promise<string[]> {
  const dir = join(data, table.entity, 'landing');
  const files: string[] = [];
  for (const name of await list(dir)) {
    const path = join(dir, name);
    if (!/^[._]/.test(name) && (await stat(path)).isFile()) files.push(path);
  }
  return files;
}

/**
 * Reads a source by contract into Parquet. Files whose every line is plain are read by DuckDB itself, all
 * others line by line: so clean data costs little, and bad data never loses a line.
 */
export async function land(
  db: DuckDBConnection,
  table: SourceTable,
  files: readonly string[],
  to: LandingTarget,
): Promise<Landed> {
  await mkdir(to.table, { recursive: true });
  const plain = await writePlain(
    db,
    table,
    await plainFiles(db, table, files),
    join(to.table, 'part-0.parquet'),
  );
  const rest = files.filter((file) => !plain.files.has(file));
  const careful = await readCarefully(table, rest, to.scratch);
  if (careful.count > 0) {
    const copied = await copy(db, table, [careful.accepted], join(to.table, 'part-1.parquet'));
    if (copied !== careful.count) {
      throw new LakeError(
        `${table.name}: ${careful.count} lines were accepted, but ${copied} rows were written; this is a fault of the reader, please report it`,
      );
    }
  }
  const quarantined = sum(Object.values(careful.reasons));
  if (quarantined > 0) await writeQuarantine(db, careful.refused, to.quarantine);
  await rm(careful.accepted, { force: true });
  await rm(careful.refused, { force: true });
  const written = plain.rows + careful.count;
  return { read: written + quarantined, quarantined, written, reasons: careful.reasons };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
const listOf = (files: readonly string[]) => `[${files.map((f) => quoteString(literalPath(f))).join(', ')}]`;

/**
 * The files of which every line is plain, with their number of lines. What is packed is never plain: DuckDB
 * would read a cut-off gzip file to its end without a word.
 */
async function plainFiles(db: DuckDBConnection, table: SourceTable, files: readonly string[]) {
  const scan = (some: readonly string[]) =>
    rowsOf<{ filename: string; lines: number; other: number }>(
      db,
      `SELECT filename, COUNT(line) AS lines,
        COUNT(*) FILTER (WHERE NOT regexp_full_match(line, ${quoteString(`${plainLine(table)}[ \\t\\r]*`)})) AS other
      FROM read_csv(${listOf(some)}, columns={line: 'VARCHAR'}, delim='\x01', quote='', escape='', header=false,
        auto_detect=false, max_line_size=${2 * MAX_LINE_BYTES}, compression='none', filename=true)
      GROUP BY filename`,
    );
  let found: { filename: string; lines: number; other: number }[];
  try {
    found = await scan(files);
  } catch {
    // One file that is no text at all fails the scan of all: look at each, and leave those to the careful reader.
    found = [];
    for (const file of files) found.push(...(await scan([file]).catch(() => [])));
  }
  return new Map(found.filter((f) => f.other === 0 && f.lines > 0).map((f) => [f.filename, f.lines]));
}

/**
 * Writes the plain files and returns those it could: where a value is out of range, or the scan and DuckDB's
 * JSON reader disagree about a file (a byte-order mark, a lone \r), that file is left to the careful reader.
 */
async function writePlain(
  db: DuckDBConnection,
  table: SourceTable,
  plain: ReadonlyMap<string, number>,
  out: string,
): Promise<{ files: ReadonlySet<string>; rows: number }> {
  const lines = sum([...plain.values()]);
  const rows = await copy(db, table, [...plain.keys()], out).catch(() => -1);
  if (rows === lines && !(await anyOutOfRange(db, table, `read_parquet(${quoteString(literalPath(out))})`))) {
    return { files: new Set(plain.keys()), rows };
  }
  const fit = new Map<string, number>();
  for (const [file, count] of plain) {
    const from = reader(table, [file]);
    const good = await rowsOf<{ rows: number }>(db, `SELECT COUNT(*) AS rows FROM ${from}`)
      .then(async ([found]) => found?.rows === count && !(await anyOutOfRange(db, table, from)))
      .catch(() => false);
    if (good) fit.set(file, count);
  }
  return { files: new Set(fit.keys()), rows: await copy(db, table, [...fit.keys()], out) };
}

const reader = (table: SourceTable, files: readonly string[]) => {
  const columns = Object.entries(table.columns).map(([name, c]) => `${quoteName(name)}: '${STORED[c.type]}'`);
  return (
    `read_json(${listOf(files)}, format='newline_delimited', compression='uncompressed', columns={${columns.join(', ')}}, ` +
    `maximum_object_size=${2 * MAX_LINE_BYTES})`
  );
};

/** Writes JSON lines of the declared columns as Parquet, an empty table where there is no file. */
async function copy(db: DuckDBConnection, table: SourceTable, files: readonly string[], out: string) {
  const from =
    files.length > 0 ? reader(table, files) : `(SELECT ${nothing(table, (c) => STORED[c.type])} WHERE false)`;
  const names = Object.keys(table.columns).map(quoteName).join(', ');
  const copied = await db.run(`COPY (SELECT ${names} FROM ${from}) TO ${quoteString(out)} (FORMAT parquet)`);
  return copied.rowsChanged;
}

async function anyOutOfRange(db: DuckDBConnection, table: SourceTable, from: string): Promise<boolean> {
  const conditions = Object.entries(table.columns).flatMap(([name, c]) => {
    if (c.min === undefined && c.max === undefined) return [];
    const { min, max } = rangeOf(c);
    return [`${quoteName(name)} NOT BETWEEN ${min} AND ${max}`];
  });
  if (conditions.length === 0) return false;
  const rows = await rowsOf(db, `SELECT 1 FROM ${from} WHERE ${conditions.join(' OR ')} LIMIT 1`);
  return rows.length > 0;
}

interface Careful {
  /** JSON lines of the good records. */
  readonly accepted: string;
  readonly count: number;
  /** JSON lines of the refused ones. */
  readonly refused: string;
  readonly reasons: Record<string, number>;
}

/** Judges every line in bounded memory: what is accepted and what is refused goes to files at once. */
async function readCarefully(
  table: SourceTable,
  files: readonly string[],
  scratch: string,
): Promise<Careful> {
  await mkdir(scratch, { recursive: true });
  const accepted = join(scratch, `${table.name}.accepted.json`);
  const refused = join(scratch, `${table.name}.refused.json`);
  const good = createWriteStream(accepted);
  const bad = createWriteStream(refused);
  const reasons: Record<string, number> = {};
  let count = 0;
  for (const file of files) {
    for await (const portion of readFile(file, table)) {
      count += portion.accepted.length;
      await write(good, portion.accepted);
      for (const r of portion.refused) reasons[r.reason] = (reasons[r.reason] ?? 0) + 1;
      await write(
        bad,
        portion.refused.map((r) => JSON.stringify({ file: basename(file), ...r })),
      );
    }
  }
  good.end();
  bad.end();
  await Promise.all([finished(good), finished(bad)]);
  return { accepted, count, refused, reasons };
}

async function write(stream: WriteStream, lines: readonly string[]) {
  if (lines.length === 0) return;
  if (!stream.write(`${lines.join('\n')}\n`)) {
    await new Promise<void>((done) => stream.once('drain', () => done()));
  }
}

async function writeQuarantine(db: DuckDBConnection, refused: string, to: string) {
  await mkdir(join(to, '..'), { recursive: true });
  await db.run(
    `COPY (SELECT * FROM read_json(${quoteString(literalPath(refused))}, format='newline_delimited', maximum_object_size=16777216,
      columns={${Object.entries(QUARANTINE).map(([name, type]) => `${name}: '${type}'`)}}))
    TO ${quoteString(to)} (FORMAT parquet)`,
  );
}
