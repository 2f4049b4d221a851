import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { openDatabase, parquetIn, rowsOf } from '../../engines/database';
import { type Judged, SourceReader, verdictOn } from '../../engines/landing/reader';
import { quoteName } from '../../engines/sql';
import { readingOf, type SourceTable } from '../../model';

export type Row = Readonly<Record<string, string | number | boolean | null>>;
export type Files = Readonly<Record<string, string | Buffer>>;

/** A row of quarantine. */
export interface Refusal {
  readonly file: string;
  readonly line: number | null;
  readonly record: number | null;
  readonly reason: string;
  readonly detail: string;
  readonly raw: string;
}

export interface Outcome {
  readonly landed: Judged;
  readonly rows: readonly Row[];
  readonly refused: readonly Refusal[];
}

/** A database and a folder for tests that read landing files. Call it at the top of a file of tests. */
export function readingTests() {
  let dir: string;
  let db: DuckDBConnection;
  let count = 0;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'reading-'));
    db = await openDatabase(join(dir, 'spill'));
  });
  afterAll(async () => {
    db.closeSync();
    await rm(dir, { recursive: true });
  });

  /** Writes files into a folder of their own. */
  async function write(files: Files): Promise<string> {
    const root = join(dir, String(count++));
    await mkdir(root);
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), content);
    }
    return root;
  }

  /** Writes files, reads them by contract, and checks that every record is accounted for. */
  async function read(table: SourceTable, files: Files): Promise<Outcome> {
    const root = await write(files);
    const to = join(dir, `${count++}.out`);
    const reader = SourceReader.into(to, db, table, root);
    const paths = Object.keys(files).map((name) => join(root, name));
    const found = await reader.read(paths);
    const landed = { ...found, failure: await verdictOn(db, readingOf(table), found) };
    const refused = await rowsOf<Refusal>(db, `FROM (${reader.refused}) ORDER BY file, line, record`);
    const rows = landed.accepted > 0 ? await rowsIn(db, table, to) : [];
    expect(rows).toHaveLength(landed.accepted);
    expect(refused.filter(({ line, record }) => line !== null || record !== null)).toHaveLength(
      landed.refused,
    );
    expect(landed.read).toBe(landed.accepted + landed.refused);
    for (const path of [root, to]) await rm(path, { recursive: true, force: true });
    return { landed, rows, refused };
  }

  return { read, write, dir: () => dir, db: () => db };
}

/** The rows of a table's Parquet. Text comes in hex: the client of DuckDB leaves out a byte-order mark. */
export async function rowsIn(db: DuckDBConnection, table: SourceTable, folder: string): Promise<Row[]> {
  const columns = Object.entries(table.columns);
  const isText = ([, { type }]: (typeof columns)[number]) => /^(?:text|isoDate|isoInstant|json)$/.test(type);
  const select = columns.map((c) => {
    const name = quoteName(c[0]);
    return isText(c) ? `hex(${name}) AS ${name}` : name;
  });
  const texts = columns.filter(isText).map(([name]) => name);
  const decoded = (hex: unknown) => (hex === null ? null : Buffer.from(hex as string, 'hex').toString());
  const rows = await rowsOf<Row>(db, `SELECT ${select.join(', ')} FROM ${parquetIn(folder)}`);
  return rows.map((row) => ({
    ...row,
    ...Object.fromEntries(texts.map((name) => [name, decoded(row[name])])),
  }));
}

/** Rows in an order of their own; -0 counts as 0. */
export const sorted = (rows: readonly unknown[]): string[] =>
  rows.map((row) => JSON.stringify(row)).toSorted();

/** How many files are in a folder and below it. */
export const filesBelow = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).flatMap((e) =>
    e.isFile() ? [e.name] : [],
  );
