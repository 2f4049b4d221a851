import { link, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import {
  type Check,
  type Column,
  type Expectation,
  hasPseudonyms,
  type Increment,
  type Job,
  keySql,
  type RowKey,
  refinedType,
  soughtBy,
  type Table,
  type Through,
  throughOf,
  unmatchedOf,
} from '../../model';
import { countOf, footersIn, parquetFiles, parquetIn, rowsOf } from '../database';
import type { Days } from '../engine';
import { quoteName, quoteString } from '../sql';
import { list, type Pointer, type Store } from '../store';
import { listKeys, rowsWith } from './keys';
import { hiddenQuery, partName, readyOutput } from './output';
import { readyKey } from './pseudonyms';
import { openRows, openTable, seenAs } from './tables';

/** What of a table is not as it was when a run began. */
export type Change =
  | { readonly is: 'same' }
  /** Other rows, as {@link changesOf} names them: so many are no more, and so many have come. */
  | { readonly is: 'some'; readonly gone: number; readonly come: number }
  /** Another table: which rows it shares with the one before is not known. */
  | { readonly is: 'other' };

/** The rows, as jobs see them, that a table had and has no more, and that it has now and had not. */
export const changesOf = (table: string): string => quoteName(`_changes_${table}`);

/** Beyond this share of its rows a table is made whole: that reads each input once, and writes each row once. */
const MOST_SHARE = 0.3;
/** So many rows cost nothing either way. */
const FEW_ROWS = 10_000;

/** Notes in a temporary table what is other of the rows of `was` and `is`, both as jobs see them. */
async function note(db: DuckDBConnection, as: string, was: string, is: string): Promise<Change> {
  const without = (some: string, others: string) => `(${some}\n) EXCEPT ALL (${others}\n)`;
  await db.run(`CREATE OR REPLACE TEMP TABLE _gone AS ${without(was, is)}`);
  await db.run(`CREATE OR REPLACE TEMP TABLE ${as} AS FROM _gone UNION ALL (${without(is, was)})`);
  const gone = await countOf(db, 'FROM _gone');
  return changed(gone, (await countOf(db, `FROM ${as}`)) - gone);
}

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
  const as = changesOf(table.name);
  if (gone.length > 0)
    return note(db, as, seen(gone), come.length > 0 ? seen(come) : `${seen(gone)} LIMIT 0`);
  await db.run(`CREATE OR REPLACE TEMP VIEW ${as} AS ${seen(come)}`);
  return changed(0, await countOf(db, `FROM ${as}`));
}

/** Does something while SQL reads of the table in which changed rows have their counterparts what may be such. */
export async function besideCounterparts<T>(
  db: DuckDBConnection,
  { name, columns }: Table,
  { counterparts }: Expectation,
  other: { readonly table: Table; readonly dir: string } | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const [[from, to] = [], ...more] = Object.entries(counterparts?.columns ?? {});
  if (!other || from === undefined || to === undefined || more.length > 0) return work();
  // SQL finds equal what is of other types, of which the texts are not.
  const typeOf = (column?: Column) => column && refinedType(column.type);
  if (typeOf(columns[from]) !== typeOf(other.table.columns[to])) return work();
  const values = `SELECT ${from} AS key FROM ${changesOf(name)}`;
  await openRows(db, other.table, await rowsWith(db, other.dir, to, values));
  try {
    return await work();
  } finally {
    await openTable(db, other.table, other.dir);
  }
}

/** Whether nothing but a table's own rows can fail it: those of others are all there still. */
export const isOfRows = ({ per, reads, counterparts }: Expectation, changes: ReadonlyMap<string, Change>) =>
  per === 'row' &&
  (reads.length === 0 || counterparts !== undefined) &&
  reads.every((name) => {
    const change = changes.get(name);
    return change?.is === 'same' || (change?.is === 'some' && change.gone === 0);
  });

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
  /** Where those of its inputs were when the run began. */
  readonly dirsBefore: ReadonlyMap<string, string>;
  readonly before: { readonly dir: string; readonly rows: number; readonly runTime?: string | undefined };
  readonly runTime: string;
  /** How many driving rows gave no row, where that was counted. */
  readonly unmatched: number | undefined;
  /** Those that passed when the table was made last. */
  readonly checks: readonly { readonly check: Check; readonly expectation: Expectation }[];
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
  /** Checks of which it is known that they pass, as nothing but what was made again could fail them. */
  readonly passed: ReadonlySet<string>;
}

/**
 * Makes the part of a table again that changes of its inputs touch, beside the files of its other rows; nothing where no
 * increment of the job says what that is, or it is most of the table. What is the same has no new folder.
 */
export async function makePart(db: DuckDBConnection, request: PartRequest): Promise<Part | undefined> {
  const { job, increments, before } = request;
  for (const increment of increments) {
    if (!(await touch(db, request, increment))) continue;
    const touched = await countOf(db, 'FROM _touched');
    if (touched === 0) return untouched(request, increment);
    if (hasPseudonyms(job.output)) await readyKey(db, await request.key());
    const hides = job.output.columns[increment.key]?.type === 'pseudonym';
    await db.run(
      `CREATE OR REPLACE TEMP TABLE _stored AS SELECT ${hides ? '_pseudonym(key)' : 'key'} AS key FROM _touched`,
    );
    const named = ", filename='_file'";
    // Days are made again where files are not what was written, and so not what their lists say.
    const was = request.days
      ? parquetIn(before.dir, named)
      : await rowsWith(db, before.dir, increment.key, 'FROM _stored', named);
    await db.run(
      `CREATE OR REPLACE TEMP TABLE _was AS SELECT t.* FROM ${was} t ${semi('_stored', { key: keySql('t', increment.key) })}`,
    );
    if ((await countOf(db, 'FROM _was')) > Math.max(FEW_ROWS, MOST_SHARE * before.rows)) continue;
    return makeTouched(db, request, increment, touched);
  }
  return undefined;
}

const semi = (table: string, on: Readonly<Record<string, string>>, kind: 'SEMI' | 'ANTI' = 'SEMI') =>
  `${kind} JOIN ${table} k ON ${Object.entries(on)
    .map(([column, value]) => `k.${column} IS NOT DISTINCT FROM ${value}`)
    .join(' AND ')}`;

/** Finds the values of the key that are touched, as `_touched`; false where that cannot be told. */
async function touch(
  db: DuckDBConnection,
  request: PartRequest,
  { key, by, due = {} }: Increment,
): Promise<boolean> {
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
    if (sees !== undefined) found.push(keysOf(await noteSeen(db, request, name, sees), how));
    else if (change?.is === 'other') return false;
    else if (change?.is === 'some') found.push(keysOf(changesOf(name), how));
    const instant = due[name];
    if (instant === undefined) continue;
    if (before.runTime === undefined) return false;
    found.push(keysOf(dueRows(name, instant, [before.runTime, runTime]), how));
  }
  if (found.length === 0) found.push("SELECT '' AS key WHERE false");
  await db.run(
    `CREATE OR REPLACE TEMP TABLE _touched AS SELECT DISTINCT key FROM (${found.join(' UNION ALL ')})`,
  );
  return true;
}

const keysOf = (rows: string, { of, on = {}, key }: Through) => {
  const same = Object.fromEntries(Object.entries(on).map(([from, to]) => [from, `o.${to}`]));
  return of === undefined
    ? `SELECT ${keySql('t', key)} AS key FROM ${rows} t`
    : `SELECT ${keySql('o', key)} AS key FROM ${of} o ${semi(rows, same)}`;
};

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
  const seen = quoteName(`_seen_${name}`);
  await note(db, seen, 'FROM _seen_before', sees);
  return seen;
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

const partOf = (input: string) => quoteName(`_part_${input}`);

/** Lets SQL read what of the inputs stands for touched values, as it is. */
async function narrow(db: DuckDBConnection, { job, dirs }: PartRequest, { by }: Increment): Promise<void> {
  const named = job.inputs.flatMap((input) => {
    const how = by[input.name];
    return how === undefined ? [] : [{ input, how: throughOf(how) }];
  });
  // All of them before any is read by its name: one may be found through another.
  for (const { input, how } of named) await narrowOne(db, input, dirs.get(input.name) as string, how);
  for (const { input } of named) await showPart(db, input);
}

const showPart = (db: DuckDBConnection, { name }: Table) =>
  db.run(`CREATE OR REPLACE TEMP VIEW ${quoteName(name)} AS FROM ${partOf(name)}`);

async function narrowOne(db: DuckDBConnection, input: Table, dir: string, through: Through): Promise<void> {
  const { of, on = {}, key } = through;
  const pairs = Object.entries(on);
  const those = `(SELECT DISTINCT ${pairs.map(([, to]) => `o.${to}`).join(', ')} FROM ${of} o ${semi('_touched', { key: keySql('o', key) })})`;
  const kept =
    of === undefined
      ? semi('_touched', { key: keySql('t', key) })
      : semi(those, Object.fromEntries(pairs.map(([from, to]) => [to, `t.${from}`])));
  const [by] = soughtBy(through);
  const values = of === undefined ? 'FROM _touched' : `SELECT ${pairs[0]?.[1]} AS key FROM ${those}`;
  const rows = by === undefined ? parquetIn(dir) : await rowsWith(db, dir, by, values);
  // Once, and not each time that the job's SQL names it.
  await db.run(
    `CREATE OR REPLACE TEMP TABLE ${partOf(input.name)} AS SELECT t.* FROM (SELECT ${seenAs(input)} FROM ${rows}) t ${kept}`,
  );
}

/** Where no row is made again. */
function untouched(request: PartRequest, increment: Increment): Part {
  const { job, before, changes, unmatched } = request;
  const passed = new Set(unaffected(request, increment).map(({ check }) => check.name));
  const isSame = changes.get((job.inputs[0] as Table).name)?.is === 'same';
  const counted = isSame && unmatched !== undefined && job.drivenBy ? { unmatched } : {};
  return { change: { is: 'same' }, key: increment.key, touched: 0, rows: before.rows, passed, ...counted };
}

async function makeTouched(
  db: DuckDBConnection,
  request: PartRequest,
  increment: Increment,
  touched: number,
): Promise<Part> {
  const { job, before, sql } = request;
  const { output, inputs } = job;
  const names = Object.keys(output.columns);
  const columns = names.map(quoteName).join(', ');
  const as = (rows: string) =>
    db.run(`CREATE OR REPLACE TEMP VIEW ${quoteName(output.name)} AS SELECT ${columns} FROM ${rows}`);
  let unmatched: number | undefined;
  let passed: ReadonlySet<string>;
  try {
    await narrow(db, request, increment);
    await readyOutput(db, job, request.key);
    const clear = `(SELECT q.* FROM (${sql}\n) q ${semi('_touched', { key: `q.${increment.key}` })})`;
    await db.run(`CREATE OR REPLACE TEMP TABLE _now AS ${hiddenQuery(output, names, clear)}`);
    await as('_now');
    passed = await passedChecks(db, request, increment);
    unmatched = await unmatchedNow(db, request, increment, as);
  } finally {
    for (const { name } of inputs) await request.open(name);
    for (const { name } of inputs) await db.run(`DROP TABLE IF EXISTS ${partOf(name)}`);
  }
  const select = (rows: string) => `SELECT ${columns} FROM ${rows}`;
  const had = (await countOf(db, 'FROM _was')) > 0;
  const change = had
    ? await note(db, changesOf(output.name), select('_was'), select('_now'))
    : changed(0, await countOf(db, 'FROM _now'));
  const told = { key: increment.key, touched, passed, ...(unmatched !== undefined && { unmatched }) };
  if (change.is !== 'some') return { ...told, change, rows: before.rows };
  await writeParts(db, request, had ? increment.key : undefined, columns);
  if (!had) await db.run(`ALTER TABLE _now RENAME TO ${changesOf(output.name)}`);
  return { ...told, change, rows: before.rows - change.gone + change.come };
}

/**
 * Links the files of rows that stay, and writes those anew that hold rows which do not, with small ones and what is new.
 * `key`: the column by which rows do not stay; nothing where the table had none of what was made.
 */
async function writeParts(
  db: DuckDBConnection,
  { job, before, dir, sought }: PartRequest,
  key: string | undefined,
  columns: string,
): Promise<void> {
  const byMoved = (kind: 'SEMI' | 'ANTI') =>
    key === undefined
      ? ''
      : semi(
          `(SELECT DISTINCT ${quoteName(key)} AS key FROM ${changesOf(job.output.name)})`,
          { key: `t.${quoteName(key)}` },
          kind,
        );
  const ofMoved = byMoved('SEMI');
  const files = await rowsOf<{ file: string; rows: number }>(db, `${footersIn(before.dir)} ORDER BY rows`);
  const touched = await rowsOf<{ file: string }>(db, `SELECT DISTINCT _file AS file FROM _was t ${ofMoved}`);
  const again = new Set(touched.map(({ file }) => file));
  let rows =
    (await countOf(db, `SELECT 1 FROM _now t ${ofMoved}`)) +
    files.reduce((n, f) => n + (again.has(f.file) ? f.rows : 0), 0);
  // As long as small files are taken along, a table has few, and a row is written again but a few times.
  for (const { file, rows: own } of files.filter((f) => !again.has(f.file))) {
    if (own > rows) break;
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
  let n = 0;
  while (taken.has(partName(n))) n++;
  const queries = [
    `SELECT ${columns} FROM _now t ${ofMoved}`,
    ...(again.size > 0 ? [`SELECT ${columns} FROM ${parquetFiles([...again])} t ${byMoved('ANTI')}`] : []),
  ];
  const file = join(dir, partName(n));
  await db.run(`COPY (${queries.join(' UNION ALL ')}) TO ${quoteString(file)} (FORMAT parquet)`);
  await listKeys(db, job.output, sought, [file]);
}

/** The checks that passed before, and could be failed by nothing but what is made again. */
const unaffected = ({ checks, changes }: PartRequest, { key, by }: Increment) =>
  checks.filter(
    ({ expectation }) =>
      isOfRows(expectation, changes) ||
      (expectation.per !== 'row' &&
        expectation.per?.includes(key) &&
        expectation.reads.every((name) => {
          const how = by[name];
          return changes.get(name)?.is === 'same' || (how !== undefined && throughOf(how).sees === undefined);
        })),
  );

/** Those of them that what was made again passes. */
async function passedChecks(
  db: DuckDBConnection,
  request: PartRequest,
  increment: Increment,
): Promise<ReadonlySet<string>> {
  const asked = unaffected(request, increment);
  if (asked.length === 0) return new Set();
  const counts = asked.map(({ check }) => check.count).join(' UNION ALL ');
  const found = await rowsOf<{ name: string; failed: number }>(db, counts).catch(() => []);
  return new Set(found.filter(({ failed }) => failed === 0).map(({ name }) => name));
}

/** How many driving rows give no row now: as before, but for those of touched values. */
async function unmatchedNow(
  db: DuckDBConnection,
  { job, dirsBefore, unmatched }: PartRequest,
  { by, key }: Increment,
  as: (rows: string) => Promise<unknown>,
): Promise<number | undefined> {
  const sql = unmatchedOf(job);
  const driving = job.inputs[0] as Table;
  const how = by[driving.name];
  const before = dirsBefore.get(driving.name);
  if (!sql || unmatched === undefined || before === undefined || how === undefined) return undefined;
  const { of, sees, key: stands } = throughOf(how);
  // Else a row may be matched by one of another value.
  const isOfKey = typeof stands === 'string' && job.drivenBy?.[stands] === key;
  if (of !== undefined || sees !== undefined || !isOfKey) return undefined;
  const now = await unmatchedOfViews(db, job);
  await narrowOne(db, driving, before, throughOf(how));
  await showPart(db, driving);
  await as('_was');
  return unmatched + (now as number) - ((await unmatchedOfViews(db, job)) as number);
}

/** How many rows that drive a job no row of its output comes from, by the views that there are. */
export async function unmatchedOfViews(db: DuckDBConnection, job: Job): Promise<number | undefined> {
  const sql = unmatchedOf(job);
  if (!sql) return undefined;
  const driving = hiddenQuery(job.output, Object.values(job.drivenBy ?? {}), `(${sql.keys})`);
  await db.run(`CREATE OR REPLACE TEMP VIEW _driving AS ${driving}`);
  const [row] = await rowsOf<{ unmatched: number }>(db, sql.count);
  return row?.unmatched;
}
