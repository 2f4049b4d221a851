import { link, mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { DuckDBConnection } from '@duckdb/node-api';
import {
  type Increment,
  type Job,
  keySql,
  type RowKey,
  soughtBy,
  type Table,
  type Through,
  throughOf,
  unmatchedOf,
} from '../../model';
import { countOf, footersIn, makeTemporary, parquetFiles, parquetIn, rowsOf } from '../database';
import type { Days } from '../engine';
import { quoteName, quoteString } from '../sql';
import { list, type Pointer, type Store } from '../store';
import {
  type Before,
  type Change,
  changesOf,
  comeOf,
  goneOf,
  type Rows,
  reading,
  type Said,
  saidNow,
  semi,
} from './difference';
import { listKeys, rowsWith } from './keys';
import { FILE_ROWS, hiddenQuery, partName, readyOutput, writeTable } from './output';
import { readyKey } from './pseudonyms';
import { openTable, seenAs } from './tables';

/** Beyond this share of its rows a table is made whole: that reads each input once, and writes each row once. */
const MOST_SHARE = 0.3;
/** So many rows cost nothing either way. */
const FEW_ROWS = 10_000;
const isMost = (rows: number, all: number) => rows > Math.max(FEW_ROWS, MOST_SHARE * all);

/** Notes what is other of the rows of `was` and `is`, both as jobs see them. */
async function note(db: DuckDBConnection, table: string, was: string, is: string): Promise<Change> {
  const moved = quoteName(`_moved_${table}`);
  // Each row once, and how often it is there more than it was: EXCEPT ALL, twice, takes four times as long.
  await db.run(`CREATE OR REPLACE TEMP TABLE ${moved} AS
    SELECT * EXCLUDE (_n), SUM(_n)::BIGINT AS _n
    FROM (SELECT *, 1 AS _n FROM (${is}\n) UNION ALL SELECT *, -1 FROM (${was}\n)) GROUP BY ALL HAVING _n <> 0`);
  const rows = (n: string) => `SELECT m.* EXCLUDE (_n) FROM ${moved} m, range(${n}) WHERE ${n} > 0`;
  await db.run(`CREATE OR REPLACE TEMP VIEW ${goneOf(table)} AS ${rows('-m._n')}`);
  await db.run(`CREATE OR REPLACE TEMP VIEW ${comeOf(table)} AS ${rows('m._n')}`);
  await noteBoth(db, table, `SELECT m.* EXCLUDE (_n) FROM ${moved} m, range(abs(m._n))`);
  const [n] = await rowsOf<{ gone: number; come: number }>(
    db,
    `SELECT COALESCE(sum(greatest(-_n, 0)), 0)::BIGINT AS gone, COALESCE(sum(greatest(_n, 0)), 0)::BIGINT AS come FROM ${moved}`,
  );
  return changed(n?.gone as number, n?.come as number);
}

const noteBoth = (db: DuckDBConnection, table: string, rows: string) =>
  db.run(`CREATE OR REPLACE TEMP VIEW ${changesOf(table)} AS ${rows}`);

const changed = (gone: number, come: number): Change =>
  gone + come === 0 ? { is: 'same' } : { is: 'some', gone, come };

/** Notes what of a source is other where these files of its rows are no more, and these have come. */
export async function noteFiles(
  db: DuckDBConnection,
  table: Table,
  gone: readonly string[],
  come: readonly string[],
): Promise<Change> {
  const seen = (files: readonly string[]) => `SELECT ${seenAs(table)} FROM ${parquetFiles(files)}`;
  if (gone.length + come.length === 0) return { is: 'same' };
  const { name } = table;
  if (gone.length > 0)
    return note(db, name, seen(gone), come.length > 0 ? seen(come) : `${seen(gone)} LIMIT 0`);
  await db.run(`CREATE OR REPLACE TEMP VIEW ${comeOf(name)} AS ${seen(come)}`);
  await noteBoth(db, name, `FROM ${comeOf(name)}`);
  return changed(0, await countOf(db, `FROM ${comeOf(name)}`));
}

/** A table that a job would make again in part. */
export interface PartRequest {
  readonly job: Job;
  /** The job's SQL with its values. */
  readonly sql: string;
  /** Those that hold with these values. */
  readonly increments: readonly Increment[];
  /** Days that are touched in any case; the increments are by day then. */
  readonly days?: Days | undefined;
  /** Of each input. */
  readonly changes: ReadonlyMap<string, Change>;
  /** Where the rows of each table that the job reads are. */
  readonly dirs: ReadonlyMap<string, string>;
  /** How many rows a table has. */
  readonly rows: (table: string) => number;
  /** Where those of its inputs were when the run began. */
  readonly dirsBefore: ReadonlyMap<string, string>;
  readonly before: { readonly dir: string; readonly rows: number; readonly runTime?: string | undefined };
  readonly runTime: string;
  /** How many driving rows gave no row, where that was counted. */
  readonly unmatched: number | undefined;
  /** What checks said when the table was made last. */
  readonly said: readonly Before[];
  /** By what its rows are looked for. */
  readonly sought: readonly RowKey[];
  /** New folder for the table. */
  readonly dir: string;
  /** Lets SQL read a table by its name again. */
  readonly open: (table: string) => Promise<void>;
  readonly key: () => Promise<Buffer>;
}

/** What became of it. */
export interface Part {
  readonly change: Change;
  /** Column of the output, and how many of its values were made again. */
  readonly key: string;
  readonly touched: number;
  /** Of the whole table. */
  readonly rows: number;
  readonly unmatched?: number;
  /** Of checks that the rows of a value decide: by that of what was made again. */
  readonly said: ReadonlyMap<string, Said>;
}

/**
 * Makes the part of a table again that changes of its inputs touch, beside the files of its other rows; nothing where no
 * increment of the job says what that is, or it is most of the table. What is the same has no new folder.
 */
export async function makePart(db: DuckDBConnection, request: PartRequest): Promise<Part | undefined> {
  const { job, increments, before } = request;
  for (const increment of increments) {
    const touched = await touch(db, request, increment);
    if (touched === undefined) continue;
    if (touched === 0) return untouched(db, request, increment);
    const hides = job.output.columns[increment.key]?.type === 'pseudonym';
    if (hides) await readyKey(db, await request.key());
    const stored = hides ? '_stored' : '_touched';
    if (hides) await makeTemporary(db, stored, 'SELECT _pseudonym(key) AS key FROM _touched');
    const named = ", filename='_file'";
    // Days are made again where files are not what was written, and so not what their lists say.
    const was = request.days
      ? parquetIn(before.dir, named)
      : await rowsWith(db, before.dir, increment.key, `FROM ${stored}`, named);
    const had = await makeTemporary(
      db,
      '_was',
      `SELECT t.* FROM ${was} t ${semi(stored, { key: keySql('t', increment.key) })}`,
    );
    if (isMost(had, before.rows)) continue;
    const part = await makeTouched(db, request, increment, touched, had > 0);
    if (part) return part;
  }
  return undefined;
}

/** Finds the values of the key that are touched, as `_touched`, and returns how many; nothing where that cannot be told. */
async function touch(
  db: DuckDBConnection,
  request: PartRequest,
  { key, by, due = {} }: Increment,
): Promise<number | undefined> {
  const { changes, before, runTime, days } = request;
  const found: string[] = [];
  if (days) {
    const { from, to } = days;
    const tables = Object.entries(by).map(([name, how]) => keysOf(name, throughOf(how)));
    const all = [`SELECT b.${key} AS key FROM ${parquetIn(before.dir)} b`, ...tables].join(' UNION ALL ');
    found.push(
      `SELECT key FROM (${all}) WHERE CAST(key AS DATE) >= DATE ${quoteString(from)} AND CAST(key AS DATE) < DATE ${quoteString(to)}`,
    );
  }
  for (const [name, touching] of Object.entries(by)) {
    const how = throughOf(touching);
    const change = changes.get(name);
    const sees = change?.is === 'same' ? undefined : how.sees;
    if (sees !== undefined)
      found.push(await keysOfFew(db, request, await noteSeen(db, request, name, sees), how));
    else if (change?.is === 'other') return undefined;
    else if (change?.is === 'some') found.push(await keysOfFew(db, request, changesOf(name), how));
    const instant = due[name];
    if (instant === undefined) continue;
    if (before.runTime === undefined) return undefined;
    found.push(keysOf(dueRows(name, instant, [before.runTime, runTime]), how));
  }
  if (found.length === 0) found.push("SELECT '' AS key WHERE false");
  return makeTemporary(db, '_touched', `SELECT DISTINCT key FROM (${found.join(' UNION ALL ')})`);
}

/** What rows stand for. `others`: the rows that they stand for it through. Default: all of that table. */
const keysOf = (rows: string, { of, on = {}, key }: Through, others = of) => {
  const same = Object.fromEntries(Object.entries(on).map(([from, to]) => [from, `o.${to}`]));
  return of === undefined
    ? `SELECT ${keySql('t', key)} AS key FROM ${rows} t`
    : `SELECT ${keySql('o', key)} AS key FROM ${others} o ${semi(rows, same)}`;
};

/** The same, of few rows: files without any of the others are not opened. */
async function keysOfFew(
  db: DuckDBConnection,
  { job, dirs }: PartRequest,
  rows: string,
  how: Through,
): Promise<string> {
  const other = job.inputs.find(({ name }) => name === how.of);
  const [[from, to] = []] = Object.entries(how.on ?? {});
  if (!other || to === undefined) return keysOf(rows, how);
  const files = await rowsWith(db, dirs.get(other.name) as string, to, `SELECT ${from} AS key FROM ${rows}`);
  return keysOf(rows, how, `(SELECT ${seenAs(other)} FROM ${files})`);
}

/** Notes what a query over an input gave and gives no more, or gives now and did not. Returns the table of it. */
async function noteSeen(
  db: DuckDBConnection,
  { job, dirsBefore, open }: PartRequest,
  name: string,
  sees: string,
): Promise<string> {
  const input = job.inputs.find((one) => one.name === name) as Table;
  await openTable(db, input, dirsBefore.get(name) as string);
  await db.run(`CREATE OR REPLACE TEMP TABLE _seen_before AS ${sees}`);
  await open(name);
  const seen = `_seen_${name}`;
  await note(db, seen, 'FROM _seen_before', sees);
  return changesOf(seen);
}

/** The rows whose instant is between two as SQL has them: a job may ask for what is before its time, or at it too. */
function dueRows(rows: string, instant: string, between: readonly [string, string]): string {
  const [from, to] = [...between].sort().map((time) => `CAST(${quoteString(time)} AS TIMESTAMP)`);
  return `(SELECT * FROM ${rows} d WHERE d.${instant} >= ${from} AND d.${instant} <= ${to})`;
}

/** How many values come due between two runs, by a lake's tables as they are; nothing where that cannot be told. */
export async function dueIn(
  db: DuckDBConnection,
  store: Store,
  { tables }: Pointer,
  { by, due = {} }: Increment,
  { inputs }: Job,
  [before, now]: readonly [string | undefined, string | undefined],
): Promise<number | undefined> {
  if (before === undefined || now === undefined) return undefined;
  for (const input of inputs) {
    const version = tables[input.name];
    if (!version) return undefined;
    await openTable(db, input, store.publishedDir(input.name, version));
  }
  const keys = Object.entries(due).map(([name, instant]) =>
    keysOf(dueRows(name, instant, [before, now]), throughOf(by[name] as RowKey | Through)),
  );
  return keys.length === 0 ? 0 : countOf(db, `SELECT DISTINCT key FROM (${keys.join(' UNION ALL ')})`);
}

const partOf = (input: string, when: 'was' | 'now') => quoteName(`_${when}_${input}`);

/** What of some inputs stands for touched values; nothing where now that is most of them. */
async function narrow(
  db: DuckDBConnection,
  { job, dirs, dirsBefore, rows }: PartRequest,
  { by }: Increment,
  when: 'was' | 'now',
  isAsked: (name: string) => boolean = () => true,
): Promise<Rows | undefined> {
  const parts = new Map<string, { readonly key: RowKey; readonly share: number }>();
  const dir = (name: string) => (when === 'now' ? dirs : dirsBefore).get(name) as string;
  const standing = async (name: string, key: RowKey) =>
    isDeepStrictEqual(parts.get(name)?.key, key)
      ? `FROM ${partOf(name, when)}`
      : standingFor(db, job.inputs.find((one) => one.name === name) as Table, dir(name), key);
  const note = async (table: Table, how: Through) =>
    // Once, and not each time that the job's SQL names it.
    makeTemporary(db, partOf(table.name, when), await rowsThrough(db, table, dir(table.name), how, standing));
  const named = job.inputs.flatMap((table) => {
    const how = by[table.name];
    return how !== undefined && isAsked(table.name) ? [{ table, how: throughOf(how) }] : [];
  });
  for (const { table, how } of named.filter(({ how: { of } }) => of === undefined)) {
    const share = (await note(table, how)) / Math.max(1, rows(table.name));
    parts.set(table.name, { key: how.key, share });
  }
  // Of others about as many stand for the values as of those that they are found through.
  const touched = named.map(
    ({ table, how }) => (parts.get(how.of ?? table.name)?.share ?? 1) * rows(table.name),
  );
  const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
  if (when === 'now' && isMost(sum(touched), sum(named.map(({ table }) => rows(table.name)))))
    return undefined;
  for (const { table, how } of named.filter(({ how: { of } }) => of !== undefined)) await note(table, how);
  return Object.fromEntries(named.map(({ table }) => [table.name, `FROM ${partOf(table.name, when)}`]));
}

/** The rows of a table that stand for touched values by themselves. */
const standingFor = async (db: DuckDBConnection, table: Table, dir: string, key: RowKey): Promise<string> =>
  `SELECT t.* FROM (SELECT ${seenAs(table)} FROM ${await rowsWith(db, dir, key, 'FROM _touched')}) t ${semi('_touched', { key: keySql('t', key) })}`;

/** Those that stand for them by themselves or through another, of which `standing` gives the rows that do. */
async function rowsThrough(
  db: DuckDBConnection,
  table: Table,
  dir: string,
  through: Through,
  standing: (name: string, key: RowKey) => Promise<string>,
): Promise<string> {
  const { of, on = {}, key } = through;
  if (of === undefined) return standing(table.name, key);
  const pairs = Object.entries(on);
  const those = `(SELECT DISTINCT ${pairs.map(([, to]) => `o.${to}`).join(', ')} FROM (${await standing(of, key)}) o)`;
  const [by] = soughtBy(through);
  const rows =
    by === undefined
      ? parquetIn(dir)
      : await rowsWith(db, dir, by, `SELECT ${pairs[0]?.[1]} AS key FROM ${those}`);
  const same = Object.fromEntries(pairs.map(([from, to]) => [to, `t.${from}`]));
  return `SELECT t.* FROM (SELECT ${seenAs(table)} FROM ${rows}) t ${semi(those, same)}`;
}

/** Where no row is made again. */
async function untouched(db: DuckDBConnection, request: PartRequest, increment: Increment): Promise<Part> {
  const { job, before, changes, unmatched } = request;
  const said = await saidNow(db, decidedByKey(request, increment));
  const isSame = changes.get((job.inputs[0] as Table).name)?.is === 'same';
  const counted = isSame && unmatched !== undefined && job.drivenBy ? { unmatched } : {};
  return { change: { is: 'same' }, key: increment.key, touched: 0, rows: before.rows, said, ...counted };
}

async function makeTouched(
  db: DuckDBConnection,
  request: PartRequest,
  increment: Increment,
  touched: number,
  had: boolean,
): Promise<Part | undefined> {
  const { job, before, sql } = request;
  const { output, inputs } = job;
  const names = Object.keys(output.columns);
  const columns = names.map(quoteName).join(', ');
  const select = (rows: string) => `SELECT ${columns} FROM ${rows}`;
  let unmatched: number | undefined;
  let [said, made]: readonly [ReadonlyMap<string, Said>, number] = [new Map(), 0];
  try {
    const parts = await narrow(db, request, increment, 'now');
    if (!parts) return undefined;
    await readyOutput(db, job, request.key, parts);
    const touchedRows = `SELECT q.* FROM (${sql}\n) q ${semi('_touched', { key: `q.${increment.key}` })}`;
    made = await makeTemporary(db, '_now', hiddenQuery(output, names, `(${reading(parts, touchedRows)})`));
    const now = { ...parts, [output.name]: 'FROM _now' };
    const checks = decidedByKey(request, increment);
    const isCounted = isCountedByKey(request, increment);
    const compared = [
      ...checks.filter(({ before }) => before.failed > 0).flatMap(({ expectation }) => expectation.reads),
      ...(isCounted ? [(inputs[0] as Table).name] : []),
    ];
    const wasOf = await narrow(db, request, increment, 'was', (name) => compared.includes(name));
    const was = { ...wasOf, [output.name]: select('_was') };
    said = await saidNow(
      db,
      checks.map((check) => ({ ...check, was, now })),
    );
    if (isCounted) {
      const [is, before] = [await unmatchedIn(db, job, now), await unmatchedIn(db, job, was)];
      unmatched = (request.unmatched as number) + (is as number) - (before as number);
    }
  } finally {
    const parts = inputs.flatMap(({ name }) => [partOf(name, 'was'), partOf(name, 'now')]);
    await db.run(parts.map((part) => `DROP TABLE IF EXISTS ${part}`).join('; '));
  }
  const change = had ? await note(db, output.name, select('_was'), select('_now')) : changed(0, made);
  const told = { key: increment.key, touched, said, ...(unmatched !== undefined && { unmatched }) };
  if (change.is !== 'some') return { ...told, change, rows: before.rows };
  if (!had) {
    await db.run(`ALTER TABLE _now RENAME TO ${comeOf(output.name)}`);
    await noteBoth(db, output.name, `FROM ${comeOf(output.name)}`);
  }
  await writeParts(db, request, change.gone > 0 ? increment.key : undefined, columns);
  return { ...told, change, rows: before.rows - change.gone + change.come };
}

/**
 * Links the files of rows that stay, and writes those anew that hold rows which do not, with small ones and what is new.
 * `key`: the column by which rows do not stay: all that share its value with one that is gone. Nothing where none is gone.
 */
async function writeParts(
  db: DuckDBConnection,
  { job, before, dir, sought }: PartRequest,
  key: string | undefined,
  columns: string,
): Promise<void> {
  const { name } = job.output;
  const keyed = (kind: 'SEMI' | 'ANTI') =>
    key === undefined
      ? ''
      : semi(
          `(SELECT DISTINCT ${quoteName(key)} AS key FROM ${goneOf(name)})`,
          { key: `t.${quoteName(key)}` },
          kind,
        );
  const fresh = [
    `SELECT ${columns} FROM ${comeOf(name)} t ${keyed('ANTI')}`,
    ...(key === undefined ? [] : [`SELECT ${columns} FROM _now t ${keyed('SEMI')}`]),
  ].join(' UNION ALL ');
  const files = await rowsOf<{ file: string; rows: number }>(db, `${footersIn(before.dir)} ORDER BY rows`);
  const touched =
    key === undefined
      ? []
      : await rowsOf<{ file: string }>(db, `SELECT DISTINCT _file AS file FROM _was t ${keyed('SEMI')}`);
  const again = new Set(touched.map(({ file }) => file));
  let rows = (await countOf(db, fresh)) + files.reduce((n, f) => n + (again.has(f.file) ? f.rows : 0), 0);
  // As long as small files are taken along, a table has few, and a row is written again but a few times.
  for (const { file, rows: own } of files.filter((f) => !again.has(f.file))) {
    if (own > rows || own >= FILE_ROWS) break;
    again.add(file);
    rows += own;
  }
  await mkdir(dir, { recursive: true });
  const stay = files.filter((f) => !again.has(f.file)).map(({ file }) => file);
  const names = await list(before.dir);
  // With the lists of its values.
  for (const file of stay)
    for (const name of names.filter((one) => one.startsWith(basename(file))))
      await link(join(before.dir, name), join(dir, name));
  const taken = new Set(stay.map((file) => basename(file)));
  const queries = [
    fresh,
    ...(again.size > 0 ? [`SELECT ${columns} FROM ${parquetFiles([...again])} t ${keyed('ANTI')}`] : []),
  ];
  const made = `${dir}.made`;
  await writeTable(db, made, queries.join(' UNION ALL '));
  const come: string[] = [];
  for (const [n, name] of (await list(made)).entries()) {
    let free = n;
    while (taken.has(partName(free))) free++;
    taken.add(partName(free));
    come.push(join(dir, partName(free)));
    await rename(join(made, name), join(dir, partName(free)));
  }
  await rm(made, { recursive: true });
  await listKeys(db, job.output, sought, come);
}

/** The checks that are decided by the rows which stand for a value, the output's and the inputs'. */
const decidedByKey = ({ said, changes }: PartRequest, { key, by }: Increment) =>
  said.filter(
    ({ expectation: { per, reads } }) =>
      per !== 'row' &&
      per?.includes(key) &&
      reads.every((name) => {
        const how = by[name];
        return changes.get(name)?.is === 'same' || (how !== undefined && throughOf(how).sees === undefined);
      }),
  );

/** Whether driving rows that give no row are counted by the values that they stand for. */
function isCountedByKey({ job, dirsBefore, unmatched }: PartRequest, { by, key }: Increment): boolean {
  const driving = job.inputs[0] as Table;
  const how = by[driving.name];
  if (!unmatchedOf(job) || unmatched === undefined || !dirsBefore.has(driving.name) || how === undefined)
    return false;
  const { of, sees, key: stands } = throughOf(how);
  // Else a row may be matched by one of another value.
  const isOfKey = typeof stands === 'string' && job.drivenBy?.[stands] === key;
  return of === undefined && sees === undefined && isOfKey;
}

/** How many rows that drive a job no row of its output comes from. `rows`: what stands for tables. Default: they themselves. */
export async function unmatchedIn(
  db: DuckDBConnection,
  job: Job,
  rows: Rows = {},
): Promise<number | undefined> {
  const sql = unmatchedOf(job);
  if (!sql) return undefined;
  const driving = hiddenQuery(job.output, Object.values(job.drivenBy ?? {}), `(${sql.keys})`);
  const [row] = await rowsOf<{ unmatched: number }>(db, reading({ ...rows, _driving: driving }, sql.count));
  return row?.unmatched;
}
