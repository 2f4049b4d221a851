import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SourceTable } from '../../model';
import { LakeError } from '../engine';
import { plainScanner } from '../landing/plain-scanner';
import { MAX_LINE_BYTES, plainLines, readBuffer, readFile } from '../landing/read-file';
import { quoteName, quoteString } from '../sql';
import { literalPath } from './database';
import { list } from './store';
import { nothing, QUARANTINE, STORED } from './types';

const BATCH_BYTES = 64 << 20;

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
 * Reads a source by contract into Parquet: plain files by DuckDB's own reader, what is good in the others line by
 * line first. So clean data costs little, and bad data never loses a line. Throws a LakeError where DuckDB's
 * reader does not give every line that was accepted.
 */
export async function land(
  db: DuckDBConnection,
  table: SourceTable,
  files: readonly string[],
  to: LandingTarget,
): Promise<Landed> {
  await mkdir(to.table, { recursive: true });
  const others: string[] = [];
  let rows = 0;
  let part = 0;
  const write = async (from: readonly string[], lines: number) => {
    const written = await copy(db, table, from, join(to.table, `part-${part++}.parquet`));
    if (written !== lines) {
      throw new LakeError(
        `${lines} lines were accepted, ${written} rows written: a fault of lake, please report it`,
      );
    }
    rows += written;
  };
  // The next files are looked over on this thread while DuckDB, on its own, writes those before.
  let writing: Promise<void> = Promise.resolve();
  for (const batch of await batchesOf(files)) {
    const plain = await plainFiles(table, batch);
    others.push(...batch.filter((file) => !plain.has(file)));
    await writing;
    if (plain.size > 0) writing = write([...plain.keys()], sum([...plain.values()]));
    // It is awaited above or below; until then its failure is nobody's.
    writing.catch(() => undefined);
  }
  const careful = await readCarefully(table, others, to.scratch);
  await writing;
  if (careful.count > 0 || part === 0) {
    await write(careful.count > 0 ? [careful.accepted] : [], careful.count);
  }
  const quarantined = sum(Object.values(careful.reasons));
  if (quarantined > 0) await writeQuarantine(db, careful.refused, to.quarantine);
  await rm(careful.accepted, { force: true });
  await rm(careful.refused, { force: true });
  return { read: rows + quarantined, quarantined, written: rows, reasons: careful.reasons };
}

/** The files in groups of a size that is worth a Parquet file. */
async function batchesOf(files: readonly string[]): Promise<string[][]> {
  const batches: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const file of files) {
    if (bytes >= BATCH_BYTES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(file);
    bytes += (await stat(file)).size;
  }
  return batches;
}

/** The files of which every line is plain, with their number of lines. */
async function plainFiles(
  table: SourceTable,
  files: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const plain = new Map<string, number>();
  const scan = plainScanner(table);
  const buffer = readBuffer();
  for (const file of files) {
    const lines = await plainLines(file, scan, buffer);
    if (lines !== undefined) plain.set(file, lines);
  }
  return plain;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
const listOf = (files: readonly string[]) => `[${files.map((f) => quoteString(literalPath(f))).join(', ')}]`;

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
      count += portion.count;
      await write(good, portion.accepted);
      for (const r of portion.refused) reasons[r.reason] = (reasons[r.reason] ?? 0) + 1;
      await write(
        bad,
        portion.refused.map((r) => `${JSON.stringify({ file: basename(file), ...r })}\n`),
      );
    }
  }
  good.end();
  bad.end();
  await Promise.all([finished(good), finished(bad)]);
  return { accepted, count, refused, reasons };
}

async function write(stream: WriteStream, pieces: readonly (Buffer | string)[]) {
  if (pieces.length === 0) return;
  const bytes = Buffer.concat(
    pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)),
  );
  if (!stream.write(bytes)) await once(stream, 'drain');
}

async function writeQuarantine(db: DuckDBConnection, refused: string, to: string) {
  await mkdir(join(to, '..'), { recursive: true });
  await db.run(
    `COPY (SELECT * FROM read_json(${quoteString(literalPath(refused))}, format='newline_delimited', maximum_object_size=16777216,
      columns={${Object.entries(QUARANTINE).map(([name, type]) => `${name}: '${type}'`)}}))
    TO ${quoteString(to)} (FORMAT parquet)`,
  );
}
