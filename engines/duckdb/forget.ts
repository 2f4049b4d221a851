import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import {
  forgottenOf,
  hintsOf,
  type Identifies,
  identifying,
  isAmong,
  listedValues,
  namesPerson,
  normalisedSql,
  type Pipeline,
  saysWhose,
  type Table,
  theirRows,
} from '../../model';
import {
  type ErasedPlace,
  type ErasurePart,
  type ErasureRequest,
  LakeError,
  type Receipt,
  type SharedDevices,
  UsageError,
} from '../engine';
import { landingFiles } from '../landing/files';
import { forgetLines } from '../landing/forget-lines';
import { newRunId } from '../run-id';
import { quoteName } from '../sql';
import { hashOf, readList, Suppression } from '../suppression';
import { codeVersion } from '../version';
import { countOf, openDatabase, parquetFile, parquetIn, rowsOf, tellError } from './database';
import { listedName, readyList, theirIds } from './forgotten';
import { copyQuarantine } from './landing';
import { writeTable } from './output';
import type { Store, Version } from './store';

/** Another engine's part of the same lake. It is asked while the lake is held, and adds what it finds to the list. */
export interface OtherPart {
  forget(pipeline: Pipeline, request: ErasureRequest): Promise<ErasurePart>;
}

/** A request to forget somebody in a lake in a folder. */
export interface ForgetRequest extends Omit<ErasureRequest, 'key'> {
  /** Of a lake that has one. */
  readonly other?: OtherPart;
}

/**
 * Forgets a person: enters them in the list first, and then removes everything that the list says to be theirs. Throws a
 * LakeError where there is no lake, it is in use or cannot be read; what was begun then is done by the next call.
 */
export async function forgetIn(store: Store, pipeline: Pipeline, request: ForgetRequest): Promise<Receipt> {
  if (!store.exists) {
    throw new LakeError(`there is no lake in ${store.root}; give --lake another folder`);
  }
  return store.hold(async () => {
    const { dryRun, subject } = request;
    const leftOver = dryRun ? 0 : await filesGone(store, () => store.sweep({ keepRefused: true }));
    const id = newRunId();
    const before = await store.suppression();
    const key = store.hasKey || !dryRun ? await store.pseudonymKey() : randomBytes(32);
    const listed = new Suppression(key, before.entries);
    return inDatabase(store, id, dryRun, async (db) => {
      const erasure = new Erasure(store, db, pipeline, id, dryRun);
      const { list, shared } = await erasure.find(listed, subject);
      const person = hashOf(key, 'person', subject);
      const found = await erasure.prepare(list, subject);
      if (!dryRun) {
        const since = new Date().toISOString();
        await store.beginForgetting(list, { person, since, pseudonyms: found.pseudonyms });
      }
      const other = await request.other?.forget(pipeline, { subject, dryRun, key });
      const whole = async () => new Suppression(key, await readList(store.suppressedFile));
      const own = await erasure.apply(
        other && !dryRun ? await erasure.prepare(await whole(), subject) : found,
      );
      if (!dryRun) await store.sweep({ keepRefused: true });
      const since = listed.since('person', subject);
      const receipt: Receipt = {
        id,
        at: new Date().toISOString(),
        codeVersion: codeVersion(),
        subject: person,
        dryRun,
        places: [...own.places, ...(other?.places ?? [])],
        sharedDevices: sumOf(shared, other?.sharedDevices),
        oldVersions: leftOver + own.oldVersions + (other?.oldVersions ?? 0),
        unread: [...own.unread, ...(other?.unread ?? [])],
        ...(since !== undefined && { listedSince: since }),
      };
      if (!dryRun) {
        await store.writeReceipt(id, receipt);
        await store.endForgetting(person);
      }
      return receipt;
    });
  });
}

/**
 * Does what forgets that were cut off have left to do, on a lake that is held. They stay begun: what only the address
 * tells, such as a line that breaks off within it, and what another engine has, is for the next forget of the same
 * person.
 */
export async function finishForgetting(store: Store, pipeline: Pipeline): Promise<void> {
  const begun = await store.forgettings();
  if (begun.every(({ pseudonyms }) => pseudonyms.length === 0)) return;
  const id = newRunId();
  const list = await store.suppression();
  await inDatabase(store, id, false, async (db) => {
    const erasure = new Erasure(store, db, pipeline, id, false);
    await erasure.apply(await erasure.prepare(list));
  });
  await store.sweep({ keepRefused: true });
  await store.writeForgettings(begun.map((one) => ({ ...one, pseudonyms: [] })));
}

async function inDatabase<T>(
  store: Store,
  id: string,
  dryRun: boolean,
  work: (db: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const scratch = dryRun ? await mkdtemp(join(tmpdir(), 'lake-')) : store.scratchDir(id);
  const db = await openDatabase(scratch);
  try {
    return await work(db);
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (error instanceof LakeError || error instanceof UsageError || (code && syscall)) throw error;
    throw new LakeError(`the lake cannot be looked through: ${tellError(error)}`);
  } finally {
    db.closeSync();
    await rm(scratch, { recursive: true, force: true });
  }
}

const sumOf = (a: SharedDevices, b: SharedDevices = { devices: 0, rows: 0 }): SharedDevices => ({
  // The parts of a lake know the same devices.
  devices: Math.max(a.devices, b.devices),
  rows: a.rows + b.rows,
});

async function filesGone(store: Store, work: () => Promise<void>): Promise<number> {
  const before = await store.versionFiles();
  await work();
  const after = new Set(await store.versionFiles());
  return before.filter((file) => !after.has(file)).length;
}

interface Published {
  readonly table: Table;
  readonly version: Version;
  /** Its Parquet, in SQL. */
  readonly from: string;
}

/** Values that point to a person, and those of them that others have too. */
interface Pointing {
  readonly own: readonly string[];
  readonly shared: readonly string[];
}

/** What is ready in the database to be applied; there is one of it at a time. */
interface Prepared {
  readonly published: readonly Published[];
  /** The condition that a row is theirs, by table. */
  readonly theirs: ReadonlyMap<string, string>;
  /** Of all their names and devices. */
  readonly pseudonyms: readonly string[];
}

/** One way through DuckDB's part of a lake that is held. */
class Erasure {
  private readonly places: ErasedPlace[] = [];
  private readonly unread: string[] = [];
  private oldVersions = 0;

  constructor(
    private readonly store: Store,
    private readonly db: DuckDBConnection,
    private readonly pipeline: Pipeline,
    private readonly id: string,
    private readonly dryRun: boolean,
  ) {}

  /** The list with the person, and with the devices and other values that point to nobody else. */
  async find(
    listed: Suppression,
    subject: string,
  ): Promise<{ readonly list: Suppression; readonly shared: SharedDevices }> {
    const since = new Date().toISOString();
    const known = listed.with({ person: [subject] }, since);
    await readyList(this.db, known);
    const published = await this.published();
    const devices = await this.pointing(published, (table) =>
      identifying(table, 'device').map(([name]) => name),
    );
    const hints = await this.pointing(published, hintsOf);
    // A device of somebody forgotten before may be shared since; its readings do not stay.
    const shared = devices.shared.filter((device) => !listed.has('device', device));
    return {
      list: known.with({ device: devices.own, hint: hints.own }, since),
      shared: { devices: shared.length, rows: await this.rowsOfDevices(published, shared) },
    };
  }

  /** Removes what the list says to be theirs; a dry run only counts it. */
  async apply({ published, theirs }: Prepared): Promise<ErasurePart> {
    const moved = new Map<string, Version>();
    for (const part of published) {
      const conditions = [
        theirs.get(part.table.name) as string,
        ...Object.entries(part.table.columns).flatMap(([name, { type }]) =>
          type === 'pseudonym' ? [isAmong(name, 'SELECT value FROM _their_pseudonyms')] : [],
        ),
      ];
      const version = await this.forgetTable(part, conditions.join(' OR '));
      if (version) moved.set(part.table.name, version);
    }
    const pointer = await this.store.pointer();
    for (const [name, version] of Object.entries(pointer.tables)) {
      // Of a table that is defined no longer, nobody knows which column says whose a row is.
      if (!this.pipeline.tables.has(name)) this.unread.push(this.store.publishedDir(name, version));
    }
    for (const { table, file } of await this.store.failedQuarantines(pointer)) {
      await this.forgetRefused(table, file);
    }
    if (moved.size > 0) {
      // All in one step: no reader sees some tables with the person and some without.
      await this.store.publish({ ...pointer, tables: { ...pointer.tables, ...Object.fromEntries(moved) } });
    }
    await this.forgetSample();
    const { places, unread, oldVersions } = this;
    const found = places.length > 0;
    return { places, unread, oldVersions, found, sharedDevices: { devices: 0, rows: 0 } };
  }

  /** Finds what tells in every table whose a row is, and what is known of those in the list. */
  async prepare(list: Suppression, subject?: string): Promise<Prepared> {
    await readyList(this.db, list);
    const published = await this.published();
    const theirs = new Map<string, string>();
    for (const { table, from } of published) theirs.set(table.name, await this.theirRows(table, from));
    return { published, theirs, pseudonyms: await this.know(published, subject) };
  }

  /** The condition that a row `t` of a table is theirs; the values that it asks for are kept. */
  private async theirRows(table: Table, from: string, only?: Identifies): Promise<string> {
    for (const [column, kind] of identifying(table, only)) {
      await this.db.run(
        `CREATE OR REPLACE TEMP TABLE ${listedName(table, column)} AS ${listedValues(from, column, kind)}`,
      );
    }
    return theirRows(table, (column) => `SELECT value FROM ${listedName(table, column)}`, only);
  }

  /** The tables that are there, those first that nothing is made from. */
  private async published(): Promise<Published[]> {
    const { tables } = await this.store.pointer();
    const order = [
      ...this.pipeline.jobs.map(({ output }) => output as Table).toReversed(),
      ...this.pipeline.sources,
    ];
    return order.flatMap((table) => {
      const version = tables[table.name];
      if (!version) return [];
      return [{ table, version, from: parquetIn(this.store.publishedDir(table.name, version)) }];
    });
  }

  /** What columns hold on rows of people in the list, told apart by whether rows of others have it too. */
  private async pointing(
    published: readonly Published[],
    columnsOf: (table: Table) => readonly string[],
  ): Promise<Pointing> {
    await this.db.run('CREATE OR REPLACE TEMP TABLE _mine (value VARCHAR)');
    await this.db.run('CREATE OR REPLACE TEMP TABLE _others (value VARCHAR)');
    const both: { column: string; from: string; theirs: string; persons: string }[] = [];
    for (const { table, from } of published) {
      if (identifying(table, 'person').length === 0) continue;
      const theirs = await this.theirRows(table, from, 'person');
      for (const column of columnsOf(table)) both.push({ column, from, theirs, persons: namesPerson(table) });
    }
    for (const { column, from, theirs } of both) {
      await this.db.run(
        `INSERT INTO _mine SELECT DISTINCT ${comparable(column)} FROM ${from} t
          WHERE (${theirs}) AND t.${quoteName(column)} IS NOT NULL`,
      );
    }
    for (const { column, from, theirs, persons } of both) {
      await this.db.run(
        `INSERT INTO _others SELECT DISTINCT ${comparable(column)} FROM ${from} t
          WHERE NOT (${theirs}) AND (${persons}) AND ${comparable(column)} IN (SELECT value FROM _mine)`,
      );
    }
    const values = async (where: string) =>
      (
        await rowsOf<{ value: string }>(
          this.db,
          `SELECT DISTINCT value FROM _mine WHERE value <> '' AND value ${where} (SELECT value FROM _others)`,
        )
      ).map(({ value }) => value);
    return { own: await values('NOT IN'), shared: await values('IN') };
  }

  /** How many rows there are of devices, of tables that do not say who had them. */
  private async rowsOfDevices(published: readonly Published[], devices: readonly string[]): Promise<number> {
    if (devices.length === 0) return 0;
    await this.db.run('CREATE OR REPLACE TEMP TABLE _shared (value VARCHAR)');
    for (const device of devices) await this.db.run('INSERT INTO _shared VALUES ($1)', [device]);
    let rows = 0;
    for (const { table, from } of published) {
      if (identifying(table, 'person').length > 0) continue;
      for (const [column] of identifying(table, 'device')) {
        rows += await countOf(
          this.db,
          `SELECT 1 FROM ${from} t WHERE ${comparable(column)} IN (SELECT value FROM _shared)`,
        );
      }
    }
    return rows;
  }

  /** Keeps what is known of those in the list as long as their rows are there; gives pseudonyms of all their spellings. */
  private async know(published: readonly Published[], subject?: string): Promise<string[]> {
    await this.db.run('CREATE OR REPLACE TEMP TABLE _spelled (value VARCHAR)');
    if (subject !== undefined) {
      await this.db.run('INSERT INTO _spelled VALUES ($1)', [subject]);
      await this.db.run('SET VARIABLE _subject = $1', [subject]);
    }
    for (const { table } of published) {
      for (const [column] of identifying(table)) {
        await this.db.run(`INSERT INTO _spelled SELECT value FROM ${listedName(table, column)}`);
      }
    }
    // Of an e-mail tables have the normal form, of a serial number what was written.
    const forms = `SELECT value FROM _spelled UNION SELECT ${normalisedSql('value')} FROM _spelled`;
    await this.db.run(`INSERT INTO _their_pseudonyms SELECT DISTINCT _pseudonym(value) FROM (${forms})`);
    // Of a forget that was cut off when the rows were gone that spell the values.
    const begun = (await this.store.forgettings()).flatMap(({ pseudonyms }) => pseudonyms);
    for (const one of begun) await this.db.run('INSERT INTO _their_pseudonyms VALUES ($1)', [one]);
    const rows = await rowsOf<{ value: string }>(this.db, 'SELECT DISTINCT value FROM _their_pseudonyms');
    return rows.map(({ value }) => value);
  }

  /** Writes a table and its quarantine without what is theirs; nothing where there is nothing. */
  private async forgetTable(
    { table, version, from }: Published,
    theirs: string,
  ): Promise<Version | undefined> {
    const { name } = table;
    const rows = await countOf(this.db, `SELECT 1 FROM ${from} t WHERE ${theirs}`);
    const quarantine = this.store.publishedQuarantine(name, version);
    const lines = existsSync(quarantine) ? await this.theirLines(table.name, quarantine) : [];
    this.removed(name, 'rows', rows);
    this.removed(name, 'quarantine', lines.length);
    const dir = this.store.publishedDir(name, version);
    if (rows > 0) this.oldVersions += (await filesBelow(dir)).length;
    if (lines.length > 0) this.oldVersions++;
    if (this.dryRun || rows + lines.length === 0) return undefined;
    const to = this.store.tableDir(this.id, name);
    if (rows === 0) await linkAll(dir, to);
    else await writeTable(this.db, to, `SELECT t.* FROM ${from} t WHERE NOT (${theirs})`);
    const rest = this.store.quarantineFile(this.id, name);
    if (lines.length > 0) await this.writeRest(quarantine, lines, rest);
    else if (existsSync(quarantine)) await linkFile(quarantine, rest);
    return { ...version, folder: this.id, rows: version.rows - rows };
  }

  /** A failed run's quarantine is no part of what is published, and is replaced where it stands. */
  private async forgetRefused(table: string, file: string): Promise<void> {
    const lines = await this.theirLines(table, file);
    if (lines.length === 0) return;
    this.removed(table, 'quarantine', lines.length);
    this.oldVersions++;
    if (this.dryRun) return;
    const next = `${file}.tmp`;
    await this.writeRest(file, lines, next);
    if (existsSync(next)) await rename(next, file);
    else await rm(file);
  }

  /** The numbers of the rows of a table's quarantine that are theirs. */
  private async theirLines(table: string, file: string): Promise<readonly number[]> {
    const source = this.pipeline.sources.find(({ name }) => name === table);
    try {
      return await theirIds(
        this.db,
        `SELECT file_row_number AS id, raw FROM ${numbered(file)}`,
        forgottenOf(source ?? { columns: {} }).refused,
      );
    } catch {
      this.unread.push(file);
      return [];
    }
  }

  /** Writes a quarantine without some of its rows; no file where none is left. */
  private async writeRest(file: string, without: readonly number[], to: string): Promise<void> {
    await this.db.run('CREATE OR REPLACE TEMP TABLE _lines (n BIGINT)');
    for (let i = 0; i < without.length; i += 1000) {
      await this.db.run(`INSERT INTO _lines VALUES (${without.slice(i, i + 1000).join('), (')})`);
    }
    const rest = `SELECT * EXCLUDE (file_row_number) FROM ${numbered(file)}
      WHERE file_row_number NOT IN (SELECT n FROM _lines)`;
    if ((await countOf(this.db, rest)) > 0) await copyQuarantine(this.db, rest, to);
  }

  private async forgetSample(): Promise<void> {
    for (const source of this.pipeline.sources.filter(saysWhose)) {
      let lines = 0;
      for (const file of await landingFiles(this.store.sampleDir(), source)) {
        const removed = await forgetLines(
          this.db,
          file,
          source,
          this.dryRun ? undefined : this.store.sampleTemporary(this.id),
        );
        if (removed === undefined) this.unread.push(file);
        else lines += removed;
      }
      this.removed(source.name, 'files', lines);
    }
  }

  private removed(table: string, kind: ErasedPlace['kind'], removed: number) {
    if (removed > 0) this.places.push({ table, kind, engine: 'duckdb', removed });
  }
}

const comparable = (column: string) => normalisedSql(`t.${quoteName(column)}`);
const numbered = (file: string) => parquetFile(file).replace(/\)$/, ', file_row_number=true)');

const filesBelow = async (dir: string) =>
  (await readdir(dir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** The files of a folder in another one. */
async function linkAll(from: string, to: string): Promise<void> {
  for (const file of await filesBelow(from)) await linkFile(file, join(to, file.slice(from.length + 1)));
}

/** A file of a version, which never changes, in another one; without a copy where the file system can. */
async function linkFile(from: string, to: string): Promise<void> {
  await mkdir(join(to, '..'), { recursive: true });
  await link(from, to).catch(() => copyFile(from, to));
}
