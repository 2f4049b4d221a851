import { existsSync } from 'node:fs';
import { link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { readingOf, type SourceTable } from '../../model';
import { isReadable, literalPath, numberedRows, parquetFile, parquetFiles, rowsOf } from '../database';
import { readyList, readyRows, takeOut, theirIds } from '../forgotten';
import {
  type Batch,
  batchesIn,
  type Delivery,
  groupsOf,
  isOf,
  keepBatches,
  lostRows,
  statesOf,
  sumOf,
} from '../landing/batches';
import { type Judged, type Landed, SourceReader, verdictOn } from '../landing/reader';
import { quoteString } from '../sql';
import { list, type Pointer, type Store, type Version } from '../store';
import type { Suppression } from '../suppression';
import { nothing, storedType } from '../types';
import { writeTable } from './output';

export interface LandingTarget {
  /** Folder from which quarantine names the files. */
  readonly landing: string;
  /** Folder that takes the table's Parquet. */
  readonly table: string;
  /** File that takes the refused records; written only where there are any. */
  readonly quarantine: string;
  /** Who was forgotten. Default: nobody. */
  readonly forgotten?: Suppression;
}

/** Ends the name of a batch's refused records: no Parquet of the table. */
const REFUSED = '.refused';

/**
 * Reads the files of a delivery by contract into Parquet, without what is of people who were forgotten, beside the
 * batches that are kept. See {@link SourceReader}.
 */
export async function land(
  db: DuckDBConnection,
  table: SourceTable,
  { before, kept, files, ...rules }: Pick<Delivery, 'how' | 'fits' | 'before' | 'kept' | 'files'>,
  to: LandingTarget,
): Promise<Judged> {
  await mkdir(to.table, { recursive: true });
  const linked = before === undefined ? [] : (await list(before)).filter((name) => isOf(kept, name));
  for (const name of linked) await link(join(before as string, name), join(to.table, name));
  const batches = [...kept];
  let next = Math.max(-1, ...kept.map(({ id }) => Number(id.slice(1)))) + 1;
  for (const group of groupsOf(files)) batches.push(await landBatch(db, table, `b${next++}`, group, to));
  await keepBatches(to.table, rules, batches);
  const all = await settleBatches(db, table, batches, to);
  return { ...all, failure: await verdictOn(db, readingOf(table), all) };
}

/** Writes of a source what is said of all of its batches, whose files stand in its folder. */
async function settleBatches(
  db: DuckDBConnection,
  table: SourceTable,
  batches: readonly Batch[],
  to: Pick<LandingTarget, 'table' | 'quarantine'>,
): Promise<Landed> {
  const names = await list(to.table);
  // A table has a file, also where it has no row.
  if (!names.some((name) => name.endsWith('.parquet'))) await writeTable(db, to.table, emptyOf(table));
  const refused = names.filter((name) => name.endsWith(REFUSED));
  if (refused.length > 0) {
    const queries = refused.map((name) => `FROM ${parquetFile(join(to.table, name))}`);
    await copyQuarantine(db, queries.join(' UNION ALL '), to.quarantine);
  }
  return sumOf(batches);
}

/** All of a source whose folder does not say what was read together, as of an older lake. */
const ALL: Batch = { id: 'b0', files: {}, landed: sumOf([]) };

/**
 * Writes what the lake has of a source without what is of people who were forgotten: batch by batch, as only so it stays
 * known which rows are of files that are gone. What is there of its files is read again by the next run. Returns what is
 * left, and how many of the refused records went.
 */
export async function landWithout(
  db: DuckDBConnection,
  table: SourceTable,
  from: Pick<LandingTarget, 'table' | 'quarantine'>,
  to: Pick<LandingTarget, 'table' | 'quarantine'>,
): Promise<Landed & { readonly gone: number }> {
  const was = await batchesIn(from.table, table);
  const names = await list(from.table);
  await mkdir(to.table, { recursive: true });
  const batches: Batch[] = [];
  let gone = 0;
  for (const { id, files, landed } of was?.batches ?? [ALL]) {
    const own = names
      .filter((name) => !was || name.startsWith(`${id}-`))
      .map((name) => join(from.table, name));
    const rows = own.filter((path) => path.endsWith('.parquet'));
    let accepted = 0;
    if (rows.length > 0) {
      await readyRows(db, table, parquetFiles(rows));
      const others = `SELECT * FROM _landed t WHERE NOT (${readingOf(table).forgotten.rows})`;
      accepted = await writeTable(db, `${to.table}.batch`, others);
      await takeIn(`${to.table}.batch`, id, to.table);
    }
    const refused = was ? own.find((path) => path.endsWith(REFUSED)) : from.quarantine;
    const { theirs, bytes, ...said } =
      refused !== undefined && existsSync(refused)
        ? await refusedWithout(db, table, refused, join(to.table, `${id}-0${REFUSED}`))
        : { theirs: 0, bytes: 0 };
    gone += theirs;
    const left = {
      accepted,
      refused: landed.refused - theirs,
      filtered: landed.filtered + landed.accepted - accepted + theirs,
      refusedBytes: landed.refusedBytes - bytes,
    };
    batches.push({ id, files, landed: { ...landed, ...left, ...said } });
  }
  if (was)
    await keepBatches(to.table, { how: '', ...(was.fits !== undefined && { fits: was.fits }) }, batches);
  return { ...(await settleBatches(db, table, batches, to)), gone };
}

/** Writes refused records without those of people who were forgotten, unless none is left. Returns what to say of them. */
async function refusedWithout(db: DuckDBConnection, table: SourceTable, from: string, to: string) {
  const { forgotten, firstOrder, firstCount } = readingOf(table);
  await db.run(`CREATE OR REPLACE TEMP VIEW _before AS ${numberedRows(from)}`);
  const ids = await theirIds(db, 'SELECT id, raw FROM _before', forgotten.refused);
  const isTheirs = `list_contains([${ids.join(', ')}]::BIGINT[], id)`;
  const kept = `SELECT * EXCLUDE (id) FROM _before WHERE NOT ${isTheirs}`;
  const reasons = await rowsOf<{ reason: string; n: number }>(
    db,
    `SELECT reason, count(*) AS n FROM (${kept}) GROUP BY reason ORDER BY reason`,
  );
  if (reasons.length > 0) await copyQuarantine(db, kept, to);
  const [gone] = await rowsOf<{ bytes: number }>(
    db,
    `SELECT COALESCE(sum(strlen(raw)), 0)::BIGINT AS bytes FROM _before WHERE ${isTheirs}`,
  );
  const first = await rowsOf<Landed['first'][number]>(
    db,
    `SELECT file, line, record, reason, detail, false AS fatal FROM (${kept}) ORDER BY ${firstOrder} LIMIT ${firstCount}`,
  );
  return {
    theirs: ids.length,
    bytes: gone?.bytes ?? 0,
    reasons: Object.fromEntries(reasons.map(({ reason, n }) => [reason, n])),
    first,
  };
}

/** A published version of a table; nothing where there is none, or its files are damaged. */
export async function readableVersion(
  db: DuckDBConnection,
  store: Store,
  { tables }: Pointer,
  name: string,
): Promise<Version | undefined> {
  const version = tables[name];
  const isThere = version && (await isReadable(db, store.publishedDir(name, version), version.rows));
  return isThere ? version : undefined;
}

/** The folder of a source's published rows, where its batches can be kept: their refused records have to be there too. */
export async function keptRows(
  db: DuckDBConnection,
  store: Store,
  pointer: Pointer,
  { name, onMissing }: SourceTable,
): Promise<string | undefined> {
  const version = await readableVersion(db, store, pointer, name);
  const lost = () => {
    const published = pointer.tables[name];
    if (published && onMissing === 'keep')
      throw lostRows(name, `files in ${store.publishedDir(name, published)} are missing or damaged`);
    return undefined;
  };
  if (!version) return lost();
  const dir = store.publishedDir(name, version);
  const refused = (await list(dir)).filter((file) => file.endsWith(REFUSED));
  const footers = refused.map(
    (file) => `FROM parquet_file_metadata(${quoteString(literalPath(join(dir, file)))})`,
  );
  if (footers.length === 0) return dir;
  return db.run(footers.join(' UNION ALL ')).then(() => dir, lost);
}

const emptyOf = (table: SourceTable) => `SELECT ${nothing(table, storedType)} WHERE false`;

async function landBatch(
  db: DuckDBConnection,
  table: SourceTable,
  id: string,
  files: readonly string[],
  to: LandingTarget,
): Promise<Batch> {
  const dir = `${to.table}.batch`;
  const forgotten = to.forgotten && !to.forgotten.isEmpty ? to.forgotten : undefined;
  const reader = SourceReader.into(dir, db, table, to.landing);
  await mkdir(dir, { recursive: true });
  // Of no file nothing could be taken out.
  if (forgotten) await writeTable(db, dir, emptyOf(table));
  const states = await statesOf(files, to.landing);
  const landed = await reader.read(
    files,
    forgotten && {
      ready: (connection) => readyList(connection, forgotten),
      takeOut: () => takeOut(db, table, dir),
    },
  );
  if (Object.keys(landed.reasons).length > 0) {
    await copyQuarantine(db, reader.refused, join(to.table, `${id}-0${REFUSED}`));
  }
  await rm(`${dir}.refused`, { recursive: true, force: true });
  await takeIn(dir, id, to.table);
  return { id, files: states, landed };
}

/** Moves the files of a batch from a folder of its own beside those of the others. */
async function takeIn(dir: string, id: string, table: string) {
  for (const name of await readdir(dir)) await rename(join(dir, name), join(table, `${id}-${name}`));
  await rm(dir, { recursive: true });
}

/** Writes refused records as Parquet. */
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
