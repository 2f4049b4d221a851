import { mkdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { BIGINT, type DuckDBConnection, LIST } from '@duckdb/node-api';
import { byRecord, type Reading, readingByRecord, readingOf, type SourceTable } from '../../model';
import { connectTo, countOf, literalPath, parquetFile, parquetIn, rowsOf } from '../database';
import { theirIds } from '../forgotten';
import { quoteName, quoteString } from '../sql';
import { type Look, lookAt, marksIn, type Piece, piecesOf, requireUnchanged, USUAL_BYTES } from './bytes';

/** How much is read by one statement, so that what it writes is worth a file. */
const BATCH_BYTES = 128 << 20;
/** Files that one statement judges the beginnings of. */
const HEADS = 500;
/** How much waits until it is looked at together: judging takes a hundred times its size. */
const WAITING_BYTES = 1 << 20;

const DAMAGED = 'its pages are damaged; upload it again';

/** What became of the records of a source. A file that is refused as a whole is none of them. */
export interface Landed {
  readonly read: number;
  readonly accepted: number;
  readonly refused: number;
  /** Refused records of people who were forgotten, which are nowhere. */
  readonly filtered: number;
  /** Bytes of text of all files that can be read. */
  readonly bytes: number;
  readonly refusedBytes: number;
  /** Refused records and files by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** The first that were refused, as `_first` of a `Reading` takes them, and all files whose refusal is fatal. */
  readonly first: readonly FirstRefused[];
}

/** What was read, and why a run fails that read it. */
export interface Judged extends Landed {
  readonly failure: string | null;
}

export interface FirstRefused {
  readonly file: string;
  readonly line: number | null;
  readonly record: number | null;
  readonly reason: string;
  readonly detail: string | null;
  readonly fatal: boolean;
}

/** Where rows go. */
interface Sink {
  /** Takes rows, and returns how many. */
  add(db: DuckDBConnection, sql: string, part: number): Promise<number>;
  /** Takes rows and makes them a view. */
  show(db: DuckDBConnection, view: string, sql: string, part: number): Promise<void>;
  /** Takes back a part. */
  drop(part: number): Promise<void>;
  /** Where refused records wait until all of a source are known; nowhere if they are only counted. */
  readonly kept?: string;
  /** Keeps refused records, as quarantine has them. */
  keep(db: DuckDBConnection, sql: string, part: number): Promise<void>;
}

/** Writes Parquet below a folder. */
class Folder implements Sink {
  readonly kept: string;

  constructor(private readonly dir: string) {
    this.kept = `${dir}.refused`;
  }

  private at = (part: number) => join(this.dir, `read-${part}.parquet`);

  async add(db: DuckDBConnection, sql: string, part: number) {
    await mkdir(this.dir, { recursive: true });
    return (await db.run(`COPY (${sql}) TO ${quoteString(this.at(part))} (FORMAT parquet)`)).rowsChanged;
  }

  async show(db: DuckDBConnection, view: string, sql: string, part: number) {
    await this.add(db, sql, part);
    await db.run(`CREATE OR REPLACE TEMP VIEW ${view} AS FROM ${parquetFile(this.at(part))}`);
  }

  /** Out of memory, as their texts may be long. */
  async keep(db: DuckDBConnection, sql: string, part: number) {
    await mkdir(this.kept, { recursive: true });
    const to = quoteString(join(this.kept, `${part}.parquet`));
    await db.run(`COPY (${sql}) TO ${to} (FORMAT parquet, ROW_GROUP_SIZE_BYTES '1MB')`);
  }

  drop = (part: number) => rm(this.at(part), { force: true });
}

/** Only counts. */
const COUNTER: Sink = {
  add: (db, sql) => countOf(db, sql),
  async show(db, view, sql) {
    // Not a table: it would hold the rows of a whole batch.
    await db.run(`CREATE OR REPLACE TEMP VIEW ${view} AS ${sql}`);
  },
  drop: async () => undefined,
  keep: async () => undefined,
};

const REST = 'SELECT _file, _n, _line, _broken';

interface Verdict {
  readonly file: string;
  readonly shape: 'objects' | 'lines' | 'rows' | null;
  /** The keys of its records, where it may be plain. */
  readonly columns: string | null;
  readonly further: boolean;
  readonly reason: string;
  readonly detail: string;
  readonly fatal: boolean;
}

/** How people who were forgotten are left out. */
export interface Forgotten {
  /** Makes a connection ready to ask who was forgotten. */
  ready(db: DuckDBConnection): Promise<void>;
  /** Takes their rows out of what was accepted, and returns how many they were. */
  takeOut(): Promise<number>;
}

/** A piece of a file, which stands there in the list. */
type Placed = readonly [file: number, piece: Piece];

/** Reads the files of one source by its contract, once. */
export class SourceReader {
  private readonly reading: Reading;
  private readonly refusals: string;
  private readonly values: string;
  private readonly looks: Look[] = [];
  private accepted = 0;
  private part = 0;
  private filtered = 0;
  private kept = 0;
  private forgotten: Forgotten | undefined;
  /** Bytes of refused lines beyond those that were judged. */
  private passedOver = 0;

  /** `landing` is the folder from which quarantine names the files. Without `dir` nothing is written. */
  constructor(
    private readonly db: DuckDBConnection,
    table: SourceTable,
    private readonly landing: string,
    private readonly sink: Sink = COUNTER,
  ) {
    this.reading = readingOf(table);
    this.refusals = quoteName(`_refused_${table.name}`);
    this.values = Object.keys(table.columns).map(quoteName).join(', ');
  }

  /** Writes what is accepted as Parquet below a folder. */
  static into(dir: string, db: DuckDBConnection, table: SourceTable, landing: string): SourceReader {
    return new SourceReader(db, table, landing, new Folder(dir));
  }

  /**
   * Reads the files, without records of people who were forgotten. Throws a LakeError for files that are changed
   * meanwhile.
   */
  async read(files: readonly string[], forgotten?: Forgotten): Promise<Landed> {
    try {
      return await this.readAll(files, forgotten);
    } catch (error) {
      // Of a file that is gone or cut off, that it was changed says more.
      requireUnchanged(this.looks);
      throw error;
    }
  }

  private async readAll(files: readonly string[], forgotten?: Forgotten): Promise<Landed> {
    this.forgotten = forgotten;
    await this.db.run(
      `CREATE OR REPLACE TABLE ${this.refusals} (file VARCHAR, line BIGINT, record BIGINT, reason VARCHAR,
        detail VARCHAR, bytes BIGINT, fatal BOOLEAN)`,
    );
    await forgotten?.ready(this.db);
    await readyTables(this.db, '_heads', '_others', '_rest');
    for (const file of files) this.looks.push(await lookOver(this.db, file, this.reading));
    const verdicts = await this.judgeHeads();
    const readable = this.looks.filter(({ path }) => verdicts.get(path)?.shape);
    const verdictOf = ({ path }: Look) => verdicts.get(path) as Verdict;
    const others: Look[] = [];
    const byColumns = new Map<string, Look[]>();
    for (const look of readable) {
      const { columns } = verdictOf(look);
      if (columns === null) others.push(look);
      else if (!byColumns.get(columns)?.push(look)) byColumns.set(columns, [look]);
    }
    for (const looks of byColumns.values()) {
      for (const batch of batchesOf(looks)) {
        if (!(await this.readPlain(batch, verdictOf(batch[0] as Look)))) others.push(...batch);
      }
    }
    const lines = others.filter((look) => verdictOf(look).shape !== 'objects');
    const objects = others.filter((look) => verdictOf(look).shape === 'objects');
    // Of files of Parquet, each has types of its own.
    const batches = this.reading.format === 'parquet' ? objects.map((look) => [look]) : batchesOf(objects);
    for (const batch of batches) {
      const unread = await this.readObjects(batch);
      if (this.reading.format !== 'parquet') lines.push(...unread);
      else for (const { path } of unread) await this.refuse(path, 'UNREADABLE_FILE', DAMAGED, true);
    }
    await this.readLines(lines, (look) => verdictOf(look).columns);
    requireUnchanged(this.looks);
    const theirs = (await forgotten?.takeOut()) ?? 0;
    this.accepted -= theirs;
    this.filtered += theirs;
    return this.account(readable);
  }

  /** A query for the refused records and files, as quarantine has them. */
  get refused(): string {
    const whole = `SELECT ${this.reading.shownFile} AS file, line, record, reason, detail, '' AS raw FROM ${this.refusals}
      WHERE line IS NULL AND record IS NULL`;
    const { kept } = this.sink;
    return this.kept === 0 || !kept ? whole : `${whole} UNION ALL SELECT * FROM ${parquetIn(kept)}`;
  }

  private async add(db: DuckDBConnection, from: string) {
    const part = this.part++;
    const added = await this.sink.add(db, `SELECT ${this.values} FROM (${from})`, part);
    if (added === 0) await this.sink.drop(part);
    // Not in one step: it would take the sum of before for what it is by now.
    this.accepted += added;
  }

  private nameOf = (path: string) => relative(this.landing, path);

  private async judgeHeads(): Promise<ReadonlyMap<string, Verdict>> {
    const verdicts = new Map<string, Verdict>();
    for (let i = 0; i < this.looks.length; i += HEADS) {
      for (const verdict of await verdictsOf(this.db, this.reading, this.looks.slice(i, i + HEADS)))
        verdicts.set(verdict.file, verdict);
    }
    for (const { file, shape, reason, detail, fatal } of verdicts.values()) {
      if (!shape) await this.refuse(file, reason, detail, fatal);
    }
    return verdicts;
  }

  private async refuse(path: string, reason: string, detail: string, fatal: boolean) {
    await this.db.run(`INSERT INTO ${this.refusals} VALUES ($1, NULL, NULL, $2, $3, 0, $4)`, [
      this.nameOf(path),
      reason,
      detail,
      fatal,
    ]);
  }

  /** Reads files if all of them are plain. */
  private async readPlain(looks: readonly Look[], { columns, further }: Verdict): Promise<boolean> {
    const { countedMark, otherMarks } = this.reading;
    const { rows, check } = further ? this.reading.further : this.reading.plain;
    const givenUp = new AbortController();
    const counting = marksIn(looks, countedMark, otherMarks, givenUp.signal);
    // Awaited below, where it is told.
    counting.catch(() => undefined);
    const part = this.part++;
    await this.db.run('SET VARIABLE _columns = $1', [columns]);
    const found = await this.attempt(part, async () => {
      await nameFiles(this.db, looks);
      await this.sink.show(this.db, '_plain', rows, part);
      return (await rowsOf<{ rows: number; marks: number | null }>(this.db, check))[0];
    });
    if (!found) givenUp.abort();
    const marks = await counting;
    if (marks === undefined || found?.marks !== marks) {
      await this.sink.drop(part);
      return false;
    }
    this.accepted += found.rows;
    return true;
  }

  /** Reads files that may be of any shape, and returns those of which lines have to be looked at. */
  private async readObjects(looks: readonly Look[]): Promise<readonly Look[]> {
    const part = this.part++;
    const odd = await this.attempt(part, async () => {
      await nameFiles(this.db, looks);
      await this.sink.show(this.db, '_objects', this.reading.objects, part);
      await this.db.run(
        'CREATE OR REPLACE TEMP TABLE _unnumbered AS SELECT _line AS line FROM _objects WHERE NOT _good',
      );
      return countOf(this.db, 'FROM _unnumbered');
    });
    const [only] = looks;
    const areWhole = looks.length === 1 && only !== undefined && only.bytes > this.reading.pieceBytes;
    if (odd === undefined || (odd > 0 && !areWhole)) {
      await this.sink.drop(part);
      return this.apart(looks);
    }
    await this.add(this.db, 'FROM _objects WHERE _good');
    await this.sink.drop(part);
    if (odd > 0) {
      await this.db.run('SET preserve_insertion_order = true');
      await this.db.run(`INSERT INTO _rest ${this.reading.numbered}`);
      await this.db.run('SET preserve_insertion_order = false');
      await this.judge(this.db, 'record', looks);
    }
    return [];
  }

  /** Of several files, large ones are tried alone: their lines may be too long to be looked at. */
  private async apart(looks: readonly Look[]): Promise<readonly Look[]> {
    const large = looks.length > 1 ? looks.filter(({ bytes }) => bytes > this.reading.pieceBytes) : [];
    const lines = looks.filter((look) => !large.includes(look));
    for (const look of large) lines.push(...(await this.readObjects([look])));
    return lines;
  }

  /** What DuckDB's own reader gives, or nothing where it gives up on one of the files. */
  private async attempt<T>(part: number, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      // What the disk says, or a fault of the SQL, is no fault of the files. A damaged page of Parquet is an Invalid Error.
      if (!/^(?:Invalid Input|IO|Invalid) Error/.test((error as Error).message)) throw error;
      await this.sink.drop(part);
      return undefined;
    }
  }

  private async readLines(looks: readonly Look[], columnsOf: (look: Look) => string | null) {
    if (looks.length === 0) return;
    const groups = this.groups(looks);
    const work = async (db: DuckDBConnection) => {
      await readyHeaders(db, looks.map(columnsOf));
      for (let next = await groups.next(); !next.done; next = await groups.next()) {
        await this.readPieces(db, next.value, looks);
      }
      await this.readOthers(db);
      await this.judge(db, 'line', looks);
    };
    const other = await connectTo(this.db);
    try {
      await readyTables(other, '_others', '_rest');
      await this.forgotten?.ready(other);
      // Each of the two has a thread of its own; DuckDB's own threads would only stand in their way.
      await this.db.run('SET threads = 1');
      const ended = await Promise.allSettled([work(this.db), work(other)]);
      for (const one of ended) if (one.status === 'rejected') throw one.reason;
    } finally {
      await this.db.run('RESET threads');
      other.closeSync();
    }
  }

  /** Pieces of files, as many together as one statement reads. */
  private async *groups(looks: readonly Look[]): AsyncGenerator<readonly Placed[]> {
    let group: Placed[] = [];
    let bytes = 0;
    for (const [file, look] of looks.entries()) {
      for await (const piece of piecesOf(look, this.reading)) {
        if (bytes + piece.bytes > USUAL_BYTES && bytes > 0) {
          yield group;
          group = [];
          bytes = 0;
        }
        group.push([file, piece]);
        bytes += piece.bytes;
      }
    }
    if (group.length > 0) yield group;
  }

  /** Reads pieces; what is not good waits in `_others` until there is as much of it as is read at once. */
  private async readPieces(db: DuckDBConnection, pieces: readonly Placed[], looks: readonly Look[]) {
    this.passedOver += await append(db, pieces);
    await splitLines(db, this.reading);
    await this.add(db, 'FROM _lines WHERE _good');
    if ((await bytesIn(db, '_others', '_line')) <= WAITING_BYTES) return;
    await this.readOthers(db);
    if ((await bytesIn(db, '_rest', 'line')) > WAITING_BYTES) await this.judge(db, 'line', looks);
  }

  /** Reads what is in `_others`; what of it is not good goes to `_rest`. */
  private async readOthers(db: DuckDBConnection) {
    await readCarefully(db, this.reading);
    await this.add(db, 'FROM _read WHERE _good');
    await readyTables(db, '_others');
  }

  /** Judges what is in `_rest`. */
  private async judge(db: DuckDBConnection, by: 'line' | 'record', looks: readonly Look[]) {
    if ((await countOf(db, 'FROM _rest')) === 0) return;
    await db.run(`SET VARIABLE _by = '${by}'`);
    await db.run(`CREATE OR REPLACE TEMP TABLE _judged AS ${this.reading.judge}`);
    await this.add(db, 'FROM _judged WHERE _reason IS NULL');
    await db.run(
      `SET VARIABLE _names = [${looks.map(({ path }) => quoteString(this.nameOf(path))).join(', ')}]`,
    );
    if (this.forgotten) {
      const raws = 'SELECT rowid AS id, _raw AS raw FROM _judged WHERE _reason IS NOT NULL';
      const theirs = await theirIds(db, raws, this.reading.forgotten.refused);
      this.filtered += theirs.length;
      if (theirs.length > 0) await db.run(`DELETE FROM _judged WHERE rowid IN (${theirs.join(', ')})`);
    }
    const refused = `SELECT ${this.reading.shownFile} AS file, _line AS line, _record AS record,
      _reason AS reason, _detail AS detail`;
    const from = `FROM (SELECT *, getvariable('_names')[_file + 1] AS file FROM _judged) WHERE _reason IS NOT NULL`;
    const { rowsChanged } = await db.run(`INSERT INTO ${this.refusals} ${refused}, _bytes, false ${from}`);
    if (rowsChanged > 0) await this.sink.keep(db, `${refused}, _raw AS raw ${from}`, this.kept++);
    await readyTables(db, '_rest');
  }

  private async account(readable: readonly Look[]): Promise<Landed> {
    const found = await rowsOf<{ reason: string; n: number; records: number; bytes: number }>(
      this.db,
      `SELECT reason, count(*) AS n, count(*) FILTER (line IS NOT NULL OR record IS NOT NULL) AS records,
        sum(bytes)::BIGINT AS bytes FROM ${this.refusals} GROUP BY reason ORDER BY reason`,
    );
    const refused = found.reduce((total, { records }) => total + records, 0);
    const { firstCount, firstOrder } = this.reading;
    const first = await rowsOf<FirstRefused>(
      this.db,
      `SELECT file, line, record, reason, detail, fatal FROM ${this.refusals}
        QUALIFY fatal OR row_number() OVER (ORDER BY ${firstOrder}) <= ${firstCount}`,
    );
    return {
      read: this.accepted + refused + this.filtered,
      accepted: this.accepted,
      refused,
      filtered: this.filtered,
      bytes: readable.reduce((total, look) => total + look.bytes, 0),
      refusedBytes: found.reduce((total, { bytes }) => total + bytes, this.passedOver),
      reasons: Object.fromEntries(found.map(({ reason, n }) => [reason, n])),
      first,
    };
  }
}

/** Why a run fails that read a source, by what came of all of its files. See `Reading.verdict`. */
export async function verdictOn(
  db: DuckDBConnection,
  { verdict }: Reading,
  { accepted, refused, bytes, refusedBytes, first }: Landed,
): Promise<string | null> {
  const fatal = first.filter((one) => one.fatal).length;
  if (refused + fatal === 0) return null;
  await db.run(
    `CREATE OR REPLACE TEMP TABLE _counts AS SELECT ${accepted + refused} AS read, ${refused} AS refused, ${bytes} AS bytes,
      ${refusedBytes} AS refused_bytes, ${fatal} AS fatal`,
  );
  await db.run(
    `CREATE OR REPLACE TEMP TABLE _first AS SELECT unnest(json_transform(${quoteString(JSON.stringify(first))},
      '[{"file":"VARCHAR","line":"BIGINT","record":"BIGINT","reason":"VARCHAR","detail":"VARCHAR","fatal":"BOOLEAN"}]'), recursive := true)`,
  );
  const [found] = await rowsOf<{ failure: string | null }>(db, verdict);
  return found?.failure ?? null;
}

/** Sets the variable `_files`. */
export async function nameFiles(db: DuckDBConnection, looks: readonly Pick<Look, 'path'>[]): Promise<void> {
  const paths = looks.map(({ path }) => quoteString(literalPath(path)));
  await db.run(`SET VARIABLE _files = [${paths.join(', ')}]::VARCHAR[]`);
}

/** Looks a file over, as `heads` takes it. */
export async function lookOver(db: DuckDBConnection, path: string, reading: Reading): Promise<Look> {
  const look = await lookAt(path, reading.headBytes);
  if (reading.described === undefined) return look;
  try {
    await nameFiles(db, [look]);
    const [described] = await rowsOf<{ head: string }>(db, reading.described);
    return { ...look, head: described?.head ?? '' };
  } catch {
    return { ...look, head: '' };
  }
}

export async function verdictsOf(
  db: DuckDBConnection,
  reading: Reading,
  looks: readonly Look[],
): Promise<readonly Verdict[]> {
  await readyTables(db, '_heads');
  const rows = await db.createAppender('_heads');
  for (const look of looks) {
    rows.appendVarchar(look.path);
    rows.appendVarchar(look.magic);
    rows.appendVarchar(look.head);
    for (const flag of [look.whole, look.named, look.unpacked]) rows.appendBoolean(flag);
    if (look.damage === null) rows.appendNull();
    else rows.appendVarchar(look.damage);
    rows.endRow();
  }
  rows.closeSync();
  return rowsOf<Verdict>(db, reading.heads);
}

/** Makes `_headers` of the columns that `heads` gave, of files by their places. */
async function readyHeaders(db: DuckDBConnection, columns: readonly (string | null)[]): Promise<void> {
  await readyTables(db, '_headers');
  const rows = await db.createAppender('_headers');
  for (const [file, text] of columns.entries()) {
    if (text === null) continue;
    rows.appendInteger(file);
    rows.appendVarchar(text);
    rows.endRow();
  }
  rows.closeSync();
}

/**
 * Makes `_piece` of pieces. A line that is too long goes to `_others` by its beginning; returns of how many bytes nothing
 * does.
 */
async function append(db: DuckDBConnection, pieces: readonly Placed[]): Promise<number> {
  await readyTables(db, '_piece');
  let passedOver = 0;
  const rows = await db.createAppender('_piece');
  for (const [file, { text, first, broken, bytes, isCut }] of pieces) {
    if (isCut) {
      // Where a line begins with so many blanks, what stands behind them is no record, and not nothing.
      const line = text.toString().trim() === '' ? '{' : text.toString();
      await db.run('INSERT INTO _others VALUES ($1, $2, $3, false)', [file, BigInt(first + 1), line]);
      passedOver += bytes - text.length;
      continue;
    }
    rows.appendInteger(file);
    rows.appendBlob(text);
    rows.appendBigInt(BigInt(first));
    rows.appendList(broken.map(BigInt), LIST(BIGINT));
    rows.endRow();
  }
  rows.closeSync();
  return passedOver;
}

async function bytesIn(db: DuckDBConnection, table: string, column: string): Promise<number> {
  const sum = `SELECT COALESCE(sum(strlen(${column})), 0)::BIGINT AS bytes FROM ${table}`;
  const [row] = await rowsOf<{ bytes: number }>(db, sum);
  return (row as { bytes: number }).bytes;
}

/** Makes `_lines` of the lines of `_piece`; what of them is not good is added to `_others`. */
async function splitLines(db: DuckDBConnection, { lines }: Reading): Promise<void> {
  await db.run(`CREATE OR REPLACE TEMP TABLE _lines AS ${lines}`);
  await db.run(`INSERT INTO _others ${REST} FROM _lines WHERE NOT _good`);
}

/** Makes `_read` of `_others`; what of it is not good is added to `_rest`. */
async function readCarefully(db: DuckDBConnection, { careful }: Reading): Promise<void> {
  await db.run(`CREATE OR REPLACE TEMP TABLE _read AS ${careful}`);
  await db.run(`INSERT INTO _rest ${REST} FROM _read WHERE NOT _good`);
}

/** A record where it stands in a file. */
export interface PlacedRecord {
  readonly first: number;
  readonly last: number;
  /** Whether no other record stands on its lines. */
  readonly isAlone: boolean;
  readonly isGood: boolean;
  /** What stands there, where it is not the whole of one line. */
  readonly text: string | null;
  /** Whether it is of somebody who was forgotten. */
  readonly theirs: boolean;
}

/** The records of a file, with whose they are: the database is to be ready to ask who was forgotten. */
export async function* recordsIn(
  db: DuckDBConnection,
  table: SourceTable,
  look: Look,
): AsyncGenerator<PlacedRecord> {
  const reading = readingOf(table);
  await readyTables(db, '_others', '_rest');
  const [verdict] = await verdictsOf(db, reading, [look]);
  await readyHeaders(db, [verdict?.columns ?? null]);
  if (reading.format !== 'json' && !verdict?.shape) return;
  for await (const piece of piecesOf(look, reading)) yield* await recordsOf(db, table, piece, true);
}

/**
 * Makes `_gone (n)` of the rows in a file of Parquet that are of people who were forgotten; `false` where it cannot be read.
 * The database is to be ready to ask who was.
 */
export async function theirRows(db: DuckDBConnection, path: string, reading: Reading): Promise<boolean> {
  const look = await lookOver(db, path, reading);
  const [verdict] = await verdictsOf(db, reading, [look]);
  if (verdict?.shape !== 'objects') return false;
  const { rows, refused } = reading.forgotten;
  await readyTables(db, '_rest');
  await db.run(`SET VARIABLE _by = 'record'`);
  await db.run(`INSERT INTO _rest ${reading.numbered}`);
  await db.run(`CREATE OR REPLACE TEMP TABLE _judged AS ${reading.judge}`);
  await db.run(`CREATE OR REPLACE TEMP TABLE _known AS
    SELECT * EXCLUDE (_file, _broken, _line, _good) FROM (${reading.objects}) WHERE _good
    UNION ALL BY NAME SELECT * EXCLUDE (_file, _reason, _detail, _line, _record, _last, _raw, _text, _bytes), _record AS _n
      FROM _judged WHERE _reason IS NULL`);
  await db.run('CREATE OR REPLACE TEMP VIEW _landed AS FROM _known');
  await db.run(`CREATE OR REPLACE TEMP TABLE _gone AS SELECT _n AS n FROM _landed t WHERE ${rows}`);
  const texts = 'SELECT _record AS id, _text AS raw FROM _judged WHERE _reason IS NOT NULL';
  for (const id of await theirIds(db, texts, refused)) await db.run(`INSERT INTO _gone VALUES (${id})`);
  return true;
}

/** The records of lines, good and refused ones, in their order. */
export async function recordsOf(
  db: DuckDBConnection,
  source: SourceTable,
  piece: Piece,
  areForgotten = false,
): Promise<PlacedRecord[]> {
  const table = byRecord(source);
  const reading = readingByRecord(source);
  const { rows, refused } = reading.forgotten;
  const names = Object.keys(table.columns).map(quoteName);
  await db.run(`SET VARIABLE _by = 'line'`);
  await readyTables(db, '_others', '_rest');
  await append(db, [[0, piece]]);
  await splitLines(db, reading);
  await readCarefully(db, reading);
  await db.run(`CREATE OR REPLACE TEMP TABLE _judged AS ${reading.judge}`);
  await db.run(
    `CREATE OR REPLACE TEMP VIEW _landed AS
    SELECT ${['_n, _last, NULL AS _record, NULL AS _text', ...names].join(', ')}
      FROM (FROM _lines UNION ALL BY NAME FROM _read) WHERE _good
    UNION ALL SELECT ${['_line, _last, _record, _text', ...names].join(', ')} FROM _judged WHERE _reason IS NULL`,
  );
  const raws = 'SELECT rowid AS id, _text AS raw FROM _judged WHERE _reason IS NOT NULL';
  const theirs = areForgotten ? await theirIds(db, raws, refused) : [];
  return rowsOf<PlacedRecord>(
    db,
    `SELECT _n AS first, _last AS last, _record IS NULL AS isAlone, isGood, _text AS text, theirs FROM (
      SELECT _n, _last, _record, _text, true AS isGood, ${areForgotten ? rows : 'false'} AS theirs FROM _landed t
      UNION ALL SELECT _line, _last, _record, _text, false, list_contains([${theirs.join(', ')}]::BIGINT[], rowid)
        FROM _judged WHERE _reason IS NOT NULL
    ) ORDER BY first, _record`,
  );
}

const TABLES = {
  _heads:
    'file VARCHAR, magic VARCHAR, head VARCHAR, whole BOOLEAN, named BOOLEAN, unpacked BOOLEAN, damage VARCHAR',
  _headers: 'file INTEGER, columns VARCHAR',
  _piece: 'file INTEGER, text BLOB, first BIGINT, broken BIGINT[]',
  _others: '_file INTEGER, _n BIGINT, _line VARCHAR, _broken BOOLEAN',
  _rest: 'file INTEGER, n BIGINT, line VARCHAR, broken BOOLEAN',
};

/** Makes tables that a `Reading` reads from, empty. Made anew, since rows that are deleted keep their memory. */
export async function readyTables(
  db: DuckDBConnection,
  ...tables: readonly (keyof typeof TABLES)[]
): Promise<void> {
  for (const table of tables) await db.run(`CREATE OR REPLACE TEMP TABLE ${table} (${TABLES[table]})`);
}

/** Files in groups that are read together: of no more than so many bytes, but for one that is larger alone. */
export function batchesOf<T extends { readonly bytes: number }>(files: readonly T[]): T[][] {
  const batches: T[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const file of files) {
    if (bytes + file.bytes > BATCH_BYTES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(file);
    bytes += file.bytes;
  }
  return batches;
}
