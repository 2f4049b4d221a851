import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SourceTable } from '../../model';
import { LakeError } from '../engine';
import { plainLine } from '../landing/plain-line';
import { readFile } from '../landing/read-file';
import { rangeOf } from '../landing/read-line';
import { quoteName, quoteString } from '../sql';
import { rowsOf } from './database';
import { list } from './store';
import { asDeclared, STORED } from './types';

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

/** The files of a source, hidden ones left out as Spark does. Throws a LakeError where there is none. */
export async function landingFiles(data: string, table: SourceTable): Promise<string[]> {
  const dir = join(data, table.entity, 'landing');
  const files: string[] = [];
  for (const name of await list(dir)) {
    const path = join(dir, name);
    if (!/^[._]/.test(name) && (await stat(path)).isFile()) files.push(path);
  }
  if (files.length === 0) {
    throw new LakeError(
      `no file in ${dir}: ${table.name} is read from ${table.entity}/landing/ under the data directory. Put its JSON files there, or give another --data`,
    );
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
  let clean = await cleanFiles(db, table, files);
  const outside = await filesOutOfRange(db, table, [...clean.keys()]);
  for (const file of outside) clean.delete(file);
  let careful = await readCarefully(
    table,
    files.filter((f) => !clean.has(f)),
    to.scratch,
  );
  let written = await writeTable(db, table, [...clean.keys()], careful.accepted, to.table);
  let expected = sum([...clean.values()]) + careful.count;
  if (written !== expected) {
    // The scan and DuckDB's JSON reader disagree about a line: trust neither.
    clean = new Map();
    careful = await readCarefully(table, files, to.scratch);
    expected = careful.count;
    written = await writeTable(db, table, [], careful.accepted, to.table);
  }
  if (written !== expected) {
    throw new LakeError(`${table.name}: ${expected} lines were accepted, but ${written} rows were written`);
  }
  const quarantined = sum(Object.values(careful.reasons));
  if (quarantined > 0) await writeQuarantine(db, careful.refused, to.quarantine);
  await rm(careful.accepted, { force: true });
  await rm(careful.refused, { force: true });
  return { read: written + quarantined, quarantined, written, reasons: careful.reasons };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
const listOf = (files: readonly string[]) => `[${files.map((f) => quoteString(globSafe(f))).join(', ')}]`;
// DuckDB takes every path for a pattern.
const globSafe = (path: string) => path.replace(/[[*?]/g, '[$&]');

/** The files of which every line is plain, with their number of lines. */
async function cleanFiles(db: DuckDBConnection, table: SourceTable, files: readonly string[]) {
  const scan = (some: readonly string[]) => {
    const lines =
      `read_csv(${listOf(some)}, columns={line: 'VARCHAR'}, delim='\x01', quote='', escape='', header=false, ` +
      `auto_detect=false, max_line_size=2097152, filename=true)`;
    return rowsOf<{ filename: string; lines: number; other: number }>(
      db,
      `SELECT filename, COUNT(line) AS lines,
        COUNT(*) FILTER (WHERE NOT regexp_full_match(line, ${quoteString(`${plainLine(table)}[ \\t\\r]*`)})) AS other
      FROM ${lines} GROUP BY filename`,
    );
  };
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

const reader = (table: SourceTable, files: readonly string[], filename: boolean) => {
  const columns = Object.entries(table.columns).map(([name, c]) => `${quoteName(name)}: '${STORED[c.type]}'`);
  return (
    `read_json(${listOf(files)}, format='newline_delimited', columns={${columns.join(', ')}}, ` +
    `maximum_object_size=2097152, filename=${filename})`
  );
};

async function filesOutOfRange(db: DuckDBConnection, table: SourceTable, files: readonly string[]) {
  const ranged = Object.entries(table.columns).filter(([, c]) => c.min !== undefined || c.max !== undefined);
  if (ranged.length === 0 || files.length === 0) return [];
  const outside = ranged.map(([name, c]) => {
    const { min, max } = rangeOf(c);
    return `${quoteName(name)} NOT BETWEEN ${min} AND ${max}`;
  });
  const rows = await rowsOf<{ filename: string }>(
    db,
    `SELECT DISTINCT filename FROM ${reader(table, files, true)} WHERE ${outside.join(' OR ')}`,
  ).catch(() => files.map((filename) => ({ filename })));
  return rows.map((row) => row.filename);
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

async function writeTable(
  db: DuckDBConnection,
  table: SourceTable,
  clean: readonly string[],
  accepted: string,
  dir: string,
): Promise<number> {
  const hasAccepted = (await stat(accepted)).size > 0;
  const files = [...clean, ...(hasAccepted ? [accepted] : [])];
  const out = quoteString(join(dir, 'part-0.parquet'));
  if (files.length === 0) {
    await db.run(`CREATE OR REPLACE TEMP TABLE nothing (${asDeclared(table, (c) => STORED[c.type])})`);
    await db.run(`COPY nothing TO ${out} (FORMAT parquet)`);
    return 0;
  }
  const names = Object.keys(table.columns).map(quoteName).join(', ');
  const copied = await db.run(
    `COPY (SELECT ${names} FROM ${reader(table, files, false)}) TO ${out} (FORMAT parquet)`,
  );
  return copied.rowsChanged;
}

async function writeQuarantine(db: DuckDBConnection, refused: string, to: string) {
  await mkdir(join(to, '..'), { recursive: true });
  await db.run(
    `COPY (SELECT * FROM read_json(${quoteString(globSafe(refused))}, format='newline_delimited', maximum_object_size=16777216,
      columns={file: 'VARCHAR', line: 'BIGINT', reason: 'VARCHAR', detail: 'VARCHAR', raw: 'VARCHAR'}))
    TO ${quoteString(to)} (FORMAT parquet)`,
  );
}
