import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { LakeError } from '../engine';

/**
 * A lake on disk:
 *
 *     current.json             which version of each table is published; replaced by one rename
 *     versions/<runId>/<table>/**.parquet        never changed once published
 *     versions/<runId>/quarantine/<table>.parquet
 *     runs/<runId>.json        the summary of each run
 *     pseudonym.key            mode 600
 *     lock.duckdb              held open by the run that is going on
 */
export interface Pointer {
  /** The run that published last. */
  readonly runId: string;
  /** Table to what is published of it. */
  readonly tables: Readonly<Record<string, Version>>;
}

export interface Version {
  readonly runId: string;
  readonly rows: number;
}

const EMPTY: Pointer = { runId: '', tables: {} };
const RUN_ID = /^\d{8}T\d{9}Z-[0-9a-f]{4}$/;

/** Sorts by time. */
export const newRunId = (now = new Date()) =>
  `${now.toISOString().replaceAll(/[-:.]/g, '')}-${randomBytes(2).toString('hex')}`;

// A second instance in the same process would share the first one's file lock.
const heldHere = new Set<string>();

export class Store {
  readonly root: string;
  constructor(root: string) {
    this.root = resolve(root);
  }

  private path = (...parts: string[]) => join(this.root, ...parts);
  versionDir = (runId: string) => this.path('versions', runId);
  tableDir = (runId: string, table: string) => join(this.versionDir(runId), table);
  quarantineFile = (runId: string, table: string) =>
    join(this.versionDir(runId), 'quarantine', `${table}.parquet`);
  summaryFile = (runId: string) => this.path('runs', `${runId}.json`);

  get exists() {
    return existsSync(this.path('current.json'));
  }

  /** What is published. Throws a LakeError where the pointer is not one of ours. */
  async pointer(): Promise<Pointer> {
    let text: string;
    try {
      text = await readFile(this.path('current.json'), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY;
      throw error;
    }
    try {
      return JSON.parse(text) as Pointer;
    } catch {
      throw new LakeError(
        `${this.path('current.json')} is not the pointer of a lake; remove the folder and run again`,
      );
    }
  }

  /** Holds the lake for one run; a second run is refused. The system lets go if the process dies. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    await mkdir(this.root, { recursive: true });
    const busy = new LakeError(
      `another run is going on in ${this.root}; wait for it to end. Nothing was changed`,
    );
    if (heldHere.has(this.root)) throw busy;
    heldHere.add(this.root);
    try {
      const lock = await this.openLock(busy);
      try {
        return await work();
      } finally {
        lock.closeSync();
      }
    } finally {
      heldHere.delete(this.root);
    }
  }

  private async openLock(busy: LakeError): Promise<DuckDBInstance> {
    const file = this.path('lock.duckdb');
    try {
      return await DuckDBInstance.create(file);
    } catch (error) {
      if (/lock/i.test(String(error))) throw busy;
      // A process killed while it made the file leaves one that is no database; it holds no lock.
      await rm(file, { force: true });
      return DuckDBInstance.create(file);
    }
  }

  /** Removes what no published table needs: folders and temporary files of killed and replaced runs. */
  async sweep(): Promise<void> {
    const pointer = await this.pointer();
    const used = new Set(Object.entries(pointer.tables).map(([table, v]) => `${v.runId}/${table}`));
    for (const runId of await list(this.path('versions'))) {
      const tables = await list(this.versionDir(runId));
      const kept = tables.filter((table) => used.has(`${runId}/${table}`));
      if (kept.length === 0) await remove(this.versionDir(runId));
      else {
        for (const table of tables) {
          if (!kept.includes(table) && table !== 'quarantine')
            await remove(join(this.versionDir(runId), table));
        }
        for (const file of await list(join(this.versionDir(runId), 'quarantine'))) {
          if (!kept.includes(file.replace(/\.parquet$/, '')))
            await remove(join(this.versionDir(runId), 'quarantine', file));
        }
      }
    }
    for (const file of await list(this.root)) if (file.endsWith('.tmp')) await remove(this.path(file));
    for (const file of await list(this.path('runs'))) {
      const runId = file.replace(/\.json$/, '');
      if (!RUN_ID.test(runId)) await remove(this.path('runs', file));
      // A run writes its summary before the pointer: one that says "published" beyond the pointer was killed between.
      else if (runId > pointer.runId && (await this.outcomeOf(file)) !== 'failed')
        await remove(this.path('runs', file));
    }
  }

  private async outcomeOf(file: string): Promise<string | undefined> {
    return (JSON.parse(await readFile(this.path('runs', file), 'utf8')) as { outcome?: string }).outcome;
  }

  async writeSummary(runId: string, summary: unknown): Promise<void> {
    await mkdir(this.path('runs'), { recursive: true });
    await this.replace(this.summaryFile(runId), JSON.stringify(summary, null, 2));
  }

  /** The one step that makes a run's tables current. */
  async publish(pointer: Pointer): Promise<void> {
    await this.replace(this.path('current.json'), JSON.stringify(pointer, null, 2));
  }

  private async replace(path: string, text: string): Promise<void> {
    const temporary = `${path}.tmp`;
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(`${text}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
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
    const hex = (await readFile(path, 'utf8')).trim();
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

const remove = (path: string) => rm(path, { recursive: true, force: true });
