import { statSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type SourceTable, saysWhose } from '../../model';
import { LakeError } from '../engine';
import { MAX_LINE_BYTES } from '../landing/pieces';
import { SourceReader } from '../landing/read-file';
import { quoteName, quoteString } from '../sql';
import type { Suppression } from '../suppression';
import { literalPath } from './database';
import { takeOut } from './forgotten';
import { nothing, QUARANTINE, STORED } from './types';

const BATCH_BYTES = 128 << 20;
/** Of a refused line as JSON: 65,536 characters of up to six bytes, and what is said about it. */
const MAX_REFUSED_BYTES = 1 << 20;

export interface Landed {
  readonly read: number;
  readonly quarantined: number;
  /** Lines of people who were forgotten, good and refused ones. */
  readonly filtered: number;
  readonly written: number;
  readonly reasons: Readonly<Record<string, number>>;
}

export interface LandingTarget {
  /** Folder from which quarantine names the files. */
  readonly landing: string;
  /** Folder that takes the table's Parquet. */
  readonly table: string;
  /** File that takes the refused lines; written only where there are any. */
  readonly quarantine: string;
  /** Folder for temporary files. */
  readonly scratch: string;
  /** Who was forgotten. Default: nobody. */
  readonly forgotten?: Suppression;
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
  const source = new SourceReader(table);
  const forgotten = to.forgotten && !to.forgotten.isEmpty && saysWhose(table) ? to.forgotten : undefined;
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
  let careful: Careful;
  try {
    for (const batch of batchesOf(files)) {
      const plain = await plainFiles(source, batch);
      others.push(...batch.filter((file) => !plain.has(file)));
      await writing;
      if (plain.size > 0) writing = write([...plain.keys()], sum([...plain.values()]));
      // It is awaited above or below; until then its failure is nobody's.
      writing.catch(() => undefined);
    }
    careful = await readCarefully(source, others, to.landing, join(to.scratch, table.name), forgotten);
  } finally {
    await writing;
  }
  if (careful.count > 0 || part === 0) {
    await write(careful.count > 0 ? [careful.accepted] : [], careful.count);
  }
  const quarantined = sum(Object.values(careful.reasons));
  if (quarantined > 0) await writeQuarantine(db, careful.refused, to.quarantine);
  await rm(careful.accepted, { force: true });
  await rm(careful.refused, { force: true });
  const out = forgotten ? await takeOut(db, table, to.table, forgotten) : 0;
  return {
    read: rows + quarantined + careful.forgotten,
    quarantined,
    filtered: out + careful.forgotten,
    written: rows - out,
    reasons: careful.reasons,
  };
}

/** The files in groups of a size that is worth a Parquet file. */
function batchesOf(files: readonly string[]): string[][] {
  const batches: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const file of files) {
    // The first is small: DuckDB is idle until it comes.
    if (bytes >= (batches.length > 1 ? BATCH_BYTES : BATCH_BYTES / 8)) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(file);
    bytes += statSync(file).size;
  }
  return batches;
}

/** The files of which every line is plain, with their number of lines. */
async function plainFiles(
  source: SourceReader,
  files: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const plain = new Map<string, number>();
  for (const file of files) {
    const lines = await source.plainLines(file);
    if (lines !== undefined) plain.set(file, lines);
  }
  return plain;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);

/** A query's source: JSON lines as they are, with nothing guessed from what they or their folders look like. */
const readJson = (
  files: readonly string[],
  columns: Readonly<Record<string, string>>,
  maxObjectBytes: number,
): string => {
  const struct = Object.entries(columns).map(([name, type]) => `${quoteName(name)}: '${type}'`);
  const options = {
    format: "'newline_delimited'",
    compression: "'uncompressed'",
    // Else an empty object would be the value of an only column.
    records: "'true'",
    // Else below a folder named user=x every row would have that user.
    hive_partitioning: 'false',
    maximum_object_size: maxObjectBytes,
    columns: `{${struct.join(', ')}}`,
  };
  const named = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  return `read_json([${files.map((f) => quoteString(literalPath(f))).join(', ')}], ${named.join(', ')})`;
};

/** Writes JSON lines of the declared columns as Parquet, an empty table where there is no file. */
async function copy(db: DuckDBConnection, table: SourceTable, files: readonly string[], out: string) {
  const stored = Object.entries(table.columns).map(([name, { type }]) => [name, STORED[type]]);
  const from =
    files.length > 0
      ? readJson(files, Object.fromEntries(stored), 2 * MAX_LINE_BYTES)
      : `(SELECT ${nothing(table, (c) => STORED[c.type])} WHERE false)`;
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
  /** How many refused lines were of people who were forgotten, and are nowhere. */
  readonly forgotten: number;
}

/** Judges every line in bounded memory: what is accepted and what is refused goes to files at once. */
async function readCarefully(
  source: SourceReader,
  files: readonly string[],
  landing: string,
  scratch: string,
  list: Suppression | undefined,
): Promise<Careful> {
  await mkdir(scratch, { recursive: true });
  const accepted = join(scratch, 'accepted.json');
  const refused = join(scratch, 'refused.json');
  const reasons: Record<string, number> = {};
  let count = 0;
  let forgotten = 0;
  const good = await open(accepted, 'w');
  const bad = await open(refused, 'w');
  try {
    for (const file of files) {
      for await (const portion of source.read(file)) {
        count += portion.count;
        await good.appendFile(Buffer.concat(portion.accepted.map(bytesOf)));
        const refused = list ? portion.refused.filter(({ raw }) => !list.isTheirs(raw)) : portion.refused;
        forgotten += portion.refused.length - refused.length;
        for (const r of refused) reasons[r.reason] = (reasons[r.reason] ?? 0) + 1;
        const lines = refused.map((r) => `${JSON.stringify({ file: relative(landing, file), ...r })}\n`);
        await bad.appendFile(lines.join(''));
      }
    }
  } finally {
    await good.close();
    await bad.close();
  }
  return { accepted, count, refused, reasons, forgotten };
}

const bytesOf = (piece: Buffer | string) => (typeof piece === 'string' ? Buffer.from(piece) : piece);

const writeQuarantine = (db: DuckDBConnection, refused: string, to: string) =>
  copyQuarantine(db, `SELECT * FROM ${readJson([refused], QUARANTINE, MAX_REFUSED_BYTES)}`, to);

/** Writes refused lines as Parquet. */
export async function copyQuarantine(db: DuckDBConnection, query: string, to: string): Promise<void> {
  await mkdir(join(to, '..'), { recursive: true });
  // Raw texts may be long, and DuckDB holds a whole row group of them for each of its threads.
  const options = "FORMAT parquet, ROW_GROUP_SIZE_BYTES '1MB'";
  await db.run('SET threads = 1');
  try {
    await db.run(`COPY (${query}) TO ${quoteString(to)} (${options})`);
  } finally {
    await db.run('RESET threads');
  }
}
