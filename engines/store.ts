import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { FORMATS } from '../model/format';
import { withDatabase } from './database';
import { LakeError, type RunResult, type RunSummary, UsageError } from './engine';
import { replaceFile } from './replace-file';
import { quoteString } from './sql';
import { readStored, readSummary } from './stored';
import { readList, Suppression } from './suppression';

/**
 * A lake on disk:
 *
 *     current.json             which version of each table is published; replaced by one rename
 *     versions/<runId>/<table>/**.parquet        never changed once published
 *     versions/<runId>/quarantine/<table>.parquet
 *     runs/<runId>.json        the summary of each run
 *     pseudonym.key            mode 600
 *     suppressed.json          who was forgotten, as keyed hashes
 *     suppressed.json.pending  whose forget goes on, or was cut off
 *     receipts/<id>.json       what was removed where
 *     docs.html                what `lake docs` made of it
 *     tmp/<process>-<…>/       what a query spills, or a forget
 *     lock.duckdb              held open by the run that is going on
 */
export interface Pointer {
  /** The run that published last. */
  readonly runId: string;
  /** Table to what is published of it. */
  readonly tables: Readonly<Record<string, Version>>;
}

export interface Version {
  /** The run that made its rows. */
  readonly runId: string;
  /** Its folder in `versions`, where it is not that of the run: of a source that was read again, and its rows are what they were. */
  readonly folder?: string;
  /** The run that made it last and got the rows that it had, if there is one: what is said of the table is in its summary. */
  readonly madeBy?: string;
  readonly rows: number;
  /** Of expectations with bad rows: how many of the table's rows that is, where they are such. Absent in older lakes. */
  readonly affected?: Readonly<Record<string, number>>;
  /** Values of its job's parameters; none for a source. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** The run's own time, as SQL has it, where the job asks for it. Absent in older lakes: when the run began. */
  readonly runTime?: string;
  /** SHA-256 of its job's SQL. */
  readonly sql?: string;
  /** Of a job's: the runs that had made the rows of its inputs, by input. Absent in older lakes. */
  readonly of?: Readonly<Record<string, string>>;
  /** Of a source: the runs that had made the rows of the tables with which its expectations compared it, by table. */
  readonly heldTo?: Readonly<Record<string, string>>;
  /** Of a job's: SHA-256 of the contracts of its output and inputs, and what pseudonyms are made with. */
  readonly how?: string;
}

/** A forget that goes on, or was cut off. */
export interface Forgetting {
  /** The person's hash, as the list has it. */
  readonly person: string;
  /** When it began, ISO 8601. */
  readonly since: string;
  /** The engines that have not made their tables again. Absent: all. */
  readonly left?: readonly EngineName[];
}

/** Those that have tables in a lake. */
export type EngineName = 'duckdb' | 'spark';

const EMPTY: Pointer = { runId: '', tables: {} };
const RUN_ID = /^\d{8}T\d{9}Z-[0-9a-f]{4}$/;
const RUN_ID_LENGTH = '20260101T000000000Z-0000'.length;
/** The names at the top of a lake's folder. */
const OURS =
  /^(?:current\.json|docs\.html|pseudonym\.key|lock\.duckdb|suppressed\.json|receipts|versions|runs|sample|spark|tmp)(?:\.|$)/;

// A second instance in the same process would share the first one's file lock.
const heldHere = new Set<string>();
/** Temporary folders of this process. In a container the process before had its number, as often as not. */
const spilledHere = new Set<string>();

export class Store {
  readonly root: string;
  constructor(root: string) {
    this.root = resolve(root);
    if (sep === '/' && this.root.includes('\\')) {
      throw new UsageError(
        `the lake ${this.root}: DuckDB takes a backslash for the end of a folder's name; give a path without one`,
      );
    }
  }

  private path = (...parts: string[]) => join(this.root, ...parts);
  versionDir = (runId: string) => this.path('versions', runId);
  tableDir = (runId: string, table: string) => join(this.versionDir(runId), table);
  quarantineFile = (runId: string, table: string) =>
    join(this.versionDir(runId), 'quarantine', `${table}.parquet`);
  /** For temporary files of a run; never published. */
  scratchDir = (runId: string) => join(this.versionDir(runId), 'scratch');
  makeQuarantine = (runId: string) => mkdir(join(this.versionDir(runId), 'quarantine'), { recursive: true });
  summaryFile = (runId: string) => this.path('runs', `${runId}.json`);
  receiptFile = (id: string) => this.path('receipts', `${id}.json`);
  sampleDir = () => this.path('sample');
  /** Takes a file of the sample until it is whole. */
  sampleTemporary = (id: string) => this.path(`sample.${id}.tmp`);
  /** Where the files of a published table are. */
  publishedDir = (table: string, { runId, folder = runId }: Version) => this.tableDir(folder, table);
  /** The published tables with their folders. */
  publishedTables = ({ tables }: Pointer) =>
    Object.entries(tables).map(([table, version]) => ({
      table,
      dir: this.publishedDir(table, version),
      rows: version.rows,
    }));
  /** Where its refused lines are, if there are any. */
  publishedQuarantine = (table: string, { runId, folder = runId }: Version) =>
    this.quarantineFile(folder, table);
  /** Read and written by every engine. */
  get suppressedFile() {
    return this.path('suppressed.json');
  }
  private get pendingFile() {
    return `${this.suppressedFile}.pending`;
  }

  /**
   * Makes a folder for what this process spills; nothing where the lake cannot be written, so that what does not fit in
   * memory fails. It goes by {@link removeTemporary}, or with the next command of anybody.
   */
  async makeTemporary(): Promise<string | undefined> {
    try {
      await this.removeTemporary();
      await mkdir(this.path('tmp'), { recursive: true, mode: 0o700 });
      const made = await mkdtemp(this.path('tmp', `${process.pid}-`));
      spilledHere.add(basename(made));
      return made;
    } catch {
      return undefined;
    }
  }

  /** Removes one such folder, or those of processes that are no more. */
  async removeTemporary(own?: string): Promise<void> {
    if (own !== undefined) spilledHere.delete(basename(own));
    for (const name of own === undefined ? await list(this.path('tmp')) : [basename(own)])
      if (own !== undefined || !isInUse(name)) await remove(this.path('tmp', name));
    // Only an empty folder can go this way.
    await rmdir(this.path('tmp')).catch(() => undefined);
  }

  /** Such folders of other processes: of queries that go on, as far as can be told. */
  async temporaryOfOthers(): Promise<string[]> {
    const others = (await list(this.path('tmp'))).filter((name) => !spilledHere.has(name));
    return others.map((name) => this.path('tmp', name));
  }

  /** Whether anything of a lake is there, such as what a run left that failed. */
  get exists() {
    // What may not be looked into is there.
    return ['current.json', 'versions', 'spark', 'sample'].some((name) =>
      statSync(this.path(name), { throwIfNoEntry: false }),
    );
  }

  get hasKey() {
    return existsSync(this.path('pseudonym.key'));
  }

  /** Whether Spark has written anything here. */
  get hasSpark() {
    return ['warehouse', 'quarantine'].some((name) => existsSync(this.path('spark', name)));
  }

  /** All files of versions, those too that no published table needs. */
  async versionFiles(): Promise<string[]> {
    const files: string[] = [];
    for (const runId of (await list(this.path('versions'))).filter((name) => RUN_ID.test(name))) {
      const found = await readdir(this.versionDir(runId), { recursive: true, withFileTypes: true });
      files.push(...found.filter((f) => f.isFile()).map((f) => join(f.parentPath, f.name)));
    }
    return files;
  }

  /** What is published. Throws a LakeError where the pointer is not one of ours. */
  async pointer(): Promise<Pointer> {
    const found = await readStored<Pointer>(
      this.path('current.json'),
      FORMATS.lake,
      'is not the pointer of a lake; restore it, or remove this one file and run again. Keep pseudonym.key',
      ({ runId, tables }) => {
        const folders = Object.values(tables).flatMap((v) => [v.runId, v.folder ?? v.runId]);
        return [runId, ...folders].every((id) => RUN_ID.test(id));
      },
    );
    return found ? { runId: found.runId, tables: found.tables } : EMPTY;
  }

  /**
   * Holds the lake for one run; a second run is refused. The system lets go if the process dies. Throws a
   * UsageError where the folder holds other things than a lake. `db` is the database that holds it; default: its own.
   */
  async hold<T>(work: () => Promise<T>, db?: DuckDBConnection): Promise<T> {
    if (!db) return withDatabase((own) => this.hold(work, own));
    // What is written from here on names people: it is for the owner of the lake. The whole process has to be told, and
    // Spark as its child: DuckDB's and Spark's own files of tables, refused lines and spills take no mode.
    process.umask(0o077);
    await mkdir(this.root, { recursive: true });
    const foreign = (await list(this.root)).filter((name) => !OURS.test(name) && !name.startsWith('.'));
    if (foreign.length > 0) {
      throw new UsageError(
        `${this.root} is no lake: it holds ${foreign.slice(0, 3).join(', ')}. Give --lake a folder of its own`,
      );
    }
    const busy = new LakeError(
      `another run is going on in ${this.root}; wait for it to end. Nothing was changed`,
    );
    const here = await realpath(this.root);
    if (heldHere.has(here)) throw busy;
    heldHere.add(here);
    try {
      await this.lock(db, busy);
      try {
        return await work();
      } finally {
        // A database that an error has made useless lets go when it is closed.
        await db.run('DETACH _lock').catch(() => undefined);
      }
    } finally {
      heldHere.delete(here);
    }
  }

  private async lock(db: DuckDBConnection, busy: LakeError): Promise<void> {
    const file = this.path('lock.duckdb');
    if (!existsSync(file)) await this.makeLock(db, file);
    try {
      await db.run(`ATTACH ${quoteString(file)} AS _lock`);
    } catch (error) {
      // The file's own name holds the word "lock": only the whole phrase tells.
      if (/could not set lock/i.test(String(error))) throw busy;
      throw new LakeError(
        `${file} cannot be opened; is the folder writable? If no run is going on, remove the file`,
      );
    }
  }

  /** The lock appears whole, by a link, so that a process killed here leaves no half-made one. */
  private async makeLock(db: DuckDBConnection, file: string): Promise<void> {
    const temporary = `${file}.${process.pid}.tmp`;
    await db.run(`ATTACH ${quoteString(temporary)} AS _lock`);
    await db.run('DETACH _lock');
    // Another process may have made the lock, and swept this one's file, in the meantime.
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(file)) throw error;
    });
    await rm(temporary, { force: true });
  }

  /** The newest quarantine file of each table that has one, failed runs' included, but not of a run that goes on. */
  async quarantines(pointer: Pointer): Promise<ReadonlyMap<string, string>> {
    const newest = new Map<string, string>();
    for (const [table, version] of Object.entries(pointer.tables)) {
      const file = this.publishedQuarantine(table, version);
      if (existsSync(file)) newest.set(table, file);
    }
    for (const { table, file } of await this.failedQuarantines(pointer)) newest.set(table, file);
    return newest;
  }

  /** The quarantine files of runs that failed since the last one that published, in their order. */
  async failedQuarantines({ runId: last }: Pointer): Promise<{ table: string; file: string }[]> {
    const found: { table: string; file: string }[] = [];
    for (const runId of await list(this.path('versions'))) {
      if (!RUN_ID.test(runId) || runId <= last || (await this.outcomeOf(runId)) !== 'failed') continue;
      for (const name of await list(join(this.versionDir(runId), 'quarantine'))) {
        if (name.endsWith('.tmp')) continue;
        const table = name.replace(/\.parquet$/, '');
        found.push({ table, file: this.quarantineFile(runId, table) });
      }
    }
    return found;
  }

  /** After a run: what it replaced goes, and of one that did not publish all but its quarantine. */
  async settle(runId: string): Promise<void> {
    if ((await this.pointer()).runId === runId) return this.sweep();
    await removeFrom(this.versionDir(runId), (name) => name !== 'quarantine');
    // Only an empty folder can go this way.
    await rmdir(this.versionDir(runId)).catch(() => undefined);
  }

  /**
   * Removes what no published table needs: folders and temporary files of killed, failed and replaced runs, and what failed
   * ones refused. Touches only names that a lake gives.
   */
  async sweep(): Promise<void> {
    const pointer = await this.pointer();
    await this.removeTemporary();
    const used = new Set(
      Object.entries(pointer.tables).map(([table, { runId, folder = runId }]) => `${folder}/${table}`),
    );
    for (const runId of (await list(this.path('versions'))).filter((name) => RUN_ID.test(name))) {
      const dir = this.versionDir(runId);
      const names = await list(dir);
      const kept = names.filter((name) => used.has(`${runId}/${name}`));
      if (kept.length === 0) await discard(dir);
      else {
        await removeFrom(dir, (name) => name !== 'quarantine' && !kept.includes(name));
        await removeFrom(join(dir, 'quarantine'), (file) => !kept.includes(file.replace(/\.parquet$/, '')));
      }
    }
    await removeFrom(this.root, (name) => OURS.test(name) && name.endsWith('.tmp'));
    await removeFrom(
      this.path('versions'),
      (name) => RUN_ID.test(name.replace(/\.tmp$/, '')) && name.endsWith('.tmp'),
    );
    await removeFrom(this.path('receipts'), (name) => name.endsWith('.json.tmp'));
    for (const name of await list(this.path('runs'))) {
      const [runId = '', ending] = [name.slice(0, RUN_ID_LENGTH), name.slice(RUN_ID_LENGTH)];
      if (!RUN_ID.test(runId)) continue;
      // A run writes its summary before the pointer: one that says "published" beyond the pointer was killed between.
      const unfinished =
        ending === '.json' && runId > pointer.runId && (await this.outcomeOf(runId)) !== 'failed';
      if (ending === '.json.tmp' || unfinished) await remove(this.path('runs', name));
    }
  }

  /** How a run ended; nothing of one that goes on or was killed. */
  private async outcomeOf(runId: string): Promise<string | undefined> {
    return (await readSummary(this.summaryFile(runId)))?.outcome;
  }

  /** The tables that the newest run that ended came to. */
  async lastTables(): Promise<readonly string[]> {
    const ended = (await list(this.path('runs'))).filter((name) => RUN_ID.test(name.replace(/\.json$/, '')));
    const newest = ended.at(-1);
    const summary = newest === undefined ? undefined : await readSummary(this.path('runs', newest));
    return summary?.tables.map(({ table }) => table) ?? [];
  }

  async writeSummary(runId: string, summary: RunSummary): Promise<void> {
    await mkdir(this.path('runs'), { recursive: true });
    await this.replace(this.summaryFile(runId), JSON.stringify(summary, null, 2));
  }

  /** The one step that makes a run's tables current. */
  async publish(pointer: Pointer): Promise<void> {
    await this.replace(
      this.path('current.json'),
      JSON.stringify({ version: FORMATS.lake, ...pointer }, null, 2),
    );
  }

  /** Who was forgotten. Throws a LakeError where that cannot be told: else they would come back. */
  async suppression(): Promise<Suppression> {
    const entries = await readList(this.suppressedFile);
    if (entries.length === 0) {
      if (!existsSync(this.suppressedFile) && (await list(this.path('receipts'))).length > 0) {
        throw new LakeError(
          `${this.suppressedFile} is gone, and ${this.path('receipts')} says that people were forgotten, who would come back; restore it`,
        );
      }
      return new Suppression(Buffer.alloc(0));
    }
    if (!this.hasKey) {
      throw new LakeError(
        `${this.path('pseudonym.key')} is gone, and ${this.suppressedFile} says by that key who was forgotten; restore it`,
      );
    }
    return new Suppression(await this.pseudonymKey(), entries);
  }

  /** Adds to who was forgotten before anything of theirs is removed: what is cut off is done by who comes next. */
  async beginForgetting(list: Suppression, person: string): Promise<void> {
    const others = (await this.forgettings()).filter((one) => one.person !== person);
    const has = { duckdb: !this.hasSpark || existsSync(this.path('current.json')), spark: this.hasSpark };
    const left = (['duckdb', 'spark'] as const).filter((engine) => has[engine]);
    await this.writeForgettings([...others, { person, since: new Date().toISOString(), left }]);
    await this.replace(this.suppressedFile, list.text());
  }

  /** The forgets that were begun and have not ended. One whose person is not in the list has removed nothing. */
  async forgettings(): Promise<readonly Forgetting[]> {
    // A bare list: what has another format will say so.
    const all = await readStored<readonly Forgetting[]>(
      this.pendingFile,
      FORMATS.lake,
      'is damaged, and says which forgets were cut off; restore it, or remove it and call them again',
      (begun) =>
        begun.every(({ person, since, left }) =>
          [person, since, ...(left ?? [])].every((text) => typeof text === 'string'),
        ),
    );
    if (!all) return [];
    const listed = new Set((await readList(this.suppressedFile)).map(({ hash }) => hash));
    return all.filter(({ person }) => listed.has(person));
  }

  private async writeForgettings(all: readonly Forgetting[]): Promise<void> {
    if (all.length > 0) await this.replace(this.pendingFile, JSON.stringify(all, null, 2));
    else await rm(this.pendingFile, { force: true });
  }

  /** Whether an engine has tables to make again, as a forget was cut off. */
  async isLeft(engine: EngineName): Promise<boolean> {
    return (await this.forgettings()).some(({ left }) => left?.includes(engine) ?? true);
  }

  /** An engine has made its tables again, by the whole list. */
  async endForgetting(engine: EngineName): Promise<void> {
    const all = (await this.forgettings()).map(
      ({ left = ['duckdb', 'spark'], ...one }): Forgetting & { left: EngineName[] } => ({
        ...one,
        left: left.filter((name) => name !== engine && (name !== 'spark' || this.hasSpark)),
      }),
    );
    await this.writeForgettings(all.filter(({ left }) => left.length > 0));
  }

  /**
   * Runs an engine, and has it end forgets that were cut off: before, or after a run of everything, which can do what the
   * tables that are there did not allow.
   */
  async endingForgets<R extends Pick<RunResult, 'failures'>>(
    engine: EngineName,
    isWhole: boolean,
    makeAgain: () => Promise<unknown>,
    run: () => Promise<R>,
  ): Promise<R> {
    // Also where no source is read: without the list, nobody knows what may be published.
    await this.suppression();
    const finish = async () => {
      await makeAgain();
      await this.endForgetting(engine);
    };
    if (await this.isLeft(engine)) {
      await finish().catch((error) => {
        if (!isWhole) throw error;
      });
    }
    const result = await run();
    if (isWhole && result.failures.length === 0 && (await this.isLeft(engine))) await finish();
    return result;
  }

  async writeReceipt(id: string, receipt: unknown): Promise<void> {
    await mkdir(this.path('receipts'), { recursive: true });
    await this.replace(this.receiptFile(id), JSON.stringify(receipt, null, 2));
  }

  private async replace(path: string, text: string): Promise<void> {
    await replaceFile(path, `${text}\n`);
  }

  private async readKey(path: string): Promise<string> {
    try {
      // Copied or unpacked, it may have become readable for others.
      await chmod(path, 0o600);
      return (await readFile(path, 'utf8')).trim();
    } catch {
      throw new LakeError(`${path} is the key of this lake, and you may not read it; ask who owns it`);
    }
  }

  /** The key of the pseudonyms, made on first use and the same ever after. */
  async pseudonymKey(): Promise<Buffer> {
    const path = this.path('pseudonym.key');
    if (!existsSync(path)) {
      const temporary = `${path}.tmp`;
      await rm(temporary, { force: true });
      await writeFile(temporary, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
      await chmod(temporary, 0o600);
      await rename(temporary, path);
    }
    const hex = await this.readKey(path);
    if (!/^[0-9a-f]{64}$/.test(hex)) {
      throw new LakeError(
        `${path} should hold 64 hex digits; restore it, or remove it to begin with new pseudonyms`,
      );
    }
    return Buffer.from(hex, 'hex');
  }
}

/** Names in a folder; none where it is missing. */
export async function list(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function isInUse(temporary: string): boolean {
  const pid = Number.parseInt(temporary, 10);
  return pid === process.pid ? spilledHere.has(temporary) : isAlive(pid);
}

/** Whether a process of this number goes on. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const remove = (path: string) => rm(path, { recursive: true, force: true });

/** Takes a folder away in one step before it is emptied: a query never sees some of a table's files. */
async function discard(dir: string): Promise<void> {
  const gone = `${dir}.tmp`;
  await remove(gone);
  await rename(dir, gone);
  await remove(gone);
}

async function removeFrom(dir: string, unwanted: (name: string) => boolean): Promise<void> {
  for (const name of await list(dir)) {
    if (!unwanted(name)) continue;
    const path = join(dir, name);
    if (name.endsWith('.tmp') || !(await stat(path)).isDirectory()) await remove(path);
    else await discard(path);
  }
}
