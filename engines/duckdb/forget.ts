import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Pipeline, readingOf, SHARED_DEVICES } from '../../model';
import { countOf, numberedRows, parquetIn, requireReadable, withDatabase } from '../database';
import {
  type ErasedPlace,
  type ErasurePart,
  type ErasureRequest,
  type ForgetRequest,
  LakeError,
  NOTHING_ERASED,
  type Receipt,
  type RemadeTable,
} from '../engine';
import { findIn, hashesFound, readyList, readyRows, theirIds } from '../forgotten';
import { readCode } from '../job-code';
import { landingFiles } from '../landing/files';
import { forgetLines } from '../landing/forget-lines';
import { inSql, planAgain, requirePublished } from '../plan';
import { newRunId } from '../run-id';
import { quoteString } from '../sql';
import type { Store } from '../store';
import { readSummary } from '../stored';
import { Suppression } from '../suppression';
import { codeVersion } from '../version';
import { hashOfSql } from './causes';
import { Run } from './run';

/** Another engine's part of the same lake. It is asked while the lake is held, and adds what it finds to the list. */
export interface OtherPart {
  forget(pipeline: Pipeline, request: ErasureRequest): Promise<ErasurePart>;
}

/** A request to forget somebody in a lake in a folder. */
export interface LakeForgetRequest extends ForgetRequest {
  /** Of a lake that has one. */
  readonly other?: OtherPart;
  /** Hears what is to be known before anything changes. */
  readonly tell?: (text: string) => void;
}

/** A lake that is held, the folder of the jobs' code, and what DuckDB makes of the pipeline. */
interface Lake {
  readonly store: Store;
  readonly jobs: string;
  readonly db: DuckDBConnection;
  readonly pipeline: Pipeline;
}

/**
 * Forgets a person: enters them in the list, and makes everything again without whom it names. Throws a LakeError where
 * there is no lake, it is in use or a table cannot be made; what was begun then is done by the next forget or run.
 */
export async function forgetIn(
  store: Store,
  jobs: string,
  pipeline: Pipeline,
  { subject, dryRun, other, tell = () => {} }: LakeForgetRequest,
): Promise<Receipt> {
  if (!store.exists) throw new LakeError(`there is no lake in ${store.root}; give --lake another folder`);
  const spilled = await store.makeTemporary();
  return withDatabase((db) =>
    store.hold(async () => {
      await db.run(`SET temp_directory = ${quoteString(spilled ?? '')}`);
      if (!dryRun) await store.sweep();
      const lake = { store, jobs, db, pipeline: inSql(pipeline) };
      const { entries } = await store.suppression();
      // Of sources all other tables are made again.
      const published = store.publishedTables(await store.pointer());
      const sources = new Set(pipeline.sources.map(({ name }) => name));
      await requireReadable(
        db,
        published.filter(({ table }) => sources.has(table)),
      );
      const key = store.hasKey || !dryRun ? await store.pseudonymKey() : randomBytes(32);
      const before = new Suppression(key, entries);
      const { list, person, sharedDevices } = await find(lake, before, subject);
      const since = before.since(person);
      for (const name of await changedSql(lake)) {
        tell(`the SQL of ${name} is not that of its last run; it is made again by what it is now`);
      }
      if (!dryRun) await store.beginForgetting(list, person);
      const theirs = (await other?.forget(pipeline, { subject, dryRun, key })) ?? NOTHING_ERASED;
      const own = dryRun
        ? await preview(lake, list, subject)
        : await makeAgain(lake, await store.suppression(), subject);
      const spilling = await store.temporaryOfOthers();
      const receipt: Receipt = {
        id: newRunId(),
        at: new Date().toISOString(),
        codeVersion: codeVersion(),
        subject: person,
        dryRun,
        places: [...own.places, ...theirs.places],
        remade: [...own.remade, ...theirs.remade],
        seconds: own.seconds + theirs.seconds,
        // The parts of a lake know the same devices.
        sharedDevices: Math.max(sharedDevices, theirs.sharedDevices),
        oldVersions: own.oldVersions + theirs.oldVersions,
        unread: [...own.unread, ...theirs.unread],
        warnings: [...own.warnings, ...theirs.warnings],
        ...(since !== undefined && { listedSince: since }),
        ...(!dryRun &&
          spilling.length > 0 && {
            again: `a query that goes on may hold rows of before in ${spilling.join(', ')}; call this again when it has ended. If there is none, remove that`,
          }),
      };
      if (!dryRun) {
        await store.writeReceipt(receipt.id, receipt);
        // Other engines that the call did not ask have theirs to do.
        await store.endForgetting('duckdb');
        if (other) await store.endForgetting('spark');
      }
      return receipt;
    }, db),
  ).finally(() => spilled !== undefined && store.removeTemporary(spilled));
}

/** Does DuckDB's part of forgets that were cut off, on a lake that is held. */
export const finishForgetting = async (lake: Lake): Promise<unknown> =>
  makeAgain(lake, await lake.store.suppression());

/** After a run of everything: what its files say of people on the list is entered too, and removed as by a forget. */
export async function learn({ store, db }: Lake): Promise<void> {
  const before = await store.suppression();
  const [first] = before.entries;
  if (!first) return;
  await readyList(db, before);
  const list = before.plus(await hashesFound(db), new Date().toISOString());
  if (list.entries.length > before.entries.length) await store.beginForgetting(list, first.hash);
}

/** The list with the person, and with what points to nobody else; the person's hash, and how many devices others have too. */
async function find(lake: Lake, before: Suppression, subject: string) {
  const { db } = lake;
  const since = new Date().toISOString();
  await readyList(db, before, subject);
  const [person] = await hashesFound(db);
  if (!person) throw new LakeError('the subject is empty');
  const listed = before.plus([person], since);
  await readyList(db, listed, subject);
  for await (const { source } of landedRows(lake)) await findIn(db, source);
  const list = listed.plus(await hashesFound(db), since);
  return { list, person: person.hash, sharedDevices: await countOf(db, SHARED_DEVICES) };
}

/** The sources of which the lake has rows, each with those as `_landed`. */
async function* landedRows({ db, store, pipeline }: Lake) {
  const { tables } = await store.pointer();
  for (const source of pipeline.sources) {
    const version = tables[source.name];
    if (!version) continue;
    await readyRows(db, source, parquetIn(store.publishedDir(source.name, version)));
    yield { source, version };
  }
}

/** Tables that are made by other SQL than when they were made last. */
async function changedSql({ store, jobs, pipeline }: Lake): Promise<string[]> {
  const { tables } = await store.pointer();
  const changed: string[] = [];
  for (const job of pipeline.jobs) {
    const before = tables[job.name]?.sql;
    if (before !== undefined && before !== hashOfSql(await readCode(jobs, job))) changed.push(job.name);
  }
  return changed;
}

/** What a forget would remove and make again, from the rows that the lake has. */
async function preview(lake: Lake, list: Suppression, subject: string): Promise<ErasurePart> {
  const { store, db, pipeline } = lake;
  const { tables } = await store.pointer();
  const { places, add } = erasedPlaces();
  await readyList(db, list, subject);
  for await (const { source, version } of landedRows(lake)) {
    const { rows, refused } = readingOf(source).forgotten;
    add(source.name, 'rows', await countOf(db, `SELECT 1 FROM _landed t WHERE ${rows}`));
    const quarantine = store.publishedQuarantine(source.name, version);
    if (!existsSync(quarantine)) continue;
    const texts = `SELECT id, raw FROM (${numberedRows(quarantine)})`;
    add(source.name, 'quarantine', (await theirIds(db, texts, refused)).length);
  }
  const unread = await forgetSample(lake, add);
  let seconds = 0;
  const remade: RemadeTable[] = [];
  for (const { name } of [...pipeline.sources, ...pipeline.jobs]) {
    const version = tables[name];
    if (!version) continue;
    remade.push({ table: name, engine: 'duckdb', rows: version.rows });
    const summary = await readSummary(store.summaryFile(version.runId));
    seconds += summary?.tables.find(({ table }) => table === name)?.seconds ?? 0;
  }
  return { ...NOTHING_ERASED, places, remade, seconds, unread };
}

/** Makes every table again without whom the list names, publishes all in one step, and removes what was before. */
async function makeAgain(lake: Lake, list: Suppression, subject?: string): Promise<ErasurePart> {
  const { store, db, jobs, pipeline } = lake;
  const files = await store.versionFiles();
  const pointer = await store.pointer();
  const runId = newRunId();
  const plan = planAgain(pipeline, pointer.tables);
  requirePublished(plan, Object.keys(pointer.tables));
  const { places, add } = erasedPlaces();
  try {
    const run = new Run(store, db, runId, jobs, pipeline, plan, () => {}, {
      forgetting: { list, subject },
    });
    // Of another engine's lake there is nothing here.
    const isEmpty = Object.keys(pointer.tables).length === 0;
    const result = isEmpty ? undefined : await run.go(undefined);
    const { failures = [], warnings = [] } = result ?? {};
    const tables = result?.summary.tables ?? [];
    if (failures.length > 0) {
      throw new LakeError(
        `the person is on the list and is not gone yet, as not all tables can be made again:\n${failures.join('\n')}\nPut that right; the next lake forget or lake run ends it`,
      );
    }
    for (const { table, job, filtered, written } of tables) {
      const gone = (pointer.tables[table]?.rows ?? 0) - written;
      add(table, 'rows', gone);
      if (job === null) add(table, 'quarantine', filtered - gone);
    }
    await readyList(db, list, subject);
    const unread = await forgetSample(lake, add, runId);
    await store.sweep();
    const left = new Set(await store.versionFiles());
    return {
      ...NOTHING_ERASED,
      places,
      remade: tables.map(({ table, written: rows }) => ({ table, engine: 'duckdb' as const, rows })),
      seconds: result?.summary.seconds ?? 0,
      unread,
      oldVersions: files.filter((file) => !left.has(file)).length,
      warnings,
    };
  } finally {
    await store.settle(runId);
  }
}

/** Where something was found, and what adds to it. */
function erasedPlaces() {
  const places: ErasedPlace[] = [];
  const add = (table: string, kind: ErasedPlace['kind'], removed: number) =>
    removed > 0 && places.push({ table, kind, engine: 'duckdb', removed });
  return { places, add };
}

/**
 * Takes their records out of the lake's own sample, by the list that the database has; without `id` they are counted.
 * Returns the files that cannot be looked into.
 */
async function forgetSample(
  { store, db, pipeline }: Lake,
  add: ReturnType<typeof erasedPlaces>['add'],
  id?: string,
): Promise<string[]> {
  const unread: string[] = [];
  const temporary = id === undefined ? undefined : store.sampleTemporary(id);
  for (const source of pipeline.sources) {
    let lines = 0;
    for (const file of await landingFiles(store.sampleDir(), source)) {
      const removed = await forgetLines(db, file, source, temporary);
      if (removed === undefined) unread.push(file);
      lines += removed ?? 0;
    }
    add(source.name, 'files', lines);
  }
  return unread;
}
